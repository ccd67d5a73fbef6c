"""Employees are told in which calls they were recorded, and what for."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.calls import noise

from srs.archive.database import connect, writing
from srs.privacy.tables import User

from .conftest import Record, done, recordings, srs, talk

NOW = datetime.now(UTC)


def employee(name: str, extension: str, language: str, mail: str | None = None) -> User:
    return User(id=name, name=name, extensions=[extension], language=language, mail=mail, created_at=NOW)


def test_each_employee_who_was_recorded_gets_a_mail_with_the_purposes(recorder: Record, tmp_path: Path):
    rules = (
        '[[purpose_rule]]\npurpose = "investigation"\nmatch = { number = ["0209999999"] }\n'
        '[[purpose_rule]]\npurpose = "quality"\nmatch = { extension = ["201"] }\n'
    )
    running = recorder(rules)
    for caller, agent in (("0201234567", "201"), ("0201234567", "202"), ("0209999999", "203")):
        talk(running, f"sip:{caller}@example.com", f"sip:{agent}@example.com", noise(1, 0.2), noise(2, 0.2))
    recordings(running, 3)
    engine = connect(f"sqlite:///{running.data / 'recordings.sqlite'}")
    with writing(engine) as session:
        session.add_all(
            [
                employee("Jansen", "201", "nl", "jansen@example.com"),
                employee("Smith", "202", "en"),
                employee("Secret", "203", "en", "secret@example.com"),
                employee("Nobody", "204", "nl"),
            ]
        )
    engine.dispose()
    days = ("--from", f"{NOW - timedelta(days=1):%Y-%m-%d}", "--to", f"{NOW + timedelta(days=1):%Y-%m-%d}")
    said = done(running, "staff-notice", *days, "-o", tmp_path / "mails")
    assert "Smith.eml  no address: hand it over" in said
    assert said.endswith("2 employees were recorded\n")
    mails = {path.stem: path.read_bytes() for path in (tmp_path / "mails").iterdir()}
    assert set(mails) == {"Jansen", "Smith"}
    dutch = email.message_from_bytes(mails["Jansen"], policy=email.policy.default)
    assert dutch["To"] == "jansen@example.com"
    assert "is opgenomen: 1." in dutch.get_content()
    assert "      1  kwaliteit\n" in dutch.get_content()
    english = email.message_from_bytes(mails["Smith"], policy=email.policy.default)
    assert "      1  without purpose\n" in english.get_content()
    assert srs(running, "staff-notice", "--from", "2026-02-02", "--to", "2026-02-01", "-o", tmp_path)[0] == 2
