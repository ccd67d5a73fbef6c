"""Users and what they may."""

from datetime import timedelta

from starlette.responses import Response

from srs.archive.database import reading, writing
from srs.privacy import second_factor, users
from srs.privacy.errors import Misuse
from srs.privacy.roles import ROLES, Assignment, Right, Scope, assignment
from srs.web.pages import back, page
from srs.web.visit import Visit


def listed(visit: Visit) -> Response:
    oidc = visit.house.settings.oidc
    return page(
        visit,
        "users.html",
        people=users.everybody(visit.house.engine),
        oidc=oidc.label if oidc.issuer else None,
    )


def add(visit: Visit) -> Response:
    """A user without a role; the password is shown this once."""
    name = visit.form.get("name", "").strip()
    mail, language, oidc = visit.form.get("mail") or None, visit.form.get("language", "en"), "oidc" in visit.form
    with writing(visit.house.engine) as session:
        user = users.add_without_password(session, name, visit.now, mail=mail, language=language)
        password = None if oidc else users.set_one_time_password(session, user, visit.now, _lifetime(visit))
        visit.note("add user", f"user:{name}", details={"oidc": True} if oidc else {}, within=session)
    return _shown(visit, name, password)


def _lifetime(visit: Visit) -> timedelta:
    return timedelta(hours=visit.house.settings.access.one_time_hours)


def shown(visit: Visit) -> Response:
    return _shown(visit, visit.request.path_params["name"])


def _shown(visit: Visit, name: str, password: str | None = None) -> Response:
    with reading(visit.house.engine) as session:
        user = users.get(session, name)
        roles = users.roles_of(session, user.id)
    groups = [group.name for group in visit.house.settings.group]
    return page(visit, "user.html", person=user, roles=roles, password=password, all_roles=ROLES, groups=groups)


def change(visit: Visit) -> Response:
    """One thing of a user, as the button says that was pressed."""
    name, wanted = visit.request.path_params["name"], visit.form.get("do", "")
    if name == visit.user.name:
        raise Misuse("nobody changes their own roles: another administrator must do that")
    password = None
    with writing(visit.house.engine) as session:
        user = users.get(session, name)
        match wanted:
            case "give":
                users.give(session, user, _role(visit))
            case "take":
                users.take(session, user, visit.form.get("role", ""))
            case "extensions":
                user.extensions = [each.strip() for each in visit.form.get("extensions", "").split(",") if each.strip()]
            case "disable" | "enable":
                users.disable(session, user, disabled=wanted == "disable")
            case "password":
                password = users.set_one_time_password(session, user, visit.now, _lifetime(visit))
            case "second factor":
                second_factor.drop(session, user)
            case _:
                raise Misuse("nothing that can be changed")
        details = {key: value for key, value in visit.form.items() if key != "do"}
        visit.note(f"{wanted} user", f"user:{name}", details=details, within=session)
    return back(f"/users/{name}") if password is None else _shown(visit, name, password)


def _role(visit: Visit) -> Assignment:
    form = visit.form
    role = form.get("role", "")
    rights = [right for right in Right if form.get(f"right-{right}")]
    group = form.get("group", "")
    everywhere = role in ROLES and Scope.ALL in ROLES[role].scopes
    scope = Scope.GROUP if group else Scope.ALL if everywhere else None
    excluded = [each.strip() for each in form.get("excluded", "").split(",") if each.strip()]
    return assignment(role, scope, [group] if group else [], excluded, rights or None)
