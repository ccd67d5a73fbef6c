"""vCons of recordings, read back by hand and by OpenSSL."""

import base64
import hashlib
import json
import shutil
import subprocess
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from srs.archive.errors import SigningError
from srs.archive.tables import Leg, Recording, State
from srs.archive.vcon import identity, signed, vcon

START = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 25, tzinfo=UTC)
SOUND = bytes(range(256)) * 3


@pytest.fixture
def row() -> Recording:
    pressed = {"digits": [(2.0, 0.5, "5")], "pauses": [(4.0, 3.0)]}
    came = [
        {"label": "1", "aor": "tel:+31201234567", "name": None, "from_s": 0.0, "to_s": None},
        {"label": "2", "aor": "sip:201@pbx", "name": "Anna", "from_s": 1.0, "to_s": 6.0},
        {"label": "gone", "aor": None, "name": None, "from_s": 1.0, "to_s": 6.0},
    ]
    return Recording(
        id="ab12",
        call_id="x@y",
        state=State.READY,
        started_at=START,
        ended_at=START + timedelta(seconds=10),
        created_at=START,
        duration_s=10.0,
        facts={"participants": came},
        legs=[
            Leg(channel=0, label="1", aor="tel:+31201234567", facts=pressed),
            Leg(channel=1, label="2", aor="sip:201@pbx", name="Anna"),
        ],
    )


def plain(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def test_parties_sound_and_history(row: Recording) -> None:
    made = vcon(row, SOUND, "wav", NOW)
    assert made["vcon"] == "0.4.0"
    assert made["created_at"] == "2026-11-25T00:00:00.000Z"
    assert made["parties"] == [{"tel": "tel:+31201234567"}, {"tel": "tel:201", "sip": "sip:201@pbx", "name": "Anna"}]
    (dialog,) = made["dialog"]
    assert (dialog["type"], dialog["start"], dialog["duration"]) == ("recording", "2026-11-24T12:00:00.000Z", 10.0)
    assert (dialog["parties"], dialog["mediatype"], dialog["filename"]) == ([0, 1], "audio/x-wav", "ab12.wav")
    assert plain(dialog["body"]) == SOUND
    assert plain(dialog["content_hash"].removeprefix("sha512-")) == hashlib.sha512(SOUND).digest()
    assert [(event["party"], event["time"][17:23], event["event"]) for event in dialog["party_history"]] == [
        (0, "00.000", "join"),
        (1, "01.000", "join"),
        (0, "02.000", "keydown"),
        (0, "02.500", "keyup"),
        (0, "04.000", "hold"),
        (1, "06.000", "drop"),
        (0, "07.000", "unhold"),
        (0, "10.000", "drop"),
    ]
    assert json.loads(made["attachments"][0]["body"])["call_id"] == "x@y"


def test_the_same_recording_has_the_same_uuid(row: Recording) -> None:
    found = identity(row)
    assert found == identity(row)
    assert (found.version, found.variant) == (8, uuid.RFC_4122)
    assert found.int >> 80 == int(START.timestamp() * 1000)
    row.id = "ab13"
    assert identity(row) != found


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing: apt-get install openssl")
@pytest.mark.parametrize("kind", ["rsa:2048", "ec"])
def test_openssl_finds_the_signature_good(row: Recording, tmp_path: Path, kind: str) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"] if kind == "ec" else []
    made = [
        "req",
        "-x509",
        "-newkey",
        kind,
        *curve,
        "-nodes",
        "-subj",
        "/CN=recorder",
        "-keyout",
        key,
        "-out",
        certificate,
    ]
    subprocess.run(["openssl", *made], check=True, capture_output=True)
    text = json.dumps(vcon(row, SOUND, "wav", NOW))
    jws = signed(text, str(identity(row)), key, certificate)
    assert plain(jws["payload"]).decode() == text
    (signature,) = jws["signatures"]
    head = json.loads(plain(signature["protected"]))
    assert signature["header"] == {"uuid": str(identity(row))}
    (tmp_path / "leaf.der").write_bytes(base64.b64decode(head["x5c"][0]))
    public = [
        "x509",
        "-inform",
        "DER",
        "-in",
        tmp_path / "leaf.der",
        "-noout",
        "-pubkey",
        "-out",
        tmp_path / "public.pem",
    ]
    subprocess.run(["openssl", *public], check=True)
    octets = plain(signature["signature"])
    (tmp_path / "signature").write_bytes(octets if kind != "ec" else der(octets))
    (tmp_path / "signed").write_text(f"{signature['protected']}.{jws['payload']}")
    verify = ["dgst", "-sha256", "-verify", tmp_path / "public.pem", "-signature", tmp_path / "signature"]
    done = subprocess.run(["openssl", *verify, tmp_path / "signed"], capture_output=True, text=True, check=False)
    assert done.stdout == "Verified OK\n", done.stderr


def der(raw: bytes) -> bytes:
    """A signature r || s (RFC 7518 §3.4) as OpenSSL wants it."""
    numbers = [int.from_bytes(raw[:32]), int.from_bytes(raw[32:])]
    parts = [number.to_bytes(number.bit_length() // 8 + 1) for number in numbers]
    inner = b"".join(b"\x02" + bytes([len(part)]) + part for part in parts)
    return b"\x30" + bytes([len(inner)]) + inner


@pytest.mark.parametrize("content", [None, "no key"])
def test_what_cannot_sign_is_named(row: Recording, tmp_path: Path, content: str | None) -> None:
    key = tmp_path / "key.pem"
    if content:
        key.write_text(content)
    with pytest.raises(SigningError, match=r"key\.pem"):
        signed("{}", "name", key, key)
