"""SRTP from the offer to the file: our client (libsrtp) over TLS, and ffmpeg."""

import shutil
import subprocess
import wave
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.calls import call, make_plan, noise
from support.phone import Phone
from support.recorder import Recorder, until

from rtp.codecs import encode, mu_law
from rtp.send import Impairment
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
def secure(start_recorder: Callable[..., Recorder], certificate: tuple[Path, Path]):
    """Starts a recorder with TLS; the port is that of TLS."""

    def start(**environment: str) -> Recorder:
        files = {"SRS_TLS__CERTIFICATE": str(certificate[0]), "SRS_TLS__KEY": str(certificate[1])}
        recorder = start_recorder(**files, **environment)
        recorder.port = recorder.secure_port
        return recorder

    return start


def samples(recording) -> np.ndarray:
    with wave.open(recording["file"]) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


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
        for seed, column in enumerate(samples(recording).T, start=1):
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


def test_keys_are_refused_where_others_can_read_them(recorder: Recorder) -> None:
    phone = Phone(recorder)
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


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is missing: apt-get install ffmpeg")
def test_a_call_with_srtp_of_ffmpeg(start_recorder: Callable[..., Recorder], tmp_path: Path) -> None:
    recorder = start_recorder(SRS_PEER='[{"name": "lab", "keys_in_clear": true}]')
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
    column, wanted = samples(recording)[:, 0], heard(1, 1.0)
    first = find(column, wanted)
    np.testing.assert_array_equal(column[first : first + len(wanted)], wanted)
    facts = recorder.shown(recording["id"])["leg_facts"][0]
    assert (facts["srtp"], facts["forged"], facts["lost"]) == ("AES_CM_128_HMAC_SHA1_80", 0, 0)
    assert facts["malformed"] == {}
    until(lambda: not recorder.captures(), lambda: "the capture is still there")
