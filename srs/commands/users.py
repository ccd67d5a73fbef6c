"""srs users, tokens, grants: who may do what."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from srs.commands.acting import account, note
from srs.commands.options import AsJson, Config, Data, open_archive

if TYPE_CHECKING:
    from srs.config import Settings
    from srs.privacy.roles import Assignment

app = typer.Typer(help="Who may sign in, and what they may.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Of the user.")]


@app.command()
def add(
    name: Name,
    admin: Annotated[bool, typer.Option("--admin", help="With the role administrator.")] = False,
    mail: Annotated[str | None, typer.Option(help="Mail address.")] = None,
    language: Annotated[str, typer.Option(help="nl or en.")] = "en",
    extension: Annotated[list[str] | None, typer.Option(help="Pattern of an own number; may be given again.")] = None,
    oidc: Annotated[bool, typer.Option("--oidc", help="Without a password: signs in by [oidc] only.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a user; shows a password once, which must be changed at the first sign-in."""
    from srs.archive.database import writing
    from srs.privacy import users
    from srs.privacy.roles import assignment

    if language not in ("nl", "en"):
        raise typer.BadParameter("--language must be nl or en")
    settings, engine, _ = open_archive(config, data)
    now, password = datetime.now(UTC), None
    with writing(engine) as session:
        user = users.add_without_password(session, name, now, mail=mail, language=language)
        user.extensions = extension or []
        if not oidc:
            password = users.set_one_time_password(session, user, now, _lifetime(settings))
        if admin:
            users.give(session, user, assignment("administrator"))
        note(session, "add user", f"user:{name}", {"role": "administrator" if admin else None, "oidc": oidc})
    _tell(name, password)


def _lifetime(settings: "Settings") -> timedelta:
    return timedelta(hours=settings.access.one_time_hours)


def _tell(name: str, password: str | None) -> None:
    how = "by [oidc]" if password is None else f"with this password, once: {password}"
    typer.echo(f"{name} may sign in {how}")


@app.command("list")
def list_(as_json: AsJson = False, config: Config = None, data: Data = None) -> None:
    """List the users and what they may."""
    import json

    from srs.privacy import users

    _, engine, _ = open_archive(config, data)
    for user, roles in users.everybody(engine):
        known = {
            "name": user.name,
            "mail": user.mail,
            "disabled": user.disabled,
            "second_factor": user.totp_secret is not None,
            "extensions": user.extensions,
            "roles": [_described(role) for role in roles],
        }
        if as_json:
            typer.echo(json.dumps(known, ensure_ascii=False))
        else:
            said = "; ".join(map(_said, roles)) or "may nothing"
            typer.echo(f"{user.name:<20} {'disabled  ' if user.disabled else ''}{said}")


def _described(role: "Assignment") -> dict[str, object]:
    named = {"role": role.role, "scope": str(role.scope), "groups": list(role.groups)}
    return {**named, "excluded": list(role.excluded), "rights": sorted(role.rights)}


def _said(role: "Assignment") -> str:
    where = f" of {', '.join(role.groups)}" if role.groups else f" ({role.scope})"
    but = f" but {', '.join(role.excluded)}" if role.excluded else ""
    return f"{role.role}{where}{but}: {', '.join(sorted(role.rights)) or 'no recordings'}"


