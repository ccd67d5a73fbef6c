"""The letter to an employee in whose case there was no offence: written as it is closed, mailed or handed over."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import policy
from email.message import EmailMessage
from typing import Final

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from srs.archive.database import reading, writing
from srs.archive.subject import fits
from srs.config import Settings
from srs.handoff.errors import HandoffError
from srs.handoff.mail.relay import Relays
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.dossier import find
from srs.privacy.cases.tables import Case, CaseLetter
from srs.privacy.errors import Misuse, NotSent
from srs.privacy.report_words import Language
from srs.privacy.tables import User
from srs.privacy.users import new_id

SUBJECTS: Final[dict[Language, str]] = {
    "nl": "Over een afgesloten onderzoek waarin gesprekken van u zijn opgenomen",
    "en": "About a closed investigation in which calls of yours were recorded",
}
TEXTS: Final[dict[Language, str]] = {
    "nl": """\
Beste {name},

Van {since} tot {until} zijn telefoongesprekken van {person} opgenomen zonder dat u dit wist. De aanleiding was een
vermoeden van een strafbaar feit. De toezichthouder is vooraf geraadpleegd (kenmerk {reference}).

Het onderzoek is op {closed} afgesloten. Het vermoeden tegen u was ongegrond. {destroyed}
Deze zaak heeft geen gevolgen voor u.

U kunt vragen welke gegevens over u zijn verwerkt (artikel 15 AVG), bezwaar maken (artikel 21) en een klacht indienen
bij de Autoriteit Persoonsgegevens. Onze functionaris voor gegevensbescherming beantwoordt uw vragen.
Vermeld daarbij zaak {case}.

{organisation}
""",
    "en": """\
Dear {name},

From {since} to {until} telephone calls of {person} were recorded without your knowledge. The reason was a suspicion
of an offence. The supervisory authority was consulted before (reference {reference}).

The investigation was closed on {closed}. The suspicion against you was unfounded. {destroyed}
This case has no consequences for you.

You can ask which data of yours were processed (GDPR article 15), object (article 21) and complain to the supervisory
authority. Our data protection officer answers your questions. Please mention case {case}.

{organisation}
""",
}
DESTROYED: Final[dict[Language, str]] = {
    "nl": "Alle opnamen en stukken zijn op {closed} vernietigd.",
    "en": "All recordings and papers were destroyed on {closed}.",
}
DESTROYED_IN_PART: Final[dict[Language, str]] = {
    "nl": """\
De opnamen van uw gesprekken zijn op {closed}
vernietigd, behalve van gesprekken met iemand tegen wie het vermoeden gegrond was.""",
    "en": """\
The recordings of your calls were destroyed
on {closed}, except of calls with somebody against whom the suspicion was founded.""",
}


@dataclass(frozen=True, slots=True)
class Addressee:
    """Somebody who is to be told."""

    person: str
    """Pattern of the case."""
    name: str
    mail: str | None = None
    language: Language = "nl"


def addressees(session: Session, persons: Iterable[str]) -> list[Addressee]:
    """Who is to be told of a case about some persons: users by extensions, and each pattern that is no user's."""
    users = session.exec(select(User).order_by(col(User.name))).all()
    found = []
    for person in persons:
        own = [user for user in users if fits([person], user.extensions) or fits(user.extensions, [person])]
        found += [Addressee(person, user.name, user.mail, _language(user)) for user in own]
        found += [] if own else [Addressee(person, person)]
    return list({each.name: each for each in found}.values())


def _language(user: User) -> Language:
    return "nl" if user.language == "nl" else "en"


def write(case: Case, to: Iterable[Addressee], settings: Settings, now: datetime) -> list[CaseLetter]:
    """The letters of a case that is closed now.

    Raises:
        Misuse: a template of one's own cannot be read, or asks for what there is not.
    """
    due_at = now + timedelta(days=settings.cases.letter_days)
    return [
        CaseLetter(
            id=new_id(),
            case_id=case.id,
            person=each.name,
            mail=each.mail,
            subject=SUBJECTS[each.language],
            text=_text(case, each, settings, now),
            due_at=due_at,
        )
        for each in to
    ]


