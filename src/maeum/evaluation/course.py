"""A timeline as a picture: probabilities over time, what was said under them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MultipleLocator

from maeum.evaluation.drawing import HAIRLINE, INK, drawing
from maeum.evaluation.figures import width_in
from maeum.inference.timeline import Segment, Timeline

WIDTH_IN, BAND_IN, LINE_IN = 12.0, 0.75, 0.45
USUAL_ROW_S, MOST_ROWS = 60.0, 24
TICKS_S = (10, 30, 60, 120, 300, 600, 1800, 3600)
"""Seconds a row shows; in a long recording as many as keep the picture at that many rows."""

WORDS_AT = -0.08
"""Under the bars, whose height is 1."""


@drawing()
def timeline_figure(found: Timeline, title: str = "") -> Figure:
    """Rows of time, one under the other; in each a band for every channel.

    A segment is as wide as it lasts, its colours as high as its emotions are likely, its words
    under it as far as there is room.

    Args:
        found: with one segment at least.
        title: stands above the picture.
    """
    row_s = max(USUAL_ROW_S, found.duration_s / MOST_ROWS)
    rows = max(1, math.ceil(found.duration_s / row_s))
    channels = found.channels
    figure = Figure(figsize=(WIDTH_IN, rows * (len(channels) * BAND_IN + LINE_IN) + 1.1))
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows * len(channels), 1, squeeze=False)[:, 0]
    for place, one in enumerate(axes):
        row, channel = place // len(channels), channels[place % len(channels)]
        start_s = row * row_s
        own = [s for s in found.segments if s.channel == channel]
        near = [s for s in own if s.start_s < start_s + row_s and s.end_s > start_s]
        _band(one, near, found, (start_s, start_s + row_s))
        one.tick_params(labelbottom=channel == channels[-1])
        if len(channels) > 1:
            one.set_ylabel(f"{channel}", rotation=0, va="center")
    _explain(figure, found, title)
    return figure


def _band(
    axes: Axes, segments: Sequence[Segment], found: Timeline, range_s: tuple[float, float]
) -> None:
    axes.set(xlim=range_s, ylim=(-0.45, 1), yticks=[])
    axes.spines["left"].set_visible(False)
    step_s = next(one for one in TICKS_S if one * 8 >= range_s[1] - range_s[0])
    axes.xaxis.set_major_locator(MultipleLocator(step_s))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda second, _: clock(second)))
    axes.axhline(0, color=HAIRLINE, linewidth=0.8)
    for segment in segments:
        _bar(axes, segment, found)
        shown_s = min(segment.end_s, range_s[1]) - max(segment.start_s, range_s[0])
        room_in = shown_s / (range_s[1] - range_s[0]) * WIDTH_IN * 0.9
        words = fitted(segment.prediction.text or "", room_in)
        start_s = max(segment.start_s, range_s[0])
        axes.text(start_s, WORDS_AT, words, va="top", fontsize=8, color=INK, clip_on=True)


def _bar(axes: Axes, segment: Segment, found: Timeline) -> None:
    bottom = 0.0
    for emotion in found.emotions.emotions:
        chance = segment.prediction.probabilities[emotion.name]
        axes.bar(
            segment.start_s,
            chance,
            segment.end_s - segment.start_s,
            bottom,
            align="edge",
            color=emotion.colour,
            edgecolor="white",
            linewidth=0.3,
        )
        bottom += chance


def _explain(figure: Figure, found: Timeline, title: str) -> None:
    patches = [Patch(color=one.colour, label=one.label) for one in found.emotions.emotions]
    figure.legend(handles=patches, loc="outside lower center", ncols=min(7, len(patches)))
    if title:
        figure.suptitle(title, x=0.02, ha="left")


def clock(second: float) -> str:
    """A time as people write it.

    >>> clock(65), clock(3725)
    ('1:05', '1:02:05')
    """
    minutes, seconds = divmod(round(second), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def fitted(words: str, room_in: float) -> str:
    """As much of the words as fits, an ellipsis for the rest; nothing where that is nothing."""
    if width_in(words) <= room_in:
        return words
    while words and width_in(words) + width_in("…") > room_in:
        words = words[:-1]
    return f"{words.rstrip()}…" if words.strip() else ""
