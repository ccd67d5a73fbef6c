"""Recordings mailed through a real server in its own process."""

import subprocess
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from support.smtp import PASSWORD, USER, Server, broken_server, server

from srs.archive.database import reading, writing
from srs.archive.tables import Node
from srs.config.mail import MailRule
from srs.handoff import links, tasks
from srs.handoff.mail import deliver

from .conftest import decoded, sound


def test_what_is_mailed_is_the_recording(shelf, office, smtp: Server, tmp_path: Path):
    boss = office(smtp)
    row = shelf.record(boss.settings, purpose="training")
    assert boss.turn().state == "done"
    [mail] = smtp.mails()
    assert sound(mail) == (shelf.data_dir / "audio" / row.file).read_bytes()
    truth = 8000 * np.sin(2 * np.pi * np.array([[440, 1000]]) * np.arange(8000)[:, None] / 8000)
    assert np.array_equal(decoded(sound(mail), tmp_path), truth.astype(np.int16))
    assert (mail["From"], mail["To"], mail["X-RcptTo"]) == (
        "recorder@example.org",
        "boss@example.com",
        "boss@example.com",
    )
    assert mail["Message-ID"].endswith("@example.org>")
    for kind in ("plain", "html"):
        text = mail.get_body([kind]).get_content()
        for words in ("+31201234567", "201", "0:00:01", "training", "a1"):
            assert words in text, (kind, words)
    assert boss.deliveries() == {"boss@example.com": (True, 250)}


@pytest.mark.parametrize(("kind", "tolerance"), [("flac", 100), ("mp3", 2500), ("opus", 2500)])
def test_other_formats_sound_the_same(shelf, office, smtp: Server, tmp_path: Path, kind: str, tolerance: int):
    boss = office(smtp, format=kind)
    shelf.record(boss.settings)
    assert boss.turn().state == "done"
    samples = decoded(sound(smtp.mails()[0]), tmp_path)
    time = np.arange(4000) / 8000
    for channel, frequency in enumerate((440, 1000)):
        piece = samples[2000:6000, channel].astype(float)
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(4000)))
        assert np.argmax(spectrum) * 2 == frequency
        expected = 8000 * np.sin(2 * np.pi * frequency * time)
        assert abs(piece.std() - expected.std()) <= tolerance
    assert len(samples) >= 8000


def test_dutch(shelf, office, smtp: Server):
    boss = office(smtp, language="nl", delete_after=True)
    shelf.record(boss.settings, caller="sip:a&b@x")
    boss.turn()
    [mail] = smtp.mails()
    assert "Opname" in mail["Subject"]
    assert "wist deze opname" in mail.get_body(["plain"]).get_content()
    assert "a&amp;b" in mail.get_body(["html"]).get_content()


def test_recipients_by_extension_group_and_caller(shelf, office, smtp: Server):
    boss = office(smtp, to=["{extension}@pbx.example", "{group}", "{caller}@fax.example"])
    shelf.record(boss.settings)
    assert boss.turn().state == "done"
    assert smtp.recipients() == [
        "201@pbx.example",
        "lead@example.com",
        "second@example.com",
        "+31201234567@fax.example",
    ]


def test_without_recipient_it_needs_a_person(shelf, office, smtp: Server):
    boss = office(smtp, to=["{group}"])
    shelf.record(boss.settings, callee="sip:999@x", legs=[])
    task = boss.turn()
    assert (task.state, task.last_error) == ("failed", "[[mail.rule]] boss: nobody to send it to: {group}")


@pytest.mark.parametrize(("tls", "auth"), [("starttls", "plain"), ("tls", "login")])
def test_tls_and_sign_in(shelf, office, certificate, tmp_path: Path, tls: str, auth: str):
    with server(tmp_path / "smtp", tls=tls, files=certificate, auth=True) as secure:
        relay = {"host": "127.0.0.1", "port": secure.port, "tls": tls, "auth": auth, "user": USER}
        good = {**relay, "password": PASSWORD, "authorities": certificate[0]}
        for wrong, said in (
            ({**good, "password": "wrong"}, "535"),
            ({**good, "authorities": None}, "certificate verify failed"),
        ):
            boss = office(relays=[wrong])
            shelf.record(boss.settings, f"r{len(said)}")
            boss.bench.work(boss.bench.take())
            [task] = [each for each in tasks.listing(shelf.engine, ["due"]) if each.key == f"mail/boss/r{len(said)}"]
            assert said in task.last_error
            tasks.cancel(shelf.engine, task.id, shelf.clock())
        assert secure.mails() == []
        boss = office(relays=[good])
        shelf.record(boss.settings)
        boss.bench.work(boss.bench.take())
        assert secure.recipients() == ["boss@example.com"]


