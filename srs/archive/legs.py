"""One leg of a recording: its sound on the session's clock, and what is known beside it."""

from collections import Counter
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from rtp import conceal, events
from rtp.codecs import NOT_AUDIO, Samples, decodable, decode
from rtp.mix import Clock, Placed, laid, leg, resample
from rtp.quality import bit_rate, has_modes, quality
from srs.archive.facts import MOST_GAPS, Digit, Interval, LegFacts, Span, losses, span
from srs.archive.listen import Heard, Source

Integers = NDArray[np.int64]
DEFAULT_RATE = 8000
"""Hz, of a leg of which nothing can be decoded."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The time that a leg is recorded for: UTC in nanoseconds."""

    start_ns: int
    end_ns: int
    pauses: tuple[Interval, ...] = ()
    """Where the client asked not to record."""
    withheld: tuple[Interval, ...] = ()
    """Where an operator did."""

    @property
    def silent(self) -> tuple[Interval, ...]:
        """Where nothing is heard, in order of time; none of them overlap."""
        found: list[Interval] = []
        for begin, end in sorted((*self.pauses, *self.withheld)):
            if found and begin <= found[-1][1]:
                begin, end = found[-1][0], max(found.pop()[1], end)
            found.append((begin, end))
        return tuple(found)

    def clock(self, rate: int) -> Clock:
        return Clock(self.start_ns, rate, round((self.end_ns - self.start_ns) * rate / 1e9))

    def paused(self, time_ns: Integers) -> NDArray[np.bool_]:
        """Tell which moments lie in a pause."""
        inside = np.zeros(len(time_ns), bool)
        for begin, end in self.silent:
            inside |= (time_ns >= begin) & (time_ns < end)
        return inside


@dataclass(frozen=True, slots=True)
class Sound:
    """What a leg sounds like: silence where it paused, where nothing came or nothing is decoded."""

    samples: Samples
    rate: int
    """Hz."""
    damaged: int
    """Packets of which not all could be decoded."""
    recovered: int
    """Lost packets that another one held a copy of."""
    concealed: tuple[Span, ...] = ()
    """Where losses are sounded over."""
    written_s: float = 0.0
    """Seconds of what was sent that are in the samples."""


def sound(data: NDArray[np.uint8], heard: Heard, frame: Frame, *, concealing: bool = False) -> Sound:
    """Decode a leg.

    Args:
        data: the capture that the payloads lie in.
        concealing: whether losses are sounded over, or else silent.
    """
    found = [each for source in heard.sources for each in _place(data, source, heard, frame)]
    filled = [conceal.fill(each, *conceal.holes(each, lost)) for each, lost in found] if concealing else []
    placed = [*(each for each, _ in found), *filled]
    rates = sorted({each.decoded.rate for each in placed}, reverse=True) or [DEFAULT_RATE]
    length = frame.clock(rates[0]).length
    parts = [_at_rate([each for each in placed if each.decoded.rate == rate], rate, rates[0], frame) for rate in rates]
    samples = parts[0]
    if len(parts) > 1:
        together = np.sum([part[:length] for part in parts], axis=0, dtype=np.int32)
        samples = np.clip(together, -32768, 32767).astype(np.int16)
    leads = [each.decoded.lead for each in placed if each.decoded.lead is not None]
    return Sound(
        samples,
        rates[0],
        damaged=sum(each.decoded.damaged for each in placed),
        recovered=sum(int(np.count_nonzero(lead)) for lead in leads),
        concealed=tuple(sorted(span_ for each in filled for span_ in _spans(each))),
        written_s=sum(laid(each, frame.clock(each.decoded.rate).length) / each.decoded.rate for each, _ in found),
    )


def _spans(placed: Placed) -> list[Span]:
    rate, columns = placed.decoded.rate, (placed.positions.tolist(), placed.decoded.counts.tolist())
    return [(round(first / rate, 6), round(count / rate, 6)) for first, count in zip(*columns, strict=True)]


