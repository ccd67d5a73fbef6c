"""The privacy officer's desk, tasks and tokens, over HTTP."""

import io
import re
import zipfile
from datetime import timedelta

import pytest
from sqlmodel import select
from support.heard import samples
from support.house import ID, NOW, Client, Enter, Program

from srs.archive.catalogue import hold
from srs.archive.database import reading, writing
from srs.archive.tables import Recording
from srs.handoff import tasks
from srs.handoff.tables import Receipt
from srs.handoff.tasks import Wanted
from srs.privacy.audit import Wanted as Asked
from srs.privacy.audit import entries
from srs.privacy.roles import Right, Scope, assignment
from srs.web.house import House


@pytest.fixture
def officer(enter: Enter) -> Client:
    return enter(assignment("privacy officer"), name="olga")


def recording(house: House) -> Recording:
    with reading(house.engine) as session:
        return session.get_one(Recording, ID)


def test_somebody_s_recordings_are_found_and_given_with_the_other_party_silenced(officer: Client, house: House):
    assert "sip:ann" not in officer.get("/privacy/persons?person=zoe").text
    assert "unassigned" in officer.get("/privacy/persons?person=ann@example.com").text
    answer = officer.post("/privacy/persons/access", data={"person": "ann@example.com"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (sound,) = [name for name in archive.namelist() if name.endswith(".wav")]
        heard = samples(io.BytesIO(archive.read(sound)))
        assert "recordings.json" in archive.namelist()
    assert heard.shape == (8000, 2)
    assert heard[:, 0].any()
    assert not heard[:, 1].any()
    assert "access" in [entry.action.removeprefix("rights.") for entry in entries(house.engine, Asked(who="user:olga"))]


def test_erasure_says_what_will_happen_and_gives_a_receipt_and_a_hold_is_stronger(officer: Client, house: House):
    hold(house.engine, ID, held=True)
    page = officer.get("/privacy/persons/erase?person=ann@example.com").text
    assert "1 under hold stay" in page
    assert "kept: legal hold" in officer.post("/privacy/persons/erase", data={"person": "ann@example.com"}).text
    officer.post("/privacy/persons/restrict", data={"person": "ann@example.com", "do": "release"})
    answer = officer.post("/privacy/persons/erase", data={"person": "ann@example.com"})
    assert "erased" in answer.text
    assert recording(house).file is None
    with reading(house.engine) as session:
        (receipt,) = session.exec(select(Receipt)).all()
    assert receipt.by == "user:olga"
    assert ID[:12] in officer.get(f"/privacy/receipts?recording={ID[:6]}").text
    assert ID[:12] not in officer.get("/privacy/receipts?recording=ffff").text


def test_without_a_name_nobody_is_meant(officer: Client):
    for path in ("access", "erase", "restrict"):
        assert officer.post(f"/privacy/persons/{path}", data={"person": " "}).status_code == 400


@pytest.mark.parametrize("kind", ["pdf", "html"])
def test_the_report_is_a_file(officer: Client, kind: str):
    day = NOW.date()
    answer = officer.get(f"/privacy/report?from={day}&to={day}&format={kind}&language=nl")
    assert answer.content[:5] in (b"%PDF-", b"<!doc")
    for wrong in ("from=x&to=y", f"from={day}&to=2020-01-01", f"from={day}&to={day}&format=exe"):
        assert officer.get(f"/privacy/report?{wrong}").status_code == 400


def test_tasks_are_seen_by_who_watches_and_changed_by_who_sets(enter: Enter, house: House):
    with writing(house.engine) as session:
        tasks.add(session, Wanted("webhook", ID, NOW + timedelta(days=1), "crm"), NOW)
    (task,) = tasks.listing(house.engine)
    admin = enter(assignment("administrator"))
    assert "crm" in admin.get("/tasks").text
    assert "crm" not in admin.get("/tasks?state=done").text
    assert admin.post(f"/tasks/{task.id}", data={"do": "cancel"}).status_code == 303
    assert tasks.listing(house.engine)[0].state == "cancelled"
    assert admin.post(f"/tasks/{task.id}", data={"do": "retry"}).status_code == 303
    assert tasks.listing(house.engine)[0].state == "due"
    assert admin.post("/tasks/x", data={"do": "retry"}).status_code == 404
    assert admin.post(f"/tasks/{task.id}", data={"do": "explode"}).status_code == 400


def test_a_token_acts_for_its_maker_with_no_more_than_they_have(enter: Enter, house: House):
    eve = enter(assignment("supervisor", Scope.ALL, rights=[Right.LIST, Right.PLAY]))
    assert 'name="right-users"' not in eve.get("/account/tokens").text
    form = {"name": "script", "right-list": "yes", "right-users": "yes", "days": "30"}
    page = eve.post("/account/tokens", data=form).text
    secret = re.findall(r"<code>(srs_[\w-]+)</code>", page)[0]
    assert secret not in eve.get("/account/tokens").text
    program = Program(house, secret)
    assert program.get("/recordings").status_code == 200
    assert program.get("/users").status_code == 403
    token = re.findall(r'name="token" value="(\w+)"', eve.get("/account/tokens").text)[0]
    other = enter(assignment("supervisor", Scope.ALL), name="mallory")
    assert other.post("/account/tokens/revoke", data={"token": token}).status_code == 404
    assert eve.post("/account/tokens/revoke", data={"token": token}).status_code == 303
    assert program.get("/recordings").status_code == 401
