"""One request: who asks, for what, and what they may."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.requests import Request

from srs.archive.tables import Recording
from srs.privacy import second_factor, tokens
from srs.privacy.errors import Misuse
from srs.privacy.roles import Needed
from srs.privacy.tables import User
from srs.web.asker import Asker
from srs.web.house import House
from srs.web.language import Speaker, preferred


class NotSignedIn(Exception):
    """Nobody knows who asks."""


@dataclass(frozen=True)
class Visit(Asker):
    """A request of somebody who is signed in."""

    request: Request
    user: User
    form: Mapping[str, str] = field(default_factory=dict)
    upload: UploadFile | None = None
    """The file that the form brings."""
    row: Recording | None = None
    """The recording it is about."""
    purpose: str | None = None
    """What the visitor wants recordings for, as last said in this browser."""

    @property
    def say(self) -> Speaker:
        return Speaker(self.user.language)

    @property
    def recording(self) -> Recording:
        """The recording it is about, where the path names one."""
        assert self.row is not None
        return self.row

    @property
    def reason(self) -> str:
        """Why, as the form says.

        Raises:
            Misuse: it does not.
        """
        if not (text := self.form.get("reason", "").strip()):
            raise Misuse("say why: the reason is kept in the audit")
        return text

    @property
    def lacks_second_factor(self) -> bool:
        wanted = self.house.settings.access.second_factor
        return second_factor.is_lacking(self.user, self.person.assignments, wanted)

    def may(self, right: Needed, row: Recording | None = None) -> bool:
        return self.decide(right, row or self.row).allowed

    def note(
        self,
        action: str,
        about: str | None = None,
        *,
        allowed: bool = True,
        reason: str | None = None,
        details: Mapping[str, object] = {},
        within: Session | None = None,
    ) -> None:
        """Write it into the audit, with the reason that the form gives.

        Args:
            reason: if not the one that the form says.
            within: the transaction that does it, else it is one of its own.

        Raises:
            DatabaseError: it is not written; then it must not be done.
        """
        what = about or (f"recording:{self.recording.id}" if self.row else "recorder")
        why = reason or self.form.get("reason") or None
        self.write(action, what, reason=why, allowed=allowed, details=details, within=within)

    def about(self, right: Needed | None) -> "Visit":
        """The visit, when it may be: with the recording that the path names.

        Raises:
            NotFound: there is none that the visitor may know of.
            Refused: the visitor may not.
        """
        id_ = self.request.path_params.get("id")
        visit = self if id_ is None else replace(self, row=self.find(id_))
        if right is not None:
            visit.require(right, visit.row)
        return visit


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
    user, person, purpose = found
    return Visit(house, person, origin(request), now, request, user, purpose=purpose)


def language(request: Request) -> str:
    """Of somebody who is not signed in."""
    return preferred(request.headers.get("accept-language", ""))
