"""Recordings mailed by a server of other people's making."""

from email import message_from_bytes, policy
from pathlib import Path

import pytest
from support import exim
from support.recorder import until
from support.smtp import PASSWORD, USER

from srs.handoff import tasks

from .conftest import decoded, sound

pytestmark = pytest.mark.skipif(not exim.PROGRAM.exists(), reason="Exim is missing: apt-get install exim4-daemon-light")


def test_exim_takes_it_once_and_its_refusals_are_understood(shelf, office, certificate, tmp_path: Path):
    to = ["boss@example.com", "unknown@example.com", "full@example.com"]
    with exim.server(certificate) as running:
        relay = {"host": "127.0.0.1", "port": running.port, "user": USER, "authorities": certificate[0]}
        boss = office(relays=[{**relay, "password": PASSWORD}], mail={"admin": []}, to=to, delete_after=True)
        row = shelf.record(boss.settings)
        task = boss.turn()
        assert (task.state, task.last_error) == ("due", "127.0.0.1: 451 mailbox full")
        assert boss.deliveries() == {to[0]: (True, 250), to[1]: (False, 550), to[2]: (False, 451)}
        shelf.clock.time = task.due_at
        assert boss.turn().state == "due"
        assert not boss.delete()
        tasks.cancel(shelf.engine, task.id, shelf.clock())

        boss = office(relays=[{**relay, "password": PASSWORD}], to=to[:1], delete_after=True)
        shelf.record(boss.settings, "b2")
        boss.bench.work(boss.bench.take())
        assert boss.delete()
        assert shelf.sounds() == ["a1.wav"]

        until(lambda: len(running.delivered()) == 2, lambda: (running.folder / "mainlog").read_text())
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in running.delivered()]
    assert {mail["Envelope-to"] for mail in mails} == {"boss@example.com"}
    assert len({mail["Message-ID"] for mail in mails}) == 2
    stored = (shelf.data_dir / "audio" / row.file).read_bytes()
    assert all(sound(mail) == stored for mail in mails)
    assert decoded(stored, tmp_path).shape == (8000, 2)


def test_exim_refuses_a_wrong_password(shelf, office, certificate):
    with exim.server(certificate) as running:
        relay = {"host": "127.0.0.1", "port": running.port, "user": USER, "authorities": certificate[0]}
        boss = office(relays=[{**relay, "password": "wrong"}])
        shelf.record(boss.settings)
        task = boss.turn()
        assert task.state == "due"
        assert "535" in task.last_error
        assert running.delivered() == []
