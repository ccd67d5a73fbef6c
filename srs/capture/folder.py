"""The folder of captures: the queue between the recorder and the archive.

open/    a session lives
ended/   its end was seen; finalise may take it
kept/    archived, and kept because something in it could not be decoded
failed/  could not be finalised; the row says why
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from srs.siprec.headers import FAR, Side


def folder(data_dir: Path) -> Path:
    return data_dir / "captures"


def prepare(data_dir: Path) -> None:
    """Make the folders, readable by the recorder's user only."""
    for name in ("open", "ended"):
        (folder(data_dir) / name).mkdir(parents=True, exist_ok=True, mode=0o700)


def open_path(data_dir: Path, recording: str) -> Path:
    return data_dir.joinpath("captures", "open", f"{recording}.pcap")


def ended_path(data_dir: Path, recording: str) -> Path:
    return folder(data_dir) / "ended" / f"{recording}.pcap"


def create(path: Path) -> int:
    """A new capture file as an O_APPEND descriptor.

    Raises:
        OSError: there is one already, or the disk does not take it.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)


def end(data_dir: Path, recording: str) -> None:
    """The session is over: hand its capture to the archive. A capture that is not there was handed over before."""
    try:
        open_path(data_dir, recording).rename(ended_path(data_dir, recording))
    except FileNotFoundError:
        return


def left_over(data_dir: Path, living: set[str]) -> list[str]:
    """Captures in open/ of sessions that no process holds any more."""
    return sorted(path.stem for path in (folder(data_dir) / "open").glob("*.pcap") if path.stem not in living)


def new_id() -> str:
    """Of a recording, and the stem of its capture: 128 random bits, so that ids cannot be guessed."""
    return secrets.token_hex(16)


def new_leg(data_dir: Path, side: Side, living: Mapping[str, Side]) -> str:
    """The id for one of the two legs of a call (Cisco Built-in-Bridge): that of the far one follows from the near's.

    Args:
        living: the legs of such calls under way, by recording.
    """
    partners = (name for name, each in living.items() if each.pair == side.pair and each.near != side.near)
    stem = next(partners, new_id()).removesuffix(FAR)
    own = stem if side.near else stem + FAR
    is_taken = open_path(data_dir, own).exists() or ended_path(data_dir, own).exists()
    return new_id() if is_taken else own
