"""The API, over HTTP: rights, lists, changes, files, errors, repeated requests."""

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from support.house import ID, Program, add_recording, person, serving, token

from srs.archive import audio
from srs.archive.tables import Notice
from srs.config.mail import MailRule, MailServer, MailSettings
from srs.config.privacy import PurposeSettings
from srs.config.reconcile import ReconcileSettings
from srs.config.rules import GroupSettings
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import Right, Scope, assignment
from srs.web.api.once import KEPT, Claim
from srs.web.api.problems import KINDS, Trouble
from srs.web.house import House

EVERYTHING = tuple(Right)
KEPT_FOR = "f" * 32
"""A recording that is kept for training only."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With `root`, who may do all that roles allow together, and `bert`, who may only find recordings of 2??."""
    settings = {
        "mail": MailSettings(
            sender="srs@example.com",
            server=[MailServer(host="127.0.0.1", port=1)],
            rule=[MailRule(name="boss", to=["boss@example.com"])],
        ),
        "purpose": [PurposeSettings(name="training", keep_days=90, fits=["quality"])],
        "group": [GroupSettings(name="sales", extensions=["2??"])],
        "reconcile": ReconcileSettings(start="start", seconds="seconds", caller="from", callee="to"),
    }
    with serving(tmp_path_factory.mktemp("api"), **settings) as made:
        add_recording(made, KEPT_FOR, purpose="training")
        for name in ("root", "second"):
            hears = assignment("supervisor", Scope.ALL, rights=[r for r in Right if r in POSSIBLE])
            person(made, name, assignment("administrator"), assignment("privacy officer", rights=OFFICER), hears)
        person(made, "bert", assignment("supervisor", groups=["sales"]))
        yield made


POSSIBLE = {Right.LIST, Right.PLAY, Right.LISTEN, Right.DOWNLOAD, Right.MAIL, Right.HOLD}
OFFICER = [Right.LIST, Right.PLAY, Right.DELETE, Right.HOLD]


@pytest.fixture
def root(house: House) -> Iterator[Program]:
    with Program(house, token(house, "root", *EVERYTHING)) as program:
        yield program


def problem(answer, name: str) -> None:
    """An answer is the problem of that name."""
    assert answer.status_code == KINDS[name].status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/api/v1/problems/{name}"
    assert answer.json()["title"] == KINDS[name].title


def items(program: Program, path: str, **params) -> list:
    """What a list holds."""
    answer = program.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def an_address(path: str, parameters) -> str:
    """A path of the description with something in it for each parameter."""
    for each in parameters:
        if each["in"] == "path":
            value = ID if each["name"] == "id" else "1" if each["schema"].get("type") == "integer" else each["name"]
            path = path.replace(f"{{{each['name']}}}", value)
    return path


def test_every_path_wants_a_token_that_holds(house: House, root: Program):
    described = root.get("/openapi.json").json()
    nobody = Program(house, "srs_nonsense")
    for path, operations in described["paths"].items():
        for method in operations:
            answer = nobody.request(method.upper(), an_address(path, operations[method].get("parameters", ())))
            if path.startswith("/problems"):
                assert answer.status_code in (200, 404)
            else:
                problem(answer, "unauthenticated")
    assert answer.headers["x-content-type-options"] == "nosniff"
    over = Program(house, token(house, "root", Right.LIST, days=1e-9))
    problem(over.get("/me"), "unauthenticated")


def test_a_token_allows_no_more_than_it_is_for_and_its_user_may(house: House):
    finder = Program(house, token(house, "root", Right.LIST))
    assert finder.get("/me").json()["rights"] == ["list"]
    assert finder.get(f"/recordings/{ID}").status_code == 200
    problem(finder.get(f"/recordings/{ID}/audio"), "forbidden")
    problem(finder.get("/users"), "forbidden")
    refused = entries(house.engine, Wanted(who="token:root/test", refused=True))
    assert [(entry.action, entry.subject) for entry in refused[-2:]] == [
        ("play", f"recording:{ID}"),
        ("users", "recorder"),
    ]
    problem(Program(house, token(house, "root", Right.USERS)).get("/recordings"), "forbidden")
    bert = Program(house, token(house, "bert", *EVERYTHING))
    problem(bert.get(f"/recordings/{ID}"), "not-found")
    assert bert.get(f"/recordings/{ID}").json() == bert.get(f"/recordings/{'0' * 32}").json()
    assert bert.get("/recordings").json() == {"items": [], "next": None}


