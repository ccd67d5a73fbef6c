"""A case with an offence, handed out with its chain of custody: what, since when, by whom, and that it is unchanged.

Everything that tells of persons is sealed with age for whom it is handed to; hashes, times and what was done with the
case are open, and signed with the recorder's Ed25519 key.
"""

import hashlib
import json
import shutil
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import pyrage
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from srs.archive.catalogue import stamp
from srs.archive.database import reading, writing
from srs.archive.seal import seal_for
from srs.privacy import audit
from srs.privacy.cases import journal
from srs.privacy.cases.cabinet import Actor, Cabinet
from srs.privacy.cases.destroying import EXPORT
from srs.privacy.cases.dossier import find
from srs.privacy.cases.papers import papers
from srs.privacy.cases.recordings import Kept, opened
from srs.privacy.cases.tables import Case, CasePaper, Outcome
from srs.privacy.checkpoints import signer
from srs.privacy.errors import Altered, Misuse

MANIFEST, SIGNATURE, PUBLIC, JOURNAL, SUMS = (
    "manifest.json",
    "manifest.sig",
    "recorder.pem",
    "journal.json",
    "SHA256SUMS",
)
_OPEN: Final = ("id", "opened_by", "opened_at", "approved_by", "approved_at", "stopped_at", "closed_by", "closed_at")


@dataclass
class _Package:
    """The folder under way."""

    folder: Path
    recipients: Sequence[str]
    files: list[dict[str, Any]] = field(default_factory=list)
    """For the manifest."""

    def add(self, name: str, content: bytes) -> None:
        """Write a file as it is."""
        self._write(name, content, {})

    def seal(self, name: str, content: bytes, **more: Any) -> None:  # noqa: ANN401
        """Write a file that only the recipients open."""
        target = BytesIO()
        seal_for(self.recipients, BytesIO(content), target)
        self._write(f"{name}.age", target.getvalue(), {"opened_sha256": hashlib.sha256(content).hexdigest(), **more})

    def _write(self, name: str, content: bytes, more: dict[str, Any]) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True, mode=0o700)
        path.write_bytes(content)
        self.files.append({"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), **more})


def export(cabinet: Cabinet, actor: Actor, prefix: str, to: Sequence[str], folder: Path, now: datetime) -> Path:
    """Write the whole case into a new folder.

    Args:
        to: public keys (`age1…`) of those who are to open it.

    Returns:
        The manifest.

    Raises:
        NoCase: there is none that the actor investigates.
        Misuse: it is not closed with an offence, or destroyed; no key, or one that is none; the folder is there.
        Altered: something is not as it was when it was recorded or added.
        Sealed, NotReady, StoreError, OSError: it cannot be read or written.
    """
    case = find(cabinet, actor, prefix, now, investigator=True)
    _check(case, to, folder)
    with writing(cabinet.engine) as session:
        journal.append(session, cabinet, journal.locked(session, case.id), actor, EXPORT, now, details={"to": list(to)})
    with reading(cabinet.engine) as session:
        documents, chain = papers(session, case), journal.entries(session, case)
    unfinished = folder.with_name(f"{folder.name}.part")
    unfinished.mkdir(mode=0o700)
    try:
        package = _Package(unfinished, to)
        for each in opened(cabinet, case):
            _add_recording(package, cabinet, each)
        for paper in documents:
            _add_paper(package, cabinet, paper)
        package.seal("case.json", _json(_told(case)))
        package.add(JOURNAL, _json([audit.described(entry) for entry in chain]))
        _finish(package, cabinet, case, actor, now)
        unfinished.rename(folder)
    except BaseException:
        shutil.rmtree(unfinished)
        raise
    return folder / MANIFEST


def _check(case: Case, to: Sequence[str], folder: Path) -> None:
    if case.outcome != Outcome.OFFENCE or case.destroyed_at is not None:
        raise Misuse(f"case {case.id} is not handed out: only one that is closed with an offence and not destroyed")
    if not to:
        raise Misuse("say whom it is sealed for: --to age1…")
    try:
        seal_for(to, BytesIO(), BytesIO())
    except pyrage.RecipientError as error:
        raise Misuse(f"--to {', '.join(to)}: not a public key of age: {error}") from None
    if folder.exists():
        raise Misuse(f"{folder} is there already")


def _add_recording(package: _Package, cabinet: Cabinet, each: Kept) -> None:
    row, facts = each.row, each.facts
    name = f"recordings/{facts['started_at'].replace(':', '')}_{row.id}"
    package.seal(f"{name}.json", _json({"id": row.id, **facts}))
    for number, (capture, digest) in enumerate(row.captures.items(), 1):
        with cabinet.open(row.case_id, capture) as packets:
            content = packets.read()
        _check_unaltered(f"capture of recording {row.id}", content, digest)
        package.seal(f"{name}.{number}.pcap", content)
    if row.file is None:
        return
    with cabinet.store.open(row.file) as stored:
        _check_unaltered(f"recording {row.id}", stored.read(), row.sha256)
    with cabinet.open(row.case_id, row.file) as file:
        sound = file.read()
    _check_unaltered(f"recording {row.id}", sound, facts["sha256"])
    package.seal(f"{name}.wav", sound, recording=row.id, recorded_sha256=facts["sha256"], stored_sha256=row.sha256)


def _add_paper(package: _Package, cabinet: Cabinet, paper: CasePaper) -> None:
    with cabinet.open(paper.case_id, paper.file) as file:
        content = file.read()
    _check_unaltered(f"paper {paper.id}", content, paper.sha256)
    added = {"added_by": paper.added_by, "added_at": stamp(paper.added_at)}
    package.seal(f"papers/{paper.kind}_{paper.id[:8]}{paper.suffix}", content, kind=paper.kind, **added)


def _check_unaltered(what: str, content: bytes, sha256: str | None) -> None:
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise Altered(f"{what} is not as it was stored: SHA-256 {found} instead of {sha256}")


def _told(case: Case) -> dict[str, Any]:
    """What the case says of persons."""
    period = {"since": stamp(case.since), "until": stamp(case.until)}
    said = {name: getattr(case, name) for name in ("suspicion", "reference", "no_council", "reason")}
    persons = [person for person in case.persons if person not in case.cleared]
    return {"case": case.id, "persons": persons, **said, **period, "outcome": case.outcome}


def _finish(package: _Package, cabinet: Cabinet, case: Case, actor: Actor, now: datetime) -> None:
    """Manifest, signature, the key to check it with, and sums of all."""
    key = signer(cabinet.settings)
    known = {name: getattr(case, name) for name in _OPEN}
    told = {name: stamp(value) if isinstance(value, datetime) else value for name, value in known.items()}
    manifest = _json(
        {
            "case": told,
            "exported_at": stamp(now),
            "exported_by": actor.label,
            "exported_from": actor.origin,
            "sealed_for": list(package.recipients),
            "signed_with": b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode(),
            "files": package.files,
        }
    )
    package.add(MANIFEST, manifest)
    package.add(SIGNATURE, key.sign(manifest))
    package.add(PUBLIC, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    sums = "".join(f"{each['sha256']}  {each['file']}\n" for each in package.files)
    package.add(SUMS, sums.encode())


def _json(content: object) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=2).encode()
