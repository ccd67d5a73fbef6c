"""The data-protection report as an HTML page or a PDF, with plots."""

import base64
import io
from collections.abc import Mapping
from datetime import timedelta
from html import escape
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from srs.privacy.report import Report
from srs.privacy.report_words import Language, word

BLUE, GREY, RED = "#1f5f99", "#8a949e", "#b3261e"
A4 = (8.27, 11.69)
STATES = ("heard", "outside", "staff", "missing", "unchecked")
Rows = list[tuple[str, str]]


def write(report: Report, language: Language, target: Path) -> None:
    """Write the report; the name's end says whether as `.pdf` or `.html`.

    Raises:
        ValueError: it ends otherwise.
    """
    if target.suffix == ".pdf":
        _write_pdf(report, language, target)
    elif target.suffix == ".html":
        target.write_text(_html(report, language), "utf-8")
    else:
        raise ValueError(f"{target}: a report is written as .pdf or .html")


def sections(report: Report, language: Language) -> dict[str, Rows]:
    """The tables, by heading."""
    return {
        word("summary", language): _summary(report, language),
        word("by_purpose", language): _rows(report.purposes, language),
        word("by_notice", language): _rows({name: report.notices.get(name, 0) for name in STATES}, language),
        word("kept", language): _rows(report.kept, language),
        word("deletions", language): _rows(report.deletions, language),
        word("requests", language): _rows(report.requests, language),
        word("cases", language): _rows(report.cases, language),
    }


def _summary(report: Report, language: Language) -> Rows:
    checked = report.told + report.untold
    rate = f"{report.told / checked:.1%}" if checked else word("not_measured", language)
    numbers = {
        "calls": report.calls,
        "not_kept": report.not_kept,
        "untold": report.untold,
        "kept": sum(report.kept.values()),
        "overdue": report.overdue,
        "held": report.held,
    }
    rows = [(word(name, language), str(number)) for name, number in numbers.items()]
    compared = f"{report.missing} / {report.listed}" if report.listed else word("not_compared", language)
    rows.insert(2, (word("not_recorded", language), compared))
    rows.insert(2, (word("notice_rate", language), rate.replace(".", ",") if language == "nl" else rate))
    return rows


def _rows(counts: Mapping[str, int], language: Language) -> Rows:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [(word(name, language), str(count)) for name, count in ordered] or [(word("none", language), "0")]


def _period(report: Report, language: Language) -> str:
    last = (report.until - timedelta(microseconds=1)).date()
    return f"{word('period', language)}: {report.since.date()} {word('until', language)} {last}"


# Plots


def _plots(report: Report, language: Language, figure: Figure, top: float, bottom: float) -> None:
    grid = figure.add_gridspec(3, 1, top=top, bottom=bottom, left=0.3, right=0.93, hspace=0.45)
    _bars(figure.add_subplot(grid[0]), report.purposes, "by_purpose", language)
    _bars(figure.add_subplot(grid[1]), {name: report.notices.get(name, 0) for name in STATES}, "by_notice", language)
    _days(figure.add_subplot(grid[2]), report, language)


def _bars(axes: Axes, counts: Mapping[str, int], title: str, language: Language) -> None:
    names = list(counts) or [""]
    values = [counts.get(name, 0) for name in names]
    colours = [RED if name == "missing" else GREY if name in ("", "unchecked") else BLUE for name in names]
    bars = axes.barh([word(name, language) for name in names], values, color=colours, height=0.6)
    axes.bar_label(bars, padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.1)
    _plain(axes, title, language)


def _days(axes: Axes, report: Report, language: Language) -> None:
    length = max((report.until - report.since).days, 1)
    days = [report.since.date() + timedelta(days=day) for day in range(length)]
    axes.bar(range(length), [report.days.get(day, 0) for day in days], color=BLUE, width=0.8)
    places = range(0, length, max(length // 6, 1))
    axes.set_xticks(list(places), [days[place].strftime("%d-%m" if language == "nl" else "%b %d") for place in places])
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    _plain(axes, "by_day", language)


def _plain(axes: Axes, title: str, language: Language) -> None:
    axes.set_title(word(title, language), loc="left", fontsize=10, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)


# Pages


def _write_pdf(report: Report, language: Language, target: Path) -> None:
    with PdfPages(target, metadata={"Title": word("title", language)}) as pages:
        pages.savefig(_first_page(report, language))
        second = Figure(figsize=A4)
        _plots(report, language, second, top=0.92, bottom=0.08)
        pages.savefig(second)


def _first_page(report: Report, language: Language) -> Figure:
    page = Figure(figsize=A4)
    page.text(0.1, 0.93, word("title", language), fontsize=16, fontweight="bold", color=BLUE)
    page.text(0.1, 0.905, _period(report, language), fontsize=10)
    y = 0.865
    for heading, rows in sections(report, language).items():
        page.text(0.1, y, heading, fontsize=11, fontweight="bold")
        for name, value in rows:
            y -= 0.0185
            page.text(0.12, y, name, fontsize=9)
            page.text(0.9, y, value, fontsize=9, ha="right")
        y -= 0.032
    page.text(0.1, 0.05, word("note", language), fontsize=8, color=GREY)
    return page


def _html(report: Report, language: Language) -> str:
    plots, image = Figure(figsize=(8.27, 9)), io.BytesIO()
    _plots(report, language, plots, top=0.95, bottom=0.06)
    plots.savefig(image, format="svg")
    tables = "".join(
        f"<h2>{escape(heading)}</h2><table>"
        + "".join(f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
        + "</table>"
        for heading, rows in sections(report, language).items()
    )
    title, picture = escape(word("title", language)), base64.b64encode(image.getvalue()).decode()
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{escape(_period(report, language))}</p>{tables}"
        f'<img alt="{title}" src="data:image/svg+xml;base64,{picture}">'
        f"<footer>{escape(word('note', language))}</footer></html>"
    )


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;color:#1b1f23}"
    "h1{color:#1f5f99}h2{font-size:1.1rem;margin:1.6rem 0 .3rem}table{width:100%;border-collapse:collapse}"
    "th{text-align:left;font-weight:400}td{text-align:right;font-variant-numeric:tabular-nums}"
    "tr{border-bottom:1px solid #d8dde2}img{width:100%;margin-top:2rem}footer{color:#59636e;font-size:.85rem}"
)
