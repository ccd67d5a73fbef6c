"""The outline of a recording's sound, beside it in the store; see rtp.peaks for what it holds."""

import io

import structlog

from rtp import peaks
from rtp.peaks import Peaks, PeaksError
from srs.archive.audio import Samples
from srs.archive.store import Store

SUFFIX = ".peaks"
log = structlog.get_logger()


def save(store: Store, key: str, samples: Samples, rate: int) -> None:
    """Keep the outline of the sound, (frames, channels), that is under a key.

    Raises:
        StoreError: the store does not do what it should.
    """
    store.put(key + SUFFIX, io.BytesIO(peaks.of(samples, rate).to_bytes()))


def load(store: Store, key: str) -> Peaks | None:
    """The outline of the sound under a key; None: there is none, or it is damaged.

    Raises:
        StoreError: the store does not do what it should.
    """
    try:
        with store.open(key + SUFFIX) as file:
            return peaks.parse(file.read())
    except FileNotFoundError:
        return None
    except PeaksError as error:
        log.warning("peaks are damaged", key=key, reason=str(error))
        return None


def delete(store: Store, key: str) -> None:
    """Remove the outline of the sound under a key; it may be gone already.

    Raises:
        StoreError: it is still there.
    """
    store.delete(key + SUFFIX)
