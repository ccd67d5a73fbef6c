"""What is known of a leg beside its sound."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rtp.jitter import Gaps

MOST_GAPS = 1000
"""Gaps listed for a leg; more are counted."""
PAUSE_SLACK_NS = 1_000_000_000
"""A client may stop this much before a pause is agreed and start this much after it ends, together."""

Span = tuple[float, float]
"""(seconds since the start of the session, seconds)."""
Digit = tuple[float, float, str]
"""(seconds since the start of the session, seconds, key)."""
Interval = tuple[int, int]
"""(from, to), UTC in nanoseconds."""


@dataclass(frozen=True, slots=True)
class LegFacts:
    """Counts are of packets. Everything is fit for JSON."""

    packets: int
    """Distinct RTP packets of the leg's senders, digits and comfort noise too; with `lost`, all that were sent."""
    lost: int
    duplicates: int
    reordered: int
    seconds: float
    """Of audio that came to be heard."""
    written_s: float = 0.0
    """Of these, seconds that are in the recording: fewer where packets overlap or could not be decoded, or where the
    session was over."""
    lost_s: float = 0.0
    """Seconds of audio that are missing by the RTP timestamps; with `seconds`, all that was to be heard."""
    lost_on_wire: int = 0
    """Of those lost, packets that never came: not dropped by the kernel. The session tells what the disk refused."""
    gaps: list[Span] = field(default_factory=list)
    """Where packets are lost."""
    gaps_omitted: int = 0
    """Gaps beyond the first thousand."""
    silence_s: float = 0.0
    """Seconds in which the client sent nothing though it might (discontinuous transmission)."""
    pauses: list[Span] = field(default_factory=list)
    """Where the client asked not to record."""
    while_paused: int = 0
    """Came during a pause and are not heard."""
    after_end: int = 0
    """Came after the BYE and are not heard."""
    strays: int = 0
    """Fit no line of sequence numbers, or are the only one of their SSRC."""
    strangers: int = 0
    """Came from another address than the sender of their SSRC."""
    comfort_noise: int = 0
    events: int = 0
    """Packets with RFC 4733 digits and tones."""
    digits: list[Digit] = field(default_factory=list)
    """Keys that were pressed (0-9, *, #, A-D, ! for flash; the number of any other event), in order of time; "x" where
    they are masked."""
    undecoded: dict[str, int] = field(default_factory=dict)
    """Packets of codecs that there is no decoder for: their time is silence."""
    damaged: int = 0
    """Packets whose payload could not be decoded, or not all of it: that is silence."""
    recovered: int = 0
    """Lost packets that are heard all the same, because another one held a copy."""
    concealed: list[Span] = field(default_factory=list)
    """Where losses are sounded over with what was heard before, the first thousand (`[audio] losses`)."""
    concealed_s: float = 0.0
    """Seconds of all of them."""
    srtp: str | None = None
    """Crypto suites that it came with; None: it came in the clear."""
    forged: int = 0
    """SRTP and SRTCP packets that open with no key that was agreed on: forged, damaged, or the key was another."""
    replayed: int = 0
    """SRTP packets that came once more long after, and SRTCP packets that came before."""
    malformed: dict[str, int] = field(default_factory=dict)
    """Datagrams that are no RTP, by kind."""
    kernel_dropped: int = 0
    """Datagrams that came but could not be read in time."""
    skew_ppm: float = 0.0
    """How much slower the sender's clock ran than ours, by most of its packets; made good. 0: not measurable."""
    early_ms: float = 0.0
    """By how much it stands earlier than it came, because its sender reports say that its way takes longer than that of
    another leg. 0: where it came."""
    quality: dict[str, float | None] = field(default_factory=dict)
    """See `rtp.quality.Quality`."""
    ssrcs: list[str] = field(default_factory=list)
    codecs: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Losses:
    """Packets that are really missing, and where."""

    lost: int
    spans: list[Interval]
    silence_ns: int


def losses(gaps: Gaps, lost: int, pauses: Sequence[Interval]) -> Losses:
    """Tell losses from what a client left out on purpose: inside a pause nothing is lost."""
    spans, silence_ns = [], 0
    columns = (gaps.start_ns.tolist(), gaps.length_ns.tolist(), gaps.missing.tolist())
    for start_ns, length_ns, missing in zip(*columns, strict=True):
        paused_ns = sum(overlap((start_ns, start_ns + length_ns), pause) for pause in pauses)
        if missing == 0:
            silence_ns += length_ns - paused_ns
            continue
        excused = _excused(missing, length_ns, paused_ns)
        lost -= excused
        if excused < missing:
            spans.append((start_ns, start_ns + length_ns))
    return Losses(lost, spans, silence_ns)


def _excused(missing: int, length_ns: int, paused_ns: int) -> int:
    """Return how many packets missing in a gap were not sent because of a pause."""
    if paused_ns == 0:
        return 0
    outside_ns = max(length_ns - paused_ns - PAUSE_SLACK_NS, 0)
    return missing - round(missing * outside_ns / length_ns)


def one_way(legs: Sequence[tuple[str | None, LegFacts]], seconds: float) -> list[dict[str, str | None]]:
    """Return the legs on which nothing is heard though something is on another: label, and why; fit for JSON.

    A leg that the client paused all the time is none, nor one that cannot be decoded.

    Args:
        seconds: of the session.
    """
    asked = [(label, facts) for label, facts in legs if not facts.pauses or _paused_s(facts) < seconds - 1]
    why = [(label, _unheard(facts)) for label, facts in asked if not facts.undecoded]
    found = [{"label": label, "why": reason} for label, reason in why if reason]
    return found if len(found) < len(why) else []


def _paused_s(facts: LegFacts) -> float:
    return sum(length for _, length in facts.pauses)


def _unheard(facts: LegFacts) -> str | None:
    if facts.packets - facts.events - facts.comfort_noise <= 0:
        return "no packets"
    return "silence" if facts.quality.get("level_dbov") is None else None


def problems(label: str | None, facts: LegFacts) -> Iterator[str]:
    """Yield in words what came of a leg and is not heard though it was meant to be."""
    leg = f"leg {label or '?'}"
    if facts.forged and not facts.packets:
        yield f"{leg}: none of {facts.forged} SRTP packets opens with the keys that were agreed on"
    elif facts.forged:
        total = facts.packets + facts.forged
        yield f"{leg}: {facts.forged} of {total} SRTP packets open with none of the keys that were agreed on"
    for codec, count in facts.undecoded.items():
        yield f"{leg}: {count} packets of {codec} cannot be decoded: srs export ID --format pcap has them as they came"
    if facts.damaged:
        yield f"{leg}: {facts.damaged} packets are damaged; what cannot be decoded of them is silence"


def overlap(one: Interval, other: Interval) -> int:
    """Return how long two intervals have in common."""
    return max(min(one[1], other[1]) - max(one[0], other[0]), 0)


def span(interval: Interval, start_ns: int) -> Span:
    """Return an interval in seconds of a session that began at `start_ns`."""
    return round((interval[0] - start_ns) / 1e9, 6), round((interval[1] - interval[0]) / 1e9, 6)
