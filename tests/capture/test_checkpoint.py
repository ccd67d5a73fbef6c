import json
import os

from srs.capture import checkpoint, folder
from srs.capture.call import Answered, new_call
from srs.capture.liveness import Liveness
from srs.sip.dialog import Dialog
from srs.sip.flow import Flow
from srs.sip.session_timer import SessionTimer
from srs.siprec.headers import Side
from srs.siprec.sdp import parse

FLOW = Flow("TCP", ("192.0.2.1", 5060), ("192.0.2.2", 40000), 7)
DIALOG = Dialog("id", "us", "them", "<sip:a>;tag=us", "<sip:b>;tag=them", "<sip:a>", "sip:b", (), 3, 9, False, FLOW)
ANSWER = b"v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 16384 RTP/AVP 0\r\nc=IN IP4 192.0.2.1\r\n"


def test_a_call_comes_back_as_it_was(tmp_path) -> None:
    folder.prepare(tmp_path)
    call = new_call(tmp_path, "recording", "id", "192.0.2.1", FLOW)
    call.flush()
    call.ports, call.answer, call.dialog = {0: 16384, 3: 16386}, parse(ANSWER), DIALOG.id
    call.side = Side(near=False, pair="1-2", address="700")
    call.video, timer = False, SessionTimer(1800, ours=True, told=True)
    call.liveness = Liveness(1.0, 2.0, timer=timer)
    call.accepted = Answered(b"INVITE \xff\x00\r\n", FLOW, b"SIP/2.0 200 OK\r\n", 1)
    state = json.loads(json.dumps(checkpoint.dump(call, DIALOG)))
    bye = Answered(b"BYE \xff\r\n", FLOW, b"SIP/2.0 200 OK\r\nCSeq: 2 BYE\r\n", 2)
    state["ended"], state["bye"] = True, checkpoint.answered(bye)  # so the keeper notes it
    restored = checkpoint.restore(tmp_path, call.recording, state)
    back = restored.call
    names = (
        "recording",
        "call_id",
        "path",
        "address",
        "flow",
        "session_id",
        "ports",
        "dialog",
        "accepted",
        "video",
        "side",
    )
    assert [getattr(back, name) for name in names] == [getattr(call, name) for name in names]
    assert (str(back.answer), restored.dialog, restored.ended) == (str(call.answer), DIALOG, True)
    assert (restored.timer, restored.bye) == (timer, bye)
    assert back.capture is not None
    os.write(back.capture, b"more")
    assert call.path.read_bytes().endswith(b"more")
    call.close()
    back.close()


def test_a_huge_invite_is_left_to_the_client() -> None:
    assert checkpoint.received(b"x" * (checkpoint.LARGEST_REQUEST + 1), FLOW) is None
    kept = json.loads(json.dumps(checkpoint.received(b"\xfe" * 10, FLOW)))
    assert checkpoint.request(kept) == (b"\xfe" * 10, FLOW)
