"""Who gives a command that not every account of the machine may give: a user, by token or by password."""

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from srs.privacy.roles import Person

TOKEN = "SRS_TOKEN"
ORIGIN = "cli"
As: TypeAlias = Annotated[
    str | None,
    typer.Option("--as", metavar="USER", help=f"Who you are; asks for the password. Or put a token into {TOKEN}."),
]


def signed_in(engine: "Engine", name: str | None) -> "Person":
    """The user who gives the command.

    Raises:
        Refused: the token, the password or the code is wrong.
    """
    from srs.privacy import tokens
    from srs.privacy.errors import Refused

    if name is not None:
        return _by_password(engine, name)
    if (secret := os.environ.get(TOKEN)) is None:
        raise typer.BadParameter(f"say who you are: --as USER, or a token in {TOKEN}")
    person = tokens.of_token(engine, secret, datetime.now(UTC))
    if person is None:
        raise Refused(f"the token in {TOKEN} is none, or no more")
    return person


def _by_password(engine: "Engine", name: str) -> "Person":
    from srs.archive.database import reading
    from srs.privacy import users
    from srs.privacy.errors import Refused, SecondFactor
    from srs.privacy.sign_in import sign_in

    password = typer.prompt(f"Password of {name}", hide_input=True, err=True)
    try:
        user = sign_in(engine, name, password, None, ORIGIN, datetime.now(UTC))
    except SecondFactor:
        code = typer.prompt("Code", err=True)
        user = sign_in(engine, name, password, code, ORIGIN, datetime.now(UTC))
    if user.must_change:
        raise Refused(f"{name} has to choose a password first, on the recorder's pages")
    with reading(engine) as session:
        return users.person(session, user)
