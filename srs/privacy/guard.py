"""The door between people and recordings: what they may, with every passing and every refusal in the audit."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Engine

from srs.archive import catalogue
from srs.archive.catalogue import Sight
from srs.archive.database import reading
from srs.archive.subject import subject
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.config.privacy import purposes
from srs.privacy import access, audit, grants
from srs.privacy.access import Decision
from srs.privacy.audit import Act
from srs.privacy.errors import Refused
from srs.privacy.purpose import purpose_of
from srs.privacy.roles import Person, Right


@dataclass(frozen=True)
class Guard:
    """Decides by roles and grants as they are now, and by the groups and purposes of the settings."""

    engine: Engine
    settings: Settings

    def decide(self, person: Person, right: Right, row: Recording | None, now: datetime) -> Decision:
        """Whether somebody may do something, with a recording where the right is one on recordings."""
        if row is None:
            return access.may(person, right, None, (), now, self._house())
        seen = subject(row, self.settings.numbers, self.settings.group)
        if row.state in (State.RECORDING, State.CAPTURED):  # nobody has judged it yet
            seen = replace(seen, purpose=purpose_of(row, self.settings))
        known = self._house()
        decision = access.may(person, right, seen, (), now, known)
        if decision.allowed:
            return decision
        with reading(self.engine) as session:
            granted = grants.of_person(session, person, row.id)
        return access.may(person, right, seen, granted, now, known)

    def sight(self, person: Person, now: datetime, right: Right = Right.LIST) -> Sight:
        """What somebody may see, for `catalogue.Filter` and for counts."""
        condition = access.visible(person, right, now, self._house())
        return Sight(condition, lambda row: self.decide(person, right, row, now).allowed)

    def find(self, person: Person, recording: str, now: datetime) -> Recording:
        """The recording of that id, whole or its first characters.

        Raises:
            NoRecording: there is none that the person may list; one that may not be seen is not to be told from none.
            AmbiguousId: there are several.
        """
        return catalogue.find(self.engine, self.settings.data_dir, recording, self.sight(person, now))

    def require(
        self,
        person: Person,
        right: Right,
        on: Recording | str,
        origin: str,
        now: datetime,
        *,
        action: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Let somebody do something, and write down that they do; called before it is done.

        Args:
            on: a recording, or what else it is about, such as `user:NAME`.
            action: as the audit calls it, if not by the right.

        Raises:
            Refused: they may not; that is written down too.
        """
        row = on if isinstance(on, Recording) else None
        decision = self.decide(person, right, row, now)
        subject_ = on if isinstance(on, str) else f"recording:{on.id}"
        details = {"by" if decision.allowed else "why": decision.why}
        act = Act(person.label, action or right, subject_, origin, reason, decision.allowed, details)
        audit.record(self.engine, act, now)
        if not decision.allowed:
            raise Refused(decision.why)

    def _house(self) -> access.House:
        listeners = {name: each.listen for name, each in purposes(self.settings.purpose).items()}
        return access.house(self.settings.group, listeners)
