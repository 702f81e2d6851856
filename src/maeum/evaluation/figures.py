"""Pictures of an evaluation, drawn without a display and without touching anyone's pyplot.

Each function returns a figure of its own; `png` turns one into bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from unicodedata import east_asian_width

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import NDArray

from maeum.emotions import Emotion, EmotionSet
from maeum.evaluation.drawing import BLUE, HAIRLINE, INK, ORANGE, QUIET, blank, drawing
from maeum.evaluation.drawing import png as png
from maeum.evaluation.metrics import Scores, chance, recalls

_SHARES = LinearSegmentedColormap.from_list("shares", ["#FFFFFF", "#DCE8F1", "#7FA9C9", "#1D4E79"])
_DARK_FROM_SHARE = 0.78  # from here on, ink on the cell would be hard to read

_CELL_IN = 0.9
_SMALL_CELL_IN = 0.62
_MANY_CLASSES = 9
_LONGEST_LABEL = 28
_LETTER_IN = 0.075  # at the size of labels
_HANGUL_IN = 0.14


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def width_in(text: str) -> float:
    """About how wide a label will be, in inches."""
    return sum(_HANGUL_IN if east_asian_width(sign) in "WF" else _LETTER_IN for sign in text)


@drawing()
def confusion_figure(
    matrix: NDArray[np.int64] | Sequence[Sequence[int]], emotions: EmotionSet, title: str
) -> Figure:
    """Which emotion was taken for which.

    Args:
        matrix: shape (class, class), counts, rows truth, columns answer.
        emotions: names in class order.
        title: stands above the picture.

    Returns:
        A row for each emotion as it was, coloured by the share of each answer, with share and
        count in every cell that is not zero.
    """
    counts = np.asarray(matrix)
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    figure, axes = _matrix_canvas(emotions)
    axes.imshow(shares, cmap=_SHARES, vmin=0, vmax=1, aspect="equal")
    _write_cells(axes, counts, shares)
    _label_matrix(axes, emotions, totals[:, 0])
    _rule_cells(axes, len(emotions))
    figure.suptitle(title, x=0.02, ha="left", wrap=True)
    return figure


def _cell_in(classes: int) -> float:
    """Side of a cell in inches: smaller where there are many."""
    return _SMALL_CELL_IN if classes >= _MANY_CLASSES else _CELL_IN


def _matrix_canvas(emotions: EmotionSet) -> tuple[Figure, Axes]:
    """A figure with room for square cells and the labels beside and below them."""
    side_in = max(len(emotions), 2) * _cell_in(len(emotions))
    widest_in = max(width_in(_shortened(label)) for label in emotions.labels)
    below_in = 0.4 if _labels_fit_below(emotions) else 0.75 * widest_in
    return blank(side_in + widest_in + 1.4, side_in + below_in + 1.0)


def _write_cells(axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    """Per cent above, count below, in ink or white, whichever reads better."""
    size = 10 if len(counts) < _MANY_CLASSES else 7.5
    for row, column in np.argwhere(counts):
        share = shares[row, column]
        colour = "white" if share > _DARK_FROM_SHARE else INK
        style: dict[str, Any] = {"ha": "center", "color": colour}
        axes.text(column, row - 0.02, f"{share:.0%}", va="bottom", size=size, **style)
        axes.text(
            column, row + 0.06, f"{counts[row, column]:,}", va="top", size=size * 0.78, **style
        )


def _label_matrix(axes: Axes, emotions: EmotionSet, totals: NDArray[np.int64]) -> None:
    labels = [_shortened(label) for label in emotions.labels]
    rows = [f"{label}  ({n:,})" for label, n in zip(labels, totals, strict=True)]
    axes.set_yticks(range(len(rows)), rows)
    if _labels_fit_below(emotions):
        axes.set_xticks(range(len(labels)), [_on_two_lines(e) for e in emotions.emotions])
    else:
        slant: dict[str, Any] = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(range(len(labels)), labels, **slant)
    axes.set_ylabel("as it was (utterances)")
    axes.set_xlabel("as answered")


def _labels_fit_below(emotions: EmotionSet) -> bool:
    """Whether each name, on a line of its own, is narrower than a cell."""
    return max(map(width_in, (*emotions.names, *emotions.korean))) < _cell_in(len(emotions))


def _on_two_lines(emotion: Emotion) -> str:
    """English above Korean; a name without Korean once."""
    return "\n".join(dict.fromkeys((emotion.name, emotion.korean)))


def _rule_cells(axes: Axes, classes: int) -> None:
    """Hairlines between cells and around them."""
    edges = np.arange(classes + 1) - 0.5
    axes.hlines(edges, -0.5, classes - 0.5, color=HAIRLINE, lw=0.8, clip_on=False)
    axes.vlines(edges, -0.5, classes - 0.5, color=HAIRLINE, lw=0.8, clip_on=False)
    axes.spines[:].set_visible(False)


@drawing()
def recall_figure(scores: Scores, emotions: EmotionSet) -> Figure:
    """How much of each emotion was found, in its colour, beside what chance would find.

    Args:
        scores: of one evaluation.
        emotions: the same emotions, in the same order.
    """
    matrix = np.asarray(scores.confusion)
    figure, axes = blank(6.4, 1.1 + 0.38 * len(emotions))
    found = np.nan_to_num(recalls(matrix))
    axes.barh(range(len(emotions)), found, color=emotions.colours, height=0.62)
    _write_recalls(axes, found, matrix)
    _mark_chance(axes, chance(matrix)["uar"])
    axes.set_yticks(range(len(emotions)), [_shortened(label) for label in emotions.labels])
    axes.set_ylim(len(emotions) - 0.5, -0.5)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.tick_params(axis="x", colors=QUIET)
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel("share found (recall)")
    return figure


def _write_recalls(axes: Axes, found: NDArray[np.float64], matrix: NDArray[np.int64]) -> None:
    """Recall behind each bar, with right answers of occurrences."""
    for place, (share, right, total) in enumerate(
        zip(found, matrix.diagonal(), matrix.sum(axis=1), strict=True)
    ):
        words = f"{share:.0%}" if total else "does not occur"
        label = axes.annotate(
            words, (share, place), (6, 0), textcoords="offset points", va="center", zorder=4
        )
        if total:
            axes.annotate(
                f"{right:,} of {total:,}",
                (1, 0.5),
                (6, 0),
                xycoords=label,
                textcoords="offset points",
                va="center",
                size=8,
                color=QUIET,
            )


def _mark_chance(axes: Axes, share: float) -> None:
    axes.axvline(share, color=INK, lw=0.9, ls=(0, (4, 3)), zorder=3)
    axes.annotate(
        f"chance {share:.0%}",
        (share, 1),
        (0, 3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="center",
        size=8.5,
        color=QUIET,
    )


Curve = list[tuple[float, float]]
"""Epoch and loss, in order of epoch."""

_CURVES = (("loss", "training", BLUE), ("eval_loss", "validation", ORANGE))


def learning_curves(history: Iterable[Mapping[str, Any]]) -> dict[str, Curve]:
    """Epoch and loss by curve (`training`, `validation`), of those that were logged.

    Args:
        history: entries as the Trainer logs them, with `epoch` and `loss` or `eval_loss`.

    >>> learning_curves([{"epoch": 1.0, "loss": "0.7"}, {"epoch": 1.0, "train_runtime": 3.1}])
    {'training': [(1.0, 0.7)]}
    """
    entries = list(history)
    curves = {
        name: [(float(entry["epoch"]), float(entry[key])) for entry in entries if key in entry]
        for key, name, _ in _CURVES
    }
    return {name: curve for name, curve in curves.items() if curve}


@drawing()
def learning_figure(history: Iterable[Mapping[str, Any]]) -> Figure:
    """Loss on training and validation utterances by epoch, as far as they were logged.

    Args:
        history: entries as the Trainer logs them, with `epoch` and `loss` or `eval_loss`.
    """
    figure, axes = blank(6.4, 3.4)
    curves = learning_curves(history)
    colours = {name: colour for _, name, colour in _CURVES}
    for name, curve in curves.items():
        marker = "o" if len(curve) == 1 else None
        axes.plot(*zip(*curve, strict=True), color=colours[name], lw=2, label=name, marker=marker)
    _mark_lowest(axes, curves.get("validation", []))
    axes.set_xlim(left=0)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", color=HAIRLINE, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines["left"].set_visible(False)
    axes.tick_params(colors=QUIET)
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss")
    if curves:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(curves), borderpad=0)
    return figure


def _mark_lowest(axes: Axes, curve: Curve) -> None:
    """A dot where validation loss was lowest."""
    if curve:
        axes.plot(*min(curve, key=lambda point: point[1]), "o", color=ORANGE, ms=7, mec="white")
