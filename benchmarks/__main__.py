"""`make bench`: CPU per packet beside a C floor of the same run. README.md in this folder says how to read it."""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from functools import reduce
from operator import add
from pathlib import Path

from benchmarks.capture import STREAMS, Measured, build_floor, measure_floor, measure_receiver, sockets
from benchmarks.finalise import measure_finalise

ROUNDS = 3
TROUBLE_S = 0.1
"""A sender that is behind by more makes other bursts than it should."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help=f"of traffic in each of {ROUNDS} rounds")
    parser.add_argument("--streams", type=int, default=STREAMS)
    parser.add_argument("--directory", type=Path, help="where captures are written; default: the temporary folder")
    arguments = parser.parse_args()
    floor = build_floor()
    floors, recorded = [], []
    with tempfile.TemporaryDirectory(dir=arguments.directory) as name, sockets(arguments.streams) as opened:
        directory = Path(name)
        for _ in range(ROUNDS):  # in turn, so that what else the machine does falls on both
            floors.append(measure_floor(floor, opened, arguments.seconds))
            recorded.append(measure_receiver(opened, arguments.seconds, directory))
        finalised = measure_finalise(directory)
    show([reduce(add, floors), reduce(add, recorded), finalised])
    return 0


def show(rows: Sequence[Measured]) -> None:
    """Print the table: each cost as a multiple of the first row's."""
    floor = rows[0].cpu_us
    print(f"{'':<40}{'sent':>9}{'received':>10}{'lost':>7}{'CPU µs/packet':>15}{'x floor':>9}")
    for row in rows:
        lost = row.sent - row.packets
        print(f"{row.what:<40}{row.sent:>9}{row.packets:>10}{lost:>7}{row.cpu_us:>15.2f}{row.cpu_us / floor:>9.2f}")
    whole = sum(row.cpu_us for row in rows[1:])
    print(f"{'socket to wav file, together':<40}{'':>26}{whole:>15.2f}{whole / floor:>9.2f}")
    for row in rows:
        if row.late_s > TROUBLE_S:
            print(f"note: the sender was up to {row.late_s:.2f} s late: {row.what}")


if __name__ == "__main__":
    sys.exit(main())
