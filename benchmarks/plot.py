"""The figures of a run as one picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

from benchmarks.capture import Measured
from benchmarks.concurrent import Carried
from benchmarks.latency import Answered

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GOAL = "#b5442e"
OURS, FLOOR = "#2f6f8f", "#b9c4c9"


def draw(
    capture: Sequence[tuple[Measured, Measured]],
    finalised: Sequence[Measured],
    answered: Sequence[Answered],
    carried: Sequence[Carried],
    out: Path,
) -> None:
    """Draw what was measured as SVG."""
    mpl.rcParams.update({"svg.hashsalt": "siprec-srs", "svg.fonttype": "none", "font.size": 9})
    figure, (packets, answers, calls) = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
    _draw_packets(packets, capture, finalised)
    _draw_answers(answers, answered)
    _draw_calls(calls, carried)
    figure.savefig(out, format="svg", metadata={"Date": None})


def _draw_packets(axes: "Axes", capture: Sequence[tuple[Measured, Measured]], finalised: Sequence[Measured]) -> None:
    axes.set_title("CPU per packet, µs")
    rows = [(row.what, row.cpu_us, color) for pair in capture for row, color in zip(pair, (FLOOR, OURS), strict=True)]
    rows += [(row.what, row.cpu_us, OURS) for row in finalised]
    for place, (what, cpu_us, color) in enumerate(reversed(rows)):
        axes.barh(place, cpu_us, color=color)
        axes.text(0.03, place, what, va="center", fontsize=7)
    axes.set_yticks([])


def _draw_answers(axes: "Axes", answered: Sequence[Answered]) -> None:
    axes.set_title("INVITE to answer, ms")
    places = range(len(answered))
    axes.bar([place - 0.2 for place in places], [row.p50_ms for row in answered], 0.4, color=FLOOR, label="median")
    axes.bar([place + 0.2 for place in places], [row.p99_ms for row in answered], 0.4, color=OURS, label="p99")
    axes.axhline(5, color=GOAL, linewidth=1, label="goal for p99 at 100")
    axes.set_xticks(list(places), [f"{row.what}: {row.rate:.0f}/s" for row in answered])
    axes.legend(frameon=False)


def _draw_calls(axes: "Axes", carried: Sequence[Carried]) -> None:
    axes.set_title("Calls of two legs on one core")
    for row in carried:
        axes.bar(str(row.calls), 100 * row.capture_share, color=OURS if row.clean else GOAL)
    axes.set_ylabel("% of the core while they run")
    axes.set_xlabel("calls at once; red: something was lost")
