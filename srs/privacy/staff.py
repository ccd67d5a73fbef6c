"""Sample notice: each employee is told in which calls of a period they were recorded, and what for."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sqlalchemy import Engine
from sqlmodel import col, select

from srs.archive.database import reading
from srs.archive.subject import fits, matches, subject
from srs.archive.tables import Recording, State
from srs.config import Settings
from srs.config.rules import Match
from srs.privacy.report_words import Language, word
from srs.privacy.tables import User

UNTOLD = "investigation"

SUBJECT: Mapping[Language, str] = {
    "nl": "Uw opgenomen gesprekken van {since} t/m {last}",
    "en": "Your recorded calls from {since} to {last}",
}
TEXT: Mapping[Language, str] = {
    "nl": """\
Beste {name},

Aantal van uw telefoongesprekken dat van {since} t/m {last} is opgenomen: {count}.

{purposes}

U mag weten wat er van u is vastgelegd en kunt uw eigen deel van deze gesprekken opvragen (artikel 15 AVG),
laten wissen (artikel 17) of de verwerking laten beperken (artikel 18). Bent u het niet eens met de opnamen,
meld dat dan bij uw leidinggevende, de functionaris voor gegevensbescherming of de ondernemingsraad.
U kunt ook een klacht indienen bij de Autoriteit Persoonsgegevens.
""",
    "en": """\
Dear {name},

Number of your telephone calls recorded from {since} to {last}: {count}.

{purposes}

You may know what is kept of you: you can ask for your own part of these calls (GDPR article 15), have it erased
(article 17) or have its use restricted (article 18). If you object to the recordings, tell your manager,
the data protection officer or the works council. You may also complain to the supervisory authority.
""",
}


@dataclass(frozen=True, slots=True)
class Sample:
    """What one employee is to be told."""

    user: User
    purposes: Mapping[str, int]
    """Recorded calls by purpose, `""` for none."""


def samples(
    engine: Engine, settings: Settings, since: datetime, until: datetime, groups: Sequence[str] = ()
) -> list[Sample]:
    """Every employee with extensions of their own who was recorded in a period, by name.

    Investigations are not told of here: who was in one is told when it ends.

    Args:
        groups: names of the `[[group]]`s that they are in; none: of all.
    """
    among = [pattern for group in settings.group if group.name in groups for pattern in group.extensions]
    query = select(Recording).where(Recording.started_at >= since, Recording.started_at < until)
    with reading(engine) as session:
        users = session.exec(select(User).where(col(User.disabled).is_(False)).order_by(col(User.name))).all()
        rows = [row for row in session.exec(query) if row.state == State.READY and row.purpose != UNTOLD]
    seen = [(subject(row, settings.numbers, settings.group), row.purpose or "") for row in rows]
    found = []
    for user in users:
        if groups and not fits(among, user.extensions):
            continue
        own = Match(number=user.extensions)
        purposes = Counter(purpose for each, purpose in seen if user.extensions and matches(own, each))
        if purposes:
            found.append(Sample(user, purposes))
    return found


def letter(sample: Sample, since: datetime, until: datetime, language: Language | None = None) -> tuple[str, str]:
    """Subject and text of the mail to an employee, in the employee's language if not said otherwise."""
    language = language or ("nl" if sample.user.language == "nl" else "en")
    words = {
        "name": sample.user.name,
        "since": str(since.date()),
        "last": str((until - timedelta(microseconds=1)).date()),
        "count": sum(sample.purposes.values()),
        "purposes": "\n".join(f"  {count:>5}  {word(name, language)}" for name, count in sample.purposes.items()),
    }
    return SUBJECT[language].format_map(words), TEXT[language].format_map(words)


def message(sample: Sample, since: datetime, until: datetime) -> EmailMessage:
    """The mail to an employee; without address for who has none."""
    mail = EmailMessage()
    mail["Subject"], text = letter(sample, since, until)
    if sample.user.mail:
        mail["To"] = sample.user.mail
    mail.set_content(text)
    return mail
