"""Settings and announcements by the API: as the pages change them."""

import tomllib
from collections.abc import Iterator

import pytest
from support.house import Program, person, serving, token
from web.test_api import items, problem
from web.test_editing import _wav

from srs.config import load
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import Right, assignment
from srs.web.house import House
from srs.web.subjects import SUBJECTS

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with serving(tmp_path_factory.mktemp("settings")) as made:
        person(made, "root", assignment("administrator"))
        yield made


@pytest.fixture
def root(house: House) -> Iterator[Program]:
    (house.settings.data_dir / "pages.toml").unlink(missing_ok=True)
    with Program(house, token(house, "root", *Right)) as program:
        yield program


def kept(house: House) -> dict:
    return tomllib.loads((house.settings.data_dir / "pages.toml").read_text())


def etag(program: Program, subject: str) -> dict[str, str]:
    return {"If-Match": program.get(f"/settings/{subject}").headers["etag"]}


def test_every_subject_is_told_with_its_schema(house: House, root: Program):
    for subject in SUBJECTS.values():
        told = root.get(f"/settings/{subject.path}").json()
        assert (told["key"], told["many"], told["set_in"]) == (subject.key, subject.many, None)
        assert told["items"] == ([] if subject.many else [{}])
        assert root.get(f"/settings/{subject.path}/schema").json()["properties"]
    problem(root.get("/settings/nothing"), "not-found")
    problem(root.get("/settings/nothing/schema"), "not-found")
    weak = Program(house, token(house, "root", Right.WATCH))
    problem(weak.get("/settings/groups"), "forbidden")
    problem(weak.post("/settings/groups", json={"name": "x"}), "forbidden")


def test_items_are_added_changed_moved_and_removed_by_who_has_seen_them(house: House, root: Program):
    first = root.post("/settings/groups", json={"name": "a", "extensions": "2??, 3??"})
    assert (first.status_code, first.json()["restarting"]) == (201, False)
    assert first.json()["items"] == [{"name": "a", "extensions": ["2??", "3??"]}]
    second = root.post("/settings/groups", json={"name": "b", "extensions": ["4*"]})
    seen = {"If-Match": second.headers["etag"]}
    problem(root.put("/settings/groups/0", json={"name": "c"}), "etag-needed")
    problem(root.put("/settings/groups/0", json={"name": "c"}, headers={"If-Match": first.headers["etag"]}), "changed")
    moved = root.post("/settings/groups/1/move", json={"to": 0.0}, headers=seen)
    assert [each["name"] for each in moved.json()["items"]] == ["b", "a"]
    problem(root.delete("/settings/groups/0", headers=seen), "changed")
    left = root.delete("/settings/groups/0", headers={"If-Match": moved.headers["etag"]})
    assert left.json()["items"] == [{"name": "a", "extensions": ["2??", "3??"]}]
    problem(root.delete("/settings/groups/1", headers={"If-Match": "*"}), "not-found")
    changed = root.put("/settings/groups/0", json={"name": "a", "extensions": ["5*"]}, headers={"If-Match": "*"})
    assert changed.headers["etag"] == etag(root, "groups")["If-Match"]
    assert load(data_dir=house.settings.data_dir).group[0].extensions == ["5*"]
    told = [entry.details["do"] for entry in entries(house.engine, Wanted(action="change settings"))]
    assert told == ["save", "save", "move", "remove", "save"]


def test_what_would_not_do_is_told_and_not_kept(house: House, root: Program):
    wrong = root.post("/settings/retention-rules", json={"name": "x", "keep_days": -1})
    problem(wrong, "invalid")
    assert wrong.json()["errors"][0]["where"] == "body.keep_days"
    unknown = root.post("/settings/purpose-rules", json={"purpose": "fun"})
    problem(unknown, "invalid")
    assert "there is no purpose fun" in unknown.json()["detail"]
    problem(root.post("/settings/handoff", json={"name": "x", "module": "copy", "options": {"a": None}}), "invalid")
    program = {"name": "x", "module": "transcribe", "options": {"command": ["sh"]}}
    assert "settings file" in root.post("/settings/handoff", json=program).json()["detail"]
    problem(root.post("/settings/groups", data='{"name": "\\ud800"}', headers=JSON), "invalid")
    problem(root.post("/settings/retention", json={}), "conflict")
    problem(root.put("/settings/groups", json={}, headers={"If-Match": "*"}), "conflict")
    assert not (house.settings.data_dir / "pages.toml").exists()


