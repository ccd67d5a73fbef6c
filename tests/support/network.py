"""Random RTP through a random network, with a known truth: which samples stand where."""

import itertools
import shutil
import struct
import subprocess
from dataclasses import dataclass, field

import numpy as np

from rtp.codecs import a_law, mu_law
from tests.support.encoders import Opus, available

NS = 1_000_000_000
RATE = 8000
TICK_NS = NS // RATE
G726, GSM, G722, G729 = 2, 3, 9, 18
ILBC, L16, OPUS = 116, 118, 119
RTPMAPS = {ILBC: "iLBC/8000", L16: f"L16/{RATE}", OPUS: "opus/48000/2"}
"""Of the dynamic payload types."""
LATEST_NS = 500_000_000
QUIET_TICKS = 8000
"""Of a line of timestamps, at its beginning and end, without loss and delay: its place is told there."""
HEARD = {
    G726: (["-f", "g726le", "-code_size", "4", "-ar", "8000"], b"", RATE),
    GSM: (["-f", "gsm"], b"", RATE),
    G722: (["-f", "g722"], b"", 2 * RATE),
    G729: (["-f", "g729"], b"", RATE),
    ILBC: (["-f", "ilbc"], b"#!iLBC20\n", RATE),
}
"""Those of which ffmpeg tells the sound: what it is told of them, how a file of it begins, and Hz."""
KINDS = [0, 8, L16, *(HEARD if shutil.which("ffmpeg") else []), *([OPUS] if available(Opus.NAME) else [])]
FRAMES = {G726: (2, 1), GSM: (160, 33), G729: (80, 10), ILBC: (160, 38)}
"""Ticks and octets of a frame, or of the least that fills an octet."""
OPUS_RATE = 48_000
LIKE = 0.6
"""At least so much is a piece of decoded noise like what was spoken, if it stands there to the sample; else 0.2."""
PIECE = 480
TABLES = {0: mu_law(), 8: a_law()}


@dataclass
class Stream:
    """Packets of one leg in order of sending. Times are nanoseconds since the 200."""

    sent_ns: list[int] = field(default_factory=list)
    """True moment, by our clock, at which the sound of a packet begins."""
    datagrams: list[bytes] = field(default_factory=list)
    sound: list[np.ndarray] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    lost: int = 0
    duplicates: int = 0
    arrivals: list[tuple[int, int]] = field(default_factory=list)
    """(when, which packet), in no order."""
    ppm: float = 0.0
    """By which the sender's clock is slow."""
    rate: int = RATE
    """Hz, of the sound."""
    lossy: bool = False
    """What is decoded is only like the sound."""