def test_xoauth2_with_the_token_that_another_program_renews(shelf, office, certificate, tmp_path: Path):
    token = tmp_path / "token"
    token.write_text("of yesterday\n")
    with server(tmp_path / "smtp", tls="starttls", files=certificate, auth=True, token="of today") as secure:
        relay = {"host": "127.0.0.1", "port": secure.port, "authorities": certificate[0]}
        boss = office(relays=[{**relay, "auth": "xoauth2", "user": USER, "token_file": token}])
        shelf.record(boss.settings)
        task = boss.turn()
        assert (task.state, secure.mails()) == ("due", [])
        assert "535" in task.last_error
        token.write_text("of today\n")
        shelf.clock.time = task.due_at
        assert boss.turn().state == "done"
        assert secure.recipients() == ["boss@example.com"]


@pytest.mark.parametrize(("others", "pause_s"), [([], 1000), (["active", "draining", "stopped"], 3000)])
def test_recorders_share_the_rate(shelf, office, smtp: Server, monkeypatch, others: list[str], pause_s: int):
    now = shelf.clock()
    with writing(shelf.engine) as session:
        for number, state in enumerate(["active", *others]):
            told = {"id": str(number), "token": "t", "host": "h", "version": "1", "state": state}
            session.add(Node(**told, started_at=now, seen_at=now))
    slept: list[float] = []
    monkeypatch.setattr(deliver.time, "sleep", slept.append)
    boss = office(smtp, mail={"per_minute": 0.06})
    for number in range(2):
        shelf.record(boss.settings, f"r{number}")
        boss.bench.work(boss.bench.take())
    assert slept[0] == 0
    assert pause_s - 100 < slept[1] <= pause_s


def test_deleted_only_after_every_server_accepted(shelf, office, smtp: Server):
    boss = office(smtp, to=["a@example.com", "b@example.com"], delete_after=True)
    shelf.record(boss.settings)
    smtp.behave(rcpt={"b@example.com": "451 greylisted"})
    task = boss.turn()
    assert (task.state, task.last_error) == ("due", "127.0.0.1: 451 greylisted")
    assert not boss.delete()
    assert shelf.sounds() == ["a1.wav"]
    smtp.behave()
    shelf.clock.time = task.due_at
    assert boss.turn().state == "done"
    assert smtp.recipients() == ["a@example.com", "b@example.com"]
    assert len({mail["Message-ID"] for mail in smtp.mails()}) == 1
    assert boss.delete()
    assert shelf.sounds() == []
    [receipt] = shelf.receipts()
    assert receipt.reason == "handed over: mail boss"
    assert [copy["where"] for copy in receipt.copies if copy["kind"] == "mail"] == ["a@example.com", "b@example.com"]


def test_a_refused_mail_costs_no_recording_and_is_told(shelf, office, smtp: Server):
    boss = office(smtp, to=["a@example.com", "b@example.com", "c@example.com"], delete_after=True)
    shelf.record(boss.settings)
    smtp.behave(rcpt={"b@example.com": "550 no such user", "c@example.com": "450 later"})
    task = boss.turn()
    assert (task.state, smtp.recipients()) == ("due", ["a@example.com", "admin@example.org"])
    assert "b@example.com: 127.0.0.1 says 550 no such user" in smtp.mails()[-1].get_content()
    smtp.behave(rcpt={"b@example.com": "550 no such user"})
    shelf.clock.time = task.due_at
    task = boss.turn()
    assert (task.state, task.last_error) == ("failed", "127.0.0.1: 550 no such user")
    assert not boss.delete()
    assert shelf.sounds() == ["a1.wav"]
    smtp.behave()
    tasks.retry(shelf.engine, task.id, shelf.clock())
    assert boss.turn().state == "done"
    assert smtp.recipients() == ["a@example.com", "admin@example.org", "c@example.com", "b@example.com"]
    assert boss.delete()
    assert shelf.sounds() == []


@pytest.mark.parametrize(
    ("how", "state", "said"),
    [
        ("451 try later", "due", "451 try later"),
        ("554 spam", "failed", "554 spam"),
        ("drop", "due", "mail server 127.0.0.1"),
        ("hang", "due", "mail server 127.0.0.1"),
    ],
)
def test_trouble_with_the_data(shelf, office, smtp: Server, how: str, state: str, said: str):
    relay = {"host": "127.0.0.1", "port": smtp.port, "tls": "none", "timeout_s": 3.0}
    boss = office(relays=[relay], mail={"admin": []}, delete_after=True)
    shelf.record(boss.settings)
    smtp.behave(data=how)
    task = boss.turn()
    assert task.state == state
    assert said in task.last_error
    assert (smtp.mails(), boss.delete(), shelf.sounds()) == ([], False, ["a1.wav"])
    smtp.behave()
    tasks.retry(shelf.engine, task.id, shelf.clock())
    assert boss.turn().state == "done"
    assert smtp.recipients() == ["boss@example.com"]


@pytest.mark.parametrize("replies", [0, 1, 5, 6], ids=["silent", "after-greeting", "after-recipients", "in-mid-data"])
@pytest.mark.parametrize("end", ["hang", "drop"])
def test_a_server_that_hangs_or_drops_costs_nothing(shelf, office, replies: int, end: str):
    with broken_server(replies, end) as port:
        boss = office(relays=[{"host": "127.0.0.1", "port": port, "tls": "none", "timeout_s": 2.0}], delete_after=True)
        shelf.record(boss.settings, seconds=20)
        task = boss.turn()
    assert (task.state, boss.delete(), shelf.sounds()) == ("due", False, ["a1.wav"])
    assert "mail server" in task.last_error
    assert boss.deliveries() == {}


