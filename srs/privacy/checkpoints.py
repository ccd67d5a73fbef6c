"""Signed statements of how far the audit had come: they show when its end was cut off or all of it replaced.

A checkpoint is a small JSON file, `audit-SEQUENCE.json`, signed with the Ed25519 key in the data folder. Copies that
are kept elsewhere prove something also to who does not trust this machine.
"""

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from sqlalchemy import Engine
from sqlmodel import Session

from srs.archive.database import reading
from srs.config import Settings
from srs.privacy import audit
from srs.privacy.tables import AuditEntry

EVERY_S: Final = 600.0
_SIGNED: Final = ("sequence", "hash", "at")


def folders(settings: Settings) -> list[Path]:
    """Where checkpoints are kept."""
    own = settings.data_dir / "audit"
    return [own] if settings.audit.checkpoint_dir is None else [own, settings.audit.checkpoint_dir]


def signer(settings: Settings) -> Ed25519PrivateKey:
    """The key, made when it is first needed.

    Raises:
        OSError: it cannot be read or written.
    """
    path = settings.data_dir / "audit" / "key.pem"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = Ed25519PrivateKey.generate()
    text = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.touch(0o600)
    unfinished.write_bytes(text)
    try:
        os.link(unfinished, path)  # whole, and not in place of one that there is
    except FileExistsError:
        pass
    finally:
        unfinished.unlink()
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey), f"{path}: no Ed25519 key"
    return key


def public_key(settings: Settings) -> str:
    """To check signatures with elsewhere, base64."""
    return b64encode(signer(settings).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def write(engine: Engine, settings: Settings, now: datetime) -> list[Path]:
    """Write a checkpoint of the last entry, unless there is one.

    Returns:
        The files that are new.

    Raises:
        DatabaseError, OSError: not now.
    """
    with reading(engine) as session:
        last = audit.newest(session)
    if last is None:
        return []
    missing = [path for path in _paths(settings, last.sequence) if not path.exists()]
    content: dict[str, Any] = {"sequence": last.sequence, "hash": last.hash, "at": now.astimezone(UTC).isoformat()}
    text = json.dumps({**content, "signature": b64encode(signer(settings).sign(_message(content))).decode()})
    for path in missing:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(text + "\n")
        unfinished.replace(path)
    return missing


def _paths(settings: Settings, sequence: int) -> list[Path]:
    return [folder / f"audit-{sequence:012}.json" for folder in folders(settings)]


def _message(content: dict[str, Any]) -> bytes:
    return json.dumps({name: content[name] for name in _SIGNED}, sort_keys=True, separators=(",", ":")).encode()


def verify(engine: Engine, settings: Settings) -> list[str]:
    """What is wrong with the audit, in words; empty: nothing, as far as chain and checkpoints can tell."""
    public = signer(settings).public_key()
    with reading(engine) as session:
        found = list(audit.broken(session))
        for folder in folders(settings):
            files = sorted(folder.glob("audit-*.json"))
            found += [f"{path}: {wrong}" for path in files for wrong in _against(session, path, public)]
    return found


def _against(session: Session, path: Path, public: Ed25519PublicKey) -> Iterator[str]:
    try:
        content = json.loads(path.read_text())
        public.verify(b64decode(content["signature"]), _message(content))
    except (ValueError, KeyError, TypeError):
        yield "no checkpoint: it was damaged"
    except InvalidSignature:
        yield "its signature is not of this recorder's key: it, or the key, was replaced"
    else:
        yield from _differences(content, session.get(AuditEntry, content["sequence"]))


def _differences(content: dict[str, Any], entry: AuditEntry | None) -> Sequence[str]:
    number = content["sequence"]
    if entry is None:
        return [f"entry {number}, which was there on {content['at']}, is gone: the end of the audit was cut off"]
    return [] if entry.hash == content["hash"] else [f"entry {number} is not the one that was there on {content['at']}"]
