"""After the first sign-in: what there is to do next."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

from starlette.responses import Response

from srs.archive.search import Search, search
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right
from srs.sip.address import ListenAddress, host_port
from srs.web.asker import Asker
from srs.web.pages import back, page
from srs.web.visit import Visit

SECONDS: Final = 5
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
AUDIO: Final = Path(__file__).parents[2] / "captures"


def home(visit: Visit) -> Response:
    """Where to: the first steps as long as nothing was recorded."""
    empty = visit.may(Right.SETTINGS) and not search(visit.house.engine, Search(), limit=1).rows
    return back("/start" if empty else "/recordings")


def start(visit: Visit) -> Response:
    listening = [ListenAddress.parse(url) for url in visit.house.settings.sip.listen]
    called = visit.request.query_params.get("called") == "yes"
    return page(visit, "start.html", listening=listening, called=called, seconds=SECONDS)


def call(visit: Visit) -> Response:
    begin_call(visit)
    return back("/start?called=yes")


def begin_call(asker: Asker) -> None:
    """Have the recorder record a call of our own client.

    Raises:
        Misuse: it does not listen for such.
    """
    plain = [ListenAddress.parse(url) for url in asker.house.settings.sip.listen if not url.startswith("tls:")]
    if not plain:
        raise Misuse("the test call needs udp:// or tcp:// in [sip] listen")
    target = plain[0]
    command = [sys.executable, "-m", "srs.cli", "call", host_port((_ANY.get(target.host, target.host), target.port))]
    files = [AUDIO / name for name in ("caller.wav", "callee.wav")]
    sound = [word for path in files if path.exists() for word in ("--audio", str(path))]
    asker.write("test call", "recorder")
    running = subprocess.Popen(
        [*command, "--transport", target.transport.lower(), "--duration", str(SECONDS), *sound],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=running.wait, name="test call", daemon=True).start()  # or it would stay as a zombie
