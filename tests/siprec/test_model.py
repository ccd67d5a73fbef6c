import pytest

from srs.siprec.model import Instant, Membership, Metadata, NameId, Participant, SessionInfo, StreamInfo, Use, merge

NOON = 1795435200_000000000  # 2026-11-23T12:00:00Z


@pytest.mark.parametrize(
    ("written", "time_ns"),
    [
        ("2026-11-23T12:00:00Z", NOON),
        ("2026-11-23t12:00:00z", NOON),
        ("2026-11-23 12:00:00Z", NOON),
        ("2026-11-23T12:00:00+0000", NOON),
        ("2026-11-23T12:00:00+00:00", NOON),
        ("2026-11-23T08:00:00-04:00", NOON),
        ("2026-11-23T17:30:00+0530", NOON),
        ("2026-11-23T12:00:00.5Z", NOON + 500_000_000),
        ("2026-11-23T12:00:00.123456789012Z", NOON + 123_456_789),
        ("2026-11-23T11:59:60Z", NOON),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.25Z", -750_000_000),
        ("2026-11-23T12:00:00", None),
        ("2026-13-23T12:00:00Z", None),
        ("0000-00-00T00:00:00Z", None),
        ("soon", None),
        ("", None),
    ],
)
def test_times(written, time_ns):
    assert Instant.parse(written) == Instant(written, time_ns)


ALICE, BOB, CAROL = (Participant(name, (NameId(f"sip:{name}@example.com", ""),)) for name in ("alice", "bob", "carol"))
FULL = Metadata(
    sessions=(SessionInfo("s", ("call",), start=Instant("x", None)),),
    participants=(ALICE, BOB),
    streams=(StreamInfo("st1", "1", "s"), StreamInfo("st2", "2", "s")),
    memberships=(Membership("alice", "s", joined=Instant("j", None)), Membership("bob", "s")),
    uses=(Use("alice", ("st1",), ("st2",)), Use("bob", ("st2",), ("st1",))),
)


def test_the_first_is_taken_as_it_is():
    partial = Metadata(complete=False, participants=(ALICE,))
    assert merge(None, partial) == partial


def test_a_complete_one_replaces_all():
    new = Metadata(participants=(CAROL,))
    assert merge(FULL, new) == new


def test_a_partial_one_changes_what_it_names():
    update = Metadata(
        complete=False,
        sessions=(SessionInfo("s", stop=Instant("y", None)),),
        participants=(CAROL,),
        streams=(StreamInfo("st2", "22"),),
        memberships=(Membership("alice", "s", left=Instant("l", None)),),
        uses=(Use("alice"), Use("carol", ("st1",))),
    )
    merged = merge(FULL, update)
    assert merged.complete
    assert merged.sessions == (SessionInfo("s", ("call",), start=Instant("x", None), stop=Instant("y", None)),)
    assert merged.participants == (ALICE, BOB, CAROL)
    assert merged.streams == (StreamInfo("st1", "1", "s"), StreamInfo("st2", "22", "s"))
    assert merged.memberships[0] == Membership("alice", "s", Instant("j", None), Instant("l", None))
    assert merged.uses == (Use("alice"), Use("bob", ("st2",), ("st1",)), Use("carol", ("st1",)))
    assert [(p.id, s) for p, s in merged.senders()] == [("bob", "st2"), ("carol", "st1")]


def test_an_empty_update_changes_nothing():
    assert merge(FULL, Metadata(complete=False)) == FULL


def test_senders_are_in_the_order_of_the_participants():
    shuffled = Metadata(
        participants=(BOB, ALICE), uses=(Use("x", ("0",)), Use("alice", ("1", "2")), Use("bob", ("1",)))
    )
    assert [(p.id, s) for p, s in shuffled.senders()] == [("bob", "1"), ("alice", "1"), ("alice", "2"), ("x", "0")]


def test_who_is_still_in_one_session_has_not_left():
    left = Instant("l", None)
    memberships = (Membership("alice", "s", left=left), Membership("alice", "t"), Membership("bob", "s", left=left))
    both = Metadata(memberships=memberships, uses=(Use("alice", ("1",)), Use("bob", ("2",))))
    assert [p.id for p, _ in both.senders()] == ["alice"]
