"""Pictures of a study: how accuracy grows with the number of recordings, or by encoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator, PercentFormatter

from maeum.evaluation.drawing import BLUE, HAIRLINE, INK, ORANGE, QUIET, drawing
from maeum.studies.grid import ALL, Value
from maeum.studies.showing import Entry, Row, Shown

COLOURS = (BLUE, ORANGE, "#2F8F6B", "#8A5FA8", "#B4483E", "#5F6B7A")
"""Of the rows of a table, in order."""

PANEL_IN, HEIGHT_IN = 4.6, 4.4


class Point(NamedTuple):
    """One figure of a curve: where it stands across, and shares in [0, 1]."""

    x: float
    share: float
    low: float
    high: float


@drawing()
def curves_figure(shown: Shown) -> Figure:
    """Accuracy by size, or by what else stands across, a panel for each protocol.

    Ours stand where they were trained: at the scaled size, with their 95 % intervals. What was
    published is dashed, and stands in the first panel, whose protocol is the paper's.
    """
    protocols = shown.protocols
    figure = Figure(figsize=(PANEL_IN * max(2, len(protocols)), HEIGHT_IN))
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(protocols), sharey=True, sharex=True, squeeze=False)[0]
    for place, (axes, protocol) in enumerate(zip(panels, protocols, strict=True)):
        _panel(axes, shown, protocol, published=place == 0)
        axes.set_title(_title(protocol), loc="left", size=10.5, color=INK)
    panels[0].set_ylabel("answered right")
    figure.legend(
        handles=_legend(shown),
        loc="outside lower left",
        ncols=min(5, len(shown.rows) + 3),
        handlelength=2.2,
    )
    return figure


def _title(protocol: str) -> str:
    words = {
        "random": "random: voices and sentences of the test may be known",
        "speaker+script": "speaker+script: neither is known",
    }
    return words.get(protocol, protocol)


def _panel(axes: Axes, shown: Shown, protocol: str, *, published: bool) -> None:
    for place, row in enumerate(shown.rows):
        colour = COLOURS[place % len(COLOURS)]
        _draw_ours(axes, _ours(shown, row, protocol), colour, joined=_is_size(shown))
        if published:
            theirs = _theirs(shown, row)
            style = {"ls": (0, (4, 3)), "lw": 1.3} if _is_size(shown) else {"ls": ""}
            axes.plot(*_xy(theirs), marker="o", mfc="white", ms=4.5, color=colour, **style)
    if shown.chance is not None:
        axes.axhline(shown.chance, color=QUIET, lw=1.2, ls=(0, (1, 2)), zorder=1)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y", color=HAIRLINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(colors=QUIET)
    _across(axes, shown)


def _xy(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [point.x for point in points], [point.share for point in points]


def _draw_ours(axes: Axes, points: Sequence[Point], colour: str, *, joined: bool) -> None:
    if not points:
        return
    xs, shares = _xy(points)
    lows, highs = [point.low for point in points], [point.high for point in points]
    if joined and len(points) > 1:
        axes.fill_between(xs, lows, highs, color=colour, alpha=0.16, lw=0)
        axes.plot(xs, shares, color=colour, lw=2, marker="o", ms=4)
        return
    reach = [
        [share - low for share, low in zip(shares, lows, strict=True)],
        [high - share for share, high in zip(shares, highs, strict=True)],
    ]
    axes.errorbar(xs, shares, yerr=reach, fmt="o", color=colour, ms=6, elinewidth=2, capsize=0)


def _is_size(shown: Shown) -> bool:
    return shown.study.columns == "size"


def _ours(shown: Shown, row: Row, protocol: str) -> list[Point]:
    found: dict[float, Point] = {}
    for column in shown.columns:
        entry = shown.entries.get((row, column, protocol))
        if entry is None or entry.accuracy is None or entry.low is None or entry.high is None:
            continue
        x = _place(shown, column, entry)
        found[x] = Point(x, entry.accuracy, entry.low, entry.high)
    return list(found.values())


def _place(shown: Shown, column: Value, entry: Entry) -> float:
    """Where a figure stands across: the size it was trained on, or its place in the table."""
    if not _is_size(shown):
        return float(shown.columns.index(column))
    if entry.scaled is not None:
        return float(entry.scaled)
    emotions = len(shown.emotions) if shown.study.count == "per_emotion" else 1
    return max(1.0, (entry.found or 0) / emotions)


def _theirs(shown: Shown, row: Row) -> list[Point]:
    found = []
    for place, column in enumerate(shown.columns):
        share = shown.published(row, column)
        if share is None or column == ALL:
            continue
        x = float(column or 0) if _is_size(shown) else float(place)
        found.append(Point(x, share, share, share))
    return found


def _across(axes: Axes, shown: Shown) -> None:
    if not _is_size(shown):
        labels = [shown.study.label(column) for column in shown.columns]
        axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right", rotation_mode="anchor")
        axes.set_xlim(-0.6, len(labels) - 0.4)
        return
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    ticks = [
        base * 10**power
        for power in range(7)
        for base in (1, 2, 5)
        if low <= base * 10**power <= high
    ]
    axes.xaxis.set_major_locator(FixedLocator(_thinned(ticks)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    counted = "of each emotion" if shown.study.count == "per_emotion" else "in all"
    axes.set_xlabel(f"utterances trained on, {counted}")


def _thinned(ticks: list[int]) -> list[int]:
    """No more than fit beside each other."""
    step = -(-len(ticks) // 7)
    return ticks[::step] if step > 1 else ticks


def _legend(shown: Shown) -> list[Line2D]:
    rows = [
        Line2D([], [], color=COLOURS[place % len(COLOURS)], lw=2, label=shown.row_label(row))
        for place, row in enumerate(shown.rows)
    ]
    ours = Line2D([], [], color=QUIET, lw=2, marker="o", ms=4, label="ours, 95 % interval")
    dashes: Any = (0, (4, 3)) if _is_size(shown) else ""
    published: dict[str, Any] = {
        "marker": "o",
        "mfc": "white",
        "ms": 4.5,
        "label": "paper, on AI-Hub 466",
    }
    theirs = Line2D([], [], color=QUIET, ls=dashes, **published)
    blind = Line2D([], [], color=QUIET, lw=1.2, ls=(0, (1, 2)), label="chance")
    return [*rows, ours, *([theirs] if shown.has_published else []), blind]
