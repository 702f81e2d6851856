"""A font that has Hangul: for pictures, and in pages that must show it on any machine."""

from __future__ import annotations

import base64
import io
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

FAMILY = "NanumGothic"

_HINTING_SOURCES = ["TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]
"""Tables of the font's editor, of no use to a reader."""


def font_path() -> Path:
    """The NanumGothic that comes with the package koreanize-matplotlib.

    Found by its files alone: importing that package changes matplotlib's settings.
    """
    package = distribution("koreanize-matplotlib")
    return Path(str(package.locate_file(f"koreanize_matplotlib/fonts/{FAMILY}.ttf")))


def font_data_uri(text: str) -> str:
    """NanumGothic with the signs of a text and no others, as a `data:` address; about 10 kB."""
    return _font_data_uri("".join(sorted(set(text))))


@cache
def _font_data_uri(signs: str) -> str:
    from fontTools import subset

    options = subset.Options(flavor="woff", desubroutinize=True, notdef_outline=True)
    options.drop_tables += _HINTING_SOURCES
    font = subset.load_font(str(font_path()), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text=signs)
    cutter.subset(font)
    packed = io.BytesIO()
    subset.save_font(font, packed, options)
    return "data:font/woff;base64," + base64.b64encode(packed.getvalue()).decode()