def test_recordings_are_found_by_every_filter_and_come_by_pages(house: House, root: Program):
    for number in range(5):
        add_recording(house, f"{number:032}", purpose="quality", tags=["page"], duration_s=100.0 + number)
    found, cursor = [], None
    while True:
        page = root.get("/recordings", params={"tag": "page", "limit": 2, "cursor": cursor}).json()
        found += [row["duration_s"] for row in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert sorted(found) == [100.0 + number for number in range(5)]
    add_recording(house, "9" * 32, caller="sip:201@x", groups=["sales"], notices=[Notice(place=0, state="missing")])
    for wanted in ({"extension": "201"}, {"group": "sales"}, {"notice": "missing"}):
        assert [row["id"] for row in items(root, "/recordings", **wanted)] == ["9" * 32]
    assert items(root, "/recordings", mos_below=1.5) == []
    wanted = {"q": "ann", "purpose": "quality", "min_s": 103.5, "state": "ready", "held": "false"}
    (one,) = root.get("/recordings", params={**wanted, "since": "2020-01-01", "until": "2199-01-01T00:00:00Z"}).json()[
        "items"
    ]
    assert (one["id"], one["legs"][1]["name"]) == (f"{4:032}", "<b>Bob</b>")
    assert "file" not in one
    for wrong in ({"limit": 0}, {"limit": 501}, {"since": "yesterday"}, {"colour": "red"}, {"q": "\x01"}):
        answer = root.get("/recordings", params=wrong)
        problem(answer, "invalid")
        assert answer.json()["errors"][0]["where"].startswith(f"query.{next(iter(wrong))}")


def test_a_change_wants_the_etag_of_what_it_changes(house: House, root: Program):
    add_recording(house, "e" * 32)
    path = f"/recordings/{'e' * 32}"
    first = root.get(path).headers["etag"]
    assert root.get(path, headers={"If-None-Match": first}).status_code == 304
    problem(root.patch(path, json={"note": "x"}), "etag-needed")
    changed = root.patch(path, json={"note": "call back", "tags": ["vip", "vip"]}, headers={"If-Match": first})
    assert (changed.json()["note"], changed.json()["tags"]) == ("call back", ["vip"])
    problem(root.patch(path, json={"note": "other"}, headers={"If-Match": first}), "changed")
    kept = root.patch(path, json={"tags": []}, headers={"If-Match": changed.headers["etag"]}).json()
    assert (kept["note"], kept["tags"]) == ("call back", [])
    problem(root.patch(path, json={"tags": ["a,b"]}, headers={"If-Match": "*"}), "invalid")


def test_the_sound_comes_in_every_format_and_by_ranges_and_is_in_the_audit(house: House, root: Program):
    whole = root.get(f"/recordings/{ID}/audio")
    part = root.get(f"/recordings/{ID}/audio", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    out = root.get(f"/recordings/{ID}/audio", headers={"Range": "bytes=999999-"})
    problem(out, "no-such-range")
    assert out.headers["content-range"] == f"bytes */{len(whole.content)}"
    for kind, start in (("wav", b"RIFF"), ("mp3", b"ID3"), ("opus", b"OggS"), ("flac", b"fLaC")):
        answer = root.get(f"/recordings/{ID}/download", params={"format": kind})
        assert answer.content.startswith(start)
        assert audio.read(io.BytesIO(answer.content)).channels == 2
    tail = root.get(f"/recordings/{ID}/download?format=flac", headers={"Range": "bytes=-10"})
    assert (tail.status_code, len(tail.content)) == (206, 10)
    assert root.get(f"/recordings/{ID}/vcon").json()["parties"][0]["sip"] == "sip:ann@example.com"
    assert len(root.get(f"/recordings/{ID}/peaks").content) > 10
    problem(root.get(f"/recordings/{ID}/capture"), "not-ready")
    mine = Wanted(who="token:root/test", subject=f"recording:{ID}", refused=False)
    told = [entry.action for entry in entries(house.engine, mine)]
    assert (told.count("play"), told.count("download")) == (1, 7)


def test_a_recording_is_used_for_what_it_is_kept_for(house: House, root: Program):
    path = f"/recordings/{KEPT_FOR}/audio"
    problem(root.get(path), "wrong-purpose")
    problem(root.get(path, params={"purpose": "marketing"}), "wrong-purpose")
    assert root.get(path, params={"purpose": "training"}).status_code == 200
    assert root.get(path, headers={"Purpose-Of-Use": "quality"}).status_code == 200
    refused = entries(house.engine, Wanted(action="play", refused=True, subject=f"recording:{KEPT_FOR}"))
    assert [entry.reason for entry in refused] == [None, "marketing"]


def test_hold_delete_and_receipt(house: House, root: Program):
    add_recording(house, "d" * 32)
    path = f"/recordings/{'d' * 32}"
    problem(root.put(f"{path}/hold"), "invalid")
    assert root.put(f"{path}/hold", params={"reason": "claim 12"}).json()["held"]
    problem(root.delete(path, params={"reason": "over"}), "held")
    assert not root.delete(f"{path}/hold", params={"reason": "settled"}).json()["held"]
    for _ in range(2):
        assert root.delete(path, params={"reason": "over"}).status_code == 204
    assert root.get(path).json()["state"] == "deleted"
    problem(root.get(f"{path}/audio"), "not-ready")
    (receipt,) = [each for each in items(root, "/deletions") if each["recording_id"] == "d" * 32]
    assert (receipt["reason"], receipt["by"]) == ("by hand: over", "token:root/test")


def test_a_recording_is_mailed_by_a_rule_as_a_task(house: House, root: Program):
    path, wanted = f"/recordings/{ID}/mail", {"rule": "boss", "reason": "asked by phone"}
    problem(root.post(path, json={**wanted, "rule": "nobody"}), "conflict")
    problem(root.post(path, json={"rule": "boss"}), "invalid")
    task = root.post(path, json=wanted)
    assert (task.status_code, task.json()["kind"], task.json()["state"]) == (202, "mail", "due")
    number = task.json()["id"]
    assert root.post(path, json=wanted).json()["id"] == number
    (offer,) = items(root, path)
    assert (offer["missing"], offer["sent"], offer["under_way"]) == (["boss@example.com"], [], True)
    (told, _) = entries(house.engine, Wanted(action="mail", refused=False))
    assert (told.reason, told.details["to"]) == ("asked by phone", ["boss@example.com"])
    assert root.post(f"/tasks/{number}/cancel").json()["state"] == "cancelled"
    problem(root.post(f"/tasks/{number}/cancel"), "conflict")
    assert number not in [
        each["id"] for each in root.get("/tasks", params={"state": ["due", "failed"]}).json()["items"]
    ]
    assert root.post(f"/tasks/{number}/retry").json()["state"] == "due"
    assert root.get(f"/tasks/{number}").json()["state"] == "due"
    problem(root.get("/tasks/999999"), "not-found")


def test_a_request_with_a_key_is_carried_out_once(house: House, root: Program):
    wanted, key = {"name": "crm"}, {"Idempotency-Key": "2026-11-27/1"}
    first, again = (root.post("/users", json=wanted, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    problem(root.post("/users", json={"name": "other"}, headers=key), "key-reused")
    problem(root.post("/users", json=wanted), "conflict")
    other = Program(house, token(house, "second", *EVERYTHING))
    problem(other.post("/users", json=wanted, headers=key), "conflict")
    for _ in range(2):  # what failed is tried anew
        problem(root.post("/users", json=wanted, headers={"Idempotency-Key": "x"}), "conflict")
    problem(root.post("/users", json=wanted, headers={"Idempotency-Key": "two words"}), "invalid")
    kept = b"".join(file.read_bytes() for file in house.settings.data_dir.glob("recordings.sqlite*"))
    assert b"crm" in kept
    assert first.json()["one_time_password"].encode() not in kept


def test_a_request_that_was_never_answered_is_not_carried_out_again(house: House):
    claim, now = Claim(house.engine, "token", "key"), datetime.now(UTC)
    assert claim.take("asked", now) is None
    with pytest.raises(Trouble, match="has no answer"):
        claim.take("asked", now + timedelta(hours=23))
    assert claim.take("asked", now + KEPT + timedelta(seconds=1)) is None


def test_users_roles_and_tokens(house: House, root: Program):
    assert root.post("/users", json={"name": "kim", "extensions": ["201"]}).status_code == 201
    given = root.put("/users/kim/roles/supervisor", json={"groups": ["sales"], "rights": ["list", "play"]}).json()
    assert given["roles"] == [
        {"role": "supervisor", "scope": "group", "groups": ["sales"], "excluded": [], "rights": ["list", "play"]}
    ]
    problem(root.put("/users/kim/roles/supervisor", json={"groups": ["nowhere"]}), "conflict")
    problem(root.put("/users/root/roles/auditor", json={}), "forbidden")
    made = root.post("/users/kim/tokens", json={"name": "wallboard", "rights": ["list"], "days": 7}).json()
    weak = Program(house, token(house, "root", Right.USERS))
    problem(weak.post("/users/kim/tokens", json={"name": "x", "rights": ["play"]}), "forbidden")
    assert made["token"] not in root.get("/tokens").text
    assert root.delete(f"/tokens/{made['id']}").status_code == 204
    problem(root.delete(f"/tokens/{made['id']}"), "not-found")
    assert root.patch("/users/kim", json={"disabled": True}).json()["disabled"]
    assert root.delete("/users/kim/roles/supervisor").json()["roles"] == []
    problem(root.get("/users/nobody"), "not-found")
    assert "kim" in [user["name"] for user in items(root, "/users")]


def test_leave_for_one_recording_is_given_by_somebody_else(house: House, root: Program):
    bert = Program(house, token(house, "bert", *EVERYTHING))
    asked = bert.post("/grants", json={"recording_id": ID, "right": "play", "reason": "complaint 7"}).json()
    own = root.post("/grants", json={"recording_id": ID, "right": "play", "reason": "curious"}).json()
    problem(root.post(f"/grants/{own['id']}/decision", json={"hours": 1}), "forbidden")
    problem(bert.post(f"/grants/{asked['id']}/decision", json={"hours": 1}), "forbidden")
    assert root.post(f"/grants/{asked['id']}/decision", json={"hours": 1}).json()["until"]
    assert bert.get(f"/recordings/{ID}/audio").status_code == 200
    assert [each["id"] for each in items(bert, "/grants")] == [asked["id"]]
    assert len(items(root, "/grants")) == 2
    problem(root.post("/grants/none/decision", json={"hours": 1}), "not-found")


def test_the_audit_is_read_by_pages_and_verified(root: Program):
    newest = root.get("/audit", params={"limit": 2}).json()
    older = root.get("/audit", params={"limit": 2, "cursor": newest["next"]}).json()
    sequences = [entry["sequence"] for entry in newest["items"] + older["items"]]
    assert sequences == sorted(sequences, reverse=True)
    assert len(set(sequences)) == 4
    assert {entry["action"] for entry in root.get("/audit", params={"action": "read*"}).json()["items"]} == {
        "read audit"
    }
    assert root.get("/audit/verify").json()["whole"]


def test_somebody_who_was_recorded_gets_access_restriction_and_erasure(house: House, root: Program):
    add_recording(house, "a" * 32, caller="sip:+31612345678@example.com")
    who = {"person": "0612345678"}
    assert [row["id"] for row in items(root, "/persons/recordings", **who)] == ["a" * 32]
    with zipfile.ZipFile(io.BytesIO(root.post("/persons/access", json=who).content)) as files:
        assert "recordings.json" in files.namelist()
    assert root.post("/persons/restriction", json=who).json() == {"recordings": {"a" * 32: "held"}}
    assert root.post("/persons/erasure", json=who).json()["recordings"][0]["result"] == "kept: legal hold"
    assert root.post("/persons/restriction", json={**who, "held": False}).json() == {
        "recordings": {"a" * 32: "released"}
    }
    (receipt,) = root.post("/persons/erasure", json=who).json()["recordings"]
    assert (receipt["result"], receipt["copies"][0]["became"]) == ("erased", "deleted")
    asked = entries(house.engine, Wanted(action="rights.*"))
    assert {(entry.who, entry.origin) for entry in asked} == {("token:root/test", "127.0.0.1")}


def test_lists_of_calls_report_and_retention(root: Program):
    listed = "start,seconds,from,to\n2001-01-01T00:00:00Z,60,0201234567,300\n"
    compared = root.post("/reconciliations", params={"name": "pbx"}, data=listed, headers={"Content-Type": "text/csv"})
    assert (compared.json()["calls"], compared.json()["wrong"][0]["verdict"]) == (1, "missing")
    problem(root.post("/reconciliations", data=b"\xff\xfe", headers={"Content-Type": "text/csv"}), "invalid")
    assert items(root, "/reconciliations")[0]["source"] == "pbx"
    days = {"from": "2026-11-01", "to": "2026-11-30"}
    assert root.get("/report", params=days).content.startswith(b"%PDF")
    assert "<table>" in root.get("/report", params={**days, "format": "html", "language": "nl"}).text
    problem(root.get("/report", params={"from": "2026-11-02", "to": "2026-11-01"}), "conflict")
    assert root.get("/retention/preview").json()["by_settings"]["never"] >= 0
    assert root.post("/retention/apply").json()["changed"] >= 0


def test_the_recorder_itself(root: Program):
    state = root.get("/state").json()
    assert len(state["calls_per_hour"]) == 24
    assert state["disk"]["free"] > 0
    assert "training" in [each["name"] for each in items(root, "/purposes")]
    values = {each["name"]: each["value"] for each in items(root, "/settings")}
    assert values["web.listen"].startswith("http://127.0.0.1")
    assert items(root, "/calls") == []


def test_searches_are_kept_for_their_user(house: House, root: Program):
    assert root.put("/searches/big deals", json={"query": "q=deal&min_s=600"}).status_code == 200
    assert items(root, "/searches") == [{"name": "big deals", "query": "q=deal&min_s=600"}]
    assert items(Program(house, token(house, "second", *EVERYTHING)), "/searches") == []
    for _ in range(2):
        assert root.delete("/searches/big deals").status_code == 204
    assert items(root, "/searches") == []


def test_errors_are_problems_wherever_they_arise(root: Program):
    problem(root.get("/nothing"), "not-found")
    answer = root.put("/state")
    problem(answer, "method-not-allowed")
    assert answer.headers["allow"] == "GET"
    assert root.put(f"/recordings/{ID}").headers["allow"] == "DELETE, GET, PATCH"
    problem(root.post("/users", data="{", headers={"Content-Type": "application/json"}), "invalid")
    problem(root.post("/users", json={"name": "x" * (1 << 21)}), "too-large")
    problem(root.post("/users", data=iter([b"x" * (1 << 20)] * 2)), "too-large")
    listed = root.get("/problems").json()
    assert {each["type"].rpartition("/")[2] for each in listed} == set(KINDS)
    assert root.get("/problems/held").json()["status"] == 409
