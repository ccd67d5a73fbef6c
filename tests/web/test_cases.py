"""Cases over the pages and the API, with calls that a recorder records; that nobody else sees one."""

import hashlib
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
import requests
from privacy.cases.conftest import CUSTOMER, House, recording
from sqlalchemy import event
from support import smtp
from support.calls import noise
from support.client import Client
from support.heard import is_in, samples
from support.house import Program, person, serving, sign_in, token
from support.recorder import free_port, until

from srs.archive.database import writing
from srs.privacy import tokens, users
from srs.privacy.audit import Wanted, entries
from srs.privacy.roles import Right, assignment
from srs.web.app import PAGES

CASE = re.compile(r"/cases/([0-9a-f]{32})")
NOBODY = "f" * 32
"""An id that is no case's."""


@dataclass
class Site:
    """A recorder with pages, an API and a mail server, and the people of `privacy.cases`."""

    house: House
    url: str
    mails: smtp.Server

    def client(self, who: str, number: int = 2) -> Client:
        """A browser of somebody."""
        client = Client(self.url, f"127.0.9.{number}")
        with writing(self.house.engine) as session:
            secret = tokens.begin_session(session, users.get(session, who), "test", datetime.now(UTC))
        client.cookies.set("srs", secret)
        return client

    def program(self, who: str) -> Callable[..., requests.Response]:
        """What uses the API for somebody; `program("GET", path)`."""
        session = requests.Session()
        session.headers.update({"Authorization": f"Bearer {self.house.tokens[who]}", "Connection": "close"})

        def ask(method: str, path: str, **options: object) -> requests.Response:
            return session.request(method, f"{self.url}/api/v1{path}", timeout=60, **options)  # type: ignore[arg-type]

        return ask

    def approved(self, *persons: str, **more: object) -> str:
        """A case, opened by ivy and approved by olga through the API."""
        ivy, told = self.program("ivy"), {"persons": persons, "until": soon(), "suspicion": "fraud with refunds"}
        case: str = done(ivy("POST", "/cases", json={**told, "no_council": "fewer than 50 people", **more}), 201)["id"]
        for kind, reference in (("dpia", None), ("authority", "AP z2026-17")):
            asked = {"kind": kind, "name": f"{kind}.pdf", "reference": reference}
            done(ivy("POST", f"/cases/{case}/papers", params=asked, data=f"%PDF {kind}".encode(), headers=BYTES), 201)
        done(self.program("olga")("POST", f"/cases/{case}/decision", json={"approve": True}))
        return case

    def recorded(self, case: str, count: int = 1) -> list[dict]:
        """What a case recorded, when it is so much."""
        found: list[dict] = []

        def there() -> bool:
            found[:] = done(self.program("ivy")("GET", f"/cases/{case}/recordings"))["items"]
            return len(found) == count

        until(there, self.house.recorder.log.read_text)
        return found


BYTES = {"Content-Type": "application/octet-stream"}


def soon() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def done(answer: requests.Response, status: int = 200) -> dict:
    assert answer.status_code == status, answer.text
    return answer.json()


def problem(answer: requests.Response, name: str, words: str = "") -> None:
    assert answer.json()["type"].rpartition("/")[2] == name, answer.text
    assert words in answer.text


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder, port = tmp_path_factory.mktemp("cases"), free_port("127.0.0.1")
    with smtp.server(folder / "mails") as mails:
        more = {
            "SRS_WEB__LISTEN": f"http://127.0.0.1:{port}",
            "SRS_WEB__REQUESTS_PER_S": "1000",
            "SRS_MAIL__SENDER": "recorder@example.org",
            "SRS_MAIL__SERVER": json.dumps([{"host": "127.0.0.1", "port": mails.port, "tls": "none"}]),
        }
        with recording(folder, more) as house:
            until(lambda: 'event="web pages"' in house.recorder.log.read_text(), house.recorder.log.read_text)
            yield Site(house, f"http://127.0.0.1:{port}", mails)


