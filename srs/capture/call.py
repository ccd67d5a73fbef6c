"""One recording session while it lives: its capture file, its state, its port pairs."""

import mmap
import os
import secrets
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rtp import pcap
from rtp.append import append
from srs.capture import events, folder
from srs.capture.abridge import abridged
from srs.capture.liveness import Liveness
from srs.capture.security import Srtp
from srs.sip.dialog import DialogId
from srs.sip.flow import Flow
from srs.sip.message import Request, Response
from srs.siprec.headers import Side
from srs.siprec.sdp import Sdp


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that changed the session, and our 200."""

    request: bytes
    flow: Flow
    ok: bytes
    time_ns: int
    """UTC, of both."""


@dataclass
class Call:
    """Signalling writes its SIP, a capture worker appends the RTP to the same file.

    What the messages say of the session is for those who read the capture: nothing here waits for it.
    """

    recording: str
    call_id: str
    path: Path
    address: str
    """Of this host, where RTP is received."""
    flow: Flow
    since_ns: int = 0
    """When its first INVITE came, UTC."""
    session_id: int = field(default_factory=lambda: secrets.randbits(62))
    """Of our o= line."""
    ports: dict[int, int] = field(default_factory=dict)
    """Index of an m-line to its RTP port."""
    answer: Sdp | None = None
    """As last sent."""
    dialog: DialogId | None = None
    end_reason: str | None = None
    """What the BYE says."""
    liveness: Liveness | None = None
    """None until the first 200."""
    video: bool = True
    """Whether video and text get ports."""
    side: Side | None = None
    """Which leg it is of a call that a phone forks as two."""
    srtp: Srtp = Srtp.REFUSED
    own_octets: int = 0
    """Of the capture: what we sent, which says nothing of the client."""
    accepted: Answered | None = None
    """An INVITE whose 200 waits for its ACK."""
    entrusted: bytes | None = None
    """The 200 that the keeper has, with its request: should this process die, a successor writes them."""
    last_final: bytes = b""
    """Record of the newest final answer."""
    ack_is_news: bool = False
    """The keeper does not know yet that it has come."""
    capture: int | None = None
    """Descriptor of the capture file, O_APPEND; None: it is not made yet."""
    is_begun: bool = False
    """The file has its header, and what was noted before it was made."""
    is_captured: bool = False
    """The keeper was told that a worker may write into it."""
    unwritten: deque[bytes] = field(default_factory=deque)
    """What the disk has not taken yet: few and small records, and without them the call has no end."""
    paused: bool = False
    """By an operator: nothing that comes is kept."""
    asked: set[int] = field(default_factory=set)
    """m-lines that ports were asked for, so that none gets two pairs."""

    def note(self, message: Request | Response, data: bytes, flow: Flow, time_ns: int, *, sent: bool) -> None:
        """Have `flush` write a message."""
        if isinstance(message, Request) and message.method == "BYE":
            self.end_reason = message.headers.get("Reason") or "BYE"
        local = (self.address, flow.local[1])
        source, destination = (local, flow.remote) if sent else (flow.remote, local)
        written = pcap.record(abridged(message, data), source, destination, time_ns)
        self.own_octets += len(written) if sent else 0
        self.unwritten.append(written)
        if sent and isinstance(message, Response) and message.code >= 200:
            self.last_final = written

    def remark(self, event: str) -> None:
        """Have `flush` write what the recorder did of its own accord."""
        written = events.info_record(self.call_id, event)
        self.own_octets += len(written)
        self.unwritten.append(written)

    def flush(self) -> None:
        """Write what is to be written, the first time into a new file. Called by one thread alone.

        Raises:
            OSError: the disk does not take it; what it did not take is written the next time.
        """
        if self.capture is None:
            self.capture = folder.create(self.path)
        while self.unwritten:
            records = list(self.unwritten)
            append(self.capture, b"".join(records))
            self.is_begun = True
            for _ in records:
                self.unwritten.popleft()

    @property
    def is_settled(self) -> bool:
        """The newest final answer is in the capture, and so is all before it."""
        return self.last_final not in self.unwritten

    def has(self, message: Request | Response, data: bytes) -> bool:
        """Whether a message is in the capture."""
        if not self.is_begun:
            return False
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as octets:
            return octets.find(abridged(message, data)) >= 0

    @property
    def received_octets(self) -> int:
        """What the capture has of the client: grows while it sends anything."""
        return 0 if self.capture is None else os.fstat(self.capture).st_size - self.own_octets

    def close(self) -> None:
        self.unwritten.clear()
        if self.capture is not None:
            os.close(self.capture)

    def discard(self) -> None:
        """The call was refused: there is nothing to keep."""
        self.close()
        with suppress(OSError):  # a disk that has become read-only: the archive sees to it later
            self.path.unlink()


def new_call(data_dir: Path, recording: str, call_id: str, address: str, flow: Flow, since_ns: int = 0) -> Call:
    """A call whose capture file, which `recording` names, is not made yet."""
    path = folder.open_path(data_dir, recording)
    return Call(recording, call_id, path, address, flow, since_ns, unwritten=deque([pcap.HEADER]))
