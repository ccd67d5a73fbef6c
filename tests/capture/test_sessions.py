"""What signalling writes of a session before it leaves it to a successor."""

import asyncio
from pathlib import Path
from typing import cast

from srs.capture import folder
from srs.capture.call import new_call
from srs.capture.custody import Custody
from srs.capture.health import Health
from srs.capture.sessions import Sessions
from srs.config import load
from srs.sip.flow import Flow
from srs.sip.message import make_request

FLOW = Flow("UDP", ("127.0.0.1", 5060), ("127.0.0.1", 40000))


def test_an_ack_of_the_last_moment_is_written(tmp_path: Path) -> None:
    folder.prepare(tmp_path)
    call = new_call(tmp_path, "recording", "id", "127.0.0.1", FLOW)
    ack = make_request("ACK", "sip:srs@127.0.0.1", [("Call-ID", "id")])

    async def leave() -> None:
        sessions = Sessions(load(None, tmp_path), cast("Custody", None), cast("Health", None))
        sessions.adopt(call)
        sessions.note(ack, bytes(ack), FLOW, 0, sent=False)
        assert not call.path.exists()
        sessions.write_all()

    asyncio.run(leave())
    assert bytes(ack) in call.path.read_bytes()
    call.close()