def _place(
    data: NDArray[np.uint8], source: Source, heard: Heard, frame: Frame
) -> list[tuple[Placed, NDArray[np.bool_]]]:
    """Decode what is heard of an SSRC, codec by codec; and before which packets of one others of it are lost."""
    timeline = source.timeline
    audible, lost = _audible(source, frame), _lost(source, frame)
    codec = source.codec[timeline.packet]
    placed = []
    for index in np.flatnonzero(np.bincount(codec[audible])).tolist():
        chosen = np.flatnonzero(audible & (codec == index))
        packets = timeline.packet[chosen]
        payloads = (source.packets.start[packets], source.packets.length[packets], lost[chosen])
        decoded = decode(heard.codecs[index], data, *payloads)
        if decoded is not None:
            where = (timeline.anchor_ns[chosen], timeline.ticks[chosen], source.clock_rate[packets])
            begin = frame.clock(decoded.rate).positions(*where)
            lead = 0 if decoded.lead is None else decoded.lead
            follows = np.diff(chosen, prepend=-1) == 1
            skewed = bool(timeline.skew.any())
            placed.append((Placed(decoded, begin - lead, skewed), follows & (lost[chosen] > 0)))
    return placed


def _audible(source: Source, frame: Frame) -> NDArray[np.bool_]:
    """Tell which packets played are heard: not those of a pause, nor copies of such that came behind it."""
    packets = source.timeline.packet
    paused = frame.paused(source.packets.time_ns[packets])
    if source.copies:
        paused |= source.copied[packets] & frame.paused(source.begin_ns)
    return ~paused


def _lost(source: Source, frame: Frame) -> Integers:
    """Return how long the sound is that was lost right before each packet played, in ticks; none in a pause."""
    begin_ns, end_ns = source.begin_ns, source.end_ns
    after_ns = np.append(begin_ns[:1], end_ns[:-1])
    heard = source.timeline.missing > 0
    for since, until in frame.silent:
        heard &= (begin_ns <= since) | (after_ns >= until)
    ticks = (begin_ns - after_ns) * (source.clock_rate[source.timeline.packet] / 1e9)
    return np.where(heard, np.rint(ticks), 0).clip(0).astype(np.int64)


