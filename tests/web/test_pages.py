"""Who gets what, over HTTP: sign-in, rights, leaks, audit."""

import pytest
from sqlmodel import select
from support.house import ID, NOW, PASSWORD, Enter, add_recording, stranger

from srs.archive.database import reading, writing
from srs.archive.tables import Leg
from srs.handoff.tables import Receipt
from srs.privacy import users
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import ON_RECORDINGS, Assignment, Right, Scope, assignment
from srs.web.app import PAGES
from srs.web.gate import HEADERS
from srs.web.house import House


def hearing(*rights: Right) -> Assignment:
    return assignment("supervisor", Scope.ALL, rights=[Right.LIST, *rights])


PATHS = [(page.method, page.path.replace("{id}", ID).replace("{name}", "eve"), page.right) for page in PAGES]


def test_a_stranger_gets_no_page(house: House):
    client = stranger(house)
    for method, path, _ in PATHS:
        answer = client.request(method, path)
        assert answer.status_code in (303, 401), path
        assert answer.headers.get("location", "/sign-in").startswith("/sign-in")
        assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]


def test_who_has_no_role_gets_no_page_of_the_house_and_cannot_tell_a_recording_from_none(enter: Enter):
    client = enter()
    for method, path, right in PATHS:
        if ID in path:
            there, none = client.request(method, path), client.request(method, path.replace(ID, "f" * 32))
            assert (there.status_code, there.text) == (404, none.text), path
        elif right is not None:
            assert client.request(method, path).status_code == 403, path


def test_who_may_only_find_a_recording_gets_nothing_of_it_and_that_is_in_the_audit(enter: Enter, house: House):
    client = enter(hearing())
    closed = [(method, path, right) for method, path, right in PATHS if right in ON_RECORDINGS]
    assert [client.request(method, path).status_code for method, path, _ in closed] == [403] * len(closed)
    told = [(entry.who, entry.action, entry.subject) for entry in entries(house.engine, Wanted(refused=True))]
    assert told == [("user:eve", right, f"recording:{ID}") for _, _, right in closed]


def test_every_look_is_in_the_audit(enter: Enter, house: House):
    client = enter(hearing())
    client.get("/recordings?q=ann")
    client.get(f"/recordings/{ID}")
    told = [(each.action, each.subject, each.details) for each in entries(house.engine, Wanted(who="user:eve"))]
    assert told[1:] == [("list", "recordings", {"q": "ann"}), ("show", f"recording:{ID}", {})]


def test_what_came_and_is_not_heard_is_said(enter: Enter, house: House):
    facts = {"undecoded": {"EVS": 50}, "forged": 7, "damaged": 3}
    add_recording(house, "e" * 32, legs=[Leg(channel=0, aor="sip:ann@example.com", facts=facts)])
    page = enter(hearing()).get(f"/recordings/{'e' * 32}").text
    assert "ann@example.com: 50 packets of EVS cannot be decoded." in page
    assert "ann@example.com: 7 packets open with none of the keys of the call." in page
    assert "ann@example.com: 3 packets are damaged." in page


def test_part_of_an_id_finds_nothing(enter: Enter):
    assert enter(hearing()).get(f"/recordings/{ID[:8]}").status_code == 404


def test_names_from_calls_are_text_and_not_markup(enter: Enter):
    client = enter(hearing(Right.PLAY))
    for path in ("/recordings", f"/recordings/{ID}"):
        text = client.get(path).text
        assert "<b>Bob" not in text
        assert "&lt;b&gt;Bob" in text or "\\u003cb\\u003eBob" in text


def test_every_play_is_in_the_audit_and_the_sound_comes_by_ranges(enter: Enter, house: House):
    client = enter(hearing(Right.PLAY))
    whole = client.get(f"/recordings/{ID}/audio")
    part = client.get(f"/recordings/{ID}/audio", headers={"Range": "bytes=100-199"})
    assert (whole.status_code, part.status_code) == (200, 206)
    assert part.content == whole.content[100:200]
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"
    assert client.get(f"/recordings/{ID}/audio", headers={"Range": "bytes=999999-"}).status_code == 416
    assert [entry.subject for entry in entries(house.engine, Wanted(action="play"))] == [f"recording:{ID}"]


