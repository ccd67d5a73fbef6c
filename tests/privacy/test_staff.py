"""Employees are told in which calls they were recorded, and what for."""

import email
import email.policy
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import databases, smtp
from support.calls import noise
from support.recorder import until

from srs.archive.database import connect, writing
from srs.archive.tables import Recording, State
from srs.privacy.staff_rule import last_period
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


@pytest.mark.parametrize(
    ("kind", "now", "since", "until"),
    [
        ("week", "2026-11-27", "2026-11-16", "2026-11-23"),
        ("week", "2026-11-23", "2026-11-16", "2026-11-23"),
        ("month", "2026-11-27", "2026-10-01", "2026-11-01"),
        ("month", "2026-01-01", "2025-12-01", "2026-01-01"),
        ("quarter", "2026-11-27", "2026-07-01", "2026-10-01"),
        ("quarter", "2026-03-31", "2025-10-01", "2026-01-01"),
    ],
)
def test_the_last_period_that_is_over(kind, now: str, since: str, until: str):
    moment = datetime.fromisoformat(f"{now}T00:00+00:00")
    assert [f"{each:%Y-%m-%dT%H:%M}" for each in last_period(kind, moment)] == [f"{since}T00:00", f"{until}T00:00"]


def recorded_last_month(data: Path, agents: tuple[str, ...]) -> None:
    """A database of before the recorder starts: a call of each agent, and who they are."""
    then = last_period("month", datetime.now(UTC))[0] + timedelta(days=3)
    moments = {"started_at": then, "ended_at": then, "created_at": then, "duration_s": 60.0}
    engine = connect(databases.sqlite(data / "recordings.sqlite"))
    with writing(engine) as session:
        for agent in agents:
            parties = {"caller": "sip:0201234567@example.com", "callee": f"sip:{agent}@example.com"}
            session.add(Recording(id=agent, state=State.READY, **parties, **moments))
        session.add(employee("Jansen", "201", "en", "jansen@example.com"))
        session.add(employee("Smit", "202", "nl"))
        session.add(employee("Other", "301", "en", "other@example.com"))
    engine.dispose()


def test_employees_are_mailed_by_a_rule_and_a_server_that_wants_it_later_gets_it_later(
    recorder: Record, tmp_path: Path
):
    """Of last month."""
    recorded_last_month(tmp_path / "data", ("201", "202", "301"))
    with smtp.server(tmp_path / "smtp") as mailbox:
        mailbox.behave(data="451 busy")
        running = recorder(
            '[[group]]\nname = "sales"\nextensions = ["20?"]\n'
            '[[staff_notice]]\nname = "monthly"\ngroup = ["sales"]\nlanguage = "nl"\n'
            f'[mail]\nsender = "recorder@example.com"\n[[mail.server]]\nhost = "127.0.0.1"\ntls = "none"\n'
            f"port = {mailbox.port}\n"
        )

        def told(state: str) -> list[dict[str, str]]:
            return [
                json.loads(line) for line in done(running, "tasks", "--json", *([state] * bool(state))).splitlines()
            ]

        until(lambda: any("451 busy" in str(each["last_error"]) for each in told("")), running.log.read_text)
        until(lambda: len(told("--failed")) == 1, running.log.read_text)
        assert "hand it over" in told("--failed")[0]["last_error"]
        mailbox.behave()
        (late,) = (each for each in told("") if "451" in str(each["last_error"]))
        done(running, "tasks", "retry", late["id"])
        until(lambda: bool(mailbox.mails()), running.log.read_text)
        (mail,) = mailbox.mails()
        assert (mail["X-RcptTo"], mail["From"]) == ("jansen@example.com", "recorder@example.com")
        assert "is opgenomen: 1." in mail.get_content()
        running.stop()
        running.start()  # and does not tell them again
        until(lambda: running.log.read_text().count("employees are told") == 2, running.log.read_text)
        audited = [
            json.loads(line) for line in done(running, "audit", "list", "--action", "mail", "--json").splitlines()
        ]
        assert {each["details"]["to"][0] for each in audited} == {"jansen@example.com"}
    assert len(mailbox.mails()) == 1
