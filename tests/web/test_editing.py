"""Settings changed on pages, over HTTP: checked, kept beneath the settings file, in the audit."""

import re
import tomllib

import pytest
from support.house import Client, Enter

from srs.config import load
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import assignment
from srs.web.house import House
from srs.web.subjects import SUBJECTS


@pytest.fixture
def admin(enter: Enter) -> Client:
    return enter(assignment("administrator"))


def version(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return re.findall(r'name="version" value="(\w+)"', answer.text)[0]


def send(client: Client, path: str, form: dict[str, str], do: str = "save"):
    return client.post(path, data={**form, "do": do, "version": version(client, path)})


def kept(house: House) -> dict:
    return tomllib.loads((house.settings.data_dir / "pages.toml").read_text())


def test_every_subject_has_a_page(admin: Client):
    for subject in SUBJECTS.values():
        for path in (subject.path, *([f"{subject.path}/new"] if subject.many else [])):
            assert admin.get(f"/settings/{path}").status_code == 200, path
    for path in ("nothing", "groups/7", "groups/x"):
        assert admin.get(f"/settings/{path}").status_code == 404


def test_rules_are_added_changed_moved_and_removed(admin: Client, house: House):
    for name in ("a", "b"):
        answer = send(admin, "/settings/groups/new", {"name": name, "extensions": "2??, 3??"})
        assert "No recorder is running here" in answer.text
    assert kept(house) == {"group": [{"name": name, "extensions": ["2??", "3??"]} for name in "ab"]}
    send(admin, "/settings/groups/1", {}, "up")
    send(admin, "/settings/groups/1", {"name": "a", "extensions": "4*"})
    assert load(data_dir=house.settings.data_dir).group[1].extensions == ["4*"]
    send(admin, "/settings/groups/0", {}, "remove")
    assert kept(house) == {"group": [{"name": "a", "extensions": ["4*"]}]}
    told = [entry.details["do"] for entry in entries(house.engine, Wanted(action="change settings"))]
    assert sorted(told) == ["remove", "save", "save", "save", "up"]


def test_a_mistake_keeps_nothing_and_is_told_in_words(admin: Client, house: House):
    answer = send(admin, "/settings/retention-rules/new", {"name": "x", "keep_days": "-1", "prune": "yes"})
    assert answer.status_code == 400
    assert "must be at least 0" in answer.text
    assert 'value="-1"' in answer.text
    answer = send(admin, "/settings/purpose-rules/new", {"purpose": "fun"})
    assert "there is no purpose fun" in answer.text
    assert not (house.settings.data_dir / "pages.toml").exists()
    send(admin, "/settings/purpose-rules/new", {"purpose": "quality", "match.caller": "ann"})
    assert re.search(r">quality</a></td><td><small>caller ann", admin.get("/settings/purpose-rules").text)


def test_a_rule_that_deletes_is_shown_before_it_is_kept(admin: Client, house: House):
    rule = {"name": "short", "keep_days": "0", "match.caller": "ann", "prune": "yes"}
    answer = send(admin, "/settings/retention-rules/new", rule, "preview")
    assert "it would have been for 1 recordings" in answer.text
    assert re.search(r"deleted today</td><td class=\"number\">0</td><td class=\"number\">1</td>", answer.text)
    assert not (house.settings.data_dir / "pages.toml").exists()
    send(admin, "/settings/retention-rules/new", rule)
    assert kept(house)["retention"]["rule"][0]["match"] == {"caller": ["ann"]}


def test_what_another_has_changed_meanwhile_is_not_undone(admin: Client, house: House):
    old = version(admin, "/settings/numbers")
    send(admin, "/settings/numbers", {"extension_digits": "3"})
    answer = admin.post("/settings/numbers", data={"extension_digits": "4", "do": "save", "version": old})
    assert answer.status_code == 409
    assert kept(house) == {"numbers": {"extension_digits": 3}}


def test_what_the_environment_says_is_not_offered(admin: Client, house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SRS_RETENTION__KEEP_DAYS", "9")
    monkeypatch.setenv("SRS_GROUP", '[{"name": "g", "extensions": ["1"]}]')
    assert re.search(r'name="keep_days"[^>]* disabled', admin.get("/settings/retention").text)
    send(admin, "/settings/retention", {"when_full": "prune", "wins": "longest", "keep_facts": "yes", "keep_days": "1"})
    assert kept(house) == {"retention": {"when_full": "prune"}}
    page = admin.get("/settings/groups").text
    assert "environment SRS_GROUP" in page
    assert "/settings/groups/new" not in page


def test_passwords_are_neither_shown_nor_in_the_audit(admin: Client, house: House):
    send(admin, "/settings/mail-servers/new", {"host": "m.example", "password": "hush", "verify": "yes", "port": "25"})
    assert kept(house)["mail"]["server"][0]["password"] == "hush"
    for path in ("mail-servers/0", "mail-servers"):
        answer = admin.get(f"/settings/{path}")
        assert answer.status_code == 200
        assert "m.example" in answer.text
        assert "hush" not in answer.text
    (told,) = entries(house.engine, Wanted(action="change settings"))
    assert "hush" not in str(told.details)


def test_only_who_may_change_settings_does(enter: Enter):
    auditor = enter(assignment("auditor"))
    assert auditor.get("/settings/groups").status_code == 403
    assert auditor.post("/settings/groups/new", data={"name": "x"}).status_code == 403


def test_an_announcement_is_brought_heard_and_removed(admin: Client, house: House, tmp_path):
    (tmp_path / "tone.wav").write_bytes(_wav(4.0))
    with (tmp_path / "tone.wav").open("rb") as file:
        assert admin.post("/settings/announcements", files={"file": ("hello.wav", file)}).status_code == 303
    assert "hello.wav" in admin.get("/settings/announcements").text
    assert admin.get("/settings/announcements/hello.wav").content == _wav(4.0)
    for name, content, word in [
        ("no.wav", b"no sound", "cannot be used"),
        ("short.wav", _wav(0.1), "too short"),
        ("../x.wav", _wav(4.0), ""),
        ("x.exe", b"", "a name of letters"),
    ]:
        answer = admin.post("/settings/announcements", files={"file": (name, content)})
        assert word in answer.text, name
    assert sorted(path.name for path in (house.settings.data_dir / "announcements").iterdir()) == ["hello.wav", "x.wav"]
    assert admin.get("/settings/announcements/..%2fsrs.lock").status_code == 404
    assert admin.post("/settings/announcements/hello.wav/remove").status_code == 303
    assert admin.get("/settings/announcements/hello.wav").status_code == 404


def _wav(seconds: float) -> bytes:
    import io
    import wave

    import numpy as np

    rng = np.random.default_rng(4)
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((rng.normal(0, 3000, int(8000 * seconds))).astype("<i2").tobytes())
    return made.getvalue()
