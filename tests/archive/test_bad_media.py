"""Media that no client should send, through the whole of finalise: what is good is heard, the rest is told."""

import struct
from base64 import b64encode
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pylibsrtp import Policy, Session
from support.capture import Capture, packet

from rtp.codecs import mu_law
from srs.archive.finalise import finalise
from srs.archive.treatment import Treatment

PACKETS = 60
KEY = bytes(range(30))
CODES = np.random.default_rng(9).integers(0, 256, (PACKETS, 160), dtype=np.uint8)
TRUTH = mu_law()[CODES].astype(np.int16)
MEDIA = (
    "audio RTP/{} 0 121 101 111 18 98",
    "rtpmap:121 red/8000",
    "rtpmap:101 telephone-event/8000",
    "rtpmap:111 opus/48000/2",
    "rtpmap:98 AMR/8000",
)


def media(secure: bool) -> tuple[str, ...]:
    line = MEDIA[0].format("SAVP" if secure else "AVP")
    crypto = f"crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{b64encode(KEY).decode()}"
    return (line, *MEDIA[1:], *([crypto] if secure else []))


kinds = st.sampled_from([0, 121, 101, 111, 18, 98, 13, 77])


@st.composite
def rubbish(draw):
    """A datagram that does not belong to the stream, with a name for what it is."""
    header = struct.pack("!BBHII", 0x80, draw(kinds), draw(st.integers(0, 65535)), draw(st.integers(0, 2**32 - 1)), 99)
    payload = draw(st.binary(max_size=60))
    whole = header + payload
    return draw(
        st.sampled_from(
            [
                payload,  # anything
                bytes([draw(st.integers(0, 255))]) + whole[1:],  # any version, padding, extension, CSRC count
                whole[: draw(st.integers(0, 20))],  # cut
                header,  # nothing in it
                bytes([0xA0]) + whole[1:] + bytes([draw(st.integers(0, 255))]),  # padding of any length
                bytes([0x90]) + header[1:] + struct.pack("!HH", 0xBEDE, draw(st.integers(0, 65535))) + payload,
                b"\x00\x01\x00\x00" + payload,  # STUN
            ]
        )
    )


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    junk=st.lists(st.tuples(st.integers(0, PACKETS * 20), rubbish()), max_size=25),
    secure=st.booleans(),
    cut=st.integers(0, 400),
    conceal=st.booleans(),
)
def test_what_is_good_is_heard_whatever_comes_beside_it(tmp_path: Path, junk, secure, cut, conceal):
    protect = Session(Policy(KEY, Policy.SSRC_ANY_OUTBOUND)).protect if secure else bytes
    capture = Capture()
    capture.offer(-1, media(secure), answered=((media(True)[-1],),) if secure else ())
    for index, code in enumerate(CODES):
        capture.rtp(20 * index, 0, protect(packet(index, code.tobytes())))
    for number, (ms, octets) in enumerate(junk):
        alone = octets[:8] + struct.pack("!I", 1000 + number) + octets[12:]  # the only packet of its source
        capture.rtp(ms + 0.5, 0, alone if len(octets) >= 12 else octets)
    path = capture.write(tmp_path / "1.pcap")
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    (recording,) = finalise(path, Treatment(conceal=conceal))
    (leg,) = recording.legs
    heard = leg.facts.packets
    np.testing.assert_array_equal(leg.samples[8:][: 160 * heard], TRUTH.ravel()[: 160 * heard])
    assert not leg.samples[8 + 160 * heard :].any()
    assert heard == PACKETS if cut == 0 else heard >= PACKETS - 1 - cut // 160
    if cut == 0:
        assert recording.facts["lost_tail"] == 0
        told = heard + leg.facts.forged + leg.facts.strays + sum(leg.facts.malformed.values())
        assert told == PACKETS + len(junk)


@pytest.mark.parametrize("secure", [False, True])
def test_the_same_without_anything_bad_is_exact(tmp_path, secure):
    protect = Session(Policy(KEY, Policy.SSRC_ANY_OUTBOUND)).protect if secure else bytes
    capture = Capture()
    capture.offer(-1, media(secure), answered=((media(True)[-1],),) if secure else ())
    for index, code in enumerate(CODES):
        capture.rtp(20 * index, 0, protect(packet(index, code.tobytes())))
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    np.testing.assert_array_equal(recording.legs[0].samples[8:], TRUTH.ravel())


