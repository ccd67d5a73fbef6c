"""What is written of a session, and when: by the process that answered, or by its successor."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from srs.alarms import Alarms
from srs.capture import folder
from srs.capture.call import Answered, Call, new_call
from srs.capture.custody import Custody
from srs.capture.health import Health
from srs.capture.scribe import MOST_BEHIND, TRUSTED_S, Scribe
from srs.sip.flow import Flow
from srs.sip.message import Request, Response, make_request, response

FLOW = Flow("UDP", ("127.0.0.1", 5060), ("127.0.0.1", 40000))
HEADERS = [
    ("Via", "SIP/2.0/UDP 127.0.0.1:40000;branch=z9hG4bK1"),
    ("From", "<sip:src@127.0.0.1>;tag=1"),
    ("To", "<sip:srs@127.0.0.1>;tag=2"),
    ("Call-ID", "id"),
    ("CSeq", "2 BYE"),
    ("Max-Forwards", "70"),
]
BYE = make_request("BYE", "sip:srs@127.0.0.1", HEADERS)
OK = response(BYE, 200)


@pytest.fixture
def call(tmp_path: Path) -> Call:
    folder.prepare(tmp_path)
    return new_call(tmp_path, "recording", "id", "127.0.0.1", FLOW)


def told(call: Call, tell: Callable[[Scribe], None]) -> bytes:
    """The capture when this process has left."""

    async def live() -> None:
        scribe = Scribe(cast("Custody", None), cast("Health", None))
        tell(scribe)
        scribe.write_all()

    asyncio.run(live())
    return call.path.read_bytes()


def test_an_ack_of_the_last_moment_is_written(call: Call) -> None:
    ack = make_request("ACK", "sip:srs@127.0.0.1", [("Call-ID", "id")])

    def tell(scribe: Scribe) -> None:
        scribe.note(call, ack, bytes(ack), FLOW, 0, sent=False)
        assert not call.path.exists()

    assert bytes(ack) in told(call, tell)


def noted(scribe: Scribe, call: Call, message: Request | Response) -> None:
    scribe.note(call, message, bytes(message), FLOW, 0, sent=isinstance(message, Response))


def test_a_final_answer_waits_for_the_disk_unless_the_keeper_has_it(call: Call) -> None:
    def tell(scribe: Scribe) -> None:
        noted(scribe, call, BYE)
        noted(scribe, call, OK)
        assert call.path.read_bytes().endswith(bytes(OK))
        call.entrusted = bytes(OK)
        noted(scribe, call, OK)
        assert not call.is_settled
        scribe.settle(call)
        assert call.path.read_bytes().count(bytes(OK)) == 2

    told(call, tell)


@pytest.mark.parametrize("written", [(), (BYE,), (BYE, OK)])
def test_a_successor_writes_what_its_predecessor_did_not(call: Call, written: tuple[Request | Response, ...]) -> None:
    def tell(scribe: Scribe) -> None:
        call.flush()
        for message in written:
            noted(scribe, call, message)
        scribe.write_all()
        scribe.go_on(call, Answered(bytes(BYE), FLOW, bytes(OK), 0))

    capture = told(call, tell)
    assert (capture.count(bytes(BYE)), capture.count(bytes(OK))) == (1, 1)
    assert capture.index(bytes(BYE)) < capture.index(bytes(OK))


def test_a_disk_that_took_a_beginning_is_trusted_until_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not while others wait for it, nor for long."""
    folder.prepare(tmp_path)
    create = folder.create

    def begin(scribe: Scribe, path: Path) -> asyncio.Future[bool]:
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        call = new_call(tmp_path, "recording", "id", "127.0.0.1", FLOW)
        call.path = path
        scribe.begin(call, lambda _, taken: told.set_result(taken))
        return told

    async def live() -> None:
        scribe = Scribe(cast("Custody", None), Health(1, 2.0, Alarms()))
        assert not scribe.is_trusted
        assert await begin(scribe, tmp_path / "one.pcap")
        assert scribe.is_trusted
        assert not await begin(scribe, tmp_path / "no folder" / "two.pcap")
        assert not scribe.is_trusted
        assert await begin(scribe, tmp_path / "three.pcap")
        assert scribe.is_trusted
        with monkeypatch.context() as slow:
            goes_on = threading.Event()
            slow.setattr(folder, "create", lambda path: goes_on.wait() and create(path))
            waiting = [begin(scribe, tmp_path / f"{number}.pcap") for number in range(MOST_BEHIND + 3)]
            assert not scribe.is_trusted
            goes_on.set()
            assert all(await asyncio.gather(*waiting))
        assert scribe.is_trusted
        await asyncio.sleep(TRUSTED_S + 0.1)
        assert not scribe.is_trusted

    asyncio.run(live())
