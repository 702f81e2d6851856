"""Pictures of what confidence is worth: against what comes true, and for answering less.

Each function returns a figure of its own; `drawing.png` turns one into bytes.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from maeum.evaluation.calibration import Calibration
from maeum.evaluation.coverage import SHARES, Coverage
from maeum.evaluation.drawing import BLUE, HAIRLINE, INK, ORANGE, QUIET, blank, drawing

TEMPERED, UNTEMPERED = "as answered", "without temperature"


@drawing()
def reliability_figure(after: Calibration, before: Calibration | None = None) -> Figure:
    """How many answers were right, by how sure they were.

    Args:
        after: of the probabilities that were given.
        before: of the same without temperature, if there was one.
    """
    figure, axes = blank(6.4, 4.4)
    axes.plot([0, 1], [0, 1], color=INK, lw=0.9, ls=(0, (4, 3)), zorder=2)
    axes.annotate(
        "as sure as right",
        (0.03, 0.03),
        (4, 10),
        textcoords="offset points",
        size=8.5,
        color=QUIET,
        rotation=32,
        rotation_mode="anchor",
    )
    if before is not None:
        _draw_bins(axes, before, UNTEMPERED, ORANGE)
    _draw_bins(axes, after, TEMPERED, BLUE)
    _in_per_cent(axes)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(-0.04, 1.04)
    axes.set_xlabel("how sure (confidence)")
    axes.set_ylabel("of these, right")
    if before is not None:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderpad=0)
    return figure


def _draw_bins(axes: Axes, told: Calibration, label: str, colour: str) -> None:
    """A dot for each bin, and a line through them."""
    sure, right = [one.confidence for one in told.bins], [one.accuracy for one in told.bins]
    axes.plot(sure, right, "o-", color=colour, lw=1.6, ms=8, mec="white", label=label, zorder=3)


@drawing()
def coverage_figure(found: Coverage) -> Figure:
    """How many answers are right when only the surest are given.

    Args:
        found: of one evaluation.
    """
    figure, axes = blank(6.4, 3.8)
    n = len(found.accuracies)
    axes.plot(np.arange(1, n + 1) / n, found.accuracies, color=BLUE, lw=2)
    lowest = min(float(found.accuracies.min()), 0.98)
    for share in SHARES:
        answered, accuracy = found.rank(share) / n, found.accuracy_at(share)
        axes.plot(answered, accuracy, "o", color=BLUE, ms=7, mec="white")
        axes.annotate(
            f"{accuracy:.0%}",
            (answered, accuracy),
            (0, 9),
            textcoords="offset points",
            ha="center",
            size=9,
            color=INK,
        )
    _in_per_cent(axes)
    axes.set_xlim(0, 1.04)
    axes.set_ylim(max(0.0, lowest - 0.08), 1.08)
    axes.set_yticks([tick for tick in np.linspace(0, 1, 6) if tick >= lowest - 0.08])
    axes.set_xlabel("share answered, the surest first (coverage)")
    axes.set_ylabel("of these, right")
    return figure


def _in_per_cent(axes: Axes) -> None:
    """Both axes as shares, on a quiet grid."""
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="y", color=HAIRLINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(colors=QUIET)
