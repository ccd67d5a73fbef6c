"""`make bench`: what a packet, a call and an answer cost, beside a C floor of the same run. See README.md."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from benchmarks import handoff, latency, searching
from benchmarks.capture import STREAMS, Measured, build, cheapest, measure_floor, measure_receiver, sockets
from benchmarks.codecs import measure_codecs
from benchmarks.concurrent import Carried, measure_concurrent
from benchmarks.finalise import DURATIONS_S, finalising
from benchmarks.handoff import Handed
from benchmarks.latency import Answered
from benchmarks.searching import Searched

TROUBLE_S = 0.1
"""A sender that is behind by more makes other bursts than it should."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long all is measured."""

    rounds: int
    capture_s: float
    """Of traffic in each round."""
    latency_s: float
    calls: Sequence[int]
    """At once; it ends with the first that is not recorded without loss."""
    calls_s: float
    handed: int
    """Recordings that are mailed, copied and deleted."""
    searched: int
    """Recordings that are searched."""
    searches: int
    """Of each kind."""


SHORT = Effort(4, 4.0, 5.0, calls=(1000, 2000), calls_s=10.0, handed=100, searched=100_000, searches=100)
LONG = Effort(
    5, 5.0, 30.0, calls=(1000, 2000, 3000, 4000, 5000), calls_s=60.0, handed=500, searched=1_000_000, searches=300
)
PARTS = ("capture", "finalise", "codecs", "latency", "calls", "handoff", "search")


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one run measured."""

    capture: Sequence[tuple[Measured, Measured]]
    """Floor and receiver, for each number of streams."""
    finalised: Sequence[Measured]
    answered: Sequence[Answered]
    carried: Sequence[Carried]
    codecs: Sequence[Measured]
    """Finalise by codec, G.711 first."""
    handed: Sequence[Handed]
    searched: Sequence[Searched]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--long", action="store_true", help="longer and with more calls")
    parser.add_argument("--directory", type=Path, help="where captures are written; default: the temporary folder")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part; may be given again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw them there, as SVG; needs matplotlib")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name:
        results = run(Path(name), LONG if arguments.long else SHORT, arguments.only or PARTS)
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(results), indent=1))
    if arguments.plot:
        from benchmarks.plot import draw

        draw(results.capture, results.finalised, results.answered, results.carried, arguments.plot)
    return 0


def run(directory: Path, effort: Effort, parts: Sequence[str]) -> Results:
    """Measure the parts, and print each table when it is there."""
    capture, finalised = _measure_packets(directory, effort, parts)
    show_packets(capture, finalised)
    codecs = measure_codecs(directory) if "codecs" in parts else []
    show_codecs(codecs)
    answered = latency.measure_latency(directory, effort.latency_s) if "latency" in parts else []
    show_answers(answered)
    carried = list(_carry(directory, effort)) if "calls" in parts else []
    show_calls(carried)
    handed = list(handoff.measure_handoff(directory, effort.handed)) if "handoff" in parts else []
    handoff.show(handed)
    asked = directory, effort.searched, effort.searches
    searched = list(searching.measure_search(*asked)) if "search" in parts else []
    searching.show(searched)
    return Results(capture, finalised, answered, carried, codecs, handed, searched)


def _measure_packets(
    directory: Path, effort: Effort, parts: Sequence[str]
) -> tuple[list[tuple[Measured, Measured]], list[Measured]]:
    """Return floor and receiver for each number of streams, and finalise for each call: the cheapest of turns, in which
    one follows the other, so that what else the machine does falls on all."""
    streams = STREAMS if "capture" in parts else ()
    finalise = [finalising(directory, seconds) for seconds in DURATIONS_S] if "finalise" in parts else []
    floor = build("floor")
    with sockets(max(streams, default=0)) as opened:
        capture: list[Callable[[], Measured]] = []
        for count in streams:
            capture.append(partial(measure_floor, floor, opened[:count], effort.capture_s))
            capture.append(partial(measure_receiver, opened[:count], effort.capture_s, directory))
        rounds = [[turn() for turn in (*capture, *finalise)] for _ in range(effort.rounds)]
    found = [cheapest(turns) for turns in zip(*rounds, strict=True)]
    received, finalised = found[: len(capture)], found[len(capture) :]
    return list(zip(received[::2], received[1::2], strict=True)), finalised


def _carry(directory: Path, effort: Effort) -> Iterator[Carried]:
    for calls in effort.calls:
        carried = measure_concurrent(directory, calls, effort.calls_s)
        yield carried
        if not carried.clean:
            return


def show_packets(capture: Sequence[tuple[Measured, Measured]], finalised: Sequence[Measured]) -> None:
    """Print what a packet costs, each row beside its floor; what has no floor of its own beside the middle one."""
    if not capture and not finalised:
        return
    print(f"\n{'':<44}{'sent':>9}{'received':>10}{'lost':>7}{'CPU µs/packet':>15}{'x floor':>9}")
    for floor, recorded in capture:
        _show_packets(floor, floor)
        _show_packets(recorded, floor)
    middle = capture[len(capture) // 2] if capture else None
    for row in finalised:
        _show_packets(row, middle[0] if middle else None)
    if middle and finalised:
        whole = middle[1].cpu_us + finalised[len(finalised) // 2].cpu_us
        print(f"{'socket to wav file: 1000 streams, 300 s':<44}{'':>26}{whole:>15.2f}{whole / middle[0].cpu_us:>9.2f}")


def _show_packets(row: Measured, floor: Measured | None) -> None:
    ratio = f"{row.cpu_us / floor.cpu_us:>9.2f}" if floor else ""
    late = f"  the sender was up to {row.late_s:.2f} s late" if row.late_s > TROUBLE_S else ""
    lost = row.sent - row.packets
    print(f"{row.what:<44}{row.sent:>9}{row.packets:>10}{lost:>7}{row.cpu_us:>15.2f}{ratio}{late}")


def show_codecs(codecs: Sequence[Measured]) -> None:
    """Print what a packet of each codec costs, beside one of G.711."""
    if codecs:
        print(f"\n{'':<64}{'packets':>9}{'CPU µs/packet':>15}{'x G.711':>9}")
    for row in codecs:
        print(f"{row.what:<64}{row.packets:>9}{row.cpu_us:>15.2f}{row.cpu_us / codecs[0].cpu_us:>9.1f}")


def show_answers(answered: Sequence[Answered]) -> None:
    """Print how long clients wait for their 200."""
    if answered:
        print(
            f"\n{'INVITE to answer':<25}{'calls':>8}{'failed':>8}{'sent again':>12}"
            f"{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
        )
    for row in answered:
        print(
            f"{row.what:<6}{row.rate:>10.0f} calls/s {row.calls:>8}{row.failed:>8}{row.resent:>12}"
            f"{row.p50_ms:>9.1f}{row.p99_ms:>9.1f}{row.longest_ms:>9.1f}"
        )


def show_calls(carried: Sequence[Carried]) -> None:
    """Print what one core carries."""
    if carried:
        print(
            f"\n{'calls at once':>13}{'perfect':>9}{'packets lost':>14}{'not in place':>14}"
            f"{'core while they run':>21}{'µs/packet':>11}{'archive ms/call':>17}{'KiB/call':>10}"
        )
    for row in carried:
        late = f"  the sender was up to {row.late_s:.2f} s late" if row.late_s > TROUBLE_S else ""
        print(
            f"{row.calls:>13}{row.perfect:>9}{row.sent - row.received:>14}{row.missing:>14}"
            f"{row.capture_share:>21.0%}{row.capture_us:>11.2f}"
            f"{row.archive_s / row.calls * 1000:>17.1f}{row.memory_kib:>10.1f}{late}"
        )


if __name__ == "__main__":
    sys.exit(main())
