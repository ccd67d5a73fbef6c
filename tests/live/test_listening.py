"""Listening in over WebRTC to a recorder that records: what is heard, how late, and when it ends."""

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import requests
from support.calls import Talk
from support.listening import BLOCK_S, TONES, Heard, listen, tones
from support.recorder import Recorder, free_port, until

from rtp.pcap import read
from srs import control
from srs.archive.database import connect, writing
from srs.control import Order
from srs.privacy import users
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import Right, Scope, assignment
from srs.siprec.src import Plan

pytestmark = pytest.mark.timeout(240)
PEER = '[{"name": "any", "keys_in_clear": true}]'
PASSWORD = "correct horse battery"
CALL_S = 60.0


class House:
    """A recorder with pages, and `anna`, who may hear and act."""

    def __init__(self, data: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port('127.0.0.1')}"
        self.recorder = Recorder(data, "127.0.0.1", {"SRS_WEB__LISTEN": self.url, "SRS_PEER": PEER})
        until(lambda: 'event="web pages"' in self.recorder.log.read_text(), lambda: self.recorder.log.read_text())
        self.engine = connect(f"sqlite:///{data / 'recordings.sqlite'}")
        with writing(self.engine) as session:
            hear = [Right.LIST, Right.LISTEN]
            for name, rights in (("anna", hear), ("bert", [Right.LIST]), ("carl", hear)):
                user, _ = users.add(session, name, datetime.now(UTC))
                users.set_password(session, user, PASSWORD)
                users.give(session, user, assignment("supervisor", Scope.ALL, rights=rights))

    def enter(self, name: str) -> requests.Session:
        client = requests.Session()
        client.headers["Origin"] = self.url
        told = {"name": name, "password": PASSWORD, "code": "", "to": "/"}
        assert client.post(f"{self.url}/sign-in", data=told, timeout=30, allow_redirects=False).status_code == 303
        return client

    def call(self, plan: Plan) -> str:
        """The id of a call that is under way."""
        known = {path.stem for path in self.recorder.captures()}
        Talk(plan)
        new: set[str] = set()

        def begun() -> bool:
            new.update(path.stem for path in self.recorder.captures() if path.stat().st_size > 100_000)
            return bool(new - known)

        until(begun, lambda: self.recorder.log.read_text())
        (id_,) = new - known
        return id_

    def capture(self, id_: str) -> Path:
        return self.recorder.data / "captures" / "open" / f"{id_}.pcap"

    def audited(self, action: str) -> list[tuple[str, bool]]:
        return [(entry.subject, entry.allowed) for entry in entries(self.engine, Wanted(action=action))]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("live") / "data")
    yield made
    made.engine.dispose()
    made.recorder.stop()


def plan(house: House, seconds: float, **more: object) -> Plan:
    return tones((house.recorder.host, house.recorder.port), seconds, **more)


def heard_by(house: House, id_: str, seconds: float, name: str = "anna") -> Heard:
    return asyncio.run(listen(house.enter(name), f"{house.url}/live/{id_}/listen", seconds))


def check_tones(heard: Heard) -> None:
    """Each channel has its own party's tones, and next to nothing else."""
    for channel, wanted in enumerate(TONES):
        found = np.array([each for _, each in heard.frequencies(channel) if each])
        assert len(found) > 50
        near = np.abs(found[:, None] - np.array(wanted)).min(axis=1) < 15
        assert near.mean() > 0.85, "the window may hold parts of both"
        assert {wanted[int(np.argmin(np.abs(np.array(wanted) - each)))] for each in found[near]} == set(wanted)


def delays(heard: Heard, arrivals: list[float]) -> list[float]:
    """Seconds from the arrival of each change to the caller's second tone until it is heard."""
    told = heard.frequencies(0)
    low, high = TONES[0]
    middle = (low + high) / 2
    changes = [when for (_, before), (when, now) in pairwise(told) if 0 < before < middle <= now]
    return [when - max((each for each in arrivals if each < when), default=when) for when in changes]


def changes_in(capture: Path, marker: bytes) -> list[float]:
    """When the first packet of a tone came, of whose frames one is `marker`, each time that the tone begins."""
    found = read(capture)
    times = [float(found.time_ns[row]) / 1e9 for row in range(len(found)) if found.payload(row).endswith(marker)]
    return [now for before, now in pairwise([0.0, *times]) if now - before > BLOCK_S / 2]


def test_both_parties_are_heard_apart_within_a_second_a_pause_is_silent_and_it_ends_with_the_right(house: House):
    sent = plan(house, CALL_S)
    id_ = house.call(sent)

    def meanwhile() -> None:
        time.sleep(6.0)
        control.ask(house.recorder.data, Order("pause", id_, "test"))
        time.sleep(2.5)
        control.ask(house.recorder.data, Order("resume", id_, "test"))
        time.sleep(4.0)
        with writing(house.engine) as session:
            users.take(session, users.get(session, "carl"), "supervisor")

    other = threading.Thread(target=meanwhile)
    other.start()
    heard = heard_by(house, id_, 60.0, "carl")
    other.join()
    assert heard.ended, "the right was taken away"
    check_tones(heard)
    silent = [when for when, frequency in heard.frequencies(0) if frequency == 0]
    assert 1.5 < silent[-1] - silent[0] < 4.0, "the pause, but for the window that looks at it"
    found = delays(heard, changes_in(house.capture(id_), sent.frames[0][round(BLOCK_S / 0.02)]))
    assert found
    assert float(np.median(found)) <= 1.0, found
    assert house.audited("listen") == [(f"recording:{id_}", True)]
    until(lambda: len(house.audited("stop listening")) == 1, lambda: "nobody notes the end")


def test_who_may_not_does_not_listen_and_what_is_no_offer_is_refused(house: House):
    id_ = house.call(plan(house, CALL_S))
    url = f"{house.url}/live/{id_}/listen"
    assert house.enter("bert").post(url, data={"offer": "v=0"}, timeout=30).status_code == 403
    anna = house.enter("anna")
    for offer in ("", "v=0", "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"):
        assert anna.post(url, data={"offer": offer}, timeout=30).status_code == 400, offer
    control.ask(house.recorder.data, Order("purpose", id_, "test", "investigation"))
    until(lambda: anna.post(url, data={"offer": "v=0"}, timeout=30).status_code == 403, lambda: "anna may still listen")
    control.ask(house.recorder.data, Order("purpose", id_, "test", "quality"))
    control.ask(house.recorder.data, Order("stop", id_, "test"))
    until(lambda: anna.post(url, data={"offer": "v=0"}, timeout=30).status_code == 409, lambda: "it goes on")


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"])
def test_srtp_is_heard_as_well_and_it_ends_with_the_call(house: House, suite: str):
    id_ = house.call(replace(plan(house, 12.0), srtp=suite))
    heard = heard_by(house, id_, 60.0)
    assert heard.ended, "the call is over"
    check_tones(heard)
