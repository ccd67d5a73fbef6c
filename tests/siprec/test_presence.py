import pytest

from rtp.codecs import STATIC
from srs.siprec.model import Metadata, NameId, Participant, StreamInfo, Use
from srs.siprec.presence import MOST_SPEAKERS, Presence, close, follow
from srs.siprec.streams import Stream


def person(name, ident=None):
    return Participant(ident or name, (NameId(f"sip:{name}@example.com", name.title()),))


ALICE, BOB, CAROL = map(person, ("alice", "bob", "carol"))


def leg(index, label=None, kind="audio", *, accepted=True, removed_ns=None):
    local = ("127.0.0.1", 30000 + 2 * index) if accepted else None
    return Stream(index, kind, label, local, None, ((1, (STATIC[0],)),), ((1, "recvonly"),), removed_ns)


def told(people, sends, labels):
    """Metadata of participants, {participant id: stream ids} and {stream id: label}."""
    streams = tuple(StreamInfo(stream, label) for stream, label in labels.items())
    return Metadata(
        participants=tuple(people), streams=streams, uses=tuple(Use(who, tuple(ids)) for who, ids in sends.items())
    )


def spans(history):
    return [(each.stream, each.participant.id, each.since_ns, each.until_ns) for each in history]


def who(history):
    return [(each.stream, each.participant.id) for each in history]


TWO = (leg(0, "1"), leg(1, "2"))
BOTH = told([ALICE, BOB], {"alice": ["a"], "bob": ["b"]}, {"a": "1", "b": "2"})


def test_without_metadata_nobody_is_known():
    assert follow((), None, TWO, 1) == ()


def test_stream_ids_lead_to_labels_and_labels_to_streams():
    assert follow((), BOTH, TWO, 1) == (Presence(0, ALICE, 1), Presence(1, BOB, 1))
    assert who(follow((), BOTH, TWO[::-1], 1)) == [(1, "alice"), (0, "bob")]


def test_the_order_is_that_of_the_participants():
    crossed = told([ALICE, BOB], {"bob": ["a"], "alice": ["b"]}, {"a": "1", "b": "2"})
    assert who(follow((), crossed, TWO, 1)) == [(1, "alice"), (0, "bob")]


def test_the_same_again_changes_nothing():
    history = follow((), BOTH, TWO, 1)
    assert follow(history, BOTH, TWO, 2) == history


def test_leaving_and_coming_back():
    history = follow((), BOTH, TWO, 1)
    held = told([ALICE, BOB], {"alice": ["a"], "bob": []}, {"a": "1", "b": "2"})
    history = follow(history, held, TWO, 2)
    history = follow(history, BOTH, TWO, 3)
    assert spans(close(history, 4)) == [(0, "alice", 1, 4), (1, "bob", 1, 2), (1, "bob", 3, 4)]


def test_transfer():
    history = follow((), BOTH, TWO, 1)
    moved = told([ALICE, CAROL], {"alice": ["a"], "carol": ["b"]}, {"a": "1", "b": "2"})
    assert spans(follow(history, moved, TWO, 2)) == [(0, "alice", 1, None), (1, "bob", 1, 2), (1, "carol", 2, None)]


def test_new_ids_for_the_same_address_are_the_same_party():
    history = follow((), BOTH, TWO, 1)
    renamed = told([person("alice", "x"), person("bob", "y")], {"x": ["a"], "y": ["b"]}, {"a": "1", "b": "2"})
    assert spans(follow(history, renamed, TWO, 2)) == [(0, "x", 1, None), (1, "y", 1, None)]


def test_one_id_for_another_address_is_another_party():
    history = follow((), BOTH, TWO, 1)
    other = told([ALICE, person("carol", "bob")], {"alice": ["a"], "bob": ["b"]}, {"a": "1", "b": "2"})
    history = follow(history, other, TWO, 2)
    assert [(each.participant.aor, each.until_ns) for each in history if each.stream == 1] == [
        ("sip:bob@example.com", 2),
        ("sip:carol@example.com", None),
    ]


def test_a_name_that_comes_later_is_taken_and_kept():
    unnamed = told([Participant("alice")], {"alice": ["a"]}, {"a": "1"})
    named = told([ALICE], {"alice": ["a"]}, {"a": "1"})
    history = follow((), unnamed, TWO[:1], 1)
    history = follow(history, named, TWO[:1], 2)
    assert follow(history, unnamed, TWO[:1], 3) == (Presence(0, ALICE, 1),)


def test_a_removed_stream_is_left():
    history = follow((), BOTH, TWO, 1)
    gone = (TWO[0], leg(1, "2", removed_ns=2))
    assert spans(follow(history, BOTH, gone, 2)) == [(0, "alice", 1, None), (1, "bob", 1, 2)]