def test_another_relay_when_one_is_away_and_one_connection_for_many_mails(shelf, office, smtp: Server):
    away = {"host": "127.0.0.1", "port": 9, "tls": "none"}
    boss = office(relays=[away, {"host": "127.0.0.1", "port": smtp.port, "tls": "none"}])
    for number in range(3):
        shelf.record(boss.settings, f"r{number}")
        boss.bench.work(boss.bench.take())
    assert len(smtp.mails()) == 3
    assert len({mail["X-Peer"] for mail in smtp.mails()}) == 1


def test_without_any_relay_it_waits_and_says_so(shelf, office):
    boss = office(relays=[{"host": "127.0.0.1", "port": 9, "tls": "none"}])
    shelf.record(boss.settings)
    task = boss.turn()
    assert (task.state, task.attempts) == ("due", 1)
    assert task.last_error.startswith("no mail server: 127.0.0.1:9: ")


def test_a_small_server_gets_a_smaller_format(shelf, office, tmp_path: Path):
    with server(tmp_path / "smtp", size=300_000) as small:
        boss = office(small)
        shelf.record(boss.settings, seconds=10)
        assert boss.turn().state == "done"
    [mail] = small.mails()
    assert next(mail.iter_attachments()).get_filename().endswith((".flac", ".mp3", ".opus"))


def test_split_into_parts_that_are_the_whole(shelf, office, smtp: Server, tmp_path: Path):
    boss = office(smtp, too_large="split", max_mb=0.25, delete_after=True)
    shelf.record(boss.settings, seconds=10)
    assert boss.turn().state == "done"
    mails = smtp.mails()
    assert len(mails) > 2
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)
    assert mails[0]["Subject"].endswith(f"(1/{len(mails)})")
    whole = np.concatenate([decoded(sound(mail), tmp_path) for mail in mails])
    truth = 8000 * np.sin(2 * np.pi * np.array([[440, 1000]]) * np.arange(80000)[:, None] / 8000)
    assert np.array_equal(whole, truth.astype(np.int16))
    assert boss.delete()


def test_a_link_that_ends_and_the_recording_with_it(shelf, office, smtp: Server):
    boss = office(
        smtp, too_large="link", max_mb=0.2, link_days=3, delete_after=True, mail={"link_url": "https://rec.example/"}
    )
    shelf.record(boss.settings, seconds=20)
    assert boss.turn().state == "done"
    [mail] = smtp.mails()
    assert list(mail.iter_attachments()) == []
    text = mail.get_body(["plain"]).get_content()
    token = text.partition("https://rec.example/link/")[2].split()[0]
    with reading(shelf.engine) as session:
        assert links.find(session, token, shelf.clock()).recording_id == "a1"
        assert links.find(session, token, shelf.clock() + timedelta(days=3)) is None
        assert links.find(session, "wrong", shelf.clock()) is None
    assert not boss.delete()
    shelf.clock.on(days=3)
    assert boss.delete()
    assert shelf.sounds() == []


def test_too_large_without_a_way_out_needs_a_person(shelf, office, smtp: Server):
    boss = office(smtp, too_large="link", max_mb=0.2)
    shelf.record(boss.settings, seconds=20)
    task = boss.turn()
    assert task.state == "failed"
    assert "link_url" in task.last_error


def test_sealed_for_age(shelf, office, smtp: Server, tmp_path: Path):
    key = tmp_path / "key"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    public = key.read_text().split("public key: ")[1].split()[0]
    boss = office(smtp, age=[public])
    row = shelf.record(boss.settings)
    assert boss.turn().state == "done"
    (tmp_path / "sealed").write_bytes(sound(smtp.mails()[0]))
    opened = subprocess.run(["age", "-d", "-i", key, tmp_path / "sealed"], check=True, capture_output=True).stdout
    assert opened == (shelf.data_dir / "audio" / row.file).read_bytes()


def test_encrypted_with_smime(shelf, office, smtp: Server, certificate, tmp_path: Path):
    boss = office(smtp, smime=[certificate[0]])
    shelf.record(boss.settings, caller="sip:secretcaller@x")
    assert boss.turn().state == "done"
    [path] = smtp.folder.glob("*.eml")
    assert b"RIFF" not in path.read_bytes()
    command = ["openssl", "smime", "-decrypt", "-in", path, "-inkey", certificate[1], "-recip", certificate[0]]
    opened = subprocess.run(command, check=True, capture_output=True).stdout
    assert b"secretcaller" in opened
    assert b"audio/wav" in opened


@pytest.mark.parametrize("wrong", ["boss", "a b@example.com", "a@b@c", "x@example.com>"])
def test_what_is_no_address_is_refused_in_the_settings(wrong: str):
    with pytest.raises(ValueError, match="must be an address"):
        MailRule(name="boss", to=[wrong])
