"""Cases, their papers, what they recorded, their letters and their own chain of what was done."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, BigInteger, LargeBinary, Text
from sqlmodel import Field, SQLModel

from srs.archive.tables import UtcDateTime
from srs.privacy.tables import Chained


class Outcome(StrEnum):
    """How a case was closed."""

    NO_OFFENCE = "no offence"
    OFFENCE = "offence"
    WITHDRAWN = "withdrawn"
    """Before it was approved."""
    REFUSED = "refused"
    """By the second person."""


class PaperKind(StrEnum):
    """What a paper shows."""

    DPIA = "dpia"
    """GDPR article 35."""
    AUTHORITY = "authority"
    """The supervisory authority was involved before (article 36)."""
    WORKS_COUNCIL = "works-council"
    SUSPICION = "suspicion"


class Case(SQLModel, table=True):
    """A suspicion, and leave to record some persons for some time without telling them."""

    __tablename__ = "case_file"

    id: str = Field(primary_key=True, max_length=32)
    """Random; also the name of its key."""
    opened_by: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    investigators: list[str] = Field(default_factory=list, sa_type=JSON)
    """Ids of users; the first opened it. Nobody else learns what it recorded."""
    suspicion: str | None = Field(default=None, sa_type=Text)
    """None: destroyed."""
    persons: list[str] = Field(default_factory=list, sa_type=JSON)
    """Patterns of numbers, extensions and addresses; empty: destroyed."""
    cleared: list[str] = Field(default_factory=list, sa_type=JSON)
    """Those of them who had no part in the offence."""
    cleared_receipt: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """Of the destruction of what is only of them; None: that is still to be done."""
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    reference: str | None = Field(default=None, sa_type=Text)
    """Of the supervisory authority."""
    no_council: str | None = Field(default=None, sa_type=Text)
    """Why the works council has no say in it."""
    public_key: str = Field(sa_type=Text)
    """What a recorder needs to seal for it."""
    approved_by: str | None = Field(default=None, sa_type=Text)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When its end was seen to have passed; from then on a clock that is set back starts nothing again."""
    outcome: str | None = Field(default=None, max_length=16)
    reason: str | None = Field(default=None, sa_type=Text)
    """For the outcome."""
    closed_by: str | None = Field(default=None, sa_type=Text)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    held: bool = False
    """A legal hold: must not be destroyed."""
    destroyed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    receipt: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    """Of the destruction."""
    reminded: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    """When the privacy officers were last mailed about each step, ISO 8601."""
    head: str | None = Field(default=None, sa_type=Text)
    """Signature over the last entry of its chain, base64."""


class CasePaper(SQLModel, table=True):
    """A document of a case; the file is sealed for the key of the case."""

    __tablename__ = "case_paper"

    id: str = Field(primary_key=True, max_length=32)
    case_id: str = Field(max_length=32, foreign_key="case_file.id", index=True)
    kind: str = Field(max_length=16)
    name: str = Field(sa_type=Text)
    """Of the file."""
    file: str = Field(sa_type=Text)
    """Key of the sealed file in the store."""
    bytes: int
    sha256: str = Field(max_length=64)
    """Of the paper as it was given; so is its size."""
    added_by: str = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=UtcDateTime)

    @property
    def suffix(self) -> str:
        """How its name ends: `.pdf`; nothing where that is no letters and digits."""
        found = re.search(r"\.[A-Za-z0-9]{1,8}$", self.name)
        return found[0] if found else ""


class CaseRecording(SQLModel, table=True):
    """A call, or the part of it that lies in the period of a case."""

    __tablename__ = "case_recording"

    id: str = Field(primary_key=True, max_length=32)
    """Of this case only; not to be guessed."""
    case_id: str = Field(max_length=32, foreign_key="case_file.id", index=True)
    facts: bytes = Field(sa_type=LargeBinary)
    """JSON of `srs.privacy.cases.apart.facts_of`, sealed for the key of the case."""
    file: str | None = Field(default=None, sa_type=Text)
    """Key of the sealed sound in the store; None: it was not recorded, the facts say why."""
    bytes: int | None = Field(default=None, sa_type=BigInteger)
    sha256: str | None = Field(default=None, max_length=64)
    """Of the sealed sound; so is its size."""
    captures: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    """Where not all of the call could be decoded, its sealed packets: keys of the store, each with the SHA-256 of what
    is sealed there."""

    @property
    def files(self) -> list[str]:
        """All that is in the store of it."""
        return [*([self.file] if self.file else []), *self.captures]


class CaseLetter(SQLModel, table=True):
    """What an employee is to be told when there was no offence."""

    __tablename__ = "case_letter"

    id: str = Field(primary_key=True, max_length=32)
    case_id: str = Field(max_length=32, foreign_key="case_file.id", index=True)
    person: str = Field(sa_type=Text)
    """Name of the user, or the pattern where none has it."""
    mail: str | None = Field(default=None, sa_type=Text)
    subject: str = Field(sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)
    """None: it is with the employee."""
    due_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    how: str | None = Field(default=None, sa_type=Text)
    """`mailed` or `handed over`, and by whom."""


class CaseEntry(Chained, table=True):
    """Something that was done with a case or tried; a chain of its own, so that the audit has no gap to see."""

    __tablename__ = "case_entry"

    case_id: str = Field(primary_key=True, max_length=32, foreign_key="case_file.id")