def test_the_new_stream_of_a_slot():
    history = follow((), BOTH, (*TWO[:1], leg(1, "2", removed_ns=2), leg(1, "2")), 3)
    assert who(history) == [(0, "alice"), (2, "bob")]


def test_many_on_a_mixed_stream():
    mixed = told([ALICE, BOB], {"alice": ["m"], "bob": ["m"]}, {"m": "1"})
    assert who(follow((), mixed, TWO[:1], 1)) == [(0, "alice"), (0, "bob")]


def test_a_label_that_two_lines_have():
    assert who(follow((), told([ALICE], {"alice": ["a"]}, {"a": "1"}), (leg(0, "1"), leg(1, "1")), 1)) == [
        (0, "alice"),
        (1, "alice"),
    ]


def test_labels_without_line_and_lines_without_label():
    stray = told([ALICE, BOB], {"alice": ["a"], "bob": ["b"]}, {"a": "10", "b": "20"})
    assert who(follow((), stray, (leg(0, "10"),), 1)) == [(0, "alice")]
    assert who(follow((), stray, (leg(0), leg(1)), 1)) == [(0, "alice"), (1, "bob")]
    assert who(follow((), stray, (leg(0),), 1)) == [(0, "alice"), (0, "bob")]
    assert who(follow((), stray, (leg(0), leg(1), leg(2)), 1)) == []


def test_without_associations_the_order_decides():
    plain = told([ALICE, BOB], {}, {"a": "1", "b": "2"})
    assert who(follow((), plain, TWO, 1)) == [(0, "alice"), (1, "bob")]
    assert who(follow((), plain, (leg(0, "2"), leg(1, "1")), 1)) == [(1, "alice"), (0, "bob")]
    assert who(follow((), plain, TWO[:1], 1)) == [(0, "alice"), (0, "bob")]
    assert who(follow((), told([ALICE, BOB, CAROL], {}, {}), TWO, 1)) == []


def test_a_guess_is_called_one_and_stays():
    plain = told([ALICE, BOB], {}, {"a": "1", "b": "2"})
    for streams in (TWO, TWO[:1], (leg(0), leg(1))):
        history = follow((), plain, streams, 1)
        assert [each.guessed for each in history] == [True, True]
        assert follow(history, plain, streams, 2) == history
    assert [(each.guessed, each.since_ns) for each in follow(history, BOTH, TWO, 2)] == [(False, 1), (False, 1)]


def test_associations_that_vanish_are_no_guess():
    history = follow((), BOTH, TWO, 1)
    assert spans(follow(history, told([ALICE, BOB], {}, {"a": "1", "b": "2"}), TWO, 2)) == [
        (0, "alice", 1, 2),
        (1, "bob", 1, 2),
    ]


@pytest.mark.parametrize("order", [("10", "11"), ("11", "10")])
def test_metadata_that_name_only_the_video(order):
    lines = (
        leg(0, "1"),
        leg(1, order[0], "video", accepted=False),
        leg(2, "2"),
        leg(3, order[1], "video", accepted=False),
    )
    video = told([ALICE, BOB], {"alice": ["a"], "bob": ["b"]}, {"a": "10", "b": "11"})
    audio = [(stream, ident) for stream, ident in who(follow((), video, lines, 1)) if stream in (0, 2)]
    assert audio == ([(0, "alice"), (2, "bob")] if order == ("10", "11") else [(0, "bob"), (2, "alice")])


def test_who_was_on_an_audio_stream_stays_when_metadata_turn_to_video():
    history = follow((), BOTH, (leg(0, "2"), leg(1, "1")), 1)
    lines = (leg(0, "2"), leg(1, "1"), leg(2, "10", "video"), leg(3, "11", "video"))
    video = told([ALICE, BOB], {"alice": ["a"], "bob": ["b"]}, {"a": "10", "b": "11"})
    history = follow(history, video, lines, 2)
    assert spans(history)[:2] == [(1, "alice", 1, None), (0, "bob", 1, None)]


def test_a_crowd_is_followed_as_far_as_it_goes():
    crowd = [person(f"p{number}") for number in range(3000)]
    for mixed in (told(crowd, {each.id: ["m"] for each in crowd}, {"m": "1"}), told(crowd, {}, {})):
        history = follow((), mixed, TWO[:1], 1)
        assert len(history) == MOST_SPEAKERS
        assert follow(history, mixed, TWO[:1], 2) == history


def test_refused_audio_is_given_to_nobody():
    assert who(follow((), told([ALICE], {}, {}), (leg(0, accepted=False),), 1)) == []


def test_close_ends_what_is_open():
    history = (Presence(0, ALICE, 1, 2), Presence(1, BOB, 1))
    assert close(history, 5) == (Presence(0, ALICE, 1, 2), Presence(1, BOB, 1, 5))
