"""SBCs and platforms as sipp scenarios, each with the habits of its family: legs, sound and who is in the recording."""

from dataclasses import dataclass

import numpy as np
import pytest
from support.archive import details
from support.heard import samples
from support.recorder import Recorders
from support.sipp import TONES_HZ, dominant_hz, make_media, needs_sipp, sipp

from srs.archive.catalogue import Filter

pytestmark = needs_sipp

CALLER_HZ, CALLEE_HZ = TONES_HZ
PORTS = "62000-62998"
"""Of no other recorder: sipp sends to the ports beside the first, which are ours if nobody took them in between."""
NUMBER = "+312055501{:02}"
ONE, TWO = (CALLER_HZ, CALLEE_HZ), (CALLEE_HZ, CALLER_HZ)


@dataclass(frozen=True)
class Family:
    """A scenario and what must come of it."""

    aors: tuple[str, ...]
    """By channel."""
    tones_hz: tuple[int, ...] = ONE
    transport: str = "u1"
    paused: bool = False
    """From 1 s to 2 s."""
    identifier: tuple[str, str] | None = None
    speakers: tuple[str, ...] = ()
    """All who spoke, if others than those on the legs."""


def pair(number: int, form: str = "sip:{}@example.com") -> tuple[str, str]:
    return form.format(NUMBER.format(number)), form.format(200 + number)


FAMILIES = {
    "oracle": Family(
        ("sip:+31205550101@example.com", "sip:200@example.com"),
        transport="t1",
        identifier=("ucid", "00012000070459936308"),
    ),
    "ribbon": Family((NUMBER.format(3) + "@example.com", "203@example.com"), TWO, identifier=("gcid", "9A66")),
    "audiocodes": Family(pair(4, "{}@example.com"), paused=True, identifier=("ucid", "00048504031264295513")),
    "avaya": Family(
        ("sip:+31205550105@example.com",),
        (CALLER_HZ,),
        transport="t1",
        identifier=("ucid", "00001000021793793061"),
    ),
    "cisco_cube": Family(
        pair(6),
        identifier=("session-id", "0123456789abcdef0123456789abcdef"),
        speakers=(*pair(6), "sip:306@example.com"),
    ),
    "cisco_nbr": Family(
        ("sip:+31205550110@127.0.0.1", "sip:210@127.0.0.1"),
        speakers=("sip:+31205550110@127.0.0.1", "sip:210@127.0.0.1", "sip:310@127.0.0.1"),
    ),
    "opensips": Family(
        pair(7), TWO, transport="t1", paused=True, identifier=("call-id", "recorded-1@192.0.2.7")
    ),
    "metaswitch": Family(("7602922411 + 7602922412",), (CALLER_HZ,), speakers=("7602922411", "7602922412")),
    "jambonz": Family(pair(9), paused=True, identifier=("call-sid", "c0ffee-1")),
}  # fmt: skip


@pytest.fixture(scope="module")
def recorded(recorders: Recorders, tmp_path_factory: pytest.TempPathFactory):
    """The recorder, and what each family's call became, by scenario."""
    media, recorder = make_media(tmp_path_factory.mktemp("families")), recorders.lend(SRS_MEDIA__PORTS=PORTS)
    for name, family in FAMILIES.items():  # one after another: sipp sends to the ports beside those of one line too
        length = "600" if family.paused else "2200"
        sipp(recorder, name, media, 1, "-t", family.transport, "-d", length, "-cid_str", f"{name}-%u")
    recorder.recordings(len(FAMILIES))
    return recorder, {shown["call_id"].removesuffix("-1"): shown for shown in details(recorder)}


@pytest.mark.parametrize("name", FAMILIES)
def test_legs_and_sound(recorded, name):
    recording, family = recorded[1][name], FAMILIES[name]
    assert recording["state"] == "ready"
    assert tuple(leg["aor"] for leg in recording["legs"]) == family.aors
    for channel, hz in zip(samples(recording["file"]).T, family.tones_hz, strict=True):
        assert channel.any(), recording["leg_facts"]
        begin = int(np.flatnonzero(channel)[0])
        assert dominant_hz(channel[begin + 800 : begin + 5600]) == pytest.approx(hz, abs=2)


@pytest.mark.parametrize("name", FAMILIES)
def test_who_spoke_pauses_and_what_it_is_found_by(recorded, name):
    recorder, recordings = recorded
    recording, family = recordings[name], FAMILIES[name]
    assert tuple(each["aor"] for each in recording["facts"]["participants"]) == (family.speakers or family.aors)
    for leg in recording["leg_facts"] if family.paused else ():
        ((since, length),) = leg["pauses"]
        assert (since, length) == (pytest.approx(1.0, abs=0.4), pytest.approx(1.0, abs=0.4))
    if family.identifier:
        kind, value = family.identifier
        assert {"kind": kind, "value": value} in recording["identifiers"]
        assert [found["id"] for found in details(recorder, Filter(identifier=value))] == [recording["id"]]
