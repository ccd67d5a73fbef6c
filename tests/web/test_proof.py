"""Purpose, leave, audit and report of real recorded calls, from asking to proof, through the API and by command."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.browsing import PASSWORD
from support.client import Client

from srs.archive.database import writing
from srs.privacy import tokens, users
from srs.privacy.roles import Assignment, Right, assignment
from srs.privacy.tables import Grant

from .conftest import Company

API = "/api/v1"


def program(company: Company, name: str, address: str, *roles: Assignment) -> Client:
    """A new user, by a token that allows all that they may."""
    company.user(name, *roles, password=PASSWORD)
    now = datetime.now(UTC)
    with writing(company.engine) as session:
        _, secret = tokens.issue(session, users.get(session, name), "proof", list(Right), now, timedelta(hours=1))
    client = Client(company.url, address)
    client.headers["Authorization"] = f"Bearer {secret}"
    return client


def test_leave_for_one_recording_is_asked_for_granted_used_and_over(company: Company):
    nora = program(company, "nora", "127.0.8.1", assignment("supervisor", groups=["works"]))
    olaf = program(company, "olaf", "127.0.8.2", assignment("privacy officer"))
    wanted, other = company.recordings["201"], company.recordings["202"]
    at, headers = f"{API}/recordings/{wanted}", {"Purpose-Of-Use": "training"}
    assert nora.get(at).status_code == 404
    told = {"recording_id": wanted, "right": "play", "reason": "complaint 7"}
    asked = nora.post(f"{API}/grants", json=told).json()
    assert nora.post(f"{API}/grants/{asked['id']}/decision", json={"hours": 1.0}).status_code == 403
    assert nora.get(at).status_code == 404, "nobody has decided yet"
    assert olaf.post(f"{API}/grants/{asked['id']}/decision", json={"hours": 1.0}).status_code == 200
    assert nora.get(f"{at}/audio", headers=headers).content[:4] == b"RIFF"
    assert nora.get(f"{at}/audio").status_code == 403, "leave is no purpose"
    assert nora.get(f"{at}/download", headers=headers).status_code == 403, "it is to play only"
    assert nora.get(f"{API}/recordings/{other}").status_code == 404
    with writing(company.engine) as session:
        session.get_one(Grant, asked["id"]).until = datetime.now(UTC) - timedelta(seconds=1)
    assert nora.get(at).status_code == 404, "its time is over"
    acts = [(each.who.partition("/")[0], each.action) for each in company.audited(subject=f"recording:{wanted}")]
    mine = [act for act in acts if act[0] in ("token:nora", "token:olaf")]
    assert mine == [
        ("token:nora", "ask"),
        ("token:olaf", "grant"),
        ("token:nora", "play"),
        ("token:nora", "play"),
        ("token:nora", "download"),
    ]
    assert olaf.get(f"{API}/audit/verify").json()["whole"]
    assert company.recorder.run("audit", "verify").startswith("whole: ")


def test_the_report_counts_real_calls_in_both_languages(company: Company, tmp_path: Path):
    aud = program(company, "petra", "127.0.8.3", assignment("privacy officer"))
    today = datetime.now(UTC).date()
    period = {"from": str(today - timedelta(days=1)), "to": str(today)}
    for language, words in (("nl", ("Gesprekken per doel", "zonder doel")), ("en", ("Calls by purpose", "training"))):
        text = aud.get(f"{API}/report", params={**period, "language": language, "format": "html"}).text
        for word in (*words, "training", "data:image/"):
            assert word in text, (language, word)
        by_purpose = text.partition(f"<h2>{words[0]}</h2>")[2].partition("</table>")[0]
        assert "<th scope=row>training</th><td>1</td>" in by_purpose, "the call of 201"
        for extension in ("0201234567", company.recordings["201"]):
            assert extension not in text, "it names nobody"
        out = tmp_path / f"{language}.pdf"
        company.recorder.run("report", *(f"--{k}={v}" for k, v in period.items()), f"--language={language}", f"-o{out}")
        assert out.read_bytes().startswith(b"%PDF")
    nobody = program(company, "quin", "127.0.8.4", assignment("administrator"))
    assert nobody.get(f"{API}/report", params=period).status_code == 403
