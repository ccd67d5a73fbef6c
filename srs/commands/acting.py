"""What commands do, in the audit: by the account of the machine that they run under."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from srs.archive.errors import ArchiveError, DatabaseError
from srs.control import ControlError

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlmodel import Session

    from srs.archive.tables import Recording
    from srs.config import Settings


def account() -> str:
    """Who runs the command, as the audit names it."""
    return f"cli:{getpass.getuser()}"


def note(
    where: "Engine | Session",
    action: str,
    subject: str,
    details: Mapping[str, object] = MappingProxyType({}),
    *,
    reason: str | None = None,
    allowed: bool = True,
) -> None:
    """Write down what is done, before it is done, or in the transaction that does it; empty details are left out."""
    from sqlmodel import Session

    from srs.privacy import audit

    act = audit.Act(account(), action, subject, "cli", reason, allowed, {k: v for k, v in details.items() if v})
    if isinstance(where, Session):
        audit.append(where, act, datetime.now(UTC))
    else:
        audit.record(where, act, datetime.now(UTC))


def note_or_warn(engine: "Engine", action: str, subject: str, details: Mapping[str, object]) -> None:
    """The same of what gives no sound: a disk that is full must not hide from its engineer what there is."""
    try:
        note(engine, action, subject, details)
    except DatabaseError as error:
        typer.echo(f"srs: not in the audit: {error}", err=True)


@contextmanager
def attempting(
    engine: "Engine", action: str, subject: str, *, reason: str | None = None, **details: object
) -> Iterator[None]:
    """That something is done, and that it failed, are written down."""
    note(engine, action, subject, details, reason=reason)
    try:
        yield
    except (ArchiveError, ControlError) as error:
        note(engine, action, subject, {**details, "why": str(error)}, reason=reason, allowed=False)
        raise


@contextmanager
def acting(
    engine: "Engine", settings: "Settings", id_: str, action: str, *, reason: str | None = None, **details: object
) -> "Iterator[Recording]":
    """The recording that a command does something with, as `attempting`."""
    from srs.archive.catalogue import find

    try:
        row = find(engine, settings.data_dir, id_)
    except ArchiveError as error:
        note(engine, action, f"recording:{id_}", {**details, "why": str(error)}, reason=reason, allowed=False)
        raise
    with attempting(engine, action, f"recording:{row.id}", reason=reason, **details):
        yield row