def test_a_single_packet_of_another_source_is_not_heard_for_what_it_repeats(tmp_path):
    capture = Capture()
    capture.offer(-1, media(secure=False))
    for index, code in enumerate(CODES):
        capture.rtp(20 * index, 0, packet(index, code.tobytes()))
    head = struct.pack("!I", 1 << 31 | 160 << 10 | 160)
    capture.rtp(500, 0, packet(7, head + b"\0" + bytes(160) + bytes(160), 121, ssrc=99))
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    np.testing.assert_array_equal(recording.legs[0].samples[8:], TRUTH.ravel())
    assert recording.legs[0].facts.ssrcs == ["00000007"]


@pytest.mark.parametrize("secure", [False, True])
def test_what_surrounds_good_sound_and_packets_without_any_change_nothing(tmp_path, secure):
    """Header extensions, CSRC lists, padding; payloads of 0 octets with numbers of their own."""
    protect = Session(Policy(KEY, Policy.SSRC_ANY_OUTBOUND)).protect if secure else bytes
    capture = Capture()
    capture.offer(-1, media(secure), answered=((media(True)[-1],),) if secure else ())
    dressed = (
        lambda head, code: head + code,
        lambda head, code: b"\x90" + head[1:] + b"\xbe\xde\0\1ABCD" + code,
        lambda head, code: b"\x82" + head[1:] + b"mixerson" + code,
        lambda head, code: b"\xa0" + head[1:] + code + b"\0\0\0\4",
        lambda head, code: b"\xb1" + head[1:] + b"mixe\x10\0\0\0" + code + b"\1",
    )
    number = 65_530
    for index, code in enumerate(CODES):
        head = packet(index, b"", first=number - index)
        capture.rtp(20 * index, 0, protect(dressed[index % len(dressed)](head, code.tobytes())))
        number += 1
        if index % 7 == 3:
            capture.rtp(20 * index + 1, 0, protect(packet(index + 1, b"", first=number - index - 1)))
            number += 1
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    (leg,) = recording.legs
    np.testing.assert_array_equal(leg.samples[8:][: TRUTH.size], TRUTH.ravel())
    assert not leg.samples[8 + TRUTH.size :].any()
    assert (leg.facts.packets, leg.facts.lost, leg.facts.malformed) == (number - 65_530, 0, {})
    assert (leg.facts.forged, leg.facts.strays, leg.facts.gaps) == (0, 0, [])


@pytest.mark.parametrize(("kind", "octets", "step", "name"), [(18, 20, 160, "G729"), (98, 32, 160, "AMR")])
def test_cut_frames_are_told_and_the_rest_is_heard(tmp_path, kind, octets, step, name):
    """The last frame of two packets is cut: it is silent."""
    head = b"\xf0\x3c" if name == "AMR" else b""
    rng, capture = np.random.default_rng(4), Capture()
    capture.offer(-1, (*media(secure=False), "fmtp:98 octet-align=1"))
    for index in range(PACKETS):
        payload = head + rng.integers(0, 256, octets - len(head) + (name == "AMR"), dtype=np.uint8).tobytes()
        capture.rtp(20 * index, 0, packet(index, payload[: 15 if index in (10, 20) else None], kind, step=step))
    (recording,) = finalise(capture.write(tmp_path / "1.pcap"))
    (leg,) = recording.legs
    assert (leg.facts.packets, leg.facts.lost, leg.facts.damaged, leg.codec) == (PACKETS, 0, 2, name)
    assert recording.facts["problems"] == ["leg 1: 2 packets are damaged; what cannot be decoded of them is silence"]
    silent = [not leg.samples[8 + 80 * half :][:80].any() for half in range(2 * PACKETS)]
    cut = (21, 41) if name == "G729" else (20, 21, 40, 41)
    assert np.flatnonzero(silent).tolist() == list(cut)
