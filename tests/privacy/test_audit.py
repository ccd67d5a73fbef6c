"""The audit's chain: whoever tampers with it is found out."""

import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from srs.archive.database import connect, reading, writing
from srs.archive.errors import DatabaseError
from srs.config import Settings
from srs.privacy import audit, checkpoints
from srs.privacy.audit import Act, Wanted

ACT = Act("user:ann", "play", "recording:ab12", "192.0.2.1", "a complaint", details={"purpose": "complaints"})


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", audit={"checkpoint_dir": tmp_path / "elsewhere"})


@pytest.fixture
def chain(engine: Engine, now):
    """Ten entries."""
    for number in range(10):
        audit.record(engine, replace(ACT, subject=f"recording:{number}"), now + timedelta(seconds=number))
    return engine


def tamper(engine: Engine, *statements: str) -> None:
    """As somebody with all rights on the database would."""
    with writing(engine) as session:
        if engine.dialect.name == "sqlite":
            session.execute(text("DROP TRIGGER audit_no_UPDATE"))
            session.execute(text("DROP TRIGGER audit_no_DELETE"))
        else:
            session.execute(text("DROP TRIGGER audit_append_only ON audit"))
        for statement in statements:
            session.execute(text(statement))


def test_what_is_written_is_read_and_whole(chain, settings):
    assert [entry.sequence for entry in audit.entries(chain, Wanted())] == list(range(1, 11))
    (entry,) = audit.entries(chain, Wanted(subject="recording:3", who="user:*"))
    assert audit.described(entry)["details"] == {"purpose": "complaints"}
    assert (entry.at, entry.reason) == ("2026-11-24T12:00:03.000000+00:00", "a complaint")
    assert checkpoints.verify(chain, settings) == []


def test_the_hash_is_what_the_docs_say(chain):
    entry = audit.described(audit.entries(chain, Wanted(), limit=1)[0])
    kept = entry.pop("hash")
    content = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode()
    assert (kept, entry["previous"]) == (hashlib.sha256(content).hexdigest(), "0" * 64)


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_changes(chain, statement):
    with pytest.raises((DatabaseError, DBAPIError), match="append-only"), writing(chain) as session:
        session.execute(text(statement))


COLUMNS = "at, who, action, subject, reason, origin, allowed, details, previous, hash"
TAMPERING = {
    "edit": (["UPDATE audit SET subject = 'recording:9' WHERE sequence = 4"], "entry 4 .* was changed"),
    "edit of details": (["UPDATE audit SET details = '{}' WHERE sequence = 4"], "entry 4 .* was changed"),
    "refusal made a success": (["UPDATE audit SET allowed = NOT allowed WHERE sequence = 4"], "entry 4 .* was changed"),
    "delete": (["DELETE FROM audit WHERE sequence = 5"], "entries 5 to 5 are missing"),
    "delete and renumber": (
        ["DELETE FROM audit WHERE sequence = 5", "UPDATE audit SET sequence = sequence - 1 WHERE sequence = 6"],
        "entry 5 does not follow",
    ),
    "reorder": (
        [
            "UPDATE audit SET sequence = 99 WHERE sequence = 2",
            "UPDATE audit SET sequence = 2 WHERE sequence = 3",
            "UPDATE audit SET sequence = 3 WHERE sequence = 99",
        ],
        "entry 2 does not follow",
    ),
    "insert": (
        [f"INSERT INTO audit (sequence, {COLUMNS}) SELECT 11, {COLUMNS} FROM audit WHERE sequence = 4"],
        "entry 11 does not follow",
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_tampering_is_found(how, chain, settings):
    statements, words = TAMPERING[how]
    tamper(chain, *statements)
    found = checkpoints.verify(chain, settings)
    assert any(re.search(words, each) for each in found), found


def test_a_cut_end_is_found_by_checkpoints_also_after_new_entries(chain, settings, now):
    written = checkpoints.write(chain, settings, now)
    assert [path.name for path in written] == ["audit-000000000010.json"] * 2
    assert checkpoints.write(chain, settings, now) == []
    tamper(chain, "DELETE FROM audit WHERE sequence > 7")
    assert all("cut off" in each for each in checkpoints.verify(chain, settings))
    assert len(checkpoints.verify(chain, settings)) == 2
    for _ in range(3):
        audit.record(chain, ACT, now)
    assert all("is not the one" in each for each in checkpoints.verify(chain, settings))


def test_a_forged_or_damaged_checkpoint_is_found(chain, settings, now):
    own, elsewhere = checkpoints.write(chain, settings, now)
    content = json.loads(own.read_text())
    own.write_text(json.dumps({**content, "sequence": 9}))
    elsewhere.write_text("{")
    found = checkpoints.verify(chain, settings)
    assert ["its signature is not" in found[0], "no checkpoint: it was damaged" in found[1]] == [True, True]


def test_another_key_does_not_make_it_good(chain, settings, now):
    checkpoints.write(chain, settings, now)
    (settings.data_dir / "audit" / "key.pem").unlink()
    assert len(checkpoints.verify(chain, settings)) == 2


def test_the_key_is_nobody_elses(chain, settings, now):
    checkpoints.write(chain, settings, now)
    assert (settings.data_dir / "audit" / "key.pem").stat().st_mode & 0o777 == 0o600


WRITER = """
import sys
from datetime import UTC, datetime
from srs.archive.database import connect
from srs.privacy.audit import Act, record

engine = connect(sys.argv[1])
for number in range(25):
    record(engine, Act(f"user:{sys.argv[2]}", "look", f"recording:{number}", "test"), datetime.now(UTC))
"""


def test_many_processes_write_one_chain(database_url, engine, settings):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, database_url, str(number)]) for number in range(4)]
    assert [writer.wait() for writer in writers] == [0] * 4
    again = connect(database_url)  # as after a restart
    assert checkpoints.verify(again, settings) == []
    with reading(again) as session:
        assert session.execute(text("SELECT count(*), max(sequence) FROM audit")).one() == (100, 100)
    again.dispose()


def test_what_is_undone_leaves_no_gap(chain, settings, now):
    def undo() -> None:
        with writing(chain) as session:
            audit.append(session, ACT, now)
            raise KeyError

    with pytest.raises(KeyError):
        undo()
    assert audit.record(chain, ACT, now).sequence == 11
    assert checkpoints.verify(chain, settings) == []


def test_a_clock_that_jumps_back_breaks_nothing(chain, settings, now):
    audit.record(chain, ACT, now - timedelta(days=365))
    assert checkpoints.verify(chain, settings) == []
