"""The shape of an utterance: how its pitch runs from beginning to end, whatever its length.

Time goes from 0 to 1, so that a long sentence and a short one can be laid over each other, and
pitch counts from the voice's own floor or middle: what is measured says little of who speaks.
The same measures of level and colour say which sounds follow each other: they helped on new voices
that read known sentences, and harmed on new sentences, so they were left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from maeum.encoders.builtin.contours import Contours, Mask
from maeum.encoders.builtin.rhythm import FRAMES_PER_S
from maeum.encoders.builtin.spectra import Floats

Values = NDArray[np.float64]

MOMENTS = 60  # pitch is looked at in, evenly over the utterance
WAVES = 6  # of its cosine transform: half a wave over the utterance to three
QUARTERS = 4
ENDS = 9  # moments that count as beginning and as end
LEAST_SPREAD = 1e-3  # by which differences are divided

FLOOR_PERCENT, CEILING_PERCENT = 5, 98  # of a voice in one utterance
ABOVE_FLOOR_PERCENT = (25, 50, 75, 95, 99)
IN_RANGE_PERCENT = (25, 50, 75, 95)
PITCH_EDGES_SEMITONES = (-np.inf, -6, -3, -1.5, -0.5, 0.5, 1.5, 3, 6, np.inf)  # around the median
LEVEL_EDGES_DB = (-np.inf, -35, -30, -25, -20, -15, -10, -6, -3, np.inf)

LEAST_VOICED_FRAMES = 3  # to tell a voice's floor from
SHORTEST_FRAMES = 5  # of a stretch of voice that has a slope


def shape(contours: Contours) -> dict[str, float]:
    """All measures of shape by name, see the functions below."""
    semitones = contours.values["pitch_semitones"].astype(np.float64)
    enough = contours.voiced.sum() >= LEAST_VOICED_FRAMES
    return {
        **{f"pitch_course.{name}": value for name, value in course_measures(semitones).items()},
        **height_measures(semitones[contours.voiced] if enough else semitones),
        **shares("level_db.share", contours.values["level_db"], LEVEL_EDGES_DB),
        **stretch_measures(semitones, contours.voiced),
    }


def course_measures(course: Values) -> dict[str, float]:
    """How pitch (frame,) runs: its slowest waves, its quarters, its ends and extremes."""
    moments = np.linspace(0, 1, MOMENTS)
    even = np.interp(moments, np.linspace(0, 1, len(course)), course)
    waves = fft.dct(even, norm="ortho")[1 : WAVES + 1] / np.sqrt(MOMENTS)
    quarters = [part.mean() if len(part) else 0.0 for part in np.array_split(course, QUARTERS)]
    steps = np.diff(quarters)
    spread = course.std() + LEAST_SPREAD
    return {
        **{f"wave_{place}": float(wave) for place, wave in enumerate(waves, start=1)},
        **{f"step_{place}": float(step) for place, step in enumerate(steps, start=1)},
        **{f"step_{place}_by_std": float(step / spread) for place, step in enumerate(steps, 1)},
        "highest_at": float(moments[even.argmax()]),
        "lowest_at": float(moments[even.argmin()]),
        "end_to_beginning": float(even[-ENDS:].mean() - even[:ENDS].mean()),
    }


def height_measures(semitones: Values) -> dict[str, float]:
    """How the pitch of voiced frames (frame,) lies between the voice's floor and ceiling."""
    floor, ceiling = np.percentile(semitones, (FLOOR_PERCENT, CEILING_PERCENT))
    above = np.percentile(semitones, ABOVE_FLOOR_PERCENT) - floor
    inside = (np.percentile(semitones, IN_RANGE_PERCENT) - floor) / (ceiling - floor + 1)
    return {
        **_named("pitch_above_floor_semitones.p", ABOVE_FLOOR_PERCENT, above),
        **_named("pitch_in_range.p", IN_RANGE_PERCENT, inside),
        **shares("pitch_semitones.share", semitones - np.median(semitones), PITCH_EDGES_SEMITONES),
    }


def shares(name: str, values: Floats | Values, edges: tuple[float, ...]) -> dict[str, float]:
    """Shares of the frames whose value lies between two edges."""
    counts, _ = np.histogram(values, edges)
    return _named(f"{name}_", range(len(counts)), counts / len(values))


def stretch_measures(semitones: Values, voiced: Mask) -> dict[str, float]:
    """How pitch moves within stretches of voice, and from one to the next.

    All 0 where no stretch lasts `SHORTEST_FRAMES`.
    """
    edges = np.flatnonzero(np.diff(voiced, prepend=False, append=False))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    parts = [semitones[a:b] for a, b in pairs if b - a >= SHORTEST_FRAMES] or [np.zeros(1)]
    slopes = np.array([_slope_per_s(part) for part in parts])
    middles = np.array([part.mean() for part in parts])
    measured = {
        "slope_semitones_per_s": slopes,
        "range_semitones": np.array([np.ptp(part) for part in parts]),
        "length_s": np.array([len(part) / FRAMES_PER_S for part in parts]),
        "curve_semitones_per_s2": np.array([_curve_per_s2(part) for part in parts]),
    }
    return {
        **{
            f"stretch_{name}.{statistic}": float(getattr(values, statistic)())
            for name, values in measured.items()
            for statistic in ("mean", "std", "max", "min")
        },
        "stretch_steepness_semitones_per_s": float(np.abs(slopes).mean()),
        "stretch_rising_share": float((slopes > 0).mean()),
        "stretch_first_slope_semitones_per_s": float(slopes[0]),
        "stretch_last_slope_semitones_per_s": float(slopes[-1]),
        "stretch_step_semitones": float(np.abs(np.diff(middles, append=middles[-1])).mean()),
        "stretch_spread_semitones": float(middles.std()),
        "stretch_first_semitones": float(middles[0] - middles.mean()),
        "stretch_last_semitones": float(middles[-1] - middles.mean()),
    }


def _slope_per_s(part: Values) -> float:
    moments = np.arange(len(part)) - (len(part) - 1) / 2
    return float(moments @ part / max(float(moments @ moments), 1.0)) * FRAMES_PER_S


def _curve_per_s2(part: Values) -> float:
    moments = np.arange(len(part)) - (len(part) - 1) / 2
    bow = moments**2 - (moments**2).mean()
    return float(bow @ part / max(float(bow @ bow), 1.0)) * FRAMES_PER_S**2


def _named(name: str, places: tuple[int, ...] | range, values: Floats | Values) -> dict[str, float]:
    return {f"{name}{place}": float(value) for place, value in zip(places, values, strict=True)}
