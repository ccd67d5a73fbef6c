"""The sound of a recording in pieces that fit a mail."""

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from srs.archive import audio
from srs.archive.export import tags
from srs.archive.tables import Recording
from srs.config.mail import MailRule
from srs.handoff.module import Job

SMALLER = ("wav", "flac", "mp3", "opus")
"""Formats, each mostly smaller than those before it."""
OVERHEAD = 64 << 10
"""Octets of a mail beside its attachment, generously."""
BASE64 = 1.38


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file."""

    name: str
    content: bytes


def room(limit: int) -> int:
    """Octets of an attachment in a mail of so many."""
    return int((limit - OVERHEAD) / BASE64)


def attachments(job: Job, rule: MailRule, limit: int) -> list[Attachment] | None:
    """One file for each mail; None: it does not fit, a link is wanted.

    Args:
        limit: octets of a mail.

    Raises:
        NotReady, StoreError: there is no sound.
    """
    row, most = job.recording, room(limit)
    wanted = encoded(job, rule.format)
    if len(wanted) <= most:
        return [Attachment(_name(row, rule.format), wanted)]
    if rule.too_large == "split":
        return list(_split(job, rule.format, most, len(wanted)))
    if rule.too_large == "smaller":
        for kind in SMALLER[SMALLER.index(rule.format) + 1 :]:
            if len(content := encoded(job, kind)) <= most:
                return [Attachment(_name(row, kind), content)]
    return None


def encoded(job: Job, kind: str) -> bytes:
    """The sound in a format; as it is stored, if that is the one."""
    with job.open_sound() as source:
        if kind == job.recording.format:
            return source.read()
        sound = audio.read(source)
        file = io.BytesIO()
        audio.write(file, kind, sound.pieces, sound.channels, sound.rate, tags(job.recording))
    return file.getvalue()


def _split(job: Job, kind: str, most: int, octets: int) -> Iterator[Attachment]:
    """Pieces of equal length, with a little to spare because they do not all compress alike."""
    with job.open_sound() as source:
        sound = audio.read(source)
        samples = np.concatenate([np.zeros((0, sound.channels), np.int16), *sound.pieces])
    count = -(-octets * 5 // (most * 4))
    for index, part in enumerate(np.array_split(samples, count)):
        file = io.BytesIO()
        audio.write(file, kind, audio.pieces(part), sound.channels, sound.rate, tags(job.recording))
        yield Attachment(_name(job.recording, kind, f"-{index + 1}of{count}"), file.getvalue())


def _name(row: Recording, kind: str, part: str = "") -> str:
    return f"{row.started_at:%Y%m%d-%H%M%S}-{row.id[:8]}{part}.{kind}"
