"""The process of the pages ends: who had come before is still heard."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from support import databases
from support.recorder import free_port

from srs.config import Settings, WebSettings
from srs.web.house import open_house
from srs.web.server import bind, serve

REQUEST = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
PATIENCE_S = 30.0


@contextmanager
def ending(data: Path, scheme: str, connections: int) -> Iterator[list[socket.socket]]:
    """Connections that pages have accepted, of which nothing has come; the pages have been told to end since."""
    databases.sqlite(data / "recordings.sqlite")
    web = WebSettings(listen=f"{scheme}://127.0.0.1:{free_port('127.0.0.1')}")
    made, stop = open_house(Settings(data_dir=data, web=web)), threading.Event()
    end = bind(made.settings)
    server = threading.Thread(target=serve, args=(made, end, stop), daemon=True)
    server.start()
    came = [socket.create_connection(end.getsockname(), PATIENCE_S) for _ in range(connections)]
    try:
        requests.get(f"{web.listen}/health/live", verify=False, timeout=PATIENCE_S)  # was accepted behind them
        stop.set()
        time.sleep(0.3)
        yield came
    finally:
        stop.set()
        for each in came:
            each.close()
        server.join(PATIENCE_S)
        end.close()
        made.engine.dispose()


def test_who_came_before_the_end_is_heard(tmp_path: Path):
    """A successor may answer at the same socket, but not to a connection that was accepted here."""
    with ending(tmp_path, "http", 2) as (early, silent):
        early.sendall(REQUEST)
        assert early.recv(65536).startswith(b"HTTP/1.1 200 ")
        assert early.recv(1) == b"", "the successor has the next page"
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.recv(1)
        silent.settimeout(PATIENCE_S)
        assert silent.recv(1) == b"", "who says nothing is not waited for"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_who_has_not_agreed_on_tls_before_the_end_is_heard(tmp_path: Path):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        ending(tmp_path, "https", 1) as (early,),
        context.wrap_socket(early, server_hostname="127.0.0.1") as secure,
    ):
        secure.sendall(REQUEST)
        assert secure.recv(65536).startswith(b"HTTP/1.1 200 ")
