"""Somebody who asks, by a browser or by a program: what they may, and that they did."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from srs.archive.catalogue import Sight
from srs.archive.errors import AmbiguousId, NoRecording
from srs.archive.tables import Recording
from srs.privacy import audit
from srs.privacy.access import Decision
from srs.privacy.audit import Act
from srs.privacy.errors import Refused
from srs.privacy.purpose import WrongPurpose, check_use
from srs.privacy.roles import ON_RECORDINGS, Needed, Person
from srs.web.house import House


class NotFound(Exception):
    """There is none, or none that whoever asks may know of."""


@dataclass(frozen=True)
class Asker:
    """Who asks, when, and where from."""

    house: House
    person: Person
    origin: str
    now: datetime

    def decide(self, right: Needed, row: Recording | None = None) -> Decision:
        """Whether they may do something, with a recording where the right is one on recordings."""
        if isinstance(right, tuple):
            decisions = [self.decide(each, row) for each in right]
            return next((each for each in decisions if each.allowed), decisions[0])
        if right not in ON_RECORDINGS:
            return self.house.guard.decide(self.person, right, None, self.now)
        if row is None:
            return Decision(False, f"which recording is to {right}?")
        return self.house.guard.decide(self.person, right, row, self.now)

    def require(self, right: Needed, row: Recording | None = None) -> None:
        """
        Raises:
            Refused: they may not; that is in the audit.
        """
        decision = self.decide(right, row)
        if not decision.allowed:
            what = f"recording:{row.id}" if row else "recorder"
            action = str(right[0] if isinstance(right, tuple) else right)
            self.write(action, what, allowed=False, details={"why": decision.why})
            raise Refused(decision.why)

    def require_use(self, row: Recording, purpose: str | None, action: str) -> None:
        """
        Args:
            purpose: what the sound is wanted for.
            action: what would be done with it.

        Raises:
            WrongPurpose: it is kept for another, or none was said; that is in the audit.
        """
        try:
            check_use(row, purpose, self.house.settings)
        except WrongPurpose as error:
            details = {"why": str(error)}
            self.write(action, f"recording:{row.id}", reason=purpose or None, allowed=False, details=details)
            raise

    def sight(self) -> Sight:
        """The recordings that they may know of."""
        return self.house.guard.sight(self.person, self.now)

    def find(self, id_: str) -> Recording:
        """The recording of exactly this id, in the database or under way.

        Raises:
            NotFound: there is none that they may know of.
        """
        try:
            row = self.house.guard.find(self.person, id_, self.now)
        except (NoRecording, AmbiguousId) as error:
            raise NotFound from error
        if row.id != id_:
            raise NotFound
        return row

    def write(
        self,
        action: str,
        about: str,
        *,
        reason: str | None = None,
        allowed: bool = True,
        details: Mapping[str, object] = {},
        within: Session | None = None,
    ) -> None:
        """Write it into the audit.

        Args:
            within: the transaction that does it, else it is one of its own.

        Raises:
            DatabaseError: it is not written; then it must not be done.
        """
        act = Act(self.person.label, action, about, self.origin, reason=reason, allowed=allowed, details=details)
        if within is None:
            audit.record(self.house.engine, act, self.now)
        else:
            audit.append(within, act, self.now)
