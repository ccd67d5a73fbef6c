"""One recording, asked for on the pages with a reason, granted by somebody else for a time."""

import re

from srs.privacy.roles import Right, assignment

from .conftest import Company


def test_leave_for_one_recording(company: Company):
    company.user("wim", assignment("employee"))
    company.user("officer", assignment("privacy officer"))
    wim, officer = company.client("wim"), company.client("officer")
    id_ = company.recordings["301"]
    path = f"/recordings/{id_}"
    assert wim.get(path).status_code == 404
    for wrong in ({"id": id_, "right": "play", "reason": " "}, {"id": id_, "right": "users", "reason": "x"}):
        assert wim.post("/requests", data=wrong).status_code == 400
    for asked in (id_, "f" * 32):  # nothing tells them apart
        told = {"id": asked, "right": "play", "reason": "a complaint of the caller"}
        assert wim.post("/requests", data=told).headers["location"] == "/requests"
    assert "Not decided yet" in wim.get("/requests").text

    page = officer.get("/requests").text
    grants = dict(
        zip(re.findall(r"<code>([0-9a-f]{32})</code>", page), re.findall(r'/requests/(\w+)"', page), strict=True)
    )
    assert wim.post(f"/requests/{grants[id_]}", data={"do": "grant", "hours": "24"}).status_code == 403
    assert officer.post(f"/requests/{grants['f' * 32]}", data={"do": "grant", "hours": "24"}).status_code == 400
    for hours in ("", "0", "x", "9999"):
        assert officer.post(f"/requests/{grants[id_]}", data={"do": "grant", "hours": hours}).status_code == 400
    officer.post(f"/requests/{grants[id_]}", data={"do": "grant", "hours": "24"})
    officer.post(f"/requests/{grants['f' * 32]}", data={"do": "refuse"})
    assert "Granted until" in wim.get("/requests").text
    assert [wim.get(path + more).status_code for more in ("", "/audio", "/download")] == [200, 200, 403]
    assert company.client("officer").get(f"{path}/audio").status_code == 403, "who grants does not hear"
    acts = [(each.who, each.action, each.reason) for each in company.audited(subject=f"recording:{id_}")]
    assert ("user:wim", "ask", "a complaint of the caller") in acts
    assert ("user:officer", "grant", "a complaint of the caller") in acts


def test_nobody_grants_what_they_asked_for(company: Company):
    company.user("both", assignment("privacy officer", rights=[Right.LIST]))
    client = company.client("both")
    client.post("/requests", data={"id": company.recordings["301"], "right": "play", "reason": "curious"})
    assert "Nobody asks for anything now." in client.get("/requests").text
    (entry,) = company.audited(who="user:both", action="ask")
    assert entry.reason == "curious"