def stream(rng, seconds, *, kind=None, ppm=0.0, lines=4, loss=0.05, late=0.03, doubled=0.02, apart=200):
    """A leg of random packet times, restarts, silences, losses, late and doubled packets.

    Args:
        kind: its payload type; None: any of `KINDS`.
        apart: ticks between two lines of timestamps: more than a sender may be late, or they would lie over each other.
    """
    made = Stream(ppm=ppm)
    kind = int(rng.choice(KINDS)) if kind is None else kind
    cuts = np.sort(rng.choice(int(seconds) // 4, lines - 1, replace=False) + 1) * 4.0 if lines > 1 else []
    edges = [float(rng.uniform(0, 1)), *cuts, seconds]
    state = _Sender(rng, kind)
    for begin, end in itertools.pairwise(edges):
        state.restart()
        _line(made, state, round(begin * RATE), round(end * RATE) - apart, (loss, late, doubled))
    if kind in HEARD:
        _hear(made, *HEARD[kind])
    elif kind == OPUS:
        made.rate, made.lossy = OPUS_RATE, True
    return made


def _hear(made, form, head, rate):
    """The sound of what arrives, by another decoder: what each packet sounds like depends on those before it."""
    made.rate = rate
    senders = {datagram[8:12] for datagram in made.datagrams}
    for sender in senders:
        kept = [i for i, datagram in enumerate(made.datagrams) if datagram[8:12] == sender and made.kept[i]]
        payloads = [made.datagrams[i][12:] for i in kept]
        command = ["ffmpeg", "-v", "error", *form, "-i", "-", "-f", "s16le", "-"]
        done = subprocess.run(command, input=head + b"".join(payloads), capture_output=True, check=True)
        sound = np.frombuffer(done.stdout, "<i2")
        ends = np.cumsum([len(made.sound[i]) * rate // RATE for i in kept])
        assert len(sound) == ends[-1]
        for i, part in zip(kept, np.split(sound, ends[:-1]), strict=True):
            made.sound[i] = part


class _Sender:
    def __init__(self, rng, kind):
        self.rng, self.kind = rng, kind
        self.ssrc, self.sequence, self.timestamp = (int(rng.integers(2**bits)) for bits in (32, 16, 32))
        self.first = True
        self.opus = _Noise(rng) if kind == OPUS else None

    def restart(self):
        """Begin a new line of timestamps: under a new SSRC, or the same with its sequence going on or not."""
        if self.first:
            self.first = False
            self.sequence = int(self.rng.choice([self.sequence, 65_530]))  # a wrap soon
            self.timestamp = int(self.rng.choice([self.timestamp, 2**32 - 10_000]))
            return
        change = self.rng.integers(3)
        self.timestamp = int(self.rng.integers(2**32))
        if change == 0:
            self.ssrc = int(self.rng.integers(2**32))
            self.opus = self.opus and _Noise(self.rng)
        if change <= 1:
            self.sequence = int(self.rng.integers(2**16))

    def packet(self, ticks):
        """The next packet of so many ticks: datagram and the samples in it."""
        header = struct.pack(">BBHII", 0x80, self.kind, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc)
        self.sequence += 1
        self.pass_time(ticks)
        if self.opus:
            payload, samples = self.opus.packet(ticks * OPUS_RATE // RATE)
            return header + payload, samples
        if self.kind == L16:
            samples = self.rng.integers(-32768, 32768, ticks).astype(np.int16)
            return header + samples.astype(">i2").tobytes(), samples
        codes = self._codes(ticks)
        if self.kind in HEARD:
            return header + codes.tobytes(), np.zeros(ticks, np.int16)
        return header + codes.tobytes(), TABLES[self.kind][codes]

    def _codes(self, ticks):
        frame, size = FRAMES.get(self.kind, (1, 1))
        codes = self.rng.integers(0, 256, ticks // frame * size, dtype=np.uint8)
        if self.kind == GSM:  # every frame begins so
            codes[::size] |= 0xD0
            codes[::size] &= 0xDF
        if self.kind == ILBC:  # the last bit tells an empty frame
            codes[size - 1 :: size] &= 0xFE
        return codes

    def pass_time(self, ticks):
        self.timestamp += ticks * (OPUS_RATE // RATE if self.opus else 1)

    def ptime(self):
        """Ticks of a packet: whole frames."""
        least, _ = FRAMES.get(self.kind, (1, 1))
        choice = [ms * RATE // 1000 for ms in (10, 20, 30, 40, 60, 120) if not (self.opus and ms == 30)]  # none of Opus
        return int(self.rng.choice([ticks for ticks in choice if ticks % least == 0]))


class _Noise:
    """What an encoder of Opus makes of noise: it is like itself in one place only, to the sample."""

    def __init__(self, rng):
        self.rng, self.encoder, self.spoken = rng, Opus(128_000), np.zeros(Opus.DELAY, np.int16)

    def packet(self, size):
        """A packet of so many samples, and what is heard of it: that much later than it was spoken."""
        noise = np.rint(self.rng.normal(0, 4000, size)).clip(-32768, 32767).astype(np.int16)
        spoken = np.concatenate([self.spoken, noise])
        self.spoken = spoken[size:]
        return self.encoder.encode(noise), spoken[:size]


def _line(made, sender, begin, end, rates):
    """Packets of one line of timestamps, in ticks of the sender."""
    rng, at = sender.rng, begin
    ptime = sender.ptime()
    while at + ptime <= end:
        if rng.random() < 0.02:
            ptime = sender.ptime()  # mixed in one stream
            if at + ptime > end:
                break  # it would lie over the next line
        if rng.random() < 0.005 and at - begin > QUIET_TICKS and at + 40_000 < end:
            silence = int(rng.integers(800, 24_000))  # discontinuous transmission
            sender.pass_time(silence)
            at += silence
        steady = at - begin < QUIET_TICKS or end - at < QUIET_TICKS
        _packet(made, sender, at, ptime, (0, 0, 0) if steady else rates)
        at += ptime


def _packet(made, sender, at, ticks, rates):
    loss, late, doubled = rates
    rng, index = sender.rng, len(made.sent_ns)
    sent_ns = round(at * TICK_NS / (1 - made.ppm * 1e-6))
    datagram, samples = sender.packet(ticks)
    made.sent_ns.append(sent_ns)
    made.datagrams.append(datagram)
    made.sound.append(samples)
    made.kept.append(rng.random() >= loss)
    if not made.kept[-1]:
        made.lost += 1
        return
    arrival_ns = sent_ns + (int(rng.integers(LATEST_NS)) if rng.random() < late else 0)
    made.arrivals.append((arrival_ns, index))
    if rng.random() < doubled:
        made.duplicates += 1
        made.arrivals.append((arrival_ns + int(rng.integers(LATEST_NS)), index))


def exact(made, length):
    """The samples of a leg without skew, which lasts `length` ticks."""
    factor = made.rate // RATE
    leg = np.zeros(factor * length, np.int16)
    for sent_ns, samples, kept in zip(made.sent_ns, made.sound, made.kept, strict=True):
        if kept:
            first = factor * (sent_ns // TICK_NS)
            leg[first : first + len(samples)] = samples
    return leg


def offsets(made, leg, reach=200):
    """How many milliseconds each packet is away from its true place, at most `reach` samples; every sample is there.

    The skew of a clock is made good by single samples, left out or held at the end of a packet. Nothing else is heard.
    """
    heard, off, found = np.zeros(len(leg), bool), 0, []
    for sent_ns, samples, kept in zip(made.sent_ns, made.sound, made.kept, strict=True):
        if not kept:
            continue
        true = round(sent_ns * made.rate / NS)
        core = samples[:-1]
        stands = _is_like if made.lossy else np.array_equal
        off = next(d for d in _around(off, reach) if stands(leg[true + d : true + d + len(core)], core))
        found.append(1000 * off / made.rate)
        heard[true + off : true + off + len(samples) + 1] = True
    assert not leg[~heard].any()
    return np.array(found)


def _is_like(heard, spoken):
    """Tell whether noise that was encoded stands where it was spoken, piece by piece; before the first: silence."""
    if len(heard) < len(spoken):
        return False
    for first in range(0, len(spoken) - PIECE // 2, PIECE):
        pieces = [each[first : first + PIECE].astype(float) for each in (heard, spoken)]
        level = np.linalg.norm(pieces[0]) * np.linalg.norm(pieces[1])
        if pieces[0] @ pieces[1] <= LIKE * level:
            return False
    return True


def _around(last, reach):
    """Offsets to look at, nearest to the last one first."""
    yield last
    for by in range(1, 2 * reach + 1):
        yield from (off for off in (last - by, last + by) if abs(off) <= reach)
