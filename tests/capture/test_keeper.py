"""What the keeper is there for: processes end, calls go on."""

import contextlib
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.calls import Talk, make_plan
from support.recorder import PATIENCE_S, SRS, Recorder, Recorders, udp, until

from srs.capture.spare import MOST
from srs.siprec.body import build
from srs.siprec.metadata import write

DYING = Path(__file__).parent.parent / "support" / "dying"
OFFER = """v=0\r\no=src 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0
m=audio 40000 RTP/AVP 0\r\na=label:1\r\na=sendonly\r\nm=audio 40002 RTP/AVP 0\r\na=label:2\r\na=sendonly\r\n"""


class Phone:
    """A client by hand: one dialog over UDP, TCP or TLS, message by message."""

    def __init__(self, recorder: Recorder, transport: str = "UDP") -> None:
        self.recorder, self.transport = recorder, transport
        self.connect()
        self.call_id = os.urandom(8).hex()
        self.to_tag = ""
        self._received = b""

    def connect(self) -> None:
        """Anew, if need be: the dialog goes on."""
        if self.transport == "UDP":
            self.socket = udp(self.recorder.host)
            self.socket.connect((self.recorder.host, self.recorder.port))
        else:
            port = self.recorder.secure_port if self.transport == "TLS" else self.recorder.port
            self.socket = socket.create_connection((self.recorder.host, port))
        if self.transport == "TLS":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            self.socket = context.wrap_socket(self.socket)
        self.socket.settimeout(10)

    def close(self) -> None:
        self.socket.close()

    def request(self, method: str, cseq: int, body: bytes = b"", content_type: str = "") -> bytes:
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        branch = f"z9hG4bK{self.call_id}{cseq}{'ack' if method == 'ACK' else ''}"
        lines = [
            f"{method} sip:srs@{self.recorder.host}:{self.recorder.port} SIP/2.0",
            f"Via: SIP/2.0/{self.transport} 127.0.0.1:{self.socket.getsockname()[1]};branch={branch};rport",
            "From: <sip:src@127.0.0.1>;tag=src",
            f"To: <sip:srs@{self.recorder.host}>{tag}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:src@127.0.0.1:{self.socket.getsockname()[1]}>;+sip.src",
            "Max-Forwards: 70",
            *(["Require: siprec"] if method == "INVITE" else []),
            *([f"Content-Type: {content_type}"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def invite(self, cseq: int = 1, more: str = "") -> bytes:
        """More: m-lines behind the two."""
        xml = write(self.call_id, ["sip:alice@example.com", "sip:bob@example.com"])
        content_type, body = build((OFFER + more).replace("\n", "\r\n").replace("\r\r", "\r").encode(), xml)
        return self.request("INVITE", cseq, body, content_type)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def final(self, cseq: int) -> bytes:
        """The next final response with this sequence number."""
        while True:
            message = self._next()
            if not message.startswith(b"SIP/2.0 100") and re.search(rb"\r\nCSeq: %d " % cseq, message):
                self.to_tag = re.search(rb"\r\nTo: [^\r]*;tag=([^;\r]+)", message)[1].decode()
                return message

    def ask(self, data: bytes, cseq: int) -> bytes:
        """Send a request, over UDP again and again, until it is answered with 200."""
        self.socket.settimeout(1 if self.transport == "UDP" else PATIENCE_S)
        for _ in range(round(PATIENCE_S) if self.transport == "UDP" else 1):
            self.send(data)
            try:
                answer = self.final(cseq)
            except TimeoutError:
                continue
            assert answer.startswith(b"SIP/2.0 200"), answer
            return answer
        raise AssertionError(f"no answer to {data!r}")

    def _next(self) -> bytes:
        if self.transport == "UDP":
            return self.socket.recv(65535)
        while (end := self._received.find(b"\r\n\r\n")) < 0:
            part = self.socket.recv(65535)
            assert part, "connection closed"
            self._received += part
        length = end + 4 + int(re.search(rb"\r\nContent-Length: *(\d+)", self._received)[1])
        message, self._received = self._received[:length], self._received[length:]
        return message


def test_a_successor_lets_a_client_go_that_is_gone(start_recorder) -> None:
    """The client has lost its call while signalling was dead: nobody says BYE, and still the call ends."""
    recorder = start_recorder(SRS_SIP__SILENCE_S="1")
    phone = Phone(recorder, "UDP")
    phone.ask(phone.invite(), 1)
    phone.send(phone.request("ACK", 1))
    recorder.kill("signalling")
    phone.socket.settimeout(20)
    while not (question := phone.socket.recv(65535)).startswith(b"OPTIONS "):
        continue
    start_line = question.split(b"\r\n", 1)[0]
    phone.send(question.replace(start_line, b"SIP/2.0 481 Gone"))
    (recording,) = recorder.recordings(1)
    phone.socket.close()
    assert recording["call_id"] == phone.call_id


def ports(answer: bytes) -> list[bytes]:
    return re.findall(rb"m=audio (\d+)", answer)


@pytest.fixture
def phones(recorder) -> Iterator[Callable[[str], Phone]]:
    made: list[Phone] = []

    def make(transport: str) -> Phone:
        made.append(Phone(recorder, transport))
        return made[-1]

    yield make
    for phone in made:
        phone.close()


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_dialog_goes_on_in_the_successor(recorder, phones, transport: str) -> None:
    phone = phones(transport)
    first = phone.ask(phone.invite(), 1)
    phone.send(phone.request("ACK", 1))
    recorder.kill("signalling")
    again = phone.ask(phone.invite(2), 2)
    assert ports(again) == ports(first)
    assert re.findall(rb"o=\S+ (\d+)", again) == re.findall(rb"o=\S+ (\d+)", first)
    phone.send(phone.request("ACK", 2))
    recorder.kill("signalling")
    for cseq, method in enumerate(("OPTIONS", "UPDATE", "BYE"), start=3):
        phone.ask(phone.request(method, cseq), cseq)
    (recording,) = recorder.recordings(1)
    assert recording["call_id"] == phone.call_id
    assert recorder.captures() == []


def test_an_ack_is_kept_though_nothing_follows_it(recorder, phones) -> None:
    phone = phones("UDP")
    phone.ask(phone.invite(), 1)
    phone.send(phone.request("ACK", 1))
    (capture,) = recorder.captures()
    until(lambda: b"ACK sip:" in capture.read_bytes(), recorder.log.read_text)
    phone.ask(phone.request("BYE", 2), 2)
    recorder.recordings(1)


def test_what_is_answered_and_not_yet_written_a_successor_writes(recorder, phones) -> None:
    """Signalling writes 50 ms after it has answered."""
    phone = phones("UDP")
    (pid,) = recorder.children("signalling")
    ok = phone.ask(phone.invite(), 1)
    os.kill(pid, signal.SIGKILL)
    until(lambda: recorder.children("signalling") not in ([], [pid]), recorder.log.read_text)
    (capture,) = recorder.captures()
    until(lambda: capture.read_bytes().count(ok) > 0, recorder.log.read_text)
    phone.send(phone.request("ACK", 1))
    bye = phone.request("BYE", 2)
    (pid,) = recorder.children("signalling")
    answer = phone.ask(bye, 2)
    os.kill(pid, signal.SIGKILL)
    (recording,) = recorder.recordings(1)
    facts = recorder.shown(recording["id"])["facts"]
    assert (facts["interrupted"], facts["end_reason"]) == (False, "BYE"), answer


def test_an_invite_is_answered_while_the_keeper_is_busy(recorder, phones) -> None:
    """Spare ports are known, and what the keeper must hold waits for it."""
    first, second = phones("UDP"), phones("UDP")
    first.ask(first.invite(), 1)
    descriptors = Path(f"/proc/{recorder.process.pid}/fd")
    until(lambda: sum(1 for _ in descriptors.iterdir()) > 2 * MOST, recorder.log.read_text)
    time.sleep(0.2)  # until signalling has heard of them
    os.kill(recorder.process.pid, signal.SIGSTOP)
    try:
        answer = second.ask(second.invite(), 1)
        assert len(set(ports(answer))) == 2
    finally:
        os.kill(recorder.process.pid, signal.SIGCONT)
    recorder.kill("signalling")
    for phone in (first, second):
        phone.send(phone.request("ACK", 1))
        phone.ask(phone.request("BYE", 2), 2)
    assert len(recorder.recordings(2)) == 2


def test_what_waits_at_a_spare_port_is_in_no_call_that_gets_it_later(recorder, phones) -> None:
    phone = phones("UDP")
    first = phone.ask(phone.invite(), 1)
    phone.send(phone.request("ACK", 1))
    spare = int(ports(first)[-1]) + 2
    until(lambda: is_bound(recorder.host, spare + 2 * MOST - 2), recorder.log.read_text)
    time.sleep(0.2)  # until signalling has heard of them
    with udp(recorder.host) as stranger, udp(recorder.host) as source:
        for number in range(5):
            stranger.sendto(struct.pack("!BBHII", 0x80, 0, number, 160 * number, 1) + bytes(160), ("127.0.0.1", spare))
        more = "m=audio 40004 RTP/AVP 0\r\na=label:3\r\na=sendonly\r\n"
        again = phone.ask(phone.invite(2, more), 2)
        assert ports(again) == [*ports(first), b"%d" % spare]
        phone.send(phone.request("ACK", 2))
        for number in range(7):
            source.sendto(struct.pack("!BBHII", 0x80, 0, number, 160 * number, 2) + bytes(160), ("127.0.0.1", spare))
        phone.ask(phone.request("BYE", 3), 3)
    (recording,) = recorder.recordings(1)
    assert [leg["packets"] for leg in recording["legs"]] == [0, 0, 7]


def is_bound(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def test_half_a_message_waits_for_its_rest(recorder, phones) -> None:
    phone = phones("TCP")
    data = phone.invite()
    phone.send(data[:700])
    time.sleep(0.3)
    recorder.kill("signalling")
    phone.ask(data[700:], 1)
    phone.send(phone.request("ACK", 1))
    phone.ask(phone.request("BYE", 2), 2)


def test_a_200_is_repeated_until_its_ack(recorder, phones) -> None:
    phone = phones("UDP")
    first = phone.ask(phone.invite(), 1)
    recorder.kill("signalling")
    until(lambda: "session goes on" in recorder.log.read_text(), recorder.log.read_text)
    phone.socket.settimeout(10)
    assert [phone.final(1) for _ in range(3)] == 3 * [first]
    assert phone.ask(phone.invite(), 1) == first
    phone.send(phone.request("ACK", 1))
    phone.ask(phone.request("BYE", 2), 2)
    assert len(recorder.recordings(1)) == 1


def die_at(recorder: Recorder, calls: int) -> None:
    """Have signalling die so many calls of its functions after the next INVITE has come."""
    new = recorder.data.parent / "new-death"
    new.write_text(str(calls))
    new.rename(recorder.environment["SRS_TEST_DEATH"])


@pytest.fixture(scope="module")
def deaths(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {
        "PYTHONPATH": os.pathsep.join([str(DYING), *sys.path]),
        "SRS_TEST_DEATH": str(tmp_path_factory.mktemp("deaths") / "death"),
    }


@pytest.fixture
def mortal(recorders: Recorders, deaths: dict[str, str]) -> Recorder:
    """A recorder that heeds `die_at`."""
    return recorders.lend(**deaths)


STEPS = [*range(0, 60, 5), *range(60, 600, 40)]
ALL = pytest.param(STEPS, id="all", marks=[pytest.mark.slow, pytest.mark.timeout(600)])


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
@pytest.mark.parametrize("steps", [pytest.param([0, 40, 200], id="some"), ALL])
def test_signalling_dies_somewhere_between_invite_and_200(mortal, transport: str, steps: list[int]) -> None:
    """Over UDP the client repeats its INVITE, over TCP it comes once."""
    for calls in steps:
        die_at(mortal, calls)
        with contextlib.closing(Phone(mortal, transport)) as phone:
            phone.ask(phone.invite(), 1)
            phone.send(phone.request("ACK", 1))
            phone.ask(phone.request("BYE", 2), 2)
        assert not Path(mortal.environment["SRS_TEST_DEATH"]).exists(), "signalling did not die"
    shown = [mortal.shown(recording["id"]) for recording in mortal.recordings(len(steps))]
    assert [each["facts"]["interrupted"] for each in shown] == [False] * len(steps)
    assert mortal.captures() == []


def test_a_tls_client_sees_the_end_and_goes_on_over_a_new_connection(start_recorder, certificate) -> None:
    """The keys of its connection died with signalling."""
    recorder = start_recorder(SRS_TLS__CERTIFICATE=str(certificate[0]), SRS_TLS__KEY=str(certificate[1]))
    with contextlib.closing(Phone(recorder, "TLS")) as phone:
        first = phone.ask(phone.invite(), 1)
        phone.send(phone.request("ACK", 1))
        recorder.kill("signalling")
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            assert phone.socket.recv(100) == b""
        phone.close()
        until(lambda: recorder.log.read_text().count("event=listening") == 2, recorder.log.read_text)
        phone.connect()
        again = phone.ask(phone.invite(2), 2)
        assert ports(again) == ports(first)
        phone.send(phone.request("ACK", 2))
        phone.ask(phone.request("BYE", 3), 3)
    assert len(recorder.recordings(1)) == 1


def test_restart_replaces_all_processes_under_a_call(recorder) -> None:
    before = {kind: recorder.children(kind) for kind in ("signalling", "capture", "handoff")}
    talk = Talk(make_plan(recorder, 8.0))
    time.sleep(1.0)
    recorder.run("restart")
    until(
        lambda: all(recorder.children(kind) not in ([], pids) for kind, pids in before.items()), recorder.log.read_text
    )
    talk.outcomes()
    (recording,) = recorder.recordings(1)
    assert [(leg["packets"], leg["lost"]) for leg in recording["legs"]] == [(400, 0), (400, 0)]
    assert "process died" not in recorder.log.read_text()


def test_a_second_recorder_on_the_same_folder_is_refused(recorder) -> None:
    command = [*SRS, "serve", "--data", str(recorder.data)]
    done = subprocess.run(command, env=recorder.environment, capture_output=True, text=True, check=False, timeout=20)
    assert done.returncode == 1
    assert f"another recorder (process {recorder.process.pid}) works on" in done.stderr


def test_what_a_killed_keeper_leaves_is_a_recording_marked_interrupted(recorder) -> None:
    talk = Talk(make_plan(recorder, 3.0))
    time.sleep(1.5)
    recorder.process.kill()
    recorder.process.wait()
    recorder.start()
    (recording,) = recorder.recordings(1)
    assert recording["state"] == "ready"
    assert all(leg["packets"] >= 40 for leg in recording["legs"])
    assert "interrupted" in recorder.run("show", recording["id"])
    talk.end()


def drain(recorder: Recorder, seconds: float) -> Talk:
    """A call, and a recorder that is told to stop as soon as there is none."""
    talk = Talk(make_plan(recorder, seconds))
    until(lambda: any(recorder.captures()), recorder.log.read_text)
    recorder.process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    assert recorder.process.poll() is None
    return talk


def test_a_second_signal_ends_at_once(recorder) -> None:
    talk = drain(recorder, 20.0)
    assert recorder.stop(signal.SIGTERM) == 0
    talk.end()


def test_a_drain_goes_on_in_the_successor(recorder) -> None:
    talk = drain(recorder, 4.0)
    recorder.kill("signalling")
    assert recorder.process.wait(20) == 0
    assert talk.outcomes()[0].packets == (200, 200)
