"""The outline of a recording's sound, beside it in the store; see rtp.peaks for what it holds."""

import io
from collections.abc import Sequence

import structlog

from rtp import peaks
from rtp.peaks import Peaks, PeaksError
from srs.archive.audio import Samples
from srs.archive.seal import HEADER
from srs.archive.store import Store

SUFFIX = ".peaks"
log = structlog.get_logger()


def save(store: Store, key: str, columns: Sequence[Samples], rate: int, sealed_for: str | None = None) -> None:
    """Keep the outline of the sound, channel by channel, that is under a key; sealed as the sound is.

    Raises:
        StoreError: the store does not do what it should.
        NoKey: there is no key to seal it for.
    """
    content = io.BytesIO(peaks.of(columns, rate).to_bytes())
    if sealed_for is not None:
        plain, content = content, io.BytesIO()
        store.keys.seal(sealed_for, plain, content)
        content.seek(0)
    store.put(key + SUFFIX, content)


def load(store: Store, key: str, sealed_for: str | None = None) -> Peaks | None:
    """The outline of the sound under a key; None: there is none, or it is damaged.

    Raises:
        StoreError: the store does not do what it should.
        Sealed: the key that would open it is not here.
    """
    try:
        with store.open(key + SUFFIX) as file:
            content = file.read()
    except FileNotFoundError:
        return None
    if sealed_for is not None and content.startswith(HEADER):  # outlines were not sealed once
        with store.keys.open(sealed_for, io.BytesIO(content)) as opened:
            content = opened.read()
    try:
        return peaks.parse(content)
    except PeaksError as error:
        log.warning("peaks are damaged", key=key, reason=str(error))
        return None


def delete(store: Store, key: str) -> None:
    """Remove the outline of the sound under a key; it may be gone already.

    Raises:
        StoreError: it is still there.
    """
    store.delete(key + SUFFIX)
