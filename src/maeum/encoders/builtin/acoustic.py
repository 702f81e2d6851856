"""`builtin:acoustic`: a recording as statistics of its pitch, level, colour, quality and rhythm.

What is measured stands in `contours`, `rhythm` and `shapes`; how it is summed up in `SUMMARIES`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maeum.encoders import Standardize
from maeum.encoders.builtin.contours import Contours, Mask, measure
from maeum.encoders.builtin.rhythm import FRAMES_PER_S, rhythm
from maeum.encoders.builtin.shapes import shape
from maeum.encoders.builtin.spectra import MEL_BANDS, RATE_HZ, TINY, Floats
from maeum.errors import AudioError

SHORTEST_S = 0.1  # shorter sounds hold no syllable


class Summary(NamedTuple):
    """Which statistics are taken of which contours over which frames."""

    frames: Literal["voiced", "active"]
    contours: tuple[str, ...]
    statistics: tuple[str, ...]


SPREAD = ("mean", "std", "p10", "p50", "p90")
COURSE = (*SPREAD, "range", "slope_per_s")
COLOUR = (
    "centroid_octaves",
    "spread_octaves",
    "roll_off_25_octaves",
    "roll_off_50_octaves",
    "roll_off_75_octaves",
    "roll_off_85_octaves",
    "roll_off_95_octaves",
    "alpha_db",
    "alpha_wide_db",
    "hammarberg_db",
    "slope_low_db_khz",
    "slope_middle_db_khz",
    "slope_high_db_khz",
    "flatness_db",
    "entropy",
    "flux",
    "mel_flux_db",
)
PITCH = ("pitch_semitones", "pitch_change_semitones", "pitch_speed_semitones")
LEVEL = ("level_db", "level_change_db", "loudness", "loudness_change")
QUALITY = (
    "periodicity",
    "harmonicity_db",
    "pitch_bend_semitones",
    "level_bend_db",
    "h1_h2_db",
    "h1_f1_db",
    "h1_f2_db",
    "h1_f3_db",
    "h1_all_db",
)
MEL = tuple(f"mel_{band:02d}_db" for band in range(MEL_BANDS))
"""Mean mel-cepstra are a linear map of the means of these, so the network's first layer has them;
cepstra and their deltas beside them were measured on two corpora and brought nothing."""

SUMMARIES = (
    Summary("voiced", PITCH, COURSE),
    Summary("active", LEVEL, COURSE),
    Summary("voiced", COLOUR, SPREAD),
    Summary("active", COLOUR, ("mean", "std")),
    Summary("active", MEL, ("mean",)),
    Summary("voiced", QUALITY, ("mean", "std")),
)


def percentile(percent: float) -> Callable[[Floats], Floats]:
    """The statistic that `percent` of the frames do not pass."""
    return lambda frames: np.percentile(frames, percent, axis=0)


def slope_per_s(frames: Floats) -> Floats:
    """Least-squares slope of each contour over time; 0 for a single frame."""
    moments_s = np.arange(len(frames)) / FRAMES_PER_S
    centred_s = moments_s - moments_s.mean()
    slopes: Floats = centred_s @ frames / max((centred_s**2).sum(), TINY)
    return slopes


STATISTICS: dict[str, Callable[[Floats], Floats]] = {
    "mean": lambda frames: frames.mean(axis=0),
    "std": lambda frames: frames.std(axis=0),
    "p10": percentile(10),
    "p50": percentile(50),
    "p90": percentile(90),
    "range": lambda frames: np.ptp(np.percentile(frames, (10, 90), axis=0), axis=0),
    "slope_per_s": slope_per_s,
}
"""Statistics over frames, (frame, contour) -> (contour,)."""


def summarise(contours: Contours, summary: Summary) -> dict[str, float]:
    """The statistics of one row of `SUMMARIES`, named `contour.frames.statistic`."""
    chosen = frames_to_sum_up(getattr(contours, summary.frames))
    table = np.stack([contours.values[name][chosen] for name in summary.contours], axis=1)
    table = table.astype(np.float64)
    return {
        f"{contour}.{summary.frames}.{statistic}": float(value)
        for statistic in summary.statistics
        for contour, value in zip(summary.contours, STATISTICS[statistic](table), strict=True)
    }


def frames_to_sum_up(wanted: Mask) -> Mask:
    """The wanted frames, or all where there is none: a whisper has colour without voice."""
    return wanted if wanted.any() else np.ones_like(wanted)


def describe(wave: Floats) -> dict[str, float]:
    """All that the encoder says about a wave (sample,) at `RATE_HZ`, by name."""
    contours = measure(wave)
    parts = [summarise(contours, summary) for summary in SUMMARIES]
    named = {name: value for part in parts for name, value in part.items()}
    return {**named, **rhythm(contours), **shape(contours), "level_dbfs": contours.level_dbfs}


class AcousticEncoder:
    """A recording as statistics of its pitch, level, colour, voice quality, rhythm and shape.

    Nothing is learnt or downloaded. The same samples give the same vector to the bit, alone or
    among others. All values are finite, for silence too: refusing silence is the caller's.
    Silence around the speech and, but for `level_dbfs`, the level of the recording do not count.

    Attributes:
        feature_names: one per dimension, `contour.frames.statistic` or a measure of rhythm or
            shape; the contour names its unit.

    >>> tone = np.sin(2 * np.pi * 200 * np.arange(16_000) / 16_000).astype(np.float32)
    >>> encoder = AcousticEncoder()
    >>> pitch = encoder.feature_names.index("pitch_semitones.voiced.mean")
    >>> round(float(encoder.encode([tone])[0, pitch]), 2)  # an octave above 100 Hz
    12.0
    """

    name = "builtin:acoustic"
    rate_hz = RATE_HZ
    version = "2"
    standardize: Standardize = "each"
    cheap = False
    threaded = True
    at_once = 16
    layers = 1

    def __init__(self) -> None:
        self.feature_names: tuple[str, ...] = tuple(describe(np.zeros(RATE_HZ, dtype=np.float32)))

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return len(self.feature_names)

    def encode(self, waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(clip,) of (sample,) in [-1, 1] at 16 kHz -> (clip, dim).

        Raises:
            AudioError: a wave is not one row of finite floating-point samples of 0.1 s or more.
        """
        for wave in waves:
            require_speech(wave)
        vectors = np.empty((len(waves), self.dim), dtype=np.float32)
        for row, wave in zip(vectors, waves, strict=True):
            row[:] = list(describe(wave).values())
        return vectors

    def frames(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """(clip,) of (sample,) -> (clip,) of (1, dim): statistics have no time."""
        return list(self.encode(waves)[:, None])


def require_speech(wave: NDArray[np.float32]) -> None:
    """Refuse what cannot be measured.

    Raises:
        AudioError: the wave is not one row of finite floating-point samples of `SHORTEST_S`.
    """
    if wave.ndim != 1 or not np.issubdtype(wave.dtype, np.floating):
        raise AudioError(
            f"a wave of shape {wave.shape} and type {wave.dtype}; "
            "expected one row of floating-point samples: mix the channels and scale to [-1, 1]"
        )
    if len(wave) < SHORTEST_S * RATE_HZ:
        raise AudioError(
            f"a wave of {len(wave)} samples at {RATE_HZ} Hz; expected at least {SHORTEST_S} s"
        )
    if not np.isfinite(wave).all():
        raise AudioError("a wave with samples that are not finite; expected values in [-1, 1]")
