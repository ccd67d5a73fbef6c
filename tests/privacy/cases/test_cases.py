"""Cases through `srs`, with calls that a recorder records."""

import hashlib
import json
import subprocess
from datetime import timedelta
from pathlib import Path

import pyrage
from support.calls import noise
from support.heard import is_in, samples
from support.recorder import until

from .conftest import House

NOT_KEPT = 'not kept: no purpose fits it ([privacy] unassigned = "drop")'


def files_of(house: House, case: str) -> list[Path]:
    """Key, recordings and papers."""
    return [path for path in house.recorder.data.rglob("*") if case in str(path) and path.is_file()]


def test_nothing_is_recorded_without_papers_and_a_second_person(house: House):
    suspect = house.suspect()
    case = house.open(suspect)
    said = house.refused("olga", "approve", case)
    for each in ("impact assessment", "reference and document", "works council"):
        assert each in said
    assert "comes with its reference" in house.refused("ivy", "paper", case, "authority", house.paper("ap.pdf"))
    house.add_papers(case)
    assert "has the right approve" in house.refused("ivy", "approve", case)
    for who in ("ian", "adam", "aud", "sam"):
        assert "no case" in house.refused(who, "approve", case)
    house.call(suspect)
    assert house.recorded(case) == []

    paper = json.loads(house.done("olga", "show", case, "--json"))["papers"][0]
    house.done("olga", "paper", case, paper["id"], "-o", house.folder / "read.pdf")
    assert (house.folder / "read.pdf").read_bytes() == b"%PDF ap.pdf of the case"
    house.done("olga", "approve", case)
    assert "decided already" in house.refused("olga", "approve", case)
    assert "was approved on the papers" in house.refused("ivy", "paper", case, "dpia", house.paper("dpia.pdf"))
    house.call(suspect)
    assert len(house.recorded(case)) == 1
    told = json.loads(house.done("olga", "show", case, "--json"))
    assert ("recordings" in told, [line for line in told["done"] if "recorder record" in line]) == (False, [])


def test_the_opener_does_not_approve_whatever_roles_they_have(house: House):
    case = house.open(house.suspect(), "--with", "ian", "--no-works-council", "fewer than 50 people")
    house.add_papers(case)
    with house.also("ivy", "privacy officer"):
        assert "a second person decides" in house.refused("ivy", "approve", case)
        assert "a second person decides" in house.refused("ivy", "approve", case, "--refuse", "mistake")
    said = house.done("olga", "approve", case, "--refuse", "too thin")
    assert "refused" in said
    assert files_of(house, case) == []


def test_a_case_without_offence_is_unseen_and_leaves_a_receipt_and_a_letter(house: House):
    recorder, case = house.recorder, house.approved("250", "--with", "ian")
    rows = [house.call("250"), house.call("251")]
    (kept,) = house.recorded(case)
    assert (kept["caller"], kept["callee"]) == ("sip:+31201234567@example.com", "sip:250@example.com")
    house.done("ian", "play", case, kept["id"], "-o", house.folder / "call.wav")
    heard = samples(house.folder / "call.wav")
    for channel in (0, 1):
        assert is_in(noise(channel + 1, 0.4), heard[:, channel])

    # Both calls look alike to everybody else, and nothing leads to the case.
    assert {(row.state, row.reason) for row in rows} == {("deleted", NOT_KEPT)}
    for word in (case, kept["id"]):
        for words in (["show", word], ["export", word, "-o", house.folder / "x.wav"], ["delete", word, "--yes"]):
            assert "there is no recording" in house.command(*words)[1]
    looks = [house.command(*words.split()) for words in LOOKS]
    assert {status for status, _ in looks} == {0}
    for text in (*(text for _, text in looks), recorder.log.read_text()):
        assert kept["id"] not in strip_attempts(text)
        assert case not in strip_attempts(text)
        assert "refunds" not in text
    for who in ("adam", "aud", "sam"):
        assert house.done(who, "list") == ""
        assert "no case" in house.refused(who, "show", case)
    for words in (["recordings", case], ["play", case, kept["id"], "-o", house.folder / "no.wav"]):
        assert "no case" in house.refused("olga", *words)
    assert "is not handed out" in house.refused("ivy", "export", case, "-o", house.folder / "out", "--to", "age1x")

    unfounded = ("close", case, "no offence", "--reason", "unfounded")
    house.done("olga", "hold", case, "--reason", "court order")
    assert "legal hold, which beats destruction" in house.refused("ivy", *unfounded)
    house.done("olga", "hold", case, "--reason", "withdrawn", "--release")
    receipt = json.loads(house.done("ivy", *unfounded))
    papers = ["paper authority", "paper dpia", "paper works-council"]
    assert [each["kind"] for each in receipt["copies"]] == ["key", "recording", *papers, "play"]
    assert files_of(house, case) == []
    told = json.loads(house.done("ivy", "show", case, "--json"))
    assert (told["suspicion"], told["persons"], told["recordings"], told["papers"]) == (None, [], 0, [])
    assert (told["receipt"], told["chain"]) == (receipt, "whole")

    assert "sam  must go out by" in house.done("olga", "letter", case, "-o", house.folder / "letters")
    (letter,) = (house.folder / "letters").iterdir()
    assert letter.read_text().startswith("Beste sam,")
    assert "AP z2026-17" in letter.read_text()
    assert "sam  handed over by token:olga/test on" in house.done("olga", "letter", case, "--handed", "sam")
    assert house.command("audit", "verify")[1].startswith("whole: ")


