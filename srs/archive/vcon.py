"""A recording as a vCon, the IETF's container for conversations (draft-ietf-vcon-vcon-core, version 0.4.0).

Parties in the order of channels, one dialog with the sound inside, a history of who came, went, was on hold and
pressed keys, the recorder's facts as an attachment. Signed it is a JWS (RFC 7515) with the signer's certificates.
"""

import base64
import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from srs.archive.catalogue import stamp
from srs.archive.errors import SigningError
from srs.archive.subject import number
from srs.archive.tables import Leg, Recording

VERSION: Final = "0.4.0"
MEDIA_TYPES: Final = {"wav": "audio/x-wav", "mp3": "audio/x-mp3", "opus": "audio/ogg", "flac": "audio/flac"}

_REGISTRY: Final = jws.JWSRegistry(strict_check_header=False)  # `uuid` in the header is vCon's own


def vcon(row: Recording, sound: bytes, kind: str, now: datetime) -> dict[str, Any]:
    """The unsigned form.

    Args:
        sound: content of a sound file.
        kind: its format, one of `MEDIA_TYPES`.
        now: when this vCon is made.
    """
    return {
        "vcon": VERSION,
        "uuid": str(identity(row)),
        "created_at": stamp(now),
        "parties": [_party(leg) for leg in row.legs],
        "dialog": [_dialog(row, sound, kind)],
        "analysis": [],
        "attachments": [_facts(row)],
    }


def identity(row: Recording) -> uuid.UUID:
    """A UUID of version 8 (RFC 9562 §5.8): when the call began and a hash of the id, the same for each export."""
    milliseconds = int(row.started_at.timestamp() * 1000) & (1 << 48) - 1
    digest = int.from_bytes(hashlib.sha256(row.id.encode()).digest()[:10])
    upper = milliseconds << 16 | 0x8 << 12 | digest >> 62 & 0xFFF
    return uuid.UUID(int=upper << 64 | 0b10 << 62 | digest & (1 << 62) - 1)


def signed(unsigned: str, name: str, key: Path, certificate: Path) -> dict[str, Any]:
    """The signed form, a JWS in general JSON serialisation.

    Args:
        unsigned: the vCon as JSON.
        name: its uuid.
        key: private key, RSA or EC, PEM.
        certificate: that of the key, followed by those that lead to its authority, PEM.

    Raises:
        SigningError: they cannot be used.
    """
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = _key(key)
        algorithm = "ES256" if isinstance(private, ECKey) else "RS256"
        x5c = [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in chain]
        members: list[jws.HeaderDict] = [{"protected": {"alg": algorithm, "x5c": x5c}, "header": {"uuid": name}}]
        return dict(jws.serialize_json(members, unsigned.encode(), private, registry=_REGISTRY))
    except (OSError, ValueError, TypeError, JoseError) as error:
        raise SigningError(f"cannot sign with {key} and {certificate}: {error}") from error


def _key(path: Path) -> RSAKey | ECKey:
    content = path.read_bytes()
    kind = ECKey if isinstance(load_pem_private_key(content, None), EllipticCurvePrivateKey) else RSAKey
    return kind.import_key(content)


def _party(leg: Leg) -> dict[str, str]:
    aor = leg.aor or ""
    told = {
        "tel": f"tel:{number(aor)}" if number(aor).lstrip("+").isdecimal() else "",
        "sip": aor if aor.lower().startswith(("sip:", "sips:")) else "",
        "name": leg.name or ("" if aor.lower().startswith(("sip:", "sips:", "tel:")) else aor),
    }
    return {name: value for name, value in told.items() if value}


def _dialog(row: Recording, sound: bytes, kind: str) -> dict[str, Any]:
    return {
        "type": "recording",
        "start": stamp(row.started_at),
        "duration": round(row.duration_s, 3),
        "parties": list(range(len(row.legs))),
        "originator": 0,
        "mediatype": MEDIA_TYPES[kind],
        "filename": f"{row.id}.{kind}",
        "body": base64.urlsafe_b64encode(sound).decode().rstrip("="),
        "encoding": "base64url",
        "content_hash": f"sha512-{base64.urlsafe_b64encode(hashlib.sha512(sound).digest()).decode().rstrip('=')}",
        "application": "siprec",
        "party_history": sorted(_history(row), key=lambda event: str(event["time"])),
    }


def _history(row: Recording) -> Iterator[dict[str, Any]]:
    """Who came and went, was on hold, pressed keys. Times in facts are seconds since the start."""

    def event(party: int, seconds: float, what: str, **more: str) -> dict[str, Any]:
        return {"party": party, "time": stamp(row.started_at + timedelta(seconds=seconds)), "event": what, **more}

    channels = {leg.label: leg.channel for leg in row.legs}
    for presence in row.facts.get("participants", []):
        party = channels.get(presence["label"])
        if party is not None:
            yield event(party, presence["from_s"], "join")
            yield event(party, row.duration_s if presence["to_s"] is None else presence["to_s"], "drop")
    for leg in row.legs:
        for at, seconds in leg.facts.get("pauses", []):
            yield event(leg.channel, at, "hold")
            yield event(leg.channel, at + seconds, "unhold")
        for at, seconds, key in leg.facts.get("digits", []):
            yield event(leg.channel, at, "keydown", button=key)
            yield event(leg.channel, at + seconds, "keyup", button=key)


def _facts(row: Recording) -> dict[str, Any]:
    told = {"recording": row.facts, "legs": [leg.facts for leg in row.legs], "call_id": row.call_id}
    return {
        "purpose": "facts of the recorder",
        "start": stamp(row.started_at),
        "party": 0,
        "dialog": 0,
        "mediatype": "application/json",
        "body": json.dumps(told, ensure_ascii=False),
        "encoding": "json",
    }
