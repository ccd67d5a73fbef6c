"""Lists of calls in the forms that other systems write."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from srs.archive.cdr import Cdr, read
from srs.archive.errors import UnreadableList
from srs.config.reconcile import ReconcileSettings

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

FREEPBX = '''\
calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition,amaflags,accountcode,\
uniqueid,userfield,did,cnum,cnam,outbound_cnum,outbound_cnam,dst_cnam,recordingfile,linkedid,peeraccount,sequence
"2026-11-24 13:00:00","""Anna"" <201>",201,0201234567,from-internal,PJSIP/201-1,PJSIP/trunk-2,Dial,,15,10,ANSWERED,3,,\
1764.1,,,201,Anna,,,,,1764.1,,1
"2026-11-24 13:00:05",,201,0201234568,from-internal,PJSIP/201-3,,Dial,,15,0,"NO ANSWER",3,,1764.2,,,201,,,,,,1764.2,,2
'''
THREE_CX = """\
Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost,Call Activity Details
2026-11-24T12:00:00,0000-1,"Vries, Anna de (201)",0201234567,Outbound,Answered,00:00:05,00:00:10,0.00,
2026-11-24T12:00:05,0000-2,"Vries, Anna de (201)",0201234568,Outbound,Unanswered,00:00:05,00:00:00,0.00,
"""
THREE_CX_18 = """\
\ufeffCall Time;Caller ID;Destination;Status;Ringing;Talking
2026-11-24T12:00:00;Anna (201);0201234567;Answered;0:00:05;0:00:10
"""
BROADWORKS = """\
answerTime,releaseTime,callingNumber,calledNumber,answerIndicator,localCallId
20261124120000.000,20261124120010.000,201,0201234567,Yes-PostRedirection,1764.1
,20261124120010.000,201,0201234567,No,1764.2
"""
TELNYX = [
    {"data": {"event_type": "call.answered", "payload": {}}},
    {
        "data": {
            "event_type": "call.hangup",
            "occurred_at": "2026-11-24T12:00:10.000000Z",
            "payload": {
                "start_time": "2026-11-24T12:00:00.000000Z",
                "from": "201",
                "to": "0201234567",
                "call_session_id": "1764.1",
            },
        }
    },
]


@pytest.mark.parametrize(
    ("like", "text", "line", "call_id"),
    [
        ("freepbx", FREEPBX, 2, "1764.1"),
        ("3cx", THREE_CX, 2, None),
        ("3cx-18", THREE_CX_18, 2, None),
        ("broadworks", BROADWORKS, 2, "1764.1"),
        ("telnyx", json.dumps(TELNYX), 2, "1764.1"),
        ("telnyx", "\n".join(map(json.dumps, TELNYX)), 2, "1764.1"),
    ],
)
def test_lists_of_known_systems(tmp_path: Path, like: str, text: str, line: int, call_id: str | None) -> None:
    path = tmp_path / "calls"
    path.write_text(text)
    zone = "Europe/Amsterdam" if like == "freepbx" else "UTC"
    settings = ReconcileSettings(like=like, time_zone=zone)
    assert read(path, settings) == [Cdr(line, NOON, 10.0, "201", "0201234567", call_id)]


def test_own_columns_win(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("calldate\tbillsec\tfrom\tdst\tdisposition\tuniqueid\n2026-11-24 12:00:00\t10\t7\t8\tanswered\t\n")
    (found,) = read(path, ReconcileSettings(like="freepbx", caller="from"))
    assert found == Cdr(2, NOON, 10.0, "7", "8", None)


@pytest.mark.parametrize(
    ("told", "heard"),
    [
        ("Bakker (Sales) (201)", "201"),
        ('"Anna" <+31 20 123>', "+31 20 123"),
        ("+31 (0)20 123", "+31 (0)20 123"),
        ("Anna (home)", "Anna (home)"),
        ("sip:201@example.com", "sip:201@example.com"),
        ("", ""),
    ],
)
def test_a_number_may_stand_behind_its_name(tmp_path: Path, told: str, heard: str) -> None:
    path = tmp_path / "calls.json"
    path.write_text(json.dumps({"at": "2026-11-24T12:00:00Z", "s": 10, "from": told, "to": None}))
    (found,) = read(path, ReconcileSettings(start="at", seconds="s", caller="from", callee="to"))
    assert (found.caller, found.callee) == (heard, "")


@pytest.mark.parametrize(
    ("text", "settings", "words"),
    [
        ("a,b\n1,2\n", {}, "names no column for start, seconds, caller, callee"),
        ("a,b\n1,2\n", {"like": "freepbx"}, "line 2: there is no 'disposition'"),
        (FREEPBX.replace("13:00:00", "noon"), {"like": "freepbx"}, "line 2: time data"),
        (FREEPBX.replace("15,10,", "15,long,"), {"like": "freepbx"}, "line 2: could not convert"),
        ("[{]", {"like": "telnyx"}, "neither CSV nor JSON"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path: Path, text: str, settings: dict, words: str) -> None:
    path = tmp_path / "calls"
    path.write_text(text)
    with pytest.raises(UnreadableList, match=words):
        read(path, ReconcileSettings(**settings))