@app.command()
def role(
    name: Name,
    role_: Annotated[str, typer.Argument(metavar="ROLE", help="administrator, supervisor, employee, …")],
    group: Annotated[list[str] | None, typer.Option(help="Of this group; may be given again.")] = None,
    all_but: Annotated[list[str] | None, typer.Option(help="Not calls of who this pattern fits.")] = None,
    right: Annotated[list[str] | None, typer.Option(help="list, play, download, …: just these.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the role away.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Give a role, or take it away; nobody hears anything without --right play."""
    from srs.archive.database import writing
    from srs.privacy import users
    from srs.privacy.roles import Right, assignment

    settings, engine, _ = open_archive(config, data)
    if unknown := set(group or ()) - {each.name for each in settings.group}:
        raise typer.BadParameter(f"there is no [[group]] {', '.join(sorted(unknown))}")
    try:
        rights = None if right is None else [Right(each) for each in right]
    except ValueError:
        raise typer.BadParameter(f"a right is one of {', '.join(Right)}") from None
    given = assignment(role_, groups=group or (), excluded=all_but or (), rights=rights)
    with writing(engine) as session:
        user = users.get(session, name)
        if remove:
            users.take(session, user, role_)
        else:
            users.give(session, user, given)
        note(session, "take role" if remove else "give role", f"user:{name}", _described(given))


@app.command()
def password(
    name: Name,
    oidc: Annotated[
        bool,
        typer.Option("--oidc", help="None any more once the user has signed in by [oidc]; it stays good until then."),
    ] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a new password, shown once; locks are undone, sessions end."""
    from srs.archive.database import writing
    from srs.privacy import users

    settings, engine, _ = open_archive(config, data)
    if oidc and settings.oidc.issuer is None:
        raise typer.BadParameter("there is no [oidc] issuer in the settings: nobody could sign in by it")
    now = datetime.now(UTC)
    with writing(engine) as session:
        user, fresh = users.get(session, name), None
        if oidc:
            user.oidc_until = now + _lifetime(settings)
        else:
            fresh = users.set_one_time_password(session, user, now, _lifetime(settings))
        note(session, "expect by oidc" if oidc else "new password", f"user:{name}")
    _tell(name, fresh)
    if oidc:
        typer.echo(
            f"for the first time within {settings.access.one_time_hours:g} hours; the password is good until then"
        )


@app.command()
def disable(
    name: Name,
    enable: Annotated[bool, typer.Option("--enable", help="Let in again.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """Let a user in no more; whatever is signed in as that user ends."""
    from srs.archive.database import writing
    from srs.privacy import users

    _, engine, _ = open_archive(config, data)
    with writing(engine) as session:
        users.disable(session, users.get(session, name), disabled=not enable)
        note(session, "enable" if enable else "disable", f"user:{name}")


@app.command()
def totp(name: Name, config: Config = None, data: Data = None) -> None:
    """Take away a user's second factor, as when the telephone was lost."""
    from srs.archive.database import writing
    from srs.privacy import second_factor, users

    _, engine, _ = open_archive(config, data)
    with writing(engine) as session:
        second_factor.drop(session, users.get(session, name))
        note(session, "drop second factor", f"user:{name}")


tokens = typer.Typer(help="What lets programs act for users.", no_args_is_help=True)


@tokens.command("add")
def add_token(
    name: Name,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="What the token is for.")],
    right: Annotated[list[str], typer.Option(help="list, play, …: the most that it allows.")],
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it holds.")] = 90,
    config: Config = None,
    data: Data = None,
) -> None:
    """Make a token; shows it once."""
    from srs.archive.database import writing
    from srs.privacy import tokens, users
    from srs.privacy.roles import Right

    _, engine, _ = open_archive(config, data)
    with writing(engine) as session:
        user, now = users.get(session, name), datetime.now(UTC)
        _, secret = tokens.issue(session, user, label, map(Right, right), now, timedelta(days=days))
        note(session, "add token", f"user:{name}", {"token": label, "rights": sorted(right), "days": days})
    typer.echo(secret)


@tokens.command("list")
def list_tokens(config: Config = None, data: Data = None) -> None:
    """List tokens: id, user, what for, rights, until when."""
    from srs.privacy import tokens

    _, engine, _ = open_archive(config, data)
    for token, user in tokens.issued(engine):
        used = "never used" if token.used_at is None else f"used {token.used_at:%Y-%m-%d}"
        until = f"until {token.expires_at:%Y-%m-%d}"
        typer.echo(f"{token.id[:8]}  {user.name}/{token.name}  {', '.join(token.rights)}  {until}  {used}")


@tokens.command("revoke")
def revoke_token(id_: Annotated[str, typer.Argument(metavar="ID")], config: Config = None, data: Data = None) -> None:
    """Make a token worthless."""
    from srs.archive.database import writing
    from srs.privacy import tokens

    _, engine, _ = open_archive(config, data)
    with writing(engine) as session:
        token = tokens.revoke(session, id_)
        note(session, "revoke token", f"token:{token.id}", {"token": token.name})


grants = typer.Typer(help="Leave for one recording, asked for and granted by another person.", no_args_is_help=True)


@grants.command("list")
def list_grants(
    all_: Annotated[bool, typer.Option("--all", help="Also those that were decided.")] = False,
    config: Config = None,
    data: Data = None,
) -> None:
    """List requests, newest first."""
    from srs.privacy import grants

    _, engine, _ = open_archive(config, data)
    for grant, user in grants.requests(engine, undecided=not all_):
        decided = "refused" if grant.until is None else f"until {grant.until:%Y-%m-%d %H:%M}"
        state = "asked" if grant.decided_at is None else f"{decided} by {grant.decided_by}"
        typer.echo(f"{grant.id[:8]}  {user.name} to {grant.right} {grant.recording_id}: {grant.reason}  [{state}]")


@grants.command("decide")
def decide_grant(
    id_: Annotated[str, typer.Argument(metavar="ID")],
    hours: Annotated[float, typer.Option(min=0, help="How long it holds; 0: refuse.")] = 24.0,
    config: Config = None,
    data: Data = None,
) -> None:
    """Grant or refuse a request."""
    from srs.archive.database import writing
    from srs.privacy import grants

    _, engine, _ = open_archive(config, data)
    with writing(engine) as session:
        period = timedelta(hours=hours) if hours else None
        grant = grants.decide(session, id_, account(), datetime.now(UTC), period)
        action, subject = "grant" if hours else "refuse", f"recording:{grant.recording_id}"
        note(session, action, subject, {"hours": hours, "to": grant.user_id}, reason=grant.reason)
