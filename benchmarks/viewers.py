"""Do people who look cost those who record? `python -m benchmarks.viewers`

Calls with sound run throughout. In turns nobody looks, then 20 browsers have the page of calls under way open and three
of them listen in; in each turn the processor time of the processes that record is read. Then every page is loaded while
the calls go on. It ends with 1 where recording costs more than 5 % more, or the median of a page is above 200 ms.
"""

import argparse
import asyncio
import http.client
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from aiortc import RTCSessionDescription

from benchmarks import traffic
from benchmarks.client import Client
from benchmarks.recorder import HOST, Recorder, free_port, running
from srs.archive.database import connect, writing
from srs.live.broadcast import connection
from srs.privacy import users
from srs.privacy.roles import Right, Scope, assignment
from srs.web.app import PAGES
from srs.web.subjects import SUBJECTS

VIEWERS = 20
LISTENERS = 3
RATE = 50.0
TURN_S = 10.0
SETTLE_S = 2.0
LOADS = 20
OF_CALL = ("/recordings/{id}", "/live/{id}/stop")
NO_PAGES = ("/", "/live/calls", "/privacy/report", "/privacy/persons/erase")
"""Redirections, what never ends, a file, what needs somebody's name."""
MOST_COST, MOST_MS = 1.05, 200.0
RECORDING = ("capture-0", "capture.signalling", "keeper")
PASSWORD = "correct horse battery"


@dataclass
class Looked:
    """What came of it."""

    without_s: list[float] = field(default_factory=list)
    """Processor time of a turn in which nobody looks."""
    with_s: list[float] = field(default_factory=list)
    web_s: list[float] = field(default_factory=list)
    """That of the pages' process, in the turns with viewers."""
    loads_ms: dict[str, list[float]] = field(default_factory=dict)
    cpu_ms: dict[str, float] = field(default_factory=dict)
    """Processor time of the pages' process for one load: what other programs on the machine change less."""

    @property
    def ratio(self) -> float:
        return statistics.median(self.with_s) / statistics.median(self.without_s)


