"""After the first sign-in: what there is to do next."""

import re
import secrets
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlmodel import select
from starlette.responses import Response

from srs.archive.database import reading
from srs.archive.search import Search, search
from srs.archive.searchable import complete
from srs.archive.tables import Recording
from srs.privacy.errors import Misuse
from srs.privacy.roles import Right
from srs.sip.address import ListenAddress, host_port
from srs.web.asker import Asker
from srs.web.pages import back, page
from srs.web.visit import Visit

SECONDS: Final = 5
PATIENCE_S: Final = 30
RECENT: Final = timedelta(hours=1)
CALLER: Final = "sip:test-{}@siprec-srs.invalid"
_CALLED: Final = re.compile("([0-9]{1,12})-[0-9a-f]{8}")
_ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}
AUDIO: Final = Path(__file__).parents[2] / "captures"


def home(visit: Visit) -> Response:
    """Where to: the first steps as long as nothing was recorded."""
    empty = visit.may(Right.SETTINGS) and not search(visit.house.engine, Search(), limit=1).rows
    return back("/start" if empty else "/recordings")


def start(visit: Visit) -> Response:
    listening = [ListenAddress.parse(url) for url in visit.house.settings.sip.listen]
    called = _CALLED.fullmatch(visit.request.query_params.get("called", ""))
    made, late = None, False
    if called:
        made = _recording(visit, CALLER.format(called[0]))
        late = made is None and visit.now.timestamp() > int(called[1]) + SECONDS + PATIENCE_S
    known = {"called": called is not None, "made": made, "late": late, "complete": complete}
    return page(visit, "start.html", 200, listening=listening, seconds=SECONDS, **known)


def _recording(visit: Visit, caller: str) -> Recording | None:
    """That of a test call: whoever may change settings may know of these, though not hear them."""
    query = select(Recording).where(Recording.started_at > visit.now - RECENT, Recording.caller == caller)
    with reading(visit.house.engine) as session:
        return session.exec(query).first()


def call(visit: Visit) -> Response:
    return back(f"/start?called={begin_call(visit)}")


def begin_call(asker: Asker) -> str:
    """Have the recorder record a call of our own client; returns what is in the caller's address.

    Raises:
        Misuse: it does not listen for such.
    """
    plain = [ListenAddress.parse(url) for url in asker.house.settings.sip.listen if not url.startswith("tls:")]
    if not plain:
        raise Misuse("the test call needs udp:// or tcp:// in [sip] listen")
    target = plain[0]
    called = f"{asker.now.timestamp():.0f}-{secrets.token_hex(4)}"
    command = [sys.executable, "-m", "srs.cli", "call", host_port((_ANY.get(target.host, target.host), target.port))]
    files = [AUDIO / name for name in ("caller.wav", "callee.wav")]
    sound = [word for path in files if path.exists() for word in ("--audio", str(path))]
    told = ["--transport", target.transport.lower(), "--duration", str(SECONDS), "--caller", CALLER.format(called)]
    asker.write("test call", "recorder")
    running = subprocess.Popen(
        [*command, *told, *sound],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=running.wait, name="test call", daemon=True).start()  # or it would stay as a zombie
    return called
