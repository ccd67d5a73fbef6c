"""SRTP from the offer to the file: our client (libsrtp) over TLS, and ffmpeg."""

import itertools
import shutil
import socket
import struct
import subprocess
from base64 import b64decode, b64encode
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pylibsrtp import Policy, Session
from support.calls import call, make_plan, noise
from support.heard import samples
from support.phone import Phone
from support.recorder import Recorder, Recorders, udp, until

from rtp import rtcp
from rtp.codecs import encode, mu_law
from rtp.send import Impairment
from srs.siprec.sdes import acceptable
from srs.siprec.sdp import parse
from srs.siprec.src import CallFailed
from srs.siprec.src_srtp import PROFILES

KEY = b64encode(bytes(range(30))).decode()
OFFER = f"""\
v=0
o=sbc 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 30000 RTP/SAVP 0
a=crypto:1 F8_128_HMAC_SHA1_80 inline:{KEY}
a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^31
a=label:1
a=sendonly
m=audio 30002 RTP/AVP 0
a=label:2
a=sendonly
""".replace("\n", "\r\n")


@pytest.fixture
def secure(recorders: Recorders, certificate: tuple[Path, Path]):
    """Gives a recorder with TLS."""

    def start(**environment: str) -> Recorder:
        files = {"SRS_TLS__CERTIFICATE": str(certificate[0]), "SRS_TLS__KEY": str(certificate[1])}
        return recorders.lend(**files, **environment)

    return start


def heard(seed: int, seconds: float) -> np.ndarray:
    return mu_law()[encode("PCMU", noise(seed, seconds))].astype(np.int16)


