"""The rhythm of an utterance: how voice, pauses and syllables follow each other."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from maeum.encoders.builtin.contours import HOP, Contours, Mask
from maeum.encoders.builtin.spectra import RATE_HZ, Floats

Measured: TypeAlias = NDArray[np.floating | np.bool_]

FRAMES_PER_S = RATE_HZ / HOP
SHORTEST_PAUSE_S = 0.06  # the closure of a plosive takes up to about as long
PEAK_PROMINENCE_DB = 2.0  # de Jong and Wempe (2009): a dip this deep parts two syllables
PEAK_RANGE_DB = -25.0  # their threshold below the loudest frame
PEAK_SMOOTHING = (9, 2)  # frames and order of the polynomial: keeps what lasts 50 ms
ENDS_S = 0.1  # of voice, that count as beginning and end
MODULATION_EDGES_HZ = (0.5, 2, 4, 6, 10, 16, 25)  # phrases, words, syllables (4-6 Hz), sounds
MODULATION_FFT_SIZE = 1024  # 10 s of frames; longer utterances take the next power of two
LEAST_SHARE = 1e-4  # of the modulation, under which bands are alike


def rhythm(contours: Contours) -> dict[str, float]:
    """All measures of rhythm by name, see the functions below."""
    level_db = contours.values["level_db"]
    return {
        **segment_measures(contours.voiced, contours.active),
        **syllable_measures(level_db),
        **modulation_measures(level_db),
        **melody_measures(contours.values["pitch_semitones"], contours.voiced),
    }


def segment_measures(voiced: Mask, active: Mask) -> dict[str, float]:
    """Rates per second, mean lengths and their spread in seconds, and shares of time."""
    duration_s = len(voiced) / FRAMES_PER_S
    voice_s, gap_s, pause_s = run_lengths_s(voiced), run_lengths_s(~voiced), run_lengths_s(~active)
    pause_s = pause_s[pause_s >= SHORTEST_PAUSE_S]
    return {
        "voice_rate_hz": len(voice_s) / duration_s,
        "voice_share": float(voiced.mean()),
        "voice_length_s": mean_or_zero(voice_s),
        "voice_length_spread_s": spread_or_zero(voice_s),
        "gap_length_s": mean_or_zero(gap_s),
        "gap_length_spread_s": spread_or_zero(gap_s),
        "pause_rate_hz": len(pause_s) / duration_s,
        "pause_share": 1 - float(active.mean()),
        "pause_length_s": mean_or_zero(pause_s),
    }


def run_lengths_s(mask: Mask) -> NDArray[np.float64]:
    """Lengths of the runs of true frames, (run,) in seconds."""
    edges = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    return (edges[1::2] - edges[::2]) / FRAMES_PER_S


def syllable_measures(level_db: Floats) -> dict[str, float]:
    """Peaks of the level, one for most syllables: how many a second, how unevenly spaced."""
    frames, order = PEAK_SMOOTHING
    smooth = signal.savgol_filter(level_db, frames, order) if len(level_db) >= frames else level_db
    peaks, _ = signal.find_peaks(smooth, prominence=PEAK_PROMINENCE_DB, height=PEAK_RANGE_DB)
    return {
        "syllable_rate_hz": len(peaks) / len(level_db) * FRAMES_PER_S,
        "syllable_spacing_spread_s": spread_or_zero(np.diff(peaks) / FRAMES_PER_S),
    }


def modulation_measures(level_db: Floats) -> dict[str, float]:
    """Logarithms of the shares that bands have in the ups and downs of the level."""
    size = max(MODULATION_FFT_SIZE, fft.next_fast_len(len(level_db), real=True))
    swing = (level_db - level_db.mean()) * np.hanning(len(level_db))
    power = np.abs(fft.rfft(swing, size)) ** 2
    bins = np.searchsorted(np.arange(len(power)) * (FRAMES_PER_S / size), MODULATION_EDGES_HZ)
    bands = np.add.reduceat(power, bins)[:-1]
    shares = bands / max(bands.sum(), np.finfo(np.float64).tiny)
    return {
        f"modulation_{low:g}_{high:g}_hz": float(np.log(share + LEAST_SHARE))
        for low, high, share in zip(
            MODULATION_EDGES_HZ[:-1], MODULATION_EDGES_HZ[1:], shares, strict=True
        )
    }


def melody_measures(semitones: Floats, voiced: Mask) -> dict[str, float]:
    """Where the voice begins and ends against its mean, and how steeply it rises and falls."""
    heard = semitones[voiced]
    steps = np.diff(semitones)[voiced[1:] & voiced[:-1]]
    ends = round(ENDS_S * FRAMES_PER_S)
    middle = mean_or_zero(heard)
    return {
        "pitch_beginning_semitones": mean_or_zero(heard[:ends]) - middle,
        "pitch_end_semitones": mean_or_zero(heard[-ends:]) - middle,
        "pitch_rise_semitones": mean_or_zero(steps[steps > 0]),
        "pitch_fall_semitones": mean_or_zero(steps[steps < 0]),
        "pitch_rising_share": mean_or_zero(steps > 0),
    }


def mean_or_zero(values: Measured) -> float:
    """The mean, 0 of nothing."""
    return float(np.mean(values, dtype=np.float64)) if len(values) else 0.0


def spread_or_zero(values: Measured) -> float:
    """The standard deviation, 0 of nothing."""
    return float(np.std(values, dtype=np.float64)) if len(values) else 0.0