LOOKS = ("list --json", "tasks", "audit export", "keys list", "person 250", "holds", "notices", "tokens list")


def strip_attempts(text: str) -> str:
    """Without what was looked for in vain, which the audit has as it was asked."""
    return "\n".join(line for line in text.splitlines() if ",False," not in line)


def test_a_case_with_an_offence_is_handed_out_with_its_chain_of_custody(house: House):
    suspect = house.suspect()
    case = house.approved(suspect)
    assert house.call(suspect).file is None
    assert house.call(suspect, "sip:0900123@example.com").file is not None  # its own purpose keeps it too
    kept = house.recorded(case)
    assert [each["caller"] for each in kept] == ["sip:+31201234567@example.com", "sip:0900123@example.com"]

    police = pyrage.x25519.Identity.generate()
    (house.folder / "police.key").write_text(f"{police}\n")
    house.done("ivy", "close", case, "offence", "--reason", "admitted")
    out = house.folder / "evidence"
    house.done("ivy", "export", case, "-o", out, "--to", police.to_public())
    run(out, "sha256sum --check --strict SHA256SUMS")
    run(out, "openssl pkeyutl -verify -pubin -inkey recorder.pem -rawin -in manifest.json -sigfile manifest.sig")
    manifest = json.loads((out / "manifest.json").read_text())
    sounds = {each["recording"]: each for each in manifest["files"] if "recording" in each}
    assert sounds.keys() == {each["id"] for each in kept}
    for each in sounds.values():
        opened = run(out, f"age -d -i ../police.key {each['file']}")
        assert hashlib.sha256(opened).hexdigest() == each["recorded_sha256"] == each["opened_sha256"]
    told = json.loads(run(out, "age -d -i ../police.key case.json.age"))
    assert (told["suspicion"], told["persons"]) == ("fraud with refunds", [suspect])
    plain = [path for path in out.rglob("*") if path.is_file() and path.suffix != ".age"]
    assert not [path for path in plain if b"0900123" in path.read_bytes() or b"refunds" in path.read_bytes()]
    actions = [entry["action"] for entry in json.loads((out / "journal.json").read_text())]
    assert actions == [
        *("open", "paper", "paper", "paper", "approve", "record", "record", "list recordings", "close", "export")
    ]

    (stored,) = [path for path in files_of(house, case) if path.name == f"{kept[0]['id']}.age"]
    stored.write_bytes(stored.read_bytes()[:-1])
    again = ("export", case, "-o", house.folder / "again", "--to", police.to_public())
    assert "not as it was stored" in house.refused("ivy", *again)
    assert not list(house.folder.glob("again*"))
    receipt = json.loads(house.done("ivy", "destroy", case, "--reason", "with the police"))
    left = [each for each in receipt["copies"] if each["became"] == "left"]
    assert [(each["kind"], each["where"]) for each in left] == [("export", [str(police.to_public())])] * 2
    assert files_of(house, case) == []


def run(folder: Path, command: str) -> bytes:
    return subprocess.run(command.split(), cwd=folder, check=True, capture_output=True).stdout


def test_it_stops_by_itself_at_its_end(house: House):
    suspect = house.suspect()
    case = house.approved(suspect, lasting=timedelta(seconds=15))
    house.call(suspect)
    assert len(house.recorded(case)) == 1
    until(lambda: f"{case}  ended" in house.done("ivy", "list"), lambda: house.done("ivy", "list"))
    house.call(suspect)
    assert len(house.recorded(case)) == 1
