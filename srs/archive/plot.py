"""A picture of a recording: the sound of each leg, what is lost, where it paused, which keys were pressed."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from rtp.peaks import Peaks
from srs.archive import peaks
from srs.archive.errors import NotReady
from srs.archive.store import Store
from srs.archive.tables import Leg, Recording

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]
COLOURS: Final = ("#1f5fa8", "#1b7a55", "#7a4fa3", "#8a5a00")
LOST, PAUSED, DIGIT = "#c62828", "#9e9e9e", "#3d3d3d"
WIDTH, LANE, REST = 12.0, 1.9, 1.1
"""Inches."""
STEPS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Between marks on the time axis: the least that leaves at most `MOST_MARKS`."""
MOST_MARKS: Final = 15
COLUMNS: Final = 2400
"""Of peaks drawn; more cannot be told apart."""


def draw(row: Recording, store: Store, output: Path) -> None:
    """Write the picture; the suffix says of which kind: png, svg, pdf.

    Raises:
        NotReady: there is no sound, or no outline of it.
        Sealed: its key is not here.
    """
    outline = peaks.load(store, row.file, row.key) if row.file else None
    if outline is None:
        raise NotReady(f"recording {row.id} has no outline of its sound to draw")
    from matplotlib.figure import Figure
    from matplotlib.ticker import MultipleLocator

    lanes = max(outline.values.shape[1], 1)
    figure = Figure(figsize=(WIDTH, REST + LANE * lanes), layout="constrained")
    axes = figure.subplots(lanes, 1, sharex=True, squeeze=False)[:, 0]
    legs = row.legs if lanes == len(row.legs) else [Leg(channel=0, name="all legs")]
    for channel, (axis, leg) in enumerate(zip(axes, legs, strict=False)):
        _lane(axis, outline, channel, leg, row)
    axes[-1].set_xlim(0, max(row.duration_s, outline.bucket_s))
    step_s = next((step for step in STEPS_S if row.duration_s <= MOST_MARKS * step), STEPS_S[-1])
    axes[-1].xaxis.set_major_locator(MultipleLocator(step_s))
    axes[-1].xaxis.set_major_formatter(lambda seconds, _: _clock(seconds))
    figure.suptitle(
        f"{row.started_at:%Y-%m-%d %H:%M:%S} UTC · {row.caller or '?'} → {row.callee or '?'}", x=0.01, ha="left"
    )
    _legend(figure)
    figure.savefig(output, dpi=120)


def _lane(axis: "Axes", outline: Peaks, channel: int, leg: Leg, row: Recording) -> None:
    colour = COLOURS[channel % len(COLOURS)]
    at, low, high = _columns(outline, channel)
    axis.fill_between(at, low, high, step="post", color=colour, linewidth=0.3, zorder=2)
    for since, length, *_ in (*leg.facts.get("pauses", []), *row.facts.get("operator_pauses", [])):
        axis.axvspan(since, since + length, color=PAUSED, alpha=0.35, linewidth=0, zorder=1)
    least = row.duration_s / COLUMNS * 2  # or nobody would see it
    for since, length in leg.facts.get("gaps", []):
        axis.axvspan(since, since + max(length, least), color=LOST, alpha=0.75, linewidth=0, zorder=3)
    for since, _, key in leg.facts.get("digits", []):
        axis.annotate(key, (since, 1), xycoords=("data", "axes fraction"), xytext=(0, -10), textcoords="offset points")
        axis.axvline(since, color=DIGIT, linewidth=0.8, linestyle=":", zorder=4)
    axis.set_ylim(-1, 1)
    axis.set_yticks([])
    axis.spines[["top", "right", "left"]].set_visible(False)
    axis.axhline(0, color=colour, linewidth=0.4, alpha=0.6)
    axis.set_title(_title(leg), loc="left", fontsize=9)
    axis.grid(axis="x", color="#dddddd", linewidth=0.6)


def _columns(outline: Peaks, channel: int) -> tuple[Floats, Floats, Floats]:
    """Return times, lowest and highest of one channel, -1 to 1, at most as many as can be told apart."""
    values = outline.values[:, channel].astype(np.float64) / 128
    each = -(-max(len(values), 1) // COLUMNS)
    padded = np.pad(values, ((0, -len(values) % each), (0, 0))).reshape(-1, each, 2)
    at: Floats = np.arange(len(padded), dtype=np.float64) * (each * outline.bucket_s)
    return at, padded[:, :, 0].min(axis=1), padded[:, :, 1].max(axis=1)


def _title(leg: Leg) -> str:
    who = leg.name or leg.aor or leg.label or "?"
    quality = leg.facts.get("quality") or {}
    told = [who, leg.codec, f"{leg.lost} of {leg.packets + leg.lost} packets lost"]
    if leg.facts.get("recovered"):
        told.append(f"{leg.facts['recovered']} recovered")
    if leg.facts.get("undecoded"):
        told.append("not decoded")
    if quality.get("mos") is not None:
        told.append(f"MOS {quality['mos']:.1f}")
    return " · ".join(each for each in told if each)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _legend(figure: "Figure") -> None:
    from matplotlib.patches import Patch

    signs = [Patch(color=LOST, alpha=0.75, label="lost"), Patch(color=PAUSED, alpha=0.35, label="paused")]
    figure.legend(handles=signs, loc="upper right", ncols=2, frameon=False, fontsize=9)