def _at_rate(placed: list[Placed], own: int, rate: int, frame: Frame) -> Samples:
    """Return what was decoded at one rate at the rate of the leg; at least as long as the leg."""
    length = -(-frame.clock(rate).length * own // rate)
    return resample(leg(placed, length), own, rate)


def facts(data: NDArray[np.uint8], heard: Heard, frame: Frame, sound: Sound, kernel_dropped: int) -> LegFacts:
    """Return the counts of a leg, and where it has gaps and pauses."""
    timelines = [source.timeline for source in heard.sources]
    found = [losses(timeline.gaps, timeline.lost, frame.silent) for timeline in timelines]
    spans = sorted(each for item in found for each in item.spans)
    copies = sum(source.copies for source in heard.sources)
    lost = sum(item.lost for item in found) + copies
    names = codec_names(heard)
    missing = {each.name for each in heard.codecs if each.name not in NOT_AUDIO and not decodable(each)}
    return LegFacts(
        packets=sum(timeline.packets for timeline in timelines) - copies,
        lost=lost,
        duplicates=sum(timeline.duplicates for timeline in timelines),
        reordered=sum(timeline.reordered for timeline in timelines),
        seconds=round(sum(_seconds(source, frame) for source in heard.sources), 6),
        written_s=round(sound.written_s, 6),
        lost_s=round(sum(until - since for since, until in spans) / 1e9, 6),
        lost_on_wire=max(lost - kernel_dropped, 0),
        gaps=[span(each, frame.start_ns) for each in spans[:MOST_GAPS]],
        gaps_omitted=len(spans[MOST_GAPS:]),
        silence_s=round(sum(item.silence_ns for item in found) / 1e9, 6),
        pauses=[span(pause, frame.start_ns) for pause in frame.pauses],
        while_paused=sum(int(frame.paused(source.packets.time_ns).sum()) for source in heard.sources),
        after_end=heard.after_end,
        strays=heard.lone + sum(timeline.strays for timeline in timelines),
        strangers=heard.strangers,
        comfort_noise=names["CN"],
        events=names["TELEPHONE-EVENT"],
        digits=digits(data, heard, frame),
        undecoded={name: count for name, count in names.items() if name in missing},
        damaged=sound.damaged,
        recovered=sound.recovered + copies,
        concealed=list(sound.concealed[:MOST_GAPS]),
        concealed_s=round(sum(length_s for _, length_s in sound.concealed), 6),
        malformed=dict(heard.malformed),
        kernel_dropped=kernel_dropped,
        skew_ppm=_skew_ppm(heard),
        early_ms=round(max((source.early_ns for source in heard.sources), default=0) / 1e6, 3),
        quality=_quality(heard, frame, sound),
        ssrcs=[f"{source.ssrc:08x}" for source in heard.sources],
        codecs=list(names),
    )


def _quality(heard: Heard, frame: Frame, sound: Sound) -> dict[str, float | None]:
    """Return how well the leg came and how it sounds."""
    missing, transit = [np.empty(0, np.int64)], [np.empty(0)]
    for source in heard.sources:
        timeline, came_ns = source.timeline, source.packets.time_ns[source.timeline.packet]
        began_ns = timeline.anchor_ns + timeline.ticks * (1e9 / source.clock_rate[timeline.packet])
        transit.append((came_ns - began_ns)[_by_arrival(timeline.packet)])
        missing.append(np.where(_after_pause(came_ns, frame), 0, timeline.missing))
    codec, course = main_codec(heard), (np.concatenate(missing), np.concatenate(transit))
    return asdict(quality(codec, *course, sound.samples, sound.rate, _bit_rate(heard, codec)))


def _by_arrival(packet: Integers) -> Integers | slice:
    return slice(None) if (np.diff(packet) > 0).all() else np.argsort(packet)


def _bit_rate(heard: Heard, name: str | None) -> float:
    """Return the payload bit rate of a codec of the leg; 0: none is needed."""
    if not has_modes(name):
        return 0.0
    octets, seconds = [np.empty(0, np.int64)], [np.empty(0)]
    wanted = [index for index, codec in enumerate(heard.codecs) if codec.name == name]
    for source in heard.sources:
        packets = source.timeline.packet
        own = np.isin(source.codec[packets], wanted)
        octets.append(source.packets.length[packets][own])
        seconds.append((source.timeline.duration / source.clock_rate[packets])[own])
    return bit_rate(np.concatenate(octets), np.concatenate(seconds))


def _after_pause(came_ns: Integers, frame: Frame) -> NDArray[np.bool_]:
    """Tell which packets are the first behind a pause: those missing before them were not to come."""
    first = np.zeros(len(came_ns) + 1, bool)
    first[[int(np.searchsorted(came_ns, end)) for _, end in frame.silent]] = True
    return first[:-1]


def _skew_ppm(heard: Heard) -> float:
    """Return the skew that most packets have."""
    skews = [source.timeline.skew for source in heard.sources]
    return round(1e6 * float(np.median(np.concatenate(skews))), 1) if any(skew.any() for skew in skews) else 0.0


def digits(data: NDArray[np.uint8], heard: Heard, frame: Frame) -> list[Digit]:
    """Return the keys that were pressed outside the pauses."""
    found = []
    for index, codec in enumerate(heard.codecs):
        if codec.name == "TELEPHONE-EVENT":
            for source in heard.sources:
                told = (source.codec == index) & ~frame.paused(source.packets.time_ns)
                read = events.read(data, source.packets.take(told), codec.clock_rate)
                found += [(each.start_ns - source.early_ns, each) for each in read]
    found.sort(key=lambda item: item[0])
    return [(*span((start_ns, start_ns + each.length_ns), frame.start_ns), each.name) for start_ns, each in found]


def codec_names(heard: Heard) -> Counter[str]:
    """Return how many packets have which encoding, duplicates too."""
    names: Counter[str] = Counter()
    for source in heard.sources:
        counts = np.bincount(source.codec, minlength=len(heard.codecs)).tolist()
        for codec, count in zip(heard.codecs, counts, strict=True):
            names[codec.name] += count
    return +names


def main_codec(heard: Heard) -> str | None:
    """Return the audio encoding that most packets have."""
    audio = [(count, name) for name, count in codec_names(heard).items() if name not in NOT_AUDIO]
    return max(audio)[1] if audio else None


def _seconds(source: Source, frame: Frame) -> float:
    """Return how many seconds of audio are heard of an SSRC."""
    seconds = source.timeline.duration / source.clock_rate[source.timeline.packet]
    return float(seconds[_audible(source, frame)].sum())
