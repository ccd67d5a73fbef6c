"""What cases need done without a person: their end, what is left of their destruction, mails about overdue steps.

Nothing of this is in the log, the alarms or the metrics: those who read these may not know that there is a case.
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from sqlmodel import Session, select

from srs.archive import ledger
from srs.archive.database import reading, writing
from srs.archive.errors import ArchiveError
from srs.privacy import users
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Cabinet, is_concerned
from srs.privacy.cases.destroying import clear, destroy
from srs.privacy.cases.letters import mail, waiting_letters
from srs.privacy.cases.steps import ANNOUNCED, Step, kept_until, steps
from srs.privacy.cases.tables import Case, CaseLetter, Outcome
from srs.privacy.errors import NotSent
from srs.privacy.report_words import Language
from srs.privacy.tables import User

log = structlog.get_logger()

EVERY_S: Final = 60.0
AGAIN: Final = timedelta(days=1)
"""So often the officers are mailed about a step that is overdue."""
OFFICER: Final = "privacy officer"

SUBJECTS: Final[dict[Language, str]] = {"nl": "Zaak {case}: er is iets te doen", "en": "Case {case}: something is due"}
MORE: Final[dict[Language, str]] = {
    "nl": "Zie de pagina Zaken, of srs case show {case}",
    "en": "See the page Cases, or srs case show {case}",
}


class Watch:
    """A chore of the handoff process; in a thread of its own, because mail servers take their time."""

    def __init__(self, cabinet: Cabinet) -> None:
        self._cabinet, self._due = cabinet, 0.0
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        """Look again, unless that was a moment ago."""
        if time.monotonic() < self._due or (self._thread is not None and self._thread.is_alive()):
            return
        self._due = time.monotonic() + EVERY_S
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        try:
            look(self._cabinet, datetime.now(UTC))
        except (ArchiveError, OSError) as error:
            log.warning("not all is looked after", reason=str(error))


def look(cabinet: Cabinet, now: datetime) -> None:
    """Do for every case what is due.

    Raises:
        ArchiveError, OSError: not now; it is to be called again.
    """
    waiting = waiting_letters(cabinet.engine)
    with reading(cabinet.engine) as session:
        cases = list(session.exec(select(Case)))
    for case in cases:
        _stop(cabinet, case, now)
        _destroy(cabinet, case, now)
        _remind(cabinet, case, waiting.get(case.id, []), now)


def _stop(cabinet: Cabinet, case: Case, now: datetime) -> None:
    """Have it written down that the end has come, so that a clock that is set back does not undo it."""
    if case.approved_at is None or case.stopped_at is not None or now < case.until:
        return
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case.id)
        if case.stopped_at is None:
            case.stopped_at = now
            journal.append(session, cabinet, case, journal.RECORDER, "end", now)


def _destroy(cabinet: Cabinet, case: Case, now: datetime) -> None:
    if case.destroyed_at is not None:
        cabinet.keys.destroy(case.id)  # on another machine than the rest, or back with a backup
    elif ledger.has(cabinet.settings.data_dir, case.id):
        destroy(cabinet, case, journal.RECORDER, "destroyed before, came back with a restored backup", now)
    elif case.closed_at is not None and case.outcome != Outcome.OFFENCE:
        destroy(cabinet, case, journal.RECORDER, f"closed: {case.outcome}", now)
    elif _is_too_old(cabinet, case, now):
        destroy(cabinet, case, journal.RECORDER, "end of the retention period", now)
    elif case.cleared and case.cleared_receipt is None and cabinet.keys.opens(case.id):
        clear(cabinet, case, journal.RECORDER, now)


def _is_too_old(cabinet: Cabinet, case: Case, now: datetime) -> bool:
    end, announced = kept_until(case, cabinet.settings), case.reminded.get("destroy")
    if end is None or announced is None or case.held:
        return False
    return now >= max(end, datetime.fromisoformat(announced) + ANNOUNCED)


def _remind(cabinet: Cabinet, case: Case, waiting: list[CaseLetter], now: datetime) -> None:
    """Mail the privacy officers about what is due: once, and every day about what is overdue."""
    due = [step for step in steps(case, waiting, cabinet.settings, now) if _is_news(case, step, now)]
    if not due:
        return
    marked = case.reminded | dict.fromkeys((step.name for step in due), now.isoformat())
    if not _mark(cabinet, case.id, case.reminded, marked):
        return
    try:
        for officer in users.with_right_of(cabinet.engine, OFFICER):
            if officer.mail and not _concerns(cabinet, case, officer):
                language: Language = "nl" if officer.language == "nl" else "en"
                mail(cabinet.settings, [officer.mail], *_message(case, due, language))
    except NotSent as error:
        _mark(cabinet, case.id, marked, case.reminded)
        log.warning("a mail to a privacy officer was not taken", reason=str(error))


def _is_news(case: Case, step: Step, now: datetime) -> bool:
    """Also after a clock that was ahead is right again."""
    last = case.reminded.get(step.name)
    return last is None or (step.overdue and abs(now - datetime.fromisoformat(last)) >= AGAIN)


def _mark(cabinet: Cabinet, case_id: str, before: dict[str, str], after: dict[str, str]) -> bool:
    """Note when officers were mailed about which steps; whether no other recorder was quicker."""
    with writing(cabinet.engine) as session:
        case = journal.locked(session, case_id)
        if case.reminded != before:
            return False
        case.reminded = after
    return True


def _concerns(cabinet: Cabinet, case: Case, officer: User) -> bool:
    with Session(cabinet.engine) as session:
        return is_concerned(case, users.person(session, officer))


def _message(case: Case, due: list[Step], language: Language) -> tuple[str, str]:
    name = case.id[:8]
    lines = [f"- {step.words(language)}" for step in due]
    return SUBJECTS[language].format(case=name), "\n".join([*lines, "", MORE[language].format(case=name), ""])
