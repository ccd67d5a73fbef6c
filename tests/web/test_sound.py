"""Ranges of the sound, and what is marked on it."""

import pytest

from srs.archive.tables import Leg, Notice, Recording
from srs.web.marks import marks
from srs.web.sound import _span


@pytest.mark.parametrize(
    ("asked", "span"),
    [
        (None, (0, 100)),
        ("bytes=0-", (0, 100)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-500", (90, 100)),
        ("bytes=-10", (90, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=100-", None),
        ("bytes=20-10", None),
        ("bytes=-0", None),
        ("bytes=-", (0, 100)),
        ("bytes=0-1,5-6", (0, 100)),
        ("lines=0-1", (0, 100)),
    ],
)
def test_ranges(asked: str | None, span: tuple[int, int] | None):
    assert _span(asked, 100) == span


def test_marks_are_in_order_of_time_with_their_channel():
    legs = [
        Leg(channel=0, facts={"gaps": [[5.0, 0.1]], "digits": [[1.0, 0.2, "#"]]}),
        Leg(channel=1, facts={"pauses": [[2.0, 3.0]]}),
    ]
    row = Recording(id="x", legs=legs, facts={"events": [[4.0, "kernel-drops;count=3"], [0.0, "peer;name=x"]]})
    told = [(each["kind"], each["at"], each["channel"], each["text"]) for each in marks(row)]
    assert told == [
        ("key", 1.0, 0, "#"),
        ("pause", 2.0, 1, "3.0 s"),
        ("event", 4.0, None, "kernel-drops;count=3"),
        ("loss", 5.0, 0, "0.10 s"),
    ]


def test_what_an_operator_did_and_the_notice_are_marked_and_other_notes_of_the_recorder_are_not():
    by = "by=user%3Ajan"
    events = [
        [0.0, "peer;name=x"],
        [2.0, f"operator;act=pause;{by}"],
        [3.5, f"operator;act=resume;{by}"],
        [4.0, f"operator;act=purpose;{by};purpose=complaints"],
        [5.0, "kernel-drops;port=1;count=2"],
    ]
    told = Notice(place=0, state="heard", second=-0.5, channel=1, purpose="quality")
    missed = Notice(place=1, state="missing", second=1.0, channel=0)
    facts = {"events": events, "operator_pauses": [[2.0, 1.5, "user:jan"]]}
    row = Recording(facts=facts, notices=[told, missed])
    assert [(mark["kind"], mark["at"], mark["length"], mark["channel"], mark["text"]) for mark in marks(row)] == [
        ("notice", 0.0, 0.0, 1, "quality"),
        ("withheld", 2.0, 1.5, None, "1.5 s, user:jan"),
        ("event", 4.0, 0.0, None, "purpose complaints, user:jan"),
        ("event", 5.0, 0.0, None, "kernel-drops;port=1;count=2"),
    ]
