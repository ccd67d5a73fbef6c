"""Steps that are overdue, by real mail; the end of the time that a case is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support import smtp

from srs.archive.errors import Held
from srs.config.cases import CasesSettings
from srs.config.mail import MailServer, MailSettings
from srs.privacy.cases import letters
from srs.privacy.cases.closing import close, hold
from srs.privacy.cases.dossier import Opening, find, open_case, seen_by
from srs.privacy.cases.tables import Outcome
from srs.privacy.cases.watch import look
from srs.privacy.errors import Misuse, NoCase, NotSent, Refused

from .conftest import Desk

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
END = NOW + 20 * DAY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[smtp.Server]:
    with smtp.server(tmp_path_factory.mktemp("mail")) as running:
        yield running


@pytest.fixture
def mails(server: smtp.Server, desk: Desk) -> smtp.Server:
    """The mail server that the desk uses, empty."""
    for path in server.folder.glob("*.eml"):
        path.unlink()
    server.behave()
    relay = MailServer(host="127.0.0.1", port=server.port, tls="none")
    told = MailSettings(sender="srs@example.com", server=[relay])
    desk.settings = desk.settings.model_copy(update={"mail": told})
    desk.cabinet = type(desk.cabinet)(desk.settings, desk.cabinet.engine, desk.cabinet.store)
    return server


def said(server: smtp.Server) -> list[str]:
    """Recipient and text of each mail since the last time."""
    found = [f"{mail['X-RcptTo']}: {mail.get_content().strip()}" for mail in server.mails()]
    for path in server.folder.glob("*.eml"):
        path.unlink()
    return found


def test_the_privacy_officer_is_mailed_about_every_overdue_step(desk: Desk, mails: smtp.Server):
    look(desk.cabinet, NOW)
    case = desk.open(NOW, END, NOW)
    look(desk.cabinet, NOW + 6 * DAY)
    assert said(mails) == []
    for after in (7, 7.5, 8):  # the second within a day of the first
        look(desk.cabinet, NOW + after * DAY)
    first, second = said(mails)
    assert first == second
    assert first.startswith("olga@example.com: - wacht sinds 2026-11-24 op goedkeuring door een tweede persoon")
    assert "alice" not in first

    case = desk.approved(NOW, END, NOW + 8 * DAY)
    look(desk.cabinet, END + 13 * DAY)
    assert len(said(mails)) == 1  # of the first case
    look(desk.cabinet, END + 14 * DAY)
    assert sum("is sinds 2026-12-14 ten einde en nog niet afgesloten" in text for text in said(mails)) == 1

    closed_at = END + 15 * DAY
    desk.close(case, Outcome.NO_OFFENCE, closed_at)
    look(desk.cabinet, closed_at)
    assert any("uiterlijk op 2027-01-28 verstuurd of overhandigd zijn" in text for text in said(mails))
    look(desk.cabinet, closed_at + 30 * DAY)
    assert any("hadden op 2027-01-28" in text for text in said(mails))
    letters.hand_over(desk.cabinet, desk.actor("olga"), case.id, "alice", closed_at + 30 * DAY)
    look(desk.cabinet, closed_at + 40 * DAY)
    assert not any("2027-01-28" in text for text in said(mails))


def test_a_mail_that_no_server_takes_comes_again(desk: Desk, mails: smtp.Server, capfd: pytest.CaptureFixture[str]):
    case = desk.open(NOW, END, NOW)
    mails.behave(data="451 later")
    look(desk.cabinet, NOW + 7 * DAY)
    mails.behave()
    look(desk.cabinet, NOW + 7 * DAY)
    assert len(said(mails)) == 1
    assert case.id[:8] not in "".join(capfd.readouterr())


def test_letters_go_to_users_in_their_language_or_by_hand(desk: Desk, mails: smtp.Server, tmp_path: Path):
    template = tmp_path / "brief.txt"
    desk.settings = desk.settings.model_copy(update={"cases": CasesSettings(letter_nl=template)})
    desk.cabinet = type(desk.cabinet)(desk.settings, desk.cabinet.engine, desk.cabinet.store)
    case = desk.open(NOW, END, NOW, "250", "alice")
    case = desk.approve_with_papers(case, NOW)
    template.write_text("Dag {naam}")
    with pytest.raises(Misuse, match=r"it may say \{name\}"):
        desk.close(case, Outcome.NO_OFFENCE, NOW)
    assert desk.now_is(case).closed_at is None
    template.write_text("Dag {name}: {since} {until} {reference}")
    desk.close(case, Outcome.NO_OFFENCE, NOW + DAY)
    mails.behave(rcpt={"sam@example.com": "550 no such user"})
    with pytest.raises(NotSent, match="550"):
        letters.send(desk.cabinet, desk.actor("olga"), case.id, NOW + DAY)
    mails.behave()
    letters.send(desk.cabinet, desk.actor("olga"), case.id, NOW + DAY)
    assert said(mails) == ["sam@example.com: Dag sam: 2026-11-24 2026-11-25 AP 1"]
    assert letters.send(desk.cabinet, desk.actor("olga"), case.id, NOW + DAY) == []
    of_case = letters.of_case(desk.cabinet, desk.actor("ivy"), case.id, NOW + DAY)
    assert [(each.person, each.text is None, each.how) for each in of_case] == [
        ("alice", False, None),
        ("sam", True, "mailed by user:olga"),
    ]
    with pytest.raises(Misuse, match="waits for 'sam'"):
        letters.hand_over(desk.cabinet, desk.actor("olga"), case.id, "sam", NOW + DAY)


def test_an_offence_is_kept_as_long_as_its_purpose_and_destroyed_a_week_after_that_was_said(
    desk: Desk, mails: smtp.Server
):
    case = desk.approved(NOW, END, NOW)
    desk.close(case, Outcome.OFFENCE, END)
    kept = END + 180 * DAY
    look(desk.cabinet, kept - 8 * DAY)
    look(desk.cabinet, kept + 300 * DAY)  # a clock that jumps ahead tells, and destroys nothing
    assert ["wordt niet eerder dan" in text for text in said(mails)] == [True]
    assert desk.now_is(case).destroyed_at is None
    hold(desk.cabinet, desk.actor("olga"), case.id, "appeal", kept, held=True)
    look(desk.cabinet, kept + 308 * DAY)
    assert desk.now_is(case).destroyed_at is None
    hold(desk.cabinet, desk.actor("olga"), case.id, "over", kept, held=False)
    look(desk.cabinet, kept + 308 * DAY)
    assert desk.now_is(case).receipt["reason"] == "end of the retention period"


CONTRADICTIONS = (
    ({"suspicion": " "}, "what the suspicion is"),
    ({"persons": ()}, "not everybody's"),
    ({"persons": ("*",)}, "not everybody's"),
    ({"persons": ("112",)}, "do_not_record, which a case does not override"),
    ({"until": NOW}, "after its start"),
    ({"since": END, "until": END - DAY}, "after its start"),
    ({"until": NOW + 93 * DAY}, "at most 92 days"),
    ({"investigators": ("sam",)}, "no role of sam"),
    ({"persons": ("260",), "investigators": ("ian",)}, "is one of the persons"),
)


def test_a_case_that_contradicts_itself_is_refused(desk: Desk):
    for change, why in CONTRADICTIONS:
        told = {"suspicion": "fraud", "persons": ("201",), "since": NOW, "until": END} | change
        with pytest.raises((Misuse, Refused), match=why):
            open_case(desk.cabinet, desk.actor("ivy"), Opening(**told), NOW)
    assert seen_by(desk.cabinet, desk.actor("ivy"), NOW) == []


def test_who_may_not_open_or_is_concerned_sees_nothing(desk: Desk):
    with pytest.raises(Refused):
        open_case(desk.cabinet, desk.actor("olga"), Opening("fraud", ("201",), NOW, END), NOW)
    case = desk.open(NOW, END, NOW, "270")  # otto, a privacy officer
    with pytest.raises(NoCase):
        find(desk.cabinet, desk.actor("otto"), case.id, NOW)
    assert find(desk.cabinet, desk.actor("olga"), case.id[:6], NOW).id == case.id
    for prefix in ("", case.id[:3], "ffff" + case.id[4:]):
        with pytest.raises(NoCase):
            find(desk.cabinet, desk.actor("olga"), prefix, NOW)


def test_an_outcome_that_cannot_be(desk: Desk):
    case = desk.open(NOW, END, NOW)
    with pytest.raises(Misuse, match="can be closed as withdrawn"):
        desk.close(case, Outcome.NO_OFFENCE, NOW)
    assert desk.close(case, Outcome.WITHDRAWN, NOW).destroyed_at == NOW
    case = desk.approved(NOW, END, NOW)
    for outcome in (Outcome.WITHDRAWN, Outcome.REFUSED):
        with pytest.raises(Misuse, match="offence or no offence"):
            desk.close(case, outcome, NOW)
    with pytest.raises(Misuse, match="rests on"):
        close(desk.cabinet, desk.actor("ivy"), case.id, Outcome.OFFENCE, " ", NOW)
    hold(desk.cabinet, desk.actor("olga"), case.id, "court", NOW, held=True)
    with pytest.raises(Held, match="which beats destruction"):
        desk.close(case, Outcome.NO_OFFENCE, NOW)
    assert desk.close(case, Outcome.OFFENCE, NOW).outcome == "offence"
