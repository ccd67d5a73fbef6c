"""Alarms told to people, each change once."""

from srs.alarms import Alarm
from srs.handoff.alarm_post import Teller
from srs.handoff.errors import NotNow

FULL = Alarm("storage", None, "disk full")
MUTE = Alarm("no-audio", "call-1", "nothing for 10 s")


def test_each_change_is_told_once_and_what_failed_again():
    told, away = [], [True]

    def send(state: str, alarm: Alarm) -> None:
        if away and alarm is MUTE:
            away.pop()
            raise NotNow("server away")
        told.append((state, alarm.name))

    teller = Teller(send)
    teller.look([FULL, MUTE])
    assert told == [("raised", "storage")]
    teller.look([FULL, MUTE])
    teller.look([FULL, MUTE])
    assert told[1:] == [("raised", "no-audio")]
    teller.look([MUTE])
    teller.look([])
    assert told[2:] == [("cleared", "storage"), ("cleared", "no-audio")]
