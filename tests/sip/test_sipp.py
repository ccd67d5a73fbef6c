"""sipp as the client, over real sockets."""

import asyncio
import secrets
import shutil
import socket
from collections import Counter
from pathlib import Path

import pytest
import uvloop

from srs.sip.endpoint import Endpoint
from srs.sip.events import RequestReceived
from srs.sip.message import response
from srs.sip.transport import SipServer

pytestmark = pytest.mark.skipif(shutil.which("sipp") is None, reason="sipp is not installed (package sip-tester)")

LOSSY = str(Path(__file__).parent / "lossy_call.xml")


async def serve_sipp(folder, transport, *arguments):
    """Run sipp against a server that answers 200 to all; what happened, and what was sent."""
    happened, sent = Counter(), Counter()

    def on_event(event):
        name = event.request.method if isinstance(event, RequestReceived) else type(event).__name__
        happened[name] += 1
        if isinstance(event, RequestReceived):
            made = response(event.request, 200)
            made.headers.set("Contact", f"<sip:srs@127.0.0.1:{event.flow.local[1]}>;+sip.srs")
            endpoint.respond(event.transaction, made, asyncio.get_running_loop().time())

    def on_send(send):
        sent[f"{send.message.code} {send.message.cseq.method}"] += 1

    endpoint = Endpoint(token=lambda: secrets.token_hex(8))
    server = SipServer(endpoint, on_event, on_send)
    address = await server.listen(f"{transport}://127.0.0.1:0")
    with socket.socket(type=socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [
        "-i",
        "127.0.0.1",
        "-p",
        str(port),
        "-nostdin",
        "-timeout",
        "40",
        "-timeout_error",
        f"127.0.0.1:{address.port}",
    ]
    sipp = await asyncio.create_subprocess_exec(
        "sipp", *arguments, *options, cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await sipp.communicate()
    await server.close()
    assert sipp.returncode == 0, output.decode()[-2000:]
    return happened, sent


@pytest.mark.parametrize(("transport", "mode"), [("udp", "u1"), ("tcp", "t1"), ("tcp", "tn")])
def test_plain_calls(tmp_path, transport, mode):
    arguments = ["-sn", "uac", "-t", mode, "-max_socket", "100", "-m", "40", "-r", "80", "-d", "100"]
    happened, sent = uvloop.run(serve_sipp(tmp_path, transport, *arguments))
    assert happened == {"INVITE": 40, "AckReceived": 40, "BYE": 40}
    assert sent == {"200 INVITE": 40, "200 BYE": 40}


def test_calls_over_a_lossy_network(tmp_path):
    happened, sent = uvloop.run(serve_sipp(tmp_path, "udp", "-sf", LOSSY, "-m", "30", "-r", "60"))
    assert (happened["INVITE"], happened["BYE"], happened["AckTimeout"]) == (30, 30, 0)
    assert sent["200 INVITE"] > 30
