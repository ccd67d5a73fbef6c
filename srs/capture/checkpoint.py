"""What the keeper holds of a session, so that a successor of signalling can go on with it: a call as JSON and back."""

import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from rtp import pcap
from srs.capture import folder
from srs.capture.call import Answered, Call
from srs.capture.channel import Message
from srs.capture.security import Srtp
from srs.sip.dialog import Dialog
from srs.sip.flow import Flow
from srs.sip.session_timer import SessionTimer
from srs.siprec.headers import Side
from srs.siprec.sdp import parse

LARGEST_REQUEST = 32 << 10
"""Octets of an INVITE that is kept until its ACK, and of a BYE; of a larger INVITE the client's next one must do."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A call that goes on in this process."""

    call: Call
    dialog: Dialog
    ended: bool
    """The client's BYE was answered."""
    bye: Answered | None
    """That BYE."""
    timer: SessionTimer | None
    """Counted anew from the restart: at worst a client that is gone is missed one interval later."""


def dump(call: Call, dialog: Dialog) -> Message:
    """A call as it stands, fit for JSON."""
    return {
        "call_id": call.call_id,
        "address": call.address,
        "flow": call.flow.to_dict(),
        "since": call.since_ns,
        "session_id": call.session_id,
        "ports": list(call.ports.items()),
        "answer": str(call.answer) if call.answer else None,
        "dialog": dialog.to_dict(),
        "accepted": call.accepted and answered(call.accepted),
        "ended": False,
        "bye": None,
        "video": call.video,
        "side": asdict(call.side) if call.side else None,
        "srtp": call.srtp,
        "timer": asdict(call.liveness.timer) if call.liveness and call.liveness.timer else None,
    }


def restore(data_dir: Path, recording: str, state: Message) -> Restored:
    """A call from what `dump` gave, with its capture open, or to be made.

    Raises:
        OSError: the capture cannot be opened.
    """
    path = folder.open_path(data_dir, recording)
    call = Call(recording, state["call_id"], path, state["address"], Flow.from_dict(state["flow"]), state["since"])
    with suppress(FileNotFoundError):  # answered while the disk was about to make it
        call.capture = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        call.is_begun = os.fstat(call.capture).st_size > 0
    if not call.is_begun:
        call.unwritten.append(pcap.HEADER)
    call.session_id = state["session_id"]
    call.ports = {line: port for line, port in state["ports"]}  # noqa: C416 - dict() of lists is not typed
    call.asked = set(call.ports)
    call.answer = parse(state["answer"].encode()) if state["answer"] else None
    call.accepted = _load_answered(state["accepted"])
    dialog = Dialog.from_dict(state["dialog"])
    call.dialog = dialog.id
    call.video, call.srtp = state["video"], Srtp(state["srtp"])
    call.side = Side(**state["side"]) if state["side"] else None
    timer = SessionTimer(**state["timer"]) if state["timer"] else None
    return Restored(call, dialog, state["ended"], _load_answered(state["bye"]), timer)


def received(data: bytes, flow: Flow) -> Message | None:
    """A request as it came, as `request` reads it; None if it is too large."""
    return {"data": data.decode("latin-1"), "flow": flow.to_dict()} if len(data) <= LARGEST_REQUEST else None


def request(message: Message) -> tuple[bytes, Flow]:
    return message["data"].encode("latin-1"), Flow.from_dict(message["flow"])


def answered(both: Answered) -> Message | None:
    """A request and our 200; None if it is too large."""
    kept = received(both.request, both.flow)
    return kept and {**kept, "ok": both.ok.decode("latin-1"), "time": both.time_ns}


def _load_answered(message: Message | None) -> Answered | None:
    if message is None:
        return None
    return Answered(*request(message), message["ok"].encode("latin-1"), message["time"])
