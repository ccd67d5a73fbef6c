"""One request: who asks, for what, and what they may."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from starlette.requests import Request

from srs.archive.catalogue import Sight
from srs.archive.errors import AmbiguousId, NoRecording
from srs.archive.tables import Recording
from srs.privacy import audit, tokens
from srs.privacy.access import Decision
from srs.privacy.audit import Act
from srs.privacy.roles import ON_RECORDINGS, Person, Right
from srs.privacy.tables import User
from srs.web.house import House
from srs.web.language import Speaker, preferred


class NotSignedIn(Exception):
    """Nobody knows who asks."""


class NotFound(Exception):
    """There is none, or none that whoever asks may know of."""


class Forbidden(Exception):
    """It is there, but not for whoever asks; the text says why."""


@dataclass(frozen=True)
class Visit:
    """A request of somebody who is signed in."""

    house: House
    request: Request
    user: User
    person: Person
    now: datetime
    form: Mapping[str, str] = field(default_factory=dict)
    row: Recording | None = None
    """The recording it is about."""

    @property
    def origin(self) -> str:
        return origin(self.request)

    @property
    def say(self) -> Speaker:
        return Speaker(self.user.language)

    @property
    def recording(self) -> Recording:
        """The recording it is about, where the path names one."""
        assert self.row is not None
        return self.row

    def may(self, right: Right, row: Recording | None = None) -> bool:
        return self.decide(right, row or self.row).allowed

    def decide(self, right: Right, row: Recording | None) -> Decision:
        """Whether the visitor may do something, with a recording where the right is one on recordings."""
        if right not in ON_RECORDINGS:
            return self.house.guard.decide(self.person, right, None, self.now)
        if row is None:
            return Decision(False, f"which recording is to {right}?")
        return self.house.guard.decide(self.person, right, row, self.now)

    def sight(self) -> Sight:
        """The recordings that the visitor may know of."""
        return self.house.guard.sight(self.person, self.now)

    def note(
        self, action: str, about: str | None = None, *, allowed: bool = True, details: Mapping[str, object] = {}
    ) -> None:
        """Write it into the audit.

        Raises:
            DatabaseError: it is not written; then it must not be done.
        """
        what = about or (f"recording:{self.recording.id}" if self.row else "recorder")
        reason = self.form.get("reason") or None
        act = Act(self.person.label, action, what, self.origin, reason=reason, allowed=allowed, details=details)
        audit.record(self.house.engine, act, self.now)

    def about(self, right: Right | None) -> "Visit":
        """The visit, when it may be: with the recording that the path names.

        Raises:
            NotFound: there is none that the visitor may know of.
            Forbidden: the visitor may not.
        """
        id_ = self.request.path_params.get("id")
        visit = self if id_ is None else replace(self, row=self._find(id_))
        decision = visit.decide(right, visit.row) if right else None
        if decision and not decision.allowed:
            visit.note(str(right), allowed=False, details={"why": decision.why})
            raise Forbidden(decision.why)
        return visit

    def _find(self, id_: str) -> Recording:
        """The recording of exactly this id, in the database or under way."""
        try:
            row = self.house.guard.find(self.person, id_, self.now)
        except (NoRecording, AmbiguousId) as error:
            raise NotFound from error
        if row.id != id_:
            raise NotFound
        return row


def origin(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def of_browser(house: House, request: Request) -> Visit:
    """
    Raises:
        NotSignedIn: there is no cookie, or it is worth nothing any more.
    """
    now = datetime.now(UTC)
    found = tokens.of_session(house.engine, request.cookies.get(house.cookie, ""), now)
    if found is None:
        raise NotSignedIn
    return Visit(house, request, *found, now)


def language(request: Request) -> str:
    """Of somebody who is not signed in."""
    return preferred(request.headers.get("accept-language", ""))
