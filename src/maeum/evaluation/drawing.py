"""What all pictures have in common: fonts, colours, lines, and a canvas without a display.

Nobody's pyplot is touched. Hangul is drawn with NanumGothic from the package koreanize-matplotlib,
which is not imported, because importing it changes the settings of every figure of the process.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from maeum.evaluation.hangul import font_path

PIXELS_PER_INCH = 160

INK = "#22272E"
QUIET = "#79818B"
HAIRLINE = "#DDE1E6"
BLUE = "#2F6690"
ORANGE = "#D9822B"

_STYLE: Any = {
    "font.family": ["NanumGothic", "DejaVu Sans"],
    "font.size": 10,
    "axes.unicode_minus": False,
    "axes.edgecolor": HAIRLINE,
    "axes.labelcolor": QUIET,
    "axes.labelsize": 10,
    "axes.labelpad": 10,
    "figure.titlesize": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.12,
    "figure.constrained_layout.w_pad": 0.12,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
}


@cache
def _know_hangul() -> None:
    """Make NanumGothic known to matplotlib, once."""
    font_manager.fontManager.addfont(str(font_path()))


@contextmanager
def drawing() -> Iterator[None]:
    """Our fonts and lines inside the block, everyone's own again after it."""
    _know_hangul()
    with rc_context(_STYLE):
        yield


def blank(width_in: float, height_in: float) -> tuple[Figure, Axes]:
    """A figure of that size in inches, and its axes."""
    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasAgg(figure)
    return figure, figure.add_subplot()


@drawing()
def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=PIXELS_PER_INCH)
    return buffer.getvalue()