def find(sound: np.ndarray, wanted: np.ndarray) -> int:
    """Where something begins in a sound."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, 80)
    (found,) = np.flatnonzero((windows == wanted[:80]).all(axis=1))
    return int(found)


def test_every_sample_of_calls_with_every_suite(secure) -> None:
    recorder = secure()
    for seed, suite in enumerate(PROFILES):
        impairment = Impairment(duplicates=0.1, seed=seed)
        call(replace(make_plan(recorder, 1.0, transport="TLS", impairment=impairment), srtp=suite))
    recordings = recorder.recordings(len(PROFILES))
    assert {recorder.shown(each["id"])["leg_facts"][0]["srtp"] for each in recordings} == set(PROFILES)
    for recording in recordings:
        assert [(leg["packets"], leg["lost"]) for leg in recording["legs"]] == [(50, 0), (50, 0)]
        for seed, column in enumerate(samples(recording["file"]).T, start=1):
            wanted = heard(seed, 1.0)
            first = find(column, wanted)
            np.testing.assert_array_equal(column[first : first + len(wanted)], wanted)


def test_srtp_is_demanded_and_given(secure) -> None:
    recorder = secure(SRS_PEER='[{"name": "SBC", "require": "srtp"}]')
    plan = make_plan(recorder, 0.2, transport="TLS")
    with pytest.raises(CallFailed, match="488 SRTP is demanded"):
        call(plan)
    call(replace(plan, srtp="AEAD_AES_128_GCM"))
    (recording,) = recorder.recordings(1)
    assert [leg["packets"] for leg in recording["legs"]] == [10, 10]


def test_keys_are_refused_where_others_can_read_them(secure) -> None:
    phone = Phone(secure())  # over UDP
    with phone.socket:
        answer = phone.ask("INVITE", 1, "Require: siprec", body=OFFER)
        assert answer.code == 488
        assert answer.headers["Warning"] == (
            '399 siprec-srs "SRTP keys are taken over TLS only, or with [[peer]] keys_in_clear"'
        )
        phone.tag = ""
        assert phone.ask("INVITE", 2, "Require: siprec", body=OFFER.replace("SAVP", "AVP")).code == 200
        assert phone.ask("INVITE", 3, body=OFFER).code == 488
        assert phone.ask("BYE", 4).code == 200


class Peer:
    """libsrtp as a client that sends on one stream and reads the reports about it."""

    def __init__(self, recorder: Recorder, port: int, own: bytes | None, theirs: bytes | None) -> None:
        self._to, self._packets = (recorder.host, port), itertools.count(1)
        self.out = own and Session(Policy(own, Policy.SSRC_ANY_OUTBOUND))
        self._in = theirs and Session(Policy(theirs, Policy.SSRC_ANY_INBOUND))
        self.media, self.control = udp(recorder.host), udp(recorder.host)
        self.control.settimeout(0.1)

    def speak(self) -> None:
        packet = struct.pack("!BBHII", 0x80, 0, number := next(self._packets), 160 * number, 7) + bytes(160)
        self.media.sendto(self.out.protect(packet) if self.out else packet, self._to)

    def report(self, clock: int) -> bytes:
        packet = struct.pack("!BBHIQIII", 0x80, 200, 6, 7, clock << 16, 1, 2, 3)
        return self.tell(self.out.protect_rtcp(packet) if self.out else packet, self.control)

    def tell(self, octets: bytes, source: socket.socket) -> bytes:
        source.sendto(octets, (self._to[0], self._to[1] + 1))
        return octets

    def told(self, clock: int) -> rtcp.ReportBlock:
        """The next report about us that knows of the report with this time."""
        found: list[rtcp.ReportBlock] = []

        def came() -> bool:
            self.speak()
            self.report(clock)
            with suppress(TimeoutError):
                octets = self.control.recv(2000)
                packets = rtcp.parse(self._in.unprotect_rtcp(octets) if self._in else octets)
                found.extend(
                    each for each in packets if isinstance(each, rtcp.ReportBlock) and each.last_report == clock
                )
            return bool(found)

        until(came, lambda: f"no report of {clock}")
        return found[0]

    def close(self) -> None:
        self.media.close()
        self.control.close()


def test_reports_are_srtcp_where_the_sound_is_srtp_and_after_a_worker_died(recorders: Recorders) -> None:
    recorder = recorders.lend(SRS_PEER='[{"name": "lab", "keys_in_clear": true}]')
    phone = Phone(recorder)
    with phone.socket:
        secure, plain = parse(phone.ask("INVITE", 1, "Require: siprec", body=OFFER).body).media
        (crypto,) = acceptable(secure)
        peers = (
            Peer(recorder, secure.port, b64decode(KEY), crypto.keys[0].octets),
            Peer(recorder, plain.port, None, None),
        )
        with closing(peers[0]), closing(peers[1]), udp(recorder.host) as stranger:
            replayed = peers[0].report(1000)
            assert [peer.told(1000).ssrc for peer in peers] == [7, 7]
            peers[0].tell(replayed, stranger)
            peers[0].tell(struct.pack("!BBHIQIII", 0x80, 200, 6, 7, 3000 << 16, 1, 2, 3), stranger)  # in the clear
            assert peers[0].told(2000).lost == 0
            recorder.kill("capture")
            assert peers[0].told(4000).ssrc == 7
        assert phone.ask("BYE", 2).code == 200
    recorder.recordings(1)


def test_keys_before_the_newest_are_still_good_after_a_worker_died(recorders: Recorders) -> None:
    """Packets with an old key may be under way still when a new one was agreed on."""
    recorder = recorders.lend(SRS_PEER='[{"name": "lab", "keys_in_clear": true}]')
    newer = bytes(range(100, 130))
    phone = Phone(recorder)
    with phone.socket:
        secure, _ = parse(phone.ask("INVITE", 1, "Require: siprec", body=OFFER).body).media
        peer = Peer(recorder, secure.port, b64decode(KEY), acceptable(secure)[0].keys[0].octets)
        with closing(peer):
            assert peer.told(1000).ssrc == 7
            again = OFFER.replace(KEY, b64encode(newer).decode())
            assert phone.ask("INVITE", 2, "Require: siprec", body=again).code == 200
            older, peer.out = peer.out, Session(Policy(newer, Policy.SSRC_ANY_OUTBOUND))
            assert peer.told(2000).ssrc == 7
            recorder.kill("capture")
            assert peer.told(3000).ssrc == 7
            peer.out = older
            assert peer.told(4000).ssrc == 7
        assert phone.ask("BYE", 3).code == 200
    (recording,) = recorder.recordings(1)
    facts = recorder.shown(recording["id"])["leg_facts"][0]
    assert (facts["forged"], facts["lost"], facts["replayed"]) == (0, 0, 0)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is missing: apt-get install ffmpeg")
def test_a_call_with_srtp_of_ffmpeg(recorders: Recorders, tmp_path: Path) -> None:
    recorder = recorders.lend(SRS_PEER='[{"name": "lab", "keys_in_clear": true}]')
    (tmp_path / "codes").write_bytes(encode("PCMU", noise(1, 1.0)).tobytes())
    phone = Phone(recorder)
    with phone.socket:
        answer = phone.ask("INVITE", 1, "Require: siprec", body=OFFER)
        secure, plain = parse(answer.body).media
        assert [line.transport for line in (secure, plain)] == ["RTP/SAVP", "RTP/AVP"]
        (crypto,) = secure.values("crypto")
        assert crypto.startswith("2 AES_CM_128_HMAC_SHA1_80 inline:")
        assert KEY not in crypto
        command = ["ffmpeg", "-v", "error", "-re", "-f", "mulaw", "-ar", "8000", "-i", str(tmp_path / "codes")]
        command += ["-c:a", "copy", "-f", "rtp"]
        command += ["-srtp_out_suite", "AES_CM_128_HMAC_SHA1_80", "-srtp_out_params", KEY]
        subprocess.run([*command, f"srtp://127.0.0.1:{secure.port}?pkt_size=182"], check=True, capture_output=True)
        assert phone.ask("BYE", 2).code == 200
    (recording,) = recorder.recordings(1)
    column, wanted = samples(recording["file"])[:, 0], heard(1, 1.0)
    first = find(column, wanted)
    np.testing.assert_array_equal(column[first : first + len(wanted)], wanted)
    facts = recorder.shown(recording["id"])["leg_facts"][0]
    assert (facts["srtp"], facts["forged"], facts["lost"]) == ("AES_CM_128_HMAC_SHA1_80", 0, 0)
    assert facts["malformed"] == {}
    until(lambda: not recorder.captures(), lambda: "the capture is still there")
