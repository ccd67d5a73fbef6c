"""Modules of the recorder and of installed packages, chosen by `[[handoff]]`."""

import hashlib
import hmac
import json
import re
import sys
import threading
from datetime import timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from support.recorder import until

from srs.alarms import Alarms
from srs.handoff import tasks
from srs.handoff.delete import delete
from srs.handoff.errors import NeedsPerson
from srs.handoff.lanes import Lanes
from srs.handoff.modules import modules
from srs.handoff.reach import is_local
from srs.handoff.run import Bench
from srs.handoff.webhook import post

from .conftest import entry, record, while_under_way, work

DOCS = Path(__file__).parents[2] / "docs" / "modules.md"


# The module of the documentation, found as an installed package is


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The example of docs/modules.md as a package on the path."""
    text = DOCS.read_text()
    [program] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    [points] = re.findall(r'\[project.entry-points."srs.handoff"\]\n(.*?)```', text, re.DOTALL)
    assert len(program.splitlines()) <= 34
    site = tmp_path / "site"
    info = site / "tickets-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "tickets.py").write_text(program)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tickets\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[srs.handoff]\n" + points.replace('"', ""))
    monkeypatch.syspath_prepend(site)
    yield
    sys.modules.pop("tickets", None)


def test_the_example_of_the_documentation(shelf, installed, tmp_path: Path):
    ticket = entry("ticket", options={"folder": str(tmp_path)})
    row = record(shelf, ticket)
    assert work(shelf, ticket).state == "done"
    assert json.loads((tmp_path / "a1.json").read_text()) == {
        "key": "ticket/one/a1",
        "caller": row.caller,
        "seconds": 1.0,
        "octets": len((shelf.data_dir / "audio" / row.file).read_bytes()),
    }
    record(shelf, ticket, recording="b2", caller=None)
    assert work(shelf, ticket).last_error == "who called is not known"
    record(shelf, ticket, recording="c3")
    assert work(shelf, entry("ticket", options={"folder": "/nowhere"})).last_error.startswith("no ticket: ")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (entry("nonsense"), "there is no module 'nonsense'; the recorder has copy, transcribe, webhook"),
        (entry("webhook"), "options: url: Field required"),
        (entry("webhook", options={"url": "https://x", "ulr": 1}), "options: ulr: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_used_needs_a_person_and_keeps_nothing_else(shelf, wrong: dict, said: str):
    record(shelf, wrong)
    task = work(shelf, wrong)
    assert task.state == "failed"
    assert said in task.last_error


def test_chosen_by_rule_in_order_and_stopped_by_failure(shelf, tmp_path: Path):
    good = {"url": (tmp_path / "copies").as_uri()}
    first = entry("webhook", "first", on_failure="stop", options={"url": "http://127.0.0.1:9"})
    then = entry("copy", "then", order=1, options=good)
    other = entry("copy", "other", match={"direction": ["outbound"]}, options=good)
    record(shelf, first, then, other)
    assert {name for name in shelf.tasks() if not name.startswith("delete")} == {"webhook first", "copy then"}
    assert work(shelf, first, then, other, kind="copy") is None
    task = work(shelf, first, then, other, kind="webhook")
    assert "Connection refused" in task.last_error
    tasks.claim(shelf.engine, "webhook", "me", task.due_at, timedelta(1))
    tasks.give_up(shelf.engine, tasks.listing(shelf.engine, ["running"])[0], "no", shelf.clock())
    assert work(shelf, first, then, other, kind="copy") is None
    tasks.cancel(shelf.engine, task.id, shelf.clock())
    assert work(shelf, first, then, other, kind="copy").state == "done"


def test_the_tasks_of_a_rule_that_is_gone_do_not_keep_a_recording_for_ever(shelf):
    record(shelf, entry("copy", options={"url": "file:///nowhere"}))
    task = work(shelf, kind="copy")
    assert (task.state, task.last_error) == ("due", "the settings have no copy 'one'; another recorder's may")
    shelf.clock.on(minutes=10)
    task = work(shelf, kind="copy")
    said = f"the settings have no copy 'one' any more: put it back and `srs tasks retry {task.id}`, or "
    assert (task.state, task.last_error) == ("failed", f"{said}`srs tasks cancel {task.id}`")


def test_the_tasks_of_a_package_that_is_gone_need_a_person_too(shelf):
    record(shelf, entry("ticket"))
    shelf.clock.on(hours=1)
    with Lanes(shelf.context(), modules(shelf.settings()), Alarms()):
        until(lambda: shelf.tasks()["ticket one"].state == "failed", lambda: str(shelf.tasks()))
    assert shelf.tasks()["ticket one"].last_error.startswith("the settings have no ticket 'one' any more: ")


# Webhook


class Receiver(HTTPServer):
    """Answers as a test says and keeps what came."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[int] = []
        self.came: list[tuple[Message, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.server.came.append((self.headers, self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.answers.pop(0))
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver():
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_webhook_is_signed_and_repeated_under_one_key(shelf, receiver: Receiver):
    hook = entry("webhook", options={"url": f"http://127.0.0.1:{receiver.server_port}/calls", "secret": "geheim"})
    record(shelf, hook)
    receiver.answers = [503, 429, 200]
    for state in ("due", "due", "done"):
        task = work(shelf, hook)
        assert task.state == state
        shelf.clock.time = max(task.due_at, shelf.clock.time)
    assert len({headers["Idempotency-Key"] for headers, _ in receiver.came}) == 1
    for headers, body in receiver.came:
        assert headers["X-SRS-Signature"] == "sha256=" + hmac.new(b"geheim", body, hashlib.sha256).hexdigest()
        told = json.loads(body)
        assert (told["event"], told["recording"]["id"], told["recording"]["state"]) == (
            "recording.ready",
            "a1",
            "ready",
        )


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_the_web_server_will_never_take_needs_a_person(shelf, receiver: Receiver, status: int):
    hook = entry("webhook", options={"url": f"http://127.0.0.1:{receiver.server_port}/"})
    record(shelf, hook)
    receiver.answers = [status, 200]
    task = work(shelf, hook)
    assert task.state == "failed"
    assert f"answers {status}" in task.last_error
    assert len(receiver.came) == 1


@pytest.mark.parametrize(
    "name", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"]
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_nothing_is_sent_to_this_machine_unless_the_settings_allow_it(receiver: Receiver, scheme: str, name: str):
    with pytest.raises(NeedsPerson, match=re.escape("unless [tasks] local_targets allows it")):
        post(f"{scheme}://{name}:{receiver.server_port}/", {}, "key", "", 5.0)
    assert receiver.came == []


def test_what_gets_another_address_meanwhile_is_sent_nothing(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("srs.handoff.reach._refuse_any", lambda _: None)
    with pytest.raises(NeedsPerson):
        post(f"http://127.0.0.1:{receiver.server_port}/", {}, "key", "", 5.0)
    assert receiver.came == []


def test_a_companys_own_servers_are_sent_to():
    assert [is_local(each) for each in ("10.1.2.3", "192.168.1.9", "fd00::1", "203.0.113.7")] == [False] * 4


# Transcription


def test_a_transcript_by_a_program_goes_with_the_sound(shelf):
    program = "import sys, wave; print('frames:', wave.open(sys.argv[1]).getnframes())"
    one = entry("transcribe", options={"command": [sys.executable, "-c", program]})
    record(shelf, one)
    assert work(shelf, one).state == "done"
    assert shelf.row().facts["transcript"] == "frames: 8000"
    delete(shelf.engine, shelf.store, shelf.settings(), "a1", shelf.clock(), "test", "me")
    assert "transcript" not in shelf.row().facts


def test_a_transcript_that_comes_when_the_recording_is_deleted_is_not_kept(shelf):
    one = entry("transcribe", options={"command": ["echo", "hello"]})
    record(shelf, one)
    with while_under_way(shelf, one):
        delete(shelf.engine, shelf.store, shelf.settings(), "a1", shelf.clock(), "test", "me")
    assert shelf.tasks()["transcribe one"].state == "done"
    assert "transcript" not in shelf.row().facts
    assert {"kind": "transcribe", "where": "one", "became": "under way"} in shelf.receipts()[0].copies


def test_what_finds_its_recording_deleted_is_dropped(shelf):
    one = entry("transcribe", options={"command": ["echo", "hello"]})
    record(shelf, one)
    context = shelf.context(handoff=[one])
    bench = Bench(context, "transcribe", modules(context.settings)["transcribe"], "me", timedelta(minutes=1))
    task = bench.take()
    delete(shelf.engine, shelf.store, shelf.settings(), "a1", shelf.clock(), "test", "me")
    bench.work(task)
    assert (shelf.tasks()["transcribe one"].state, shelf.tasks()["transcribe one"].last_error) == (
        "cancelled",
        "the recording was deleted",
    )


@pytest.mark.parametrize(
    ("command", "state", "said"),
    [
        (["/nowhere/program"], "failed", "/nowhere/program: no such program"),
        ([sys.executable, "-c", "import sys; sys.exit('no model')"], "due", "ended with 1: no model"),
        ([sys.executable, "-c", "import time; time.sleep(60)"], "due", "took longer than 1 s"),
    ],
)
def test_a_program_that_fails(shelf, command: list[str], state: str, said: str):
    patience = 1.0 if "60" in command[-1] else 60.0
    one = entry("transcribe", options={"command": command, "timeout_s": patience})
    record(shelf, one)
    task = work(shelf, one)
    assert task.state == state
    assert said in task.last_error
