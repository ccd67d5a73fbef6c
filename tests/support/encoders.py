"""Encoders and decoders of other projects, by their C interfaces: what the decoders here are compared with.

spandsp: G.726, G.722, GSM. opencore-amr and vo-amrwbenc: AMR and AMR-WB. bcg729: G.729. libopus: that of the system,
another version than the one that decodes. Packages in the Makefile.
"""

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

Sound = np.ndarray
_POINTER, _INT = ctypes.c_void_p, ctypes.c_int


BCG729 = "libbcg729.so.0"


def available(name: str) -> bool:
    try:
        return bool(ctypes.CDLL(name))
    except OSError:
        return False


@cache
def library(name: str) -> ctypes.CDLL:
    """A shared library; the test is skipped without."""
    if not available(name):
        pytest.skip(f"{name} is missing: make system")
    return ctypes.CDLL(name)


def _function(name: str, function: str, result: object, *arguments: object) -> Callable[..., int]:
    found = getattr(library(name), function)
    found.restype, found.argtypes = result, arguments
    return found


class Spandsp:
    """A codec of spandsp with a state for each direction."""

    _NAME = "libspandsp.so.2"

    def __init__(self, codec: str, *settings: int) -> None:
        """
        Args:
            codec: "g726", "g722", "gsm0610".
            settings: that its init function takes behind the state.
        """
        self._codec, self._settings = codec, settings

    def _state(self, way: str) -> int:
        init = f"{self._codec}{way if self._codec == 'g722' else ''}_init"
        return _function(self._NAME, init, _POINTER, _POINTER, *[_INT] * len(self._settings))(None, *self._settings)

    def _run(self, way: str, given: np.ndarray, room: np.ndarray) -> int:
        run = _function(self._NAME, f"{self._codec}_{way}", _INT, _POINTER, _POINTER, _POINTER, _INT)
        given = np.ascontiguousarray(given)
        return run(self._state(f"_{way}"), room.ctypes.data, given.ctypes.data, len(given))

    def encode(self, sound: Sound) -> bytes:
        room = np.zeros(2 * len(sound) + 100, np.uint8)
        return room[: self._run("encode", sound, room)].tobytes()

    def decode(self, octets: bytes) -> Sound:
        room = np.zeros(8 * len(octets) + 100, np.int16)
        return room[: self._run("decode", np.frombuffer(octets, np.uint8), room)]