def test_a_case_without_offence_by_the_api(site: Site):
    ivy, olga, ian = (site.program(name) for name in ("ivy", "olga", "ian"))
    problem(ivy("POST", "/cases", json={"persons": ["250"], "until": soon(), "suspicion": " "}), "conflict")
    opened = {"persons": ["250"], "until": soon(), "suspicion": "fraud with refunds"}
    problem(olga("POST", "/cases", json=opened), "forbidden")
    case = done(ivy("POST", "/cases", json=opened), 201)
    at = f"/cases/{case['id']}"
    assert (case["state"], len(case["lacks"]), case["recordings"]) == ("not approved", 3, 0)
    problem(olga("POST", f"{at}/decision", json={"approve": True}), "conflict", "works council")
    for kind, reference in (("dpia", None), ("works-council", None), ("authority", "AP z2026-17")):
        asked = {"kind": kind, "name": f"{kind}.pdf"}
        if reference:
            problem(ivy("POST", f"{at}/papers", params=asked, data=b"x", headers=BYTES), "conflict", "reference")
        asked |= {"reference": reference} if reference else {}
        paper = done(ivy("POST", f"{at}/papers", params=asked, data=f"%PDF {kind}".encode(), headers=BYTES), 201)
    read = olga("GET", f"{at}/papers/{paper['id']}")
    assert (read.content, paper["sha256"]) == (b"%PDF authority", hashlib.sha256(read.content).hexdigest())
    problem(ivy("POST", f"{at}/decision", json={"approve": True}), "forbidden", "has the right approve")
    problem(ian("POST", f"{at}/decision", json={"approve": True}), "not-found")
    problem(olga("POST", f"{at}/decision", json={"approve": False}), "conflict", "say why")
    assert done(olga("POST", f"{at}/decision", json={"approve": True}))["state"] == "recording"

    site.house.call("250")
    (kept,) = site.recorded(case["id"])
    assert (kept["sound"], kept["facts"]["caller"]) == (True, CUSTOMER)
    sound = f"{at}/recordings/{kept['id']}/audio"
    whole = ivy("GET", sound)
    for channel in (0, 1):
        assert is_in(noise(channel + 1, 0.4), samples(io.BytesIO(whole.content))[:, channel])
    part = ivy("GET", sound, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    for path in (sound, f"{at}/recordings"):
        problem(olga("GET", path), "not-found")
    assert done(olga("GET", at))["recordings"] is None
    actions = [entry["action"] for entry in done(ivy("GET", at))["done"]]
    assert actions.count("play") == 1, "a part of what is played is no play of its own"

    unfounded = {"outcome": "no offence", "reason": "unfounded"}
    done(olga("PUT", f"{at}/hold", params={"reason": "court order"}))
    problem(ivy("POST", f"{at}/close", json=unfounded), "held")
    done(olga("DELETE", f"{at}/hold", params={"reason": "withdrawn"}))
    problem(ivy("POST", f"{at}/export", json={"to": ["age1x"]}), "conflict", "not handed out")
    closed = done(ivy("POST", f"{at}/close", json=unfounded))
    assert [copy["kind"] for copy in closed["receipt"]["copies"]][:2] == ["key", "recording"]
    assert (closed["suspicion"], closed["persons"], closed["whole"]) == (None, [], True)
    assert not [path for path in site.house.recorder.data.rglob("*") if case["id"] in str(path) and path.is_file()]
    problem(ivy("GET", sound), "not-found")
    _check_letter(site, at)


def _check_letter(site: Site, at: str) -> None:
    """The employee is told by mail, once."""
    olga = site.program("olga")
    (letter,) = done(olga("GET", f"{at}/letters"))["items"]
    assert (letter["person"], "AP z2026-17" in letter["text"]) == ("sam", True)
    (due,) = done(olga("GET", "/cases"))["items"][0]["due"]
    assert (due["name"], due["overdue"], due["count"]) == ("letter", False, 1)
    (letter,) = done(olga("POST", f"{at}/letters/mail"))["items"]
    assert (letter["how"], letter["text"]) == ("mailed by token:olga/test", None)
    (mail,) = [mail for mail in site.mails.mails() if mail["X-RcptTo"] == "sam@example.com"]
    assert "vernietigd" in mail.get_content()
    problem(olga("POST", f"{at}/letters/handed", json={"person": "sam"}), "conflict")


def test_a_case_with_an_offence_on_the_pages_where_one_of_two_had_no_part(site: Site, tmp_path: Path):
    ivy, olga = site.client("ivy", 3), site.client("olga", 4)
    form = {"suspicion": "leaks", "persons": "401, 402", "until": soon()[:16], "no_council": "none here"}
    assert ivy.post("/cases", data={**form, "until": "soon"}).status_code == 400
    at = ivy.post("/cases", data=form).headers["location"]
    for kind, reference in (("dpia", ""), ("authority", "AP 2")):
        sent = {"file": (f"../{kind}.pdf", b"%PDF <script>")}
        assert ivy.post(f"{at}/papers", data={"kind": kind, "reference": reference}, files=sent).status_code == 303
    assert ivy.post(f"{at}/papers", data={"kind": "dpia"}).status_code == 400, "no file"
    page = olga.get(at)
    assert "De tweede persoon" in page.text, "olga reads Dutch"
    paper = re.search(rf"{at}/papers/[0-9a-f]+", page.text)[0]
    answer = olga.get(paper)
    assert (answer.content, answer.headers["content-type"]) == (b"%PDF <script>", "application/octet-stream")
    assert re.fullmatch(r'attachment; filename="\w+\.pdf"', answer.headers["content-disposition"])
    assert ivy.post(f"{at}/decision", data={"do": "approve"}).status_code == 403
    assert olga.post(f"{at}/decision", data={"do": "approve"}).status_code == 303

    site.house.call("401")
    site.house.call("402")
    site.house.call("401", "sip:402@example.com")
    kept = site.recorded(CASE.match(at)[1], 3)
    listed = ivy.get(f"{at}/recordings").text
    assert [each["id"] in listed for each in kept] == [True] * 3
    assert ivy.get(f"{at}/recordings/{kept[0]['id']}").content[:4] == b"RIFF"
    assert olga.get(f"{at}/recordings").status_code == 404

    assert 'name="cleared-402"' in ivy.get(f"{at}/close").text
    all_cleared = {"outcome": "offence", "reason": "admitted", "cleared-401": "yes", "cleared-402": "yes"}
    assert ivy.post(f"{at}/close", data=all_cleared).status_code == 400
    del all_cleared["cleared-401"]
    assert ivy.post(f"{at}/close", data=all_cleared).status_code == 303
    left = {each["facts"]["callee"]: each["facts"]["caller"] for each in site.recorded(CASE.match(at)[1], 2)}
    assert left.keys() == {"sip:401@example.com"}
    assert "destroyed" in ivy.get(at).text
    letters = olga.get(f"{at}/letters").text
    assert "<h2>402</h2>" in letters
    assert "<h2>401</h2>" not in letters
    assert "behalve van gesprekken met iemand" in letters
    assert olga.post(f"{at}/letters", data={"person": "402"}).status_code == 303
    assert "handed over by user:olga" in olga.get(f"{at}/letters").text

    _check_evidence(ivy, at, tmp_path)
    assert ivy.post(f"{at}/destroy", data={"reason": "with the police"}).status_code == 303
    assert "with the police" in olga.get(at).text


def _check_evidence(ivy: Client, at: str, tmp_path: Path) -> None:
    """What the police get opens with their key, is whole and names nobody who had no part."""
    police = pyrage.x25519.Identity.generate()
    (tmp_path / "police.key").write_text(f"{police}\n")
    assert ivy.post(f"{at}/export", data={"to": "age1nonsense"}).status_code == 400
    with zipfile.ZipFile(io.BytesIO(ivy.post(f"{at}/export", data={"to": str(police.to_public())}).content)) as files:
        files.extractall(tmp_path)
    out = tmp_path / "case"
    run(out, "sha256sum --check --strict SHA256SUMS")
    run(out, "openssl pkeyutl -verify -pubin -inkey recorder.pem -rawin -in manifest.json -sigfile manifest.sig")
    told = json.loads(run(out, "age -d -i ../police.key case.json.age"))
    assert (told["persons"], told["suspicion"]) == (["401"], "leaks"), "who had no part in it is not named"
    assert len(list(out.glob("recordings/*.wav.age"))) == 2


def run(folder: Path, command: str) -> bytes:
    return subprocess.run(command.split(), cwd=folder, check=True, capture_output=True).stdout


# Nobody else sees anything

ASKED = [(page.method, page.path) for page in PAGES if page.path.startswith("/cases/")]
OTHERS = ("ian", "otto", "adam", "aud", "sam")


def test_who_may_not_know_of_a_case_gets_the_same_as_if_there_were_none(site: Site):
    """Otto is a privacy officer whom the case is about; ian investigates, but not this one."""
    case = site.approved("270")
    row = site.house.call("270")
    (kept,) = site.recorded(case)
    paper = done(site.program("ivy")("GET", f"/cases/{case}"))["papers"][0]["id"]
    paths = done(requests.get(f"{site.url}/api/v1/openapi.json", timeout=60))["paths"]
    of_api = [(way.upper(), path) for path, ways in paths.items() if path.startswith("/cases/") for way in ways]
    assert len(of_api) >= 14
    form = {"reason": "x", "do": "approve", "outcome": "offence", "to": "age1", "person": "270", "kind": "dpia"}
    body = {"approve": True, "reason": "x", "outcome": "offence", "to": ["age1"], "person": "270"}
    for number, who in enumerate(OTHERS, 5):
        client, ask = site.client(who, number), site.program(who)
        status = 404 if who in ("ian", "otto") else 403
        for method, path in ASKED:
            sent = {"files": {"file": ("x.pdf", b"x")}} if path.endswith("/papers") else {}
            told = {"data": form, **sent}
            answers = [client.request(method, filled(path, id_, kept["id"], paper), **told) for id_ in (case, NOBODY)]
            assert [each.status_code for each in answers] == [status] * 2, (who, path)
            assert len({scrubbed(each) for each in answers}) == 1, (who, path)
        for method, path in of_api:
            wanted = _body(path, body)
            answers = [ask(method, filled(path, id_, kept["id"], paper), **wanted) for id_ in (case, NOBODY)]
            assert [each.status_code for each in answers] == [status] * 2, (who, path, answers[0].text)
            assert len({scrubbed(each, case, NOBODY) for each in answers}) == 1, (who, path)
        assert case not in ask("GET", "/cases").text
        assert case[:8] not in client.get("/cases").text
        _sees_nothing(client, ask, (case, kept["id"], paper, "refunds"))
    tried = done(site.program("ivy")("GET", f"/cases/{case}"))["tried"]
    assert {entry["who"] for entry in tried} >= {"user:ian", "token:otto/test"}
    assert row.state == "deleted"


def filled(path: str, case: str, kept: str, paper: str) -> str:
    return path.replace("{case}", case).replace("{recording}", kept).replace("{paper}", paper)


def _body(path: str, body: dict[str, object]) -> dict[str, object]:
    """Of each path what it takes, so that it is not refused for that."""
    if path.endswith("/papers"):
        return {"params": {"kind": "dpia", "name": "x.pdf"}, "data": b"x", "headers": BYTES}
    names = {
        "decision": ("approve", "reason"),
        "close": ("outcome", "reason"),
        "destroy": ("reason",),
        "export": ("to",),
        "handed": ("person",),
    }.get(path.rpartition("/")[2])
    return {"json": {name: body[name] for name in names}} if names else {"params": {"reason": "x"}}


def scrubbed(answer: requests.Response, *ids: str) -> tuple[str, ...]:
    """What an answer says, without the id that was asked for and the time."""
    text = answer.text
    for id_ in ids:
        text = text.replace(id_, "ID")
    return text, *sorted(f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "date")


def _sees_nothing(client: Client, ask: Callable[..., requests.Response], secrets: tuple[str, ...]) -> None:
    """Nothing that somebody can open has a word of the case, but what they asked for themselves."""
    looks = [
        page.path for page in PAGES if page.method == "GET" and "{" not in page.path and page.path != "/live/calls"
    ]
    said = {path: client.get(path).text for path in looks if not path.startswith(("/audit", "/account"))}
    for path in ("/recordings", "/calls", "/tasks", "/state", "/deletions", "/tokens", "/grants", "/me"):
        said[path] = ask("GET", path).text
    for path, text in said.items():
        assert not [word for word in secrets if word in text], path


def test_log_alarms_metrics_and_audit_do_not_tell(site: Site):
    case = site.approved("501")
    site.house.call("501")
    (kept,) = site.recorded(case)
    audited = entries(site.house.engine, Wanted(refused=False))
    for secret in (case, kept["id"], "refunds"):
        assert secret not in site.house.recorder.log.read_text()
        assert not [entry for entry in audited if secret in json.dumps(entry.model_dump(), default=str)]
        for path in site.house.recorder.data.glob("*.json*"):
            assert secret not in path.read_text()
    assert {entry.action for entry in audited} <= {"list", "show", "find person", "delete", "report", "retention"}


# Not by how long it takes either: what is done is the same


def test_what_the_database_is_asked_is_the_same_for_a_case_and_for_none(tmp_path: Path):
    with serving(tmp_path / "data") as house:
        for name in ("ivy", "ian"):
            person(house, name, assignment("investigator"))
        person(house, "olga", assignment("privacy officer"))
        ivy, ian, olga = (Program(house, token(house, name, *Right)) for name in ("ivy", "ian", "olga"))
        asked: list[str] = []
        event.listen(house.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

        def statements(program: Program, path: str) -> list[str]:
            asked.clear()
            program.get(path)
            return list(asked)

        before = statements(olga, "/recordings?q=250")
        opened = {"persons": ["250"], "until": soon(), "suspicion": "x"}
        case = done(ivy.post("/cases", json=opened), 201)["id"]
        assert statements(ian, f"/cases/{case}") == statements(ian, f"/cases/{NOBODY}") != []
        assert statements(ian, f"/cases/{case[:6]}") == statements(ian, "/cases/ffffff")
        assert statements(olga, "/recordings?q=250") == before
        assert not [text for text in before if "case_" in text]
        assert ian.get(f"/cases/{case[:6]}").status_code == 404
        assert ivy.get(f"/cases/{case[:6]}").status_code == 200


def test_a_paper_is_at_most_so_large(tmp_path: Path):
    with serving(tmp_path / "data") as house:
        ivy = sign_in(house, assignment("investigator"), name="ivy")
        form = {"suspicion": "x", "persons": "250", "until": soon()[:16]}
        at = ivy.post("/cases", data=form).headers["location"]
        for size, status in ((2 << 20, 303), (11 << 20, 413)):
            sent = {"file": ("dpia.pdf", b"x" * size)}
            assert ivy.post(f"{at}/papers", data={"kind": "dpia"}, files=sent).status_code == status
        program = Program(house, token(house, "ivy", *Right))
        asked = {"kind": "suspicion", "name": "why.pdf"}
        for size, status in ((2 << 20, 201), (11 << 20, 413)):
            answer = program.post(f"{at}/papers", params=asked, data=b"x" * size, headers=BYTES)
            assert answer.status_code == status, answer.text
