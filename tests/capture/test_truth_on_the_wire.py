"""Random calls with a known truth through real sockets: every sample of every file stands where it was sent."""

import socket
import time
import wave
from contextlib import ExitStack, closing

import numpy as np
from support import network
from support.network import G722, G729, ILBC, KINDS, L16, OPUS, RATE, RTPMAPS
from support.phone import Phone
from support.recorder import udp

from srs.siprec.sdp import parse

CALLS = [[kind if kind in KINDS else 0 for kind in legs] for legs in ((OPUS, 0), (L16, G729), (G722, ILBC))]
"""Payload types of their legs; PCMU instead of what cannot be made here."""
SECONDS = 16
WITHIN_MS = 20
REACH_MS = 950
OFFER = "\r\n".join(
    [
        "v=0",
        "o=sbc 1 1 IN IP4 127.0.0.1",
        "s=-",
        "c=IN IP4 127.0.0.1",
        "t=0 0",
        *(
            line
            for label in (1, 2)
            for line in (
                f"m=audio {30_000 + 2 * label} RTP/AVP {' '.join(map(str, KINDS))}",
                *(f"a=rtpmap:{number} {name}" for number, name in RTPMAPS.items()),
                f"a=label:{label}",
                "a=sendonly",
            )
        ),
        "",
    ]
)


def play(parts: list[tuple[network.Stream, socket.socket, int]]) -> float:
    """Send all streams to their ports at their time; returns by how many milliseconds the latest packet was late."""
    due = sorted((at_ns, leg, index) for leg, (made, _, _) in enumerate(parts) for at_ns, index in made.arrivals)
    begin_ns, late_ns = time.monotonic_ns(), 0
    for at_ns, leg, index in due:
        time.sleep(max(0, begin_ns + at_ns - time.monotonic_ns()) / 1e9)
        late_ns = max(late_ns, time.monotonic_ns() - begin_ns - at_ns)
        made, sock, port = parts[leg]
        sock.sendto(made.datagrams[index], ("127.0.0.1", port))
    return late_ns / 1e6


def sound(recording, legs: list[network.Stream]) -> list[np.ndarray]:
    """The legs of a recording at their own rate: samples of the lower one are unchanged among those of the higher."""
    with wave.open(recording["file"]) as file:
        rate, samples = file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2")
    columns = samples.reshape(-1, len(legs)).T
    return [column[:: rate // made.rate] for column, made in zip(columns, legs, strict=True)]


def test_every_sample_of_random_calls_stands_where_it_was_sent(recorder) -> None:
    rng = np.random.default_rng(20_261_127)
    calls = [
        [
            network.stream(
                rng, SECONDS, kind=kind, lines=int(rng.integers(1, 4)), ppm=float(rng.uniform(-200, 200)), apart=RATE
            )
            for kind in kinds
        ]
        for kinds in CALLS
    ]
    phones = [Phone(recorder) for _ in calls]
    with ExitStack() as open_:
        parts = []
        for phone, legs in zip(phones, calls, strict=True):
            open_.enter_context(phone.socket)
            lines = parse(phone.ask("INVITE", 1, "Require: siprec", body=OFFER).body).media
            parts += [
                (made, open_.enter_context(closing(udp(recorder.host))), line.port)
                for made, line in zip(legs, lines, strict=True)
            ]
        late_ms = play(parts)
        time.sleep(0.2)  # the last packets are to be heard out before the call ends
        for phone in phones:
            assert phone.ask("BYE", 2).code == 200
    found = {each["call_id"]: each for each in recorder.recordings(len(calls))}
    for phone, legs in zip(phones, calls, strict=True):
        recording = found[phone.call_id]
        facts = recorder.shown(recording["id"])["leg_facts"]
        offsets = []
        for made, heard, told in zip(legs, sound(recording, legs), facts, strict=True):
            counts = (told["packets"], told["lost"], told["duplicates"], told["strays"], told["damaged"])
            assert counts == (sum(made.kept), made.lost, made.duplicates, 0, 0)
            offsets.append(network.offsets(made, heard, REACH_MS * made.rate // 1000))
        together = np.concatenate(offsets)
        assert np.ptp(together) <= WITHIN_MS + late_ms
        assert together.min() >= -1
