"""A real recorder, watched: numbers, dashboard, alarms, state page, the examples of docs/api.md."""

import hashlib
import hmac
import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import requests
from support.calls import Talk, make_plan
from support.recorder import Recorder, free_port, until
from support.smtp import Server, server

from srs import control
from srs.alarms import WHAT_TO_DO
from srs.archive.database import connect, writing
from srs.control import Order
from srs.privacy import tokens, users
from srs.privacy.roles import ROLES, Right, Scope, assignment
from srs.siprec.src import CallFailed, Impairment

DOCS = Path(__file__).parents[2] / "docs"
SECRET = "hook secret"
LONGEST_S = 60.0
METRIC = re.compile(r"\bsrs_[a-z_]+")


class Receiver(HTTPServer):
    """Takes what is posted."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[tuple[bytes, str]] = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((body, self.headers["X-SRS-Signature"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@dataclass
class Watched:
    recorder: Recorder
    url: str
    token: str
    mails: Server
    hooks: Receiver
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def certificate(self) -> Path:
        return self.recorder.data / "web" / "certificate.pem"

    def get(self, path: str, *, token: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return requests.get(self.url + path, headers=headers, verify=str(self.certificate), timeout=60)

    def metrics(self) -> dict[str, float]:
        lines = self.get("/metrics").text.splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[:1] != "#")}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """A recorder with one recorded call, which tells a mail server and a webhook of its alarms."""
    data, url = tmp_path_factory.mktemp("watched") / "data", f"https://127.0.0.1:{free_port('127.0.0.1')}"
    hooks = Receiver()
    threading.Thread(target=hooks.serve_forever, daemon=True).start()
    with server(data.parent / "mail") as mails:
        settings = {
            "SRS_WEB__LISTEN": url,
            "SRS_WEB__REQUESTS_PER_S": "1000",
            "SRS_ALARMS__NO_AUDIO_S": "1",
            "SRS_TASKS__LOCAL_TARGETS": "true",
            "SRS_ALARMS__MAIL": "ops@example.com",
            "SRS_ALARMS__WEBHOOK": f"http://127.0.0.1:{hooks.server_port}/alarms",
            "SRS_ALARMS__WEBHOOK_SECRET": SECRET,
            "SRS_MAIL__SENDER": "srs@example.com",
            "SRS_MAIL__SERVER": json.dumps([{"host": "127.0.0.1", "port": mails.port, "tls": "none"}]),
        }
        recorder = Recorder(data, "127.0.0.1", settings)
        try:
            until(lambda: 'event="web pages"' in recorder.log.read_text(), lambda: recorder.log.read_text())
            Talk(make_plan(recorder, 2.0)).outcomes()  # in a thread: the browser's loop may run in this one
            recorder.recordings(1)
            yield Watched(recorder, url, _token(data, "root"), mails, hooks)
        finally:
            recorder.stop()
            hooks.shutdown()
            hooks.server_close()


def _token(data: Path, name: str) -> str:
    """Of a user who may do everything."""
    engine = connect(f"sqlite:///{data / 'recordings.sqlite'}")
    now = datetime.now(UTC)
    with writing(engine) as session:
        user, _ = users.add(session, name, now)
        users.set_password(session, user, "correct horse battery")
        users.give(session, user, assignment("administrator"))
        for role in ("privacy officer", "supervisor"):
            users.give(session, user, assignment(role, Scope.ALL, rights=ROLES[role].possible))
        _, secret = tokens.issue(session, user, "test", Right, now, timedelta(days=1))
    engine.dispose()
    return secret


def test_every_number_of_the_dashboard_is_told(watched: Watched):
    dashboard = json.loads((DOCS / "grafana.json").read_text())
    asked = {
        name for panel in dashboard["panels"] for target in panel["targets"] for name in METRIC.findall(target["expr"])
    }
    assert len(asked) > 15
    until(lambda: "srs_calls_running" in watched.metrics(), lambda: str(watched.metrics()))
    text = watched.get("/metrics").text
    assert asked <= {name for line in text.splitlines() if line.startswith("# TYPE") for name in line.split()[2:3]} | {
        f"{line.split()[2]}_total" for line in text.splitlines() if line.startswith("# TYPE") and "counter" in line
    }
    told = watched.metrics()
    assert (told["srs_calls_total"], told["srs_calls_last_day"], told['srs_captures{state="open"}']) == (1, 1, 0)
    assert told["srs_packets_last_day"] > 0


def test_numbers_want_a_token_for_watching(watched: Watched):
    assert watched.get("/metrics", token="srs_none").status_code == 401
    engine = connect(f"sqlite:///{watched.recorder.data / 'recordings.sqlite'}")
    with writing(engine) as session:
        user = users.get(session, "root")
        _, listing = tokens.issue(session, user, "list", [Right.LIST], datetime.now(UTC), timedelta(days=1))
    engine.dispose()
    assert watched.get("/metrics", token=listing).status_code == 403
    assert watched.get("/health/ready", token="srs_none").text == "ok"


def test_an_alarm_goes_to_page_number_mail_and_webhook_and_so_does_its_end(watched: Watched):
    mute = Talk(make_plan(watched.recorder, LONGEST_S, impairment=Impairment(loss=1.0)))
    until(lambda: watched.metrics()['srs_alarms{alarm="no-audio"}'] == 1, lambda: str(watched.metrics()))
    (raised,) = watched.get("/api/v1/state").json()["alarms"]
    assert (raised["name"], raised["do"]) == ("no-audio", WHAT_TO_DO["no-audio"])
    until(lambda: len(watched.mails.mails()) == len(watched.hooks.bodies) == 1, watched.recorder.log.read_text)
    (capture,) = watched.recorder.captures()
    control.ask(watched.recorder.data, Order("stop", capture.stem, "test"))
    with pytest.raises(CallFailed, match="hung up"):
        mute.outcomes()
    until(lambda: len(watched.mails.mails()) == 2, watched.recorder.log.read_text)
    first, last = watched.mails.mails()
    assert first["Subject"].endswith("alarm no-audio raised")
    assert WHAT_TO_DO["no-audio"] in first.get_content()
    assert last["Subject"].endswith("alarm no-audio cleared")
    until(lambda: len(watched.hooks.bodies) == 2, watched.recorder.log.read_text)
    events = [json.loads(body) for body, _ in watched.hooks.bodies]
    assert [event["event"] for event in events] == ["alarm.raised", "alarm.cleared"]
    assert events[0]["alarm"]["call"] == raised["call"]
    for body, signed in watched.hooks.bodies:
        assert signed == f"sha256={hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()}"


def test_the_examples_of_the_document_work(watched: Watched, tmp_path: Path):
    examples = re.findall(r"^```sh\n(.*?)^```", (DOCS / "api.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(examples) > 8
    environment = {
        **os.environ,
        "SRS": f"{watched.url}/api/v1",
        "TOKEN": watched.token,
        "CERTIFICATE": str(watched.certificate),
    }
    script = "set -euo pipefail\n" + "\n".join(examples)
    Talk(make_plan(watched.recorder, 120.0))  # the examples stop it
    until(lambda: any(watched.recorder.captures()), watched.recorder.log.read_text)
    done = subprocess.run(["bash", "-x"], input=script, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "call.wav").read_bytes()[:1000] == (tmp_path / "first.bin").read_bytes()
    assert (tmp_path / "call.mp3").read_bytes()[:3] == b"ID3"
    assert (tmp_path / "report.pdf").read_bytes()[:4] == b"%PDF"
    assert json.loads((tmp_path / "call.vcon.json").read_text())["parties"]
    assert '"note":"call back"' in done.stdout
    assert done.stdout.count('"one_time_password":') == 2
    assert done.stdout.rstrip().endswith("ok")
