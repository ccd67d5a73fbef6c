"""Sound files by PyAV: flac, mp3 and opus written, any form read. `srs.archive.audio` loads it where it is needed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, cast

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.layout import AudioLayout
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import OutputContainer

from srs.archive.audio import PIECE_FRAMES, Encoder, Samples, Sound, mixed
from srs.archive.errors import NotReady

_LAYOUTS: Final = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")


def encode(
    file: IO[bytes], encoder: Encoder, sound: Iterable[Samples], channels: int, rate: int, tags: Mapping[str, str]
) -> None:
    """Write a sound file in the form of an encoder; the rest as `audio.write` has it."""
    if channels > encoder.most_channels:
        sound, channels = (mixed(piece) for piece in sound), 1
    layout = _LAYOUTS[channels - 1]
    with av.open(file, "w", format=encoder.container) as container:
        container.metadata.update(tags)
        stream = _stream(container, encoder, layout, rate)
        stream.metadata.update(tags)  # Ogg has its tags in the stream
        for frame in _frames(sound, stream, layout, rate):
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _stream(container: OutputContainer, encoder: Encoder, layout: str, rate: int) -> AudioStream:
    target = next((allowed for allowed in encoder.rates if allowed >= rate), max(encoder.rates, default=rate))
    stream = cast("AudioStream", container.add_stream(encoder.codec, rate=target if encoder.rates else rate))
    context: AudioCodecContext = stream.codec_context
    context.layout, context.format = layout, encoder.sample_format
    if encoder.bit_rate_per_channel:
        context.bit_rate = encoder.bit_rate_per_channel * AudioLayout(layout).nb_channels
    context.open()
    return stream


def _frames(sound: Iterable[Samples], stream: AudioStream, layout: str, rate: int) -> Iterator[AudioFrame]:
    """The pieces as frames of the size, rate and format that the encoder wants; the last may be shorter."""
    context = stream.codec_context
    shaper = AudioResampler(context.format, layout, context.sample_rate, frame_size=context.frame_size or None)
    position = 0
    for piece in sound:
        yield from shaper.resample(_frame(piece, layout, rate, position))
        position += len(piece)
    if position == 0:  # encoders make no file of nothing
        silence = np.zeros((rate // 50, AudioLayout(layout).nb_channels), np.int16)
        yield from shaper.resample(_frame(silence, layout, rate, 0))
    yield from shaper.resample(None)


def _frame(piece: Samples, layout: str, rate: int, position: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(piece).reshape(1, -1), format="s16", layout=layout)
    frame.sample_rate, frame.pts = rate, position
    return frame


def decode(file: IO[bytes]) -> Sound:
    """What `audio.read` gives.

    Raises:
        NotReady: it cannot be decoded.
    """
    try:
        container = av.open(cast("Any", file))
        stream = container.streams.audio[0]
    except (av.FFmpegError, IndexError) as error:
        raise NotReady(f"the stored sound cannot be decoded: {error}") from error
    channels, rate = stream.codec_context.channels, stream.codec_context.sample_rate

    def decoded() -> Iterator[Samples]:
        shaper = AudioResampler("s16", stream.codec_context.layout, rate, frame_size=PIECE_FRAMES)
        with container:
            for frame in container.decode(stream):
                yield from _pieces(shaper.resample(frame), channels)
            yield from _pieces(shaper.resample(None), channels)

    return Sound(channels, rate, decoded())


def _pieces(frames: Iterable[AudioFrame], channels: int) -> Iterator[Samples]:
    for frame in frames:
        yield cast("Samples", frame.to_ndarray()).reshape(-1, channels)
