"""What commands do, in the audit: by the account of the machine that they run under."""

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from srs.archive.errors import ArchiveError, DatabaseError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from srs.archive.tables import Recording
    from srs.config import Settings


def account() -> str:
    """Who runs the command, as the audit names it."""
    return f"cli:{getpass.getuser()}"


def note(
    engine: "Engine",
    action: str,
    subject: str,
    details: Mapping[str, object] = MappingProxyType({}),
    *,
    reason: str | None = None,
    allowed: bool = True,
) -> None:
    """Write down what is done, before it is done; details that are empty are left out."""
    from srs.privacy import audit

    act = audit.Act(account(), action, subject, "cli", reason, allowed, {k: v for k, v in details.items() if v})
    audit.record(engine, act, datetime.now(UTC))


def note_or_warn(engine: "Engine", action: str, subject: str, details: Mapping[str, object]) -> None:
    """The same of what gives no sound: a disk that is full must not hide from its engineer what there is."""
    try:
        note(engine, action, subject, details)
    except DatabaseError as error:
        typer.echo(f"srs: not in the audit: {error}", err=True)


@contextmanager
def acting(
    engine: "Engine", settings: "Settings", id_: str, action: str, *, reason: str | None = None, **details: object
) -> "Iterator[Recording]":
    """The recording that a command does something with; that it does, and that it failed, are written down."""
    from srs.archive.catalogue import find

    subject = f"recording:{id_}"
    try:
        row = find(engine, settings.data_dir, id_)
        subject = f"recording:{row.id}"
        note(engine, action, subject, details, reason=reason)
        yield row
    except ArchiveError as error:
        note(engine, action, subject, {**details, "why": str(error)}, reason=reason, allowed=False)
        raise