def _text(case: Case, to: Addressee, settings: Settings, now: datetime) -> str:
    own = settings.cases.letter_nl if to.language == "nl" else settings.cases.letter_en
    destroyed = DESTROYED_IN_PART if case.cleared else DESTROYED
    words = {
        "name": to.name,
        "person": to.person,
        "since": str(case.since.date()),
        "until": str(min(case.until, now).date()),
        "closed": str(now.date()),
        "destroyed": destroyed[to.language].format(closed=now.date()),
        "reference": case.reference,
        "case": case.id[:8],
        "organisation": settings.cases.organisation,
    }
    try:
        template = TEXTS[to.language] if own is None else own.read_text("utf-8")
        return template.format_map(words)
    except (OSError, ValueError, KeyError, IndexError, AttributeError) as error:
        raise Misuse(f"letter {own}: {error!r}: it may say {', '.join('{' + name + '}' for name in words)}") from None


# Sending


def letters(session: Session, case: Case) -> list[CaseLetter]:
    """Of a case, by person."""
    query = select(CaseLetter).where(CaseLetter.case_id == case.id)
    return list(session.exec(query.order_by(col(CaseLetter.person))))


def of_case(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> list[CaseLetter]:
    """The letters of a case, with the text of those that are not with the employee yet.

    Raises:
        NoCase: there is none that the actor may see.
    """
    case = find(cabinet, actor, prefix, now)
    journal.record(cabinet, case, actor, "read letters", now)
    with reading(cabinet.engine) as session:
        return letters(session, case)


def send(cabinet: Cabinet, actor: Actor, prefix: str, now: datetime) -> list[CaseLetter]:
    """Mail the letters of a case that are not with the employee yet, to those who have an address.

    Returns:
        Those that were mailed.

    Raises:
        NoCase: there is none that the actor may see.
        NotSent: a server did not take one; those before it are mailed.
    """
    case = find(cabinet, actor, prefix, now)
    with reading(cabinet.engine) as session:
        waiting = [each for each in letters(session, case) if each.sent_at is None and each.mail]
    for letter in waiting:
        assert letter.mail is not None
        assert letter.text is not None
        mail(cabinet.settings, [letter.mail], letter.subject, letter.text)
        _settle(cabinet, actor, letter, "mailed", now)
    return waiting


def hand_over(cabinet: Cabinet, actor: Actor, prefix: str, person: str, now: datetime) -> CaseLetter:
    """Note that somebody was given their letter.

    Raises:
        NoCase: there is none that the actor may see.
        Misuse: nobody of that name waits for a letter.
    """
    case = find(cabinet, actor, prefix, now)
    with reading(cabinet.engine) as session:
        waiting = [each for each in letters(session, case) if each.sent_at is None and each.person == person]
    if not waiting:
        raise Misuse(f"no letter of case {case.id} waits for {person!r}")
    _settle(cabinet, actor, waiting[0], "handed over", now)
    return waiting[0]


def _settle(cabinet: Cabinet, actor: Actor, letter: CaseLetter, how: str, now: datetime) -> None:
    with writing(cabinet.engine) as session:
        case = journal.locked(session, letter.case_id)
        row = session.get_one(CaseLetter, letter.id)
        row.sent_at, row.how, row.text = now, f"{how} by {actor.label}", None
        journal.append(session, cabinet, case, actor, "letter", now, details={"letter": row.id, "how": how})


def mail(settings: Settings, to: list[str], subject: str, text: str) -> None:
    """Mail a text by the servers of `[mail]`.

    Raises:
        NotSent: they do not take it, or there is none.
    """
    if settings.mail.sender is None:
        raise NotSent("[mail] sender is not set")
    message = EmailMessage(policy.SMTP)
    message["From"], message["To"], message["Subject"] = settings.mail.sender, ", ".join(to), subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    relays = Relays(settings.mail.server)
    try:
        answers = relays.send(settings.mail.sender, to, message.as_bytes())
    except HandoffError as error:
        raise NotSent(str(error)) from error
    finally:
        relays.close()
    if refused := {name: said for name, said in answers.items() if not said.accepted}:
        raise NotSent("; ".join(f"{name}: {said.code} {said.reply}" for name, said in refused.items()))


def waiting_letters(engine: Engine) -> dict[str, list[CaseLetter]]:
    """Letters that are not with the employee yet, by case."""
    query = select(CaseLetter).where(col(CaseLetter.sent_at).is_(None)).order_by(col(CaseLetter.person))
    found: dict[str, list[CaseLetter]] = {}
    with reading(engine) as session:
        for letter in session.exec(query):
            found.setdefault(letter.case_id, []).append(letter)
    return found
