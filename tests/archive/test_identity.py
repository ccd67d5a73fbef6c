"""Finding a recording by what other systems call its call, and the other recordings of the same call."""

from dataclasses import replace

import pytest
from support.archive import keep

from srs.archive import identity
from srs.archive.catalogue import Filter, entries
from srs.archive.keep import Archive
from srs.archive.keep import keep as keep_all
from srs.siprec.identifiers import Identifier


@pytest.fixture
def calls(archive: Archive, ended):
    """Keeps captures whose calls have the given identifiers and session id."""

    def keep_call(recording: str, *named: tuple[str, str], session_id: str | None = None) -> str:
        def finalise(path):
            (call,) = archive.finalise(path)
            identifiers = tuple(Identifier(*each) for each in named)
            return [replace(call, identifiers=identifiers, session_id=session_id, call_id=recording)]

        return keep(replace(archive, finalise=finalise), ended(recording)).id

    return keep_call


def found(archive: Archive, value: str) -> list[str]:
    return sorted(row.id for row in entries(archive.engine, archive.data_dir, Filter(identifier=value)))


@pytest.mark.parametrize(
    "value",
    ["00001000021793793061", "00FA080001000200006B00", "4711", "first", "cs-9"],
    ids=["ucid", "ucid in hexadecimal", "agent", "Call-ID", "communication session"],
)
def test_found_by_any_name(archive: Archive, calls, value: str):
    ucid = "00001000020000027392" if value.startswith("00FA") else "00001000021793793061"
    calls("first", ("ucid", ucid), ("agent-id", "4711"), session_id="cs-9")
    calls("second", ("ucid", "00001000021793793062"), session_id="cs-8")
    assert found(archive, value) == ["first"]
    assert found(archive, "nobody") == []


def test_the_same_call_from_two_clients_is_recognised(archive: Archive, calls):
    calls("one", ("ucid", "1"), ("agent-id", "7"), session_id="a")
    calls("two", ("ucid", "1"), session_id="b")
    calls("three", ("agent-id", "7"), session_id="c")
    calls("four", ("call-id", "1"), session_id="d")
    calls("five", session_id="a")
    rows = {row.id: row for row in entries(archive.engine, archive.data_dir, Filter())}
    same = {id_: set(identity.same_call(archive.engine, row)) for id_, row in rows.items()}
    assert same == {"one": {"two", "five"}, "two": {"one"}, "three": set(), "four": set(), "five": {"one"}}


def test_identifiers_are_kept_with_the_recording_once(archive: Archive, calls):
    calls("one", ("ucid", "2"), ("ucid", "2"), ("agent-id", "x\0y"))
    calls("one", ("ucid", "2"))
    assert identity.of(archive.engine, "one") == [
        {"kind": "agent-id", "value": "x\ufffdy"},
        {"kind": "ucid", "value": "2"},
    ]


def test_each_call_of_a_capture_has_its_own(archive: Archive, ended):
    first, second = keep_all(archive, ended(words="a call and a call"))
    assert identity.of(archive.engine, second.id) == identity.of(archive.engine, first.id)
    assert identity.same_call(archive.engine, first) == [second.id]