class Opus:
    """An encoder of libopus at 48 kHz with a memory; packets of any length."""

    NAME = "libopus.so.0"
    VOICE, AUDIO = 2048, 2049
    DELAY = 312
    """Samples by which what is decoded is behind what was given (RFC 7845 §4.2: pre-skip)."""

    def __init__(
        self, bit_rate: int, application: int = AUDIO, channels: int = 1, *, loss: int = 0, dtx: bool = False
    ) -> None:
        """
        Args:
            loss: per cent of packets that copies (in-band FEC) are to be sent for; 0: none.
            dtx: whether nothing is sent while it is silent.
        """
        create = _function(self.NAME, "opus_encoder_create", _POINTER, ctypes.c_int32, _INT, _INT, _POINTER)
        control = _function(self.NAME, "opus_encoder_ctl", _INT, _POINTER, _INT, _INT)
        self._encode = _function(self.NAME, "opus_encode", _INT, _POINTER, _POINTER, _INT, _POINTER, ctypes.c_int32)
        self._state, self._channels = create(48_000, channels, application, None), channels
        for request, value in ((4002, bit_rate), (4012, int(loss > 0)), (4014, loss), (4016, int(dtx))):
            assert control(self._state, request, value) == 0

    def encode(self, part: Sound) -> bytes:
        """A packet of 2.5 to 120 ms; of two channels the samples of each moment stand side by side."""
        part, out = np.ascontiguousarray(part), np.zeros(4000, np.uint8)
        size = self._encode(self._state, part.ctypes.data, len(part) // self._channels, out.ctypes.data, len(out))
        assert size > 0
        return out[:size].tobytes()


def opus_decoded(packets: list[bytes | None], size: int) -> Sound:
    """What that libopus hears, packets of `size` samples; None: one that was lost."""
    name = Opus.NAME
    state = _function(name, "opus_decoder_create", _POINTER, ctypes.c_int32, _INT, _POINTER)(48_000, 1, None)
    decode = _function(name, "opus_decode", _INT, _POINTER, _POINTER, ctypes.c_int32, _POINTER, _INT, _INT)
    sound = np.zeros((len(packets), size), np.int16)
    for packet, part in zip(packets, sound, strict=True):
        data = np.frombuffer(packet, np.uint8) if packet else None
        assert (
            decode(state, data if data is None else data.ctypes.data, len(packet or b""), part.ctypes.data, size, 0)
            == size
        )
    return sound.ravel()


def amr(sound: Sound, mode: int, *, dtx: bool = False) -> list[bytes]:
    """Frames of 20 ms as in a file: a head of one octet, then the bits."""
    name = "libopencore-amrnb.so.0"
    state = _function(name, "Encoder_Interface_init", _POINTER, _INT)(dtx)
    encode = _function(name, "Encoder_Interface_Encode", _INT, _POINTER, _INT, _POINTER, _POINTER, _INT)
    return [_frame(encode, state, mode, part) for part in sound.reshape(-1, 160)]


def amr_wb(sound: Sound, mode: int) -> list[bytes]:
    name = "libvo-amrwbenc.so.0"
    state = _function(name, "E_IF_init", _POINTER)()
    encode = _function(name, "E_IF_encode", _INT, _POINTER, _INT, _POINTER, _POINTER, _INT)
    return [_frame(encode, state, mode, part) for part in sound.reshape(-1, 320)]


def _frame(encode: Callable[..., int], state: int, mode: int, part: Sound) -> bytes:
    out = np.zeros(64, np.uint8)
    return out[: encode(state, mode, np.ascontiguousarray(part).ctypes.data, out.ctypes.data, 0)].tobytes()


def amr_decoded(frames: list[bytes], *, wide: bool = False) -> Sound:
    """What opencore-amr hears."""
    name, prefix = ("libopencore-amrwb.so.0", "D_IF") if wide else ("libopencore-amrnb.so.0", "Decoder_Interface")
    state = _function(name, f"{prefix}_init", _POINTER)()
    decode = _function(name, f"{prefix}_{'decode' if wide else 'Decode'}", None, _POINTER, _POINTER, _POINTER, _INT)
    sound = np.zeros((len(frames), 320 if wide else 160), np.int16)
    for frame, part in zip(frames, sound, strict=True):
        decode(state, np.frombuffer(frame, np.uint8).ctypes.data, part.ctypes.data, 0)
    return sound.ravel()


def g729(sound: Sound, *, silence: bool = False) -> list[bytes]:
    """Frames of 10 ms; with `silence` detected, descriptions of it of 2 octets, or nothing."""
    name = BCG729
    state = _function(name, "initBcg729EncoderChannel", _POINTER, ctypes.c_uint8)(silence)
    encode = _function(name, "bcg729Encoder", None, _POINTER, _POINTER, _POINTER, ctypes.POINTER(ctypes.c_uint8))
    length, out, frames = ctypes.c_uint8(), np.zeros(10, np.uint8), []
    for part in np.ascontiguousarray(sound).reshape(-1, 80):
        encode(state, part.ctypes.data, out.ctypes.data, ctypes.byref(length))
        frames.append(out[: length.value].tobytes())
    return frames


def g729_decoded(frames: list[bytes]) -> Sound:
    """What bcg729 hears; an empty frame is one that was not sent."""
    name, octet = BCG729, ctypes.c_uint8
    state = _function(name, "initBcg729DecoderChannel", _POINTER)()
    decode = _function(name, "bcg729Decoder", None, _POINTER, _POINTER, octet, octet, octet, octet, _POINTER)
    sound = np.zeros((len(frames), 80), np.int16)
    for frame, part in zip(frames, sound, strict=True):
        data = np.frombuffer(frame.ljust(10, b"\0"), np.uint8)
        decode(state, data.ctypes.data, len(frame), not frame, len(frame) == 2, 0, part.ctypes.data)
    return sound.ravel()