class Visitor:
    """Signed in, by one connection at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        told = {"name": "viewer", "password": PASSWORD, "code": "", "to": "/"}
        answer = self.ask("POST", "/sign-in", told)
        self._cookie = (answer.getheader("set-cookie") or "").partition(";")[0]
        answer.read()

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(HOST, self._port, timeout=60)
        headers = {"Origin": f"http://{HOST}:{self._port}", "Cookie": getattr(self, "_cookie", "")}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, urlencode(form or {}), headers)
        return connection.getresponse()

    def look(self, stop: threading.Event) -> None:
        """Keep the page of calls open."""
        answer = self.ask("GET", "/live/calls")
        while not stop.is_set() and answer.readline():
            continue
        answer.close()

    def load_ms(self, path: str) -> float:
        began = time.monotonic()
        answer = self.ask("GET", path)
        answer.read()
        assert answer.status == 200, f"{path}: {answer.status}"
        return (time.monotonic() - began) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewers", description=__doc__)
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        looked = measure(Path(name), arguments.calls, arguments.turns)
    return show(looked, arguments.calls)


def measure(directory: Path, calls: int, turns: int) -> Looked:
    port, looked = free_port(), Looked()
    with running(
        directory / "data", more={"SRS_WEB__LISTEN": f"http://{HOST}:{port}", "SRS_WEB__REQUESTS_PER_S": "1000"}
    ) as recorder:
        _user(recorder)
        client = Client(recorder.target)
        made = [call for call in client.make(calls, RATE) if call.answered_s is not None]
        seconds = 2 * turns * (TURN_S + 2 * SETTLE_S) + 60
        sender = traffic.start([port for call in made for port in call.ports], seconds)
        visitors = [Visitor(port) for _ in range(VIEWERS)]
        time.sleep(SETTLE_S)
        for _ in range(turns):
            looked.without_s.append(_turn(recorder, RECORDING))
            with_s, web_s = _looking(recorder, visitors)
            looked.with_s.append(with_s)
            looked.web_s.append(web_s)
        for page in _pages(recorder):
            _load(recorder, visitors[0], page, looked)
        sender.kill()
        client.hang_up(made, RATE)
        client.close()
    return looked


def _load(recorder: Recorder, visitor: Visitor, page: str, looked: Looked) -> None:
    visitor.load_ms(page)  # whatever is made once for all is not of the page
    before = recorder.usage().cpu_s["web.server"]
    looked.loads_ms[page] = [visitor.load_ms(page) for _ in range(LOADS)]
    looked.cpu_ms[page] = 1000 * (recorder.usage().cpu_s["web.server"] - before) / LOADS


def _pages(recorder: Recorder) -> list[str]:
    """All that are a page, with a call under way and the settings of every subject."""
    call = min((recorder.data / "captures" / "open").glob("*.pcap")).stem
    plain = [page.path for page in PAGES if page.method == "GET" and "{" not in page.path]
    subjects = [f"/settings/{subject.path}" for subject in SUBJECTS.values()]
    return [*(path for path in plain if path not in NO_PAGES), *(path.format(id=call) for path in OF_CALL), *subjects]


def _user(recorder: Recorder) -> None:
    """Somebody who may look and listen."""
    engine = connect(f"sqlite:///{recorder.data / 'recordings.sqlite'}")
    with writing(engine) as session:
        user, _ = users.add(session, "viewer", datetime.now(UTC))
        users.set_password(session, user, PASSWORD)
        hears = [Right.LIST, Right.PLAY, Right.LISTEN, Right.CONTROL]
        users.give(session, user, assignment("supervisor", Scope.ALL, rights=hears))
        for role in ("privacy officer", "administrator", "auditor"):
            users.give(session, user, assignment(role))
    engine.dispose()


def _turn(recorder: Recorder, names: Sequence[str]) -> float:
    begin = recorder.usage().cpu_s
    time.sleep(TURN_S)
    end = recorder.usage().cpu_s
    return sum(end[name] - begin[name] for name in names)


def _looking(recorder: Recorder, visitors: Sequence[Visitor]) -> tuple[float, float]:
    """A turn with everybody looking: of the recording processes, and of the pages' process."""
    stop = threading.Event()
    looking = [threading.Thread(target=each.look, args=(stop,), daemon=True) for each in visitors]
    recordings = [path.stem for path in sorted((recorder.data / "captures" / "open").glob("*.pcap"))[:LISTENERS]]
    looking.append(threading.Thread(target=lambda: asyncio.run(_listen(visitors[0], recordings, stop)), daemon=True))
    for each in looking:
        each.start()
    time.sleep(2 * SETTLE_S)
    web = recorder.usage().cpu_s["web.server"]
    recording = _turn(recorder, RECORDING)
    web = recorder.usage().cpu_s["web.server"] - web
    stop.set()
    for each in looking:
        each.join(10)
    return recording, web


async def _listen(visitor: Visitor, recordings: Sequence[str], stop: threading.Event) -> None:
    """Listen in to some calls, and throw away what is heard."""
    peers = [connection() for _ in recordings]
    for peer, recording in zip(peers, recordings, strict=True):
        peer.addTransceiver("audio", direction="recvonly")
        await peer.setLocalDescription(await peer.createOffer())
        answer = await asyncio.to_thread(_answer(visitor, recording, peer.localDescription.sdp))
        await peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    await asyncio.to_thread(stop.wait)
    for peer in peers:
        await peer.close()


def _answer(visitor: Visitor, recording: str, offer: str) -> Callable[[], str]:
    return lambda: visitor.ask("POST", f"/live/{recording}/listen", {"offer": offer}).read().decode()


def show(looked: Looked, calls: int) -> int:
    """Print it, and say whether it is as it should be."""
    without, watched = (statistics.median(each) / TURN_S for each in (looked.without_s, looked.with_s))
    print(f"{calls} calls of two legs, {VIEWERS} viewers of whom {LISTENERS} listen in")
    print(f"recording, of a core: {without:.1%} alone, {watched:.1%} watched: {looked.ratio:.3f} x")
    print(f"pages, of a core: {statistics.median(looked.web_s) / TURN_S:.1%}")
    for page, loads in looked.loads_ms.items():
        slow = sorted(loads)[round(0.95 * (len(loads) - 1))]
        median, cpu = statistics.median(loads), looked.cpu_ms[page]
        print(f"{page:<32.32} {median:6.1f} ms, 95 of 100 within {slow:6.1f} ms, processor {cpu:5.1f} ms")
    slow_pages = [page for page, loads in looked.loads_ms.items() if statistics.median(loads) > MOST_MS]
    good = looked.ratio <= MOST_COST and not slow_pages
    print("as it should be" if good else f"NOT as it should be: {looked.ratio:.3f} x, slow: {slow_pages}")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
