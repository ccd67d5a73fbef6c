"""What cannot be done is said in the language of whoever tried, with a way on."""

import ast
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from errno import EIO, ENOSPC, EROFS
from html import unescape
from pathlib import Path

import pytest
from support.client import Client
from support.house import ID, PASSWORD, Enter, person, stranger

from srs.alarms import Alarms
from srs.capture.health import Health, Probe, Report
from srs.capture.quality import Limits, judge
from srs.privacy.roles import Scope, assignment
from srs.web.house import House
from srs.web.language import FOLDER, Speaker

SRS = Path(__file__).parents[2] / "srs"
TOLD = {
    "Misuse", "Refused", "WrongPurpose", "Held", "NotReady", "Sealed", "Altered", "NoTask", "TooMany", "Overtaken",
    "ControlError", "NotDone", "SettingsError", "Decision", "NotRunning", "Incomplete", "refuse",
}  # fmt: skip
"""Errors that pages tell."""
ELSEWHERE = (
    "commands/",
    "cli",
    "web/api/",
    "sip/",
    "siprec/",
    "archive/plot",
    "archive/sealed",
    "capture/refusals",
    "privacy/known",
)
"""Of commands and programs alone, or not of people."""
OF_SETTINGS = ("config/hours", "config/mail", "config/privacy", "config/values", "privacy/detect")
"""Whose ValueError is a field's problem on a page."""


def test_every_error_that_a_page_tells_is_there_in_dutch_and_none_too_many():
    said = {_bare(each) for path in sorted(SRS.rglob("*.py")) for each in _raised(path)}
    known = {_bare(each) for each in tomllib.loads((FOLDER / "errors.nl.toml").read_text())["recorder"]}
    assert said - known == set()
    assert known - said - {_bare(each) for each in EXPLAINED} == set()


EXPLAINED = (
    "{}: no such setting; {}",
    "{}: must be a section with settings, not {}",
    "the settings of {} are {}",
    "{}: not valid TOML: {}",
    "not kept: a party is on the do-not-record list ([privacy] do_not_record)",
    'not kept: no purpose fits it ([privacy] unassigned = "drop")',
    "no role of {} has the right {}",
    "{} opened case {} or works on it: a second person decides",
    "destroyed already",
    "not closed: close it first",
    "xoauth2 needs token_file",
    "case {} lacks",
    "must be like {}",
    "the sound has no such octets",
)
"""Made elsewhere than where they are raised."""


def _bare(sentence: str) -> str:
    """With all that differs as `{}`."""
    return re.sub(r"(?<!{){\w*}(?!})", "{}", sentence)


def _raised(path: Path) -> Iterator[str]:
    name = str(path.relative_to(SRS))
    kinds = TOLD | ({"ValueError"} if name.startswith(OF_SETTINGS) else set())
    if name.startswith(ELSEWHERE):
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args:
            place = 1 if node.func.id in ("Decision", "refuse") else 0
            yield from (each for told in node.args[place : place + 1] for each in _sentences(told))


