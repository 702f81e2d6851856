"""Short-time spectra of a wave, and what can be read off them at given frequencies."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal, sparse

Floats: TypeAlias = NDArray[np.float32]

RATE_HZ = 16_000  # what speech encoders hear; speech has little above 8 kHz
WINDOW = 400  # 25 ms: two periods of a low voice
FFT_SIZE = 512  # the next power of two: bins of 31.25 Hz
BIN_HZ = np.arange(FFT_SIZE // 2 + 1, dtype=np.float32) * np.float32(RATE_HZ / FFT_SIZE)
MEL_BANDS = 26  # as in the Geneva set
LOWEST_BAND_HZ = 50.0  # the mains hum at and below it
TINY = np.finfo(np.float32).tiny


def decibels(power: Floats) -> Floats:
    """Ten times the common logarithm."""
    return np.float32(10) * np.log10(power)


def mean_db(power: Floats) -> float:
    """The mean in dB; very low, but finite, where there is no power."""
    return 10 * float(np.log10(power.mean() + TINY))


def power_spectra(frames: Floats) -> Floats:
    """(frame, sample) -> (frame, bin), where the bins of noise add up to the mean square."""
    window = signal.windows.hann(WINDOW, sym=False).astype(np.float32)
    spectra = fft.rfft(frames * window, FFT_SIZE, axis=1)
    power: Floats = spectra.real**2 + spectra.imag**2
    return power * np.float32(2 / FFT_SIZE / (window**2).sum())


@cache
def mel_filters() -> Floats:
    """(bin, band) triangles of height 1, evenly spread on O'Shaughnessy's mel scale (1987)."""
    lowest, highest = 2595 * np.log10(1 + np.array([LOWEST_BAND_HZ, RATE_HZ / 2]) / 700)
    edges_hz = 700 * (10 ** (np.linspace(lowest, highest, MEL_BANDS + 2) / 2595) - 1)
    left, middle, right = edges_hz[:-2], edges_hz[1:-1], edges_hz[2:]
    rising = (BIN_HZ[:, None] - left) / (middle - left)
    falling = (right - BIN_HZ[:, None]) / (right - middle)
    return np.minimum(rising, falling).clip(0).astype(np.float32)


def mel_power(power: Floats) -> Floats:
    """Power in each mel band, (frame, bin) -> (frame, band).

    Filters are nearly all zeros, and a sparse product adds in one order; a dense one's bits depend
    on how many threads share it.
    """
    bands: Floats = _sparse_filters() @ power.T
    return np.ascontiguousarray(bands.T)


@cache
def _sparse_filters() -> sparse.csr_array:
    return sparse.csr_array(mel_filters().T)


def band_of(spectra: Floats, low_hz: float, high_hz: float) -> Floats:
    """The bins from `low_hz` up to, not including, `high_hz` of spectra (frame, bin)."""
    first, end = np.searchsorted(BIN_HZ, [low_hz, high_hz])
    return spectra[:, first:end]


def regression_slope(rows: Floats, positions: Floats) -> Floats:
    """Least-squares slope of each row (row, position) over the positions."""
    centred = positions - positions.mean()
    slopes: Floats = rows @ (centred / (centred**2).sum())
    return slopes


def spectrum_at(power_db: Floats, hz: Floats) -> Floats:
    """Value of each spectrum (frame, bin) at its own frequency (frame,), between bins."""
    position = hz / BIN_HZ[1]
    below = position.astype(np.intp)
    weight, rows = position - below, np.arange(len(hz))
    between: Floats = power_db[rows, below] * (1 - weight) + power_db[rows, below + 1] * weight
    return between