def test_a_rule_is_looked_at_before_it_is_kept(house: House, root: Program):
    rule = {"name": "short", "keep_days": 0, "match": {"caller": ["ann"]}}
    would = root.post("/settings/retention-rules/preview", json=rule).json()
    assert (would["hits"], would["deleted"]["in_force"]["now"], would["deleted"]["by_settings"]["now"]) == (1, 0, 1)
    would = root.post("/settings/mail-rules/preview", json={"name": "m", "to": ["a@example.com"]})
    assert would.json() == {"hits": 1, "deleted": None}
    assert root.post("/settings/retention/preview", json={"keep_days": 0}).json()["hits"] is None
    assert not (house.settings.data_dir / "pages.toml").exists()


def test_secrets_are_not_told_and_stay(house: House, root: Program):
    server = {"host": "m.example", "port": 25, "user": "srs", "password": "hush"}
    hook = {"name": "crm", "module": "webhook", "options": {"url": "https://crm.example", "secret": "hush"}}
    for path, item in (("mail-servers", server), ("handoff", hook)):
        assert root.post(f"/settings/{path}", json=item).status_code == 201
        told = root.get(f"/settings/{path}")
        assert "hush" not in told.text
        assert "•••" in told.text
        (item,) = told.json()["items"]
        assert root.put(f"/settings/{path}/0", json=item, headers=etag(root, path)).status_code == 200
    found = kept(house)
    assert (found["mail"]["server"], found["handoff"]) == ([server], [hook])
    for entry in entries(house.engine, Wanted(action="change settings")):
        assert "hush" not in str(entry.details)


def test_what_stands_above_the_pages_is_not_changed(house: House, root: Program, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SRS_RETENTION__KEEP_DAYS", "9")
    monkeypatch.setenv("SRS_GROUP", '[{"name": "g", "extensions": ["1"]}]')
    assert root.get("/settings/retention").json()["held"] == {"keep_days": "environment SRS_RETENTION__KEEP_DAYS"}
    problem(root.put("/settings/retention", json={"keep_days": 1}, headers={"If-Match": "*"}), "conflict")
    assert root.put("/settings/retention", json={"when_full": "prune"}, headers={"If-Match": "*"}).status_code == 200
    assert root.get("/settings/groups").json()["set_in"] == "environment SRS_GROUP"
    problem(root.post("/settings/groups", json={"name": "h"}), "conflict")
    assert kept(house) == {"retention": {"when_full": "prune"}}


def test_announcements_are_brought_heard_and_removed(house: House, root: Program):
    sound = {"Content-Type": "application/octet-stream"}
    made = root.post("/announcements", params={"name": "hello.wav"}, data=_wav(4.0), headers=sound)
    assert (made.status_code, made.json()["purposes"]) == (201, [])
    assert [each["path"] for each in items(root, "/announcements")] == [made.json()["path"]]
    for none in (b"none", b""):
        problem(root.post("/announcements", params={"name": "no.wav"}, data=none, headers=sound), "conflict")
    problem(root.post("/announcements", params={"name": "../x.wav"}, data=_wav(4.0), headers=sound), "conflict")
    large = root.post("/announcements", params={"name": "large.wav"}, data=_wav(70.0), headers=sound)
    assert large.status_code == 201, "more than other bodies may have"
    assert root.get("/announcements/hello.wav").content == _wav(4.0)
    for name in ("hello.wav", "large.wav"):
        assert root.delete(f"/announcements/{name}").status_code == 204
    problem(root.get("/announcements/hello.wav"), "not-found")