def _sentences(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text.replace("{", "{{").replace("}", "}}")
        case ast.JoinedStr(values=values) if any(isinstance(each, ast.Constant) for each in values):
            texts = [each.value if isinstance(each, ast.Constant) else "{}" for each in values]
            yield from filter(re.compile("[a-z]").search, ["".join(map(str, texts))])
        case ast.IfExp(body=one, orelse=other):
            yield from (*_sentences(one), *_sentences(other))


def test_what_differs_stands_in_both_languages():
    for part in tomllib.loads((FOLDER / "errors.nl.toml").read_text()).values():
        for english, dutch in part.items():
            assert set(re.findall(r"{\w+}", dutch)) <= set(re.findall(r"{\w+}", english)), english
    english, dutch = (tomllib.loads((FOLDER / f"errors.{language}.toml").read_text()) for language in ("en", "nl"))
    assert all(english[part].keys() <= dutch[part].keys() for part in english)


def test_why_an_alarm_was_raised_is_there_in_dutch():
    health = Health(1, 1.0, Alarms())
    health.on_probe(Probe(0, None, 0.0), 0.0, 0.0)
    reasons = [health.storage(0.0), health.storage(100.0), *(os.strerror(code) for code in (ENOSPC, EROFS, EIO))]
    reasons += [judge([9.0, 9.0], Limits(1.0, 1.0)).no_audio, judge([9.0, 0.0], Limits(0.0, 1.0)).one_way]
    health.on_report("capture-0", {**asdict(Report(0.0, lag_s=9.0)), "error": None}, 0.0)
    reasons += [alarm.reason for alarm in health.alarms.all()]
    assert len(reasons) == 9
    assert [reason for reason in reasons if Speaker("nl").explain(str(reason)) == reason] == []


@pytest.mark.parametrize(
    ("english", "dutch"),
    [
        ("there is a user Mail already", "er is al een gebruiker Mail"),
        ("no role of eve has the right users", "geen rol van eve geeft het recht op gebruikers"),
        ("you cannot give delete, play: you do not have it",
         "u kunt verwijderen, beluisteren niet geven: u hebt het zelf niet"),
        (
            "/etc/srs.toml: [[retention.rule]] a: keep_days: Input should be greater than or equal to 0 (found -1)",
            "/etc/srs.toml: [[retention.rule]] a: keep_days: moet minstens 0 zijn (er stond -1)",
        ),
        ("x.wav cannot be used: 0.3 s is too short to be recognised: at least 1 s are needed",
         "x.wav is niet te gebruiken: 0.3 s is te kort om te herkennen: minstens 1 s is nodig"),
        ("recording ab is sealed for key k, and that is not here: /keys/k",
         "opname ab is verzegeld voor sleutel k, en die is hier niet"),
        ("task 7 is done", "taak 7: gedaan"),
        ("what nobody foresaw: it broke", "what nobody foresaw: it broke"),
        ("the call is over\nthe call is over", "het gesprek is afgelopen\nhet gesprek is afgelopen"),
        ("x" * 5000, "x" * 5000),
    ],
)  # fmt: skip
def test_an_error_is_known_by_its_shape(english: str, dutch: str):
    assert Speaker("nl").explain(english) == dutch
    assert (
        Speaker("en").explain(english).replace("must be at least", "Input should be greater than or equal to")
        == english
    )


@pytest.fixture
def jan(house: House, enter: Enter) -> Client:
    """Who may nearly everything, in Dutch, whatever the browser prefers."""
    roles = (assignment("supervisor", Scope.ALL), assignment("administrator"), assignment("auditor"))
    officer = assignment("privacy officer", rights=["list", "play", "delete", "hold", "download"])
    client = enter(*roles, officer, name="jan")
    client.headers["Accept-Language"] = "en"
    assert client.post("/account", data={"language": "nl"}).status_code == 303
    person(house, "bert")
    return client


LATE = {"version": "0" * 64, "name": "x", "do": "save"}
WALK = [
    ("POST", f"/recordings/{ID}/delete", {}, 400, "zeg waarom: de reden wordt in het logboek bewaard"),
    ("POST", "/users", {"name": "a:b"}, 400, "'a:b' is geen naam voor een gebruiker: geen dubbele punt, "),
    ("POST", "/users", {"name": "bert"}, 400, "er is al een gebruiker bert"),
    ("POST", "/users/jan", {"do": "give"}, 400, "niemand wijzigt zijn eigen rollen: dat doet een andere beheerder"),
    ("POST", "/users/bert", {"do": "give", "role": "auditor", "group": "x"}, 400, "auditor kan niet gelden voor "),
    ("POST", "/users/bert", {"do": "take", "role": "auditor"}, 400, "bert heeft de rol auditor niet"),
    ("GET", "/users/nobody", None, 404, "Deze pagina is er niet, of is niet voor u."),
    ("POST", "/account/tokens", {"days": "7"}, 400, "voor hoeveel dagen?"),
    ("POST", "/account/tokens", {"days": "30"}, 400, "een token heeft een naam zonder schuine streep nodig"),
    ("POST", "/searches", {}, 400, "geef de zoekopdracht een naam"),
    ("POST", "/settings/announcements", {}, 400, "kies een geluidsbestand"),
    ("POST", "/settings/retention-rules/new", LATE, 409, "iemand anders heeft de instellingen intussen gewijzigd"),
    ("POST", "/requests", {}, 400, "zeg welke opname, en waarvoor"),
    ("GET", "/privacy/report?from=x&to=y", None, 400, "'x' is geen dag: geef die als 2026-12-31"),
    ("GET", f"/recordings/{ID}/download?format=exe", None, 400, "het formaat is een van "),
    ("POST", "/tasks/999", {"do": "retry"}, 409, "er is geen taak 999"),
    ("POST", "/live/use", {"purpose": "fun"}, 400, "kies een gebruiksdoel uit de lijst"),
    ("PUT", "/recordings", {}, 405, "dit kan hier niet"),
    ("POST", "/cases", {}, 403, "geen rol van jan geeft het recht op zaken"),
    ("POST", "/account", {"language": "x" * 1_100_000}, 413, "er kunnen hoogstens 1048576 bytes "),
]  # fmt: skip


def test_who_reads_dutch_is_told_in_dutch(jan: Client):
    for method, path, form, status, why in WALK:
        answer = jan.request(method, path, data=form, headers={"Accept-Language": "nl"} if status == 413 else {})
        assert (answer.status_code, lang(answer.text)) == (status, "nl"), path
        assert why_of(answer.text).startswith(why), (path, why_of(answer.text))


def test_fields_and_files_that_do_not_fit_are_told_beside_them(jan: Client):
    page = jan.get("/settings/retention-rules/new").text
    version = re.findall(r'name="version" value="(\w+)"', page)[0]
    told = {"version": version, "do": "save", "name": "x", "keep_days": "-3", "match.min_s": "lang"}
    answer = jan.post("/settings/retention-rules/new", data=told)
    assert answer.status_code == 400
    assert re.search(r'<strong class="poor">moet (minstens|groter)', answer.text)
    assert "Input should" not in answer.text
    for name, why in (("x.exe", "'x.exe': de naam moet uit"), ("x.wav", "x.wav is niet te gebruiken: ")):
        answer = jan.post("/settings/announcements", files={"file": (name, b"RIFF")})
        assert why_of(answer.text).startswith(why), answer.text
    wrong = {"old": "no", "new": PASSWORD, "again": PASSWORD}
    assert "Het huidige wachtwoord klopt niet." in jan.post("/account/password", data=wrong).text


def test_a_hold_is_told_in_dutch_and_the_way_back_is_there(jan: Client, house: House):
    assert jan.post(f"/recordings/{ID}/hold", data={"reason": "rechter"}).status_code == 303
    page = f"/recordings/{ID}/delete"
    answer = jan.post(page, data={"reason": "oud"}, headers={"Referer": house.url + page})
    assert (answer.status_code, why_of(answer.text)) == (409, f"opname {ID} wordt vastgehouden: geef haar eerst vrij")
    assert f'href="{page}">Terug</a>' in answer.text
    assert 'aria-label="Hoofdmenu"' in answer.text
    foreign = jan.post(page, data={}, headers={"Referer": "http://elsewhere.example/x"})
    assert "Terug" not in foreign.text
    plain = jan.post(page, data={}, headers={"Accept": "text/plain"})
    assert plain.text == "zeg waarom: de reden wordt in het logboek bewaard"


def test_strangers_are_told_in_the_language_of_their_browser(house: House):
    client = stranger(house)
    client.headers["Accept-Language"] = "nl"
    wrong = client.post("/sign-in", data={"name": "x", "password": "y", "code": "", "to": "/"})
    assert (wrong.status_code, lang(wrong.text)) == (403, "nl")
    assert "Naam, wachtwoord of code klopt niet" in wrong.text
    assert client.post("/account", data={}).text == "Meld u eerst aan."
    assert why_of(client.get("/nothing").text) == "Deze pagina is er niet, of is niet voor u."
    elsewhere = client.post("/account", data={}, headers={"Origin": "http://elsewhere.example"})
    assert why_of(elsewhere.text) == "dit verzoek kwam van een andere site en is niet uitgevoerd"


def why_of(page: str) -> str:
    return unescape(re.findall(r'<p class="why">(.*?)</p>', page, re.DOTALL)[0])


def lang(page: str) -> str:
    return re.findall(r'<html lang="(\w+)"', page)[0]
