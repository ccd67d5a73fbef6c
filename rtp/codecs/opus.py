"""Opus (RFC 6716, RFC 7587), decoded by the libopus that comes with PyAV.

PyAV itself can not be asked for the copy of a lost frame that a packet may carry (in-band FEC), so libopus is called
directly: that also takes less time than a frame of FFmpeg does.
"""

import ctypes
import ctypes.util
import re
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rtp.codecs.codec import MOST_CONCEALED_S, Codec, Decoded, Integers, Payloads, Samples

CLOCK_RATE = 48_000
"""Hz, of the RTP timestamp, whatever the sound has."""
_LONGEST = 5760
"""Samples at 48 kHz of the longest packet: 120 ms."""
_FRAME = np.array([480, 960, 1920, 2880] * 3 + [480, 960] * 2 + [120, 240, 480, 960] * 4)
"""Samples at 48 kHz of a frame, by the configuration in its first octet (RFC 6716 §3.1)."""
_STEP = 120
"""Samples at 48 kHz that all lengths of Opus are multiples of: 2.5 ms."""
_NEAR = 12
"""By how many of them a loss may be longer than told: the skew of a clock is made good."""
_FADE_S = 0.01
_RATES = (8000, 16_000, CLOCK_RATE)
_MAX_CAPTURE_RATE = re.compile(r"\bsprop-maxcapturerate\s*=\s*(\d{1,6})", re.IGNORECASE)


def available() -> bool:
    """Tell whether there is a libopus."""
    return _library() is not None


def rate(codec: Codec) -> int:
    """Return the rate that what is sent needs: the sender may tell (RFC 7587 §6.1); Hz."""
    told = _MAX_CAPTURE_RATE.search(codec.fmtp)
    return next((each for each in _RATES if told and each >= int(told[1])), CLOCK_RATE)


def ticks(payloads: Payloads) -> Integers:
    """Return how long each payload sounds, at 48 kHz; 0: it is not valid."""
    sound = _frame_ticks(payloads) * _frame_counts(payloads)
    return np.where((sound <= _LONGEST) & (payloads.length > 0), sound, 0)


def decode(rate: int, payloads: Payloads) -> Decoded:
    """Decode to one channel; of a packet lost right before another, that one's copy is used if it has one.

    The decoder hears of every loss, whether it is to be sounded over or not: it goes on differently behind one.

    Args:
        rate: Hz, of the samples.
    """
    decoder = _Decoder.create(rate)
    lost = np.maximum(-(-(payloads.lost - _NEAR) // _STEP) * _STEP, 0)
    copied = _copied(payloads, lost)
    lead, counts, gaps = (each * rate // CLOCK_RATE for each in (copied, ticks(payloads), lost - copied))
    samples = np.zeros(int((lead + counts).sum()), np.int16)
    concealed: dict[int, Samples] = {}
    at, base, damaged = 0, payloads.data.ctypes.data, 0
    columns = (payloads.start, payloads.length, lead, counts, gaps)
    for index, (start, length, before, count, gap) in enumerate(zip(*(each.tolist() for each in columns), strict=True)):
        if gap:
            concealed[index] = _conceal(decoder, gap, rate)
        if before:
            decoder.decode(base + start, length, samples[at : at + before], copy=True)
        damaged += decoder.decode(base + start, length, samples[at + before : at + before + count]) != count
        at += before + count
    return Decoded(samples, lead + counts, rate, lead, damaged + int((counts == 0).sum()), concealed)


def _conceal(decoder: "_Decoder", gap: int, rate: int) -> Samples:
    """Return what the decoder makes of a loss of so many samples; of a long one its beginning, which fades."""
    made = np.zeros(min(gap, round(MOST_CONCEALED_S * rate)), np.int16)
    decoder.decode(None, 0, made)
    if len(made) < gap:
        fade = round(_FADE_S * rate)
        made[-fade:] = made[-fade:] * np.linspace(1, 0, fade)
    return made


def _frame_ticks(payloads: Payloads) -> Integers:
    return np.asarray(_FRAME[_first_octets(payloads) >> 3], np.int64)


def _first_octets(payloads: Payloads) -> NDArray[np.uint8]:
    return payloads.data[np.minimum(payloads.start, len(payloads.data) - 1)]


def _frame_counts(payloads: Payloads) -> Integers:
    """Return the frames of each payload (RFC 6716 §3.2)."""
    code = _first_octets(payloads) & 3
    second = payloads.data[np.minimum(payloads.start + 1, len(payloads.data) - 1)] & 63
    told = np.where(payloads.length > 1, second, 0).astype(np.int64)
    return np.where(code == 3, told, np.minimum(code + 1, 2))


def _copied(payloads: Payloads, lost: Integers) -> Integers:
    """Return the length of the frame before the payload that it holds a copy of, at 48 kHz; 0: of none.

    The copy is of the frame before its first one only, and stands in the layer of SILK.
    """
    library, base = _library(), payloads.data.ctypes.data
    copied = np.zeros(len(payloads), np.int64)
    room = (lost > 0) & (lost >= _frame_ticks(payloads)) & (ticks(payloads) > 0)
    for index in np.flatnonzero(room).tolist():
        if library and library.opus_packet_has_lbrr(base + int(payloads.start[index]), int(payloads.length[index])) > 0:
            copied[index] = _frame_ticks(payloads)[index]
    return copied


@dataclass(slots=True)
class _Decoder:
    library: ctypes.CDLL
    state: int

    @classmethod
    def create(cls, rate: int) -> "_Decoder":
        library = _library()
        assert library is not None
        error = ctypes.c_int()
        return cls(library, library.opus_decoder_create(rate, 1, ctypes.byref(error)))

    def decode(self, address: int | None, length: int, out: Samples, *, copy: bool = False) -> int:
        """Decode a packet, or what it repeats of the one before; return how many samples there are, < 0: an error.

        Args:
            address: None: the packet is lost; `out` is as long as it.
        """
        room = len(out)
        found: int = self.library.opus_decode(self.state, address, length, out.ctypes.data, room, copy) if room else 0
        return found

    def __del__(self) -> None:
        self.library.opus_decoder_destroy(self.state)


@cache
def _library() -> ctypes.CDLL | None:
    path = _path()
    if path is None:
        return None
    library = ctypes.CDLL(path)
    pointer, number = ctypes.c_void_p, ctypes.c_int
    library.opus_decoder_create.restype = pointer
    library.opus_decoder_create.argtypes = [ctypes.c_int32, number, ctypes.POINTER(number)]
    library.opus_decode.argtypes = [pointer, pointer, ctypes.c_int32, pointer, number, number]
    library.opus_decoder_destroy.argtypes = [pointer]
    library.opus_decoder_destroy.restype = None
    library.opus_packet_has_lbrr.argtypes = [pointer, ctypes.c_int32]
    return library


def _path() -> str | None:
    """Return where libopus is: in the wheel of PyAV, or else in the system."""
    av = find_spec("av")
    bundled = Path(av.origin).parent.with_name("av.libs").glob("libopus[-.]*") if av and av.origin else ()
    return next(map(str, bundled), None) or ctypes.util.find_library("opus")