def test_download_in_every_format(enter: Enter, house: House):
    client = enter(hearing(Right.PLAY, Right.DOWNLOAD))
    for kind, start in (("wav", b"RIFF"), ("mp3", b"ID3"), ("opus", b"OggS"), ("flac", b"fLaC")):
        answer = client.get(f"/recordings/{ID}/download?format={kind}")
        assert answer.content.startswith(start)
        assert f".{kind}" in answer.headers["content-disposition"]
    assert client.get(f"/recordings/{ID}/download?format=exe").status_code == 400
    assert len(entries(house.engine, Wanted(action="download"))) == 4


def test_deletion_wants_a_reason_and_leaves_what_is_known(enter: Enter, house: House):
    client = enter(assignment("privacy officer", rights=[Right.LIST, Right.DELETE]))
    assert client.post(f"/recordings/{ID}/delete", data={"reason": " "}).status_code == 400
    assert client.post(f"/recordings/{ID}/delete", data={"reason": "asked"}).status_code == 303
    assert house.store.size("x.wav") is None
    (entry,) = entries(house.engine, Wanted(action="delete"))
    assert entry.reason == "asked"
    with reading(house.engine) as session:
        receipt = session.exec(select(Receipt)).one()
    assert (receipt.recording_id, receipt.reason, receipt.by) == (ID, "by hand: asked", "user:eve")
    assert client.get(f"/recordings/{ID}").status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_what_another_site_asks_for_is_not_done(headers: dict[str, str], enter: Enter, house: House):
    client = enter(assignment("privacy officer", rights=[Right.LIST, Right.DELETE]))
    assert client.post(f"/recordings/{ID}/delete", data={"reason": "x"}, headers=headers).status_code == 403
    assert house.store.size("x.wav") is not None


def test_the_cookie_is_for_us_alone_and_worth_nothing_after_signing_out(enter: Enter, house: House):
    client = enter(hearing())
    secret = client.cookies["srs"]
    client.post("/sign-out")
    again = stranger(house)
    again.cookies.set("srs", secret)
    assert again.get("/recordings").status_code == 303
    answer = stranger(house).post("/sign-in", data={"name": "eve", "password": PASSWORD, "to": "//evil.example"})
    assert answer.headers["location"] == "/"
    assert "HttpOnly" in answer.headers["set-cookie"]
    assert "SameSite=lax" in answer.headers["set-cookie"]


def test_passwords_cannot_be_guessed_at_will(enter: Enter, house: House):
    enter(hearing())
    client = stranger(house)
    for _ in range(6):
        assert client.post("/sign-in", data={"name": "eve", "password": "wrong"}).status_code == 403
    assert client.post("/sign-in", data={"name": "eve", "password": PASSWORD}).status_code == 403
    unknown = client.post("/sign-in", data={"name": "nobody", "password": "wrong"})
    assert unknown.status_code == 403


def test_a_password_made_by_another_leads_to_a_new_one_only(house: House):
    with writing(house.engine) as session:
        _, once = users.add(session, "new", NOW)
    client = stranger(house)
    client.post("/sign-in", data={"name": "new", "password": once})
    assert client.get("/recordings").headers["location"] == "/account/password"
    told = {"old": once, "new": PASSWORD, "again": PASSWORD}
    assert client.post("/account/password", data={**told, "again": "x"}).status_code == 400
    assert client.post("/account/password", data=told).status_code == 303
    assert client.get("/recordings").status_code == 200


def test_nobody_changes_their_own_roles(enter: Enter):
    client = enter(assignment("administrator"))
    asked = {"do": "give", "role": "privacy officer", "right-play": "yes"}
    assert client.post("/users/eve", data=asked).status_code == 400


def test_settings_show_no_password(house: House, enter: Enter, monkeypatch: pytest.MonkeyPatch):
    from srs.web.settings import said

    assert said("database.url", "postgresql://srs:secret@db/x") == "postgresql://srs:•••@db/x"
    assert said("mail.password", "secret") == "•••"
    assert enter(assignment("administrator")).get("/settings").status_code == 200


def test_too_large_a_body_is_refused(enter: Enter):
    assert enter(hearing()).post("/searches", data={"name": "x" * (1 << 21)}).status_code == 413
