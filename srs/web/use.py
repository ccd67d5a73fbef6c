"""What a recording is wanted for: asked before its sound is given, remembered in the browser, kept in the audit."""

from starlette.responses import Response

from srs.archive.database import writing
from srs.archive.tables import Recording
from srs.config.privacy import purposes
from srs.privacy import tokens
from srs.privacy.errors import Misuse
from srs.privacy.purpose import uses
from srs.privacy.report_words import Language, word
from srs.web.pages import back
from srs.web.visit import Visit


def purpose_of_use(visit: Visit) -> str | None:
    """As the address says it, for programs; else as last said in this browser."""
    return visit.request.query_params.get("purpose") or visit.purpose


def is_said(visit: Visit, row: Recording) -> bool:
    """Whether a recording, or a call under way, may be used for what was said already."""
    allowed = uses(row, visit.house.settings)
    return not allowed or purpose_of_use(visit) in allowed


def choices(visit: Visit) -> list[tuple[str, str]]:
    """All purposes and what they are called: whoever asks must know the right one."""
    own = visit.row.purpose if visit.row else None
    known = {**purposes(visit.house.settings.purpose), own or "": None}
    language: Language = "nl" if visit.say.language == "nl" else "en"
    return [(name, word(name, language)) for name in known if name]


def check(visit: Visit, action: str) -> str | None:
    """What was said, for the audit.

    Raises:
        WrongPurpose: the recording is kept for another purpose, or none was said; that is in the audit too.
    """
    said = purpose_of_use(visit)
    visit.require_use(visit.recording, said, action)
    return said


def say(visit: Visit) -> Response:
    """The visitor says what the recording, and those after it, are wanted for."""
    purpose = visit.form.get("purpose", "")
    visit.require_use(visit.recording, purpose, "purpose of use")
    _remember(visit, purpose)
    return back(f"/recordings/{visit.recording.id}")


def say_of_calls(visit: Visit) -> Response:
    """The visitor says what calls under way are listened to for."""
    purpose = visit.form.get("purpose", "")
    if purpose not in purposes(visit.house.settings.purpose):
        raise Misuse("a purpose of use is one of those in the settings")
    _remember(visit, purpose)
    return back("/live")


def _remember(visit: Visit, purpose: str) -> None:
    secret = visit.request.cookies.get(visit.house.cookie, "")
    with writing(visit.house.engine) as session:
        tokens.set_purpose(session, secret, purpose or None)
        visit.note("purpose of use", reason=purpose, within=session)
