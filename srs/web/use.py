"""What a recording is wanted for: asked before its sound is given, remembered in the browser, kept in the audit."""

from starlette.responses import Response

from srs.archive.database import writing
from srs.config.privacy import purposes
from srs.privacy import tokens
from srs.privacy.purpose import uses
from srs.privacy.report_words import Language, word
from srs.web.pages import back
from srs.web.visit import Visit


def purpose_of_use(visit: Visit) -> str | None:
    """As the address says it, for programs; else as last said in this browser."""
    return visit.request.query_params.get("purpose") or visit.purpose


def is_said(visit: Visit) -> bool:
    """Whether the recording may be used for what was said already."""
    allowed = uses(visit.recording, visit.house.settings)
    return not allowed or purpose_of_use(visit) in allowed


def choices(visit: Visit) -> list[tuple[str, str]]:
    """All purposes and what they are called: whoever asks must know the right one."""
    known = {**purposes(visit.house.settings.purpose), visit.recording.purpose or "": None}
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
    purpose, secret = visit.form.get("purpose", ""), visit.request.cookies.get(visit.house.cookie, "")
    visit.require_use(visit.recording, purpose, "purpose of use")
    with writing(visit.house.engine) as session:
        tokens.set_purpose(session, secret, purpose or None)
        visit.note("purpose of use", reason=purpose, within=session)
    return back(f"/recordings/{visit.recording.id}")
