"""A recording by a link from a mail."""

import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import requests
from support.recorder import free_port

from srs.archive import audio
from srs.archive.database import writing
from srs.archive.tables import Recording
from srs.config import Settings, WebSettings
from srs.handoff import links
from srs.privacy.audit import Wanted, entries
from srs.web.house import House, open_house
from srs.web.server import bind, serve

NOW = datetime.now(UTC)
PURPOSE = "mail sales: boss@example.com"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Pages with the recording `a1`."""
    settings = Settings(data_dir=tmp_path, web=WebSettings(listen=f"http://127.0.0.1:{free_port('127.0.0.1')}"))
    made, stop, end = open_house(settings), threading.Event(), bind(settings)
    serving = threading.Thread(target=serve, args=(made, end, stop))
    serving.start()
    sound = io.BytesIO()
    audio.write(sound, "wav", [np.zeros((8000, 2), np.int16)], 2, 8000, {})
    sound.seek(0)
    made.store.put("a1.wav", sound)
    told = {"started_at": NOW, "ended_at": NOW, "created_at": NOW, "duration_s": 1.0, "caller": "sip:201@pbx"}
    with writing(made.engine) as session:
        session.add(Recording(id="a1", state="ready", file="a1.wav", format="wav", **told))
    yield made
    stop.set()
    serving.join()
    made.engine.dispose()


def address(house: House, held: timedelta) -> str:
    """Of a link that holds so long."""
    with writing(house.engine) as session:
        token = links.make(session, "a1", PURPOSE, NOW, datetime.now(UTC) + held)
    return f"{house.settings.web.listen}/link/{token}"


def test_whoever_has_the_link_gets_the_recording_and_the_audit_says_so(house: House):
    link, own = address(house, timedelta(minutes=5)), {"Origin": house.settings.web.listen}
    shown = requests.get(link, headers={"Accept-Language": "nl"}, timeout=30)
    assert (shown.status_code, "Een opname voor u" in shown.text, "201" in shown.text) == (200, True, True)
    assert entries(house.engine, Wanted(action="download")) == []
    given = requests.post(link, headers=own, timeout=30)
    assert given.content.startswith(b"ID3")
    (entry,) = entries(house.engine, Wanted(action="download"))
    assert (entry.who, entry.subject, entry.reason) == ("link", "recording:a1", PURPOSE)
    assert requests.post(link, headers={"Origin": "https://evil.example"}, timeout=30).status_code == 403


def test_a_link_that_is_over_or_never_was_gives_nothing(house: House):
    over, own = address(house, timedelta(seconds=-1)), {"Origin": house.settings.web.listen}
    for link in (over, f"{over}x", f"{house.settings.web.listen}/link/nothing"):
        assert requests.get(link, timeout=30).status_code == 404
        assert requests.post(link, headers=own, timeout=30).status_code == 404
    assert entries(house.engine, Wanted(action="download")) == []
