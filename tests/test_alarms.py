import re
from pathlib import Path

from structlog.testing import capture_logs

import srs
from srs.alarms import WHAT_TO_DO, Alarms


def test_an_alarm_is_logged_when_it_begins_and_when_it_is_over() -> None:
    alarms = Alarms()
    with capture_logs() as lines:
        for reason in (None, "disk full", "disk fuller", None, None):
            alarms.set("storage", reason)
    assert [(line["log_level"], line["alarm"], line["state"]) for line in lines] == [
        ("error", "storage", "raised"),
        ("info", "storage", "cleared"),
    ]
    assert lines[0]["reason"] == lines[1]["was"] == "disk full"
    assert lines[0]["do"] == WHAT_TO_DO["storage"]


def test_calls_have_alarms_of_their_own() -> None:
    alarms = Alarms()
    alarms.set("no-audio", "10 s", call="one")
    alarms.set("no-audio", "10 s", call="two")
    assert alarms.active()["no-audio"] == 2
    with capture_logs() as lines:
        alarms.forget("one")
    assert [(line["call"], line["state"]) for line in lines] == [("one", "cleared")]
    assert alarms.active()["no-audio"] == 1


def test_every_alarm_that_is_raised_says_what_to_do():
    sources = [path.read_text() for path in Path(srs.__file__).parent.rglob("*.py")]
    raised = {name for text in sources for name in re.findall(r"alarms\.set\(\s*\"([a-z-]+)\"", text)}
    assert "handoff" in raised
    assert raised <= set(WHAT_TO_DO)
