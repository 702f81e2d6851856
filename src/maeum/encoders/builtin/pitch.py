"""The pitch of a voice, frame by frame: peaks of the autocorrelation, joined by the cheapest path.

The method is Boersma's (1993, "Accurate short-term analysis of the fundamental frequency and the
harmonics-to-noise ratio of a sampled sound"), as is every cost below that names no other origin.
Dividing by the autocorrelation of the window makes the height of a peak the share of power that
repeats, so that one computation gives pitch, voicing and harmonicity.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from maeum.encoders.builtin.frames import centred_frames

Floats = NDArray[np.float32]

LOWEST_HZ = 65.0  # below the lowest voices of adults, who seldom speak under 70 Hz
HIGHEST_HZ = 600.0  # excited voices of women and children pass 500 Hz
WINDOW_S = 0.045  # three periods of the lowest pitch
CANDIDATES = 4  # peaks that compete in a frame, beside "no voice"
VOICING_THRESHOLD = 0.45  # repeating share of power that a voiced frame needs
SILENCE_THRESHOLD = 0.03  # amplitude, relative to the loudest frame, below which nothing is voiced
OCTAVE_COST = 0.01  # per octave down: prefers the shortest of equally good periods
OCTAVE_JUMP_COST = 0.35  # per octave between neighbouring frames 10 ms apart
VOICING_CHANGE_COST = 0.14  # for each beginning and each end of voice


class Pitch(NamedTuple):
    """What `track_pitch` hears.

    Attributes:
        hz: (frame,) pitch in Hz; 0 where there is no voice.
        periodicity: (frame,) share of power that repeats, in [0, 1], voiced or not.
    """

    hz: Floats
    periodicity: Floats


def track_pitch(wave: Floats, *, rate_hz: int, hop: int) -> Pitch:
    """Follow the pitch of a wave, one value every `hop` samples.

    Args:
        wave: (sample,) of any level.
        rate_hz: samples per second.
        hop: samples from one frame to the next.

    Returns:
        Pitch of `1 + sample // hop` frames, between `LOWEST_HZ` and `HIGHEST_HZ`.
    """
    frames = centred_frames(wave, size=round(WINDOW_S * rate_hz), hop=hop)
    lags = repeating_share(frames, lag_count=round(rate_hz / LOWEST_HZ) + 2)
    period_s, height = best_peaks(lags, rate_hz=rate_hz)
    hz = 1 / period_s
    merit = np.where(height > 0, height + OCTAVE_COST * np.log2(hz / LOWEST_HZ), -np.inf)
    chosen = cheapest_path(merit, unvoiced_merit(frames), np.log2(hz))
    heard = np.take_along_axis(hz, np.maximum(chosen, 0)[:, None], axis=1)[:, 0]
    return Pitch(
        hz=np.where(chosen >= 0, heard, 0).astype(np.float32),
        periodicity=height.max(axis=1).clip(0, 1).astype(np.float32),
    )


def repeating_share(frames: Floats, *, lag_count: int) -> Floats:
    """Autocorrelation (frame, lag), 1 at lag 0, freed of the shape of the window."""
    size = frames.shape[1]
    window = signal.windows.hann(size, sym=False).astype(np.float32)
    centred = frames - frames.mean(axis=1, keepdims=True)
    raw = autocorrelation(centred * window, lag_count)
    power = np.maximum(raw[:, :1], np.finfo(np.float32).tiny)
    return raw / power / (own := autocorrelation(window[None], lag_count)) * own[0, 0]


def autocorrelation(frames: Floats, lag_count: int) -> Floats:
    """(frame, sample) -> (frame, lag), without wrapping around at the lags asked for."""
    size = fft.next_fast_len(frames.shape[1] + lag_count, real=True)
    spectrum = fft.rfft(frames, size, axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    return fft.irfft(power, size, axis=1)[:, :lag_count]


def best_peaks(lags: Floats, *, rate_hz: int) -> tuple[Floats, Floats]:
    """The best `CANDIDATES` peaks as periods in seconds and heights, both (frame, peak).

    Position and height come from the parabola through a peak and its neighbours; a frame with
    fewer peaks is filled up with peaks of height 0.
    """
    first = int(rate_hz / HIGHEST_HZ)
    left, middle, right = lags[:, first - 1 : -2], lags[:, first:-1], lags[:, first + 1 :]
    is_peak = (middle > left) & (middle >= right) & (middle > 0)
    octaves = np.log2(np.arange(first, first + middle.shape[1], dtype=np.float32))
    rank = np.where(is_peak, middle - np.float32(OCTAVE_COST) * octaves, -np.inf)
    top = np.argpartition(rank, -CANDIDATES, axis=1)[:, -CANDIDATES:]
    a, b, c = (np.take_along_axis(side, top, axis=1) for side in (left, middle, right))
    shift, height = parabola_top(a, b, c)
    found = np.take_along_axis(is_peak, top, axis=1)
    period = (top + first + np.where(found, shift, 0)).astype(np.float32)
    return period / np.float32(rate_hz), np.where(found, height, np.float32(0))


def parabola_top(left: Floats, middle: Floats, right: Floats) -> tuple[Floats, Floats]:
    """Where, in samples from the middle, and how high the parabola through three points peaks."""
    bend = np.maximum(2 * middle - left - right, np.finfo(np.float32).eps)
    shift = ((right - left) / bend / 2).clip(-0.5, 0.5)
    return shift, middle + (right - left) * shift / 4


def unvoiced_merit(frames: Floats) -> Floats:
    """How good "no voice" is for each frame, (frame,): more, the quieter the frame."""
    peak = np.abs(frames).max(axis=1)
    loudness = peak / max(float(peak.max()), float(np.finfo(np.float32).tiny))
    quiet = SILENCE_THRESHOLD / (1 + VOICING_THRESHOLD)
    return VOICING_THRESHOLD + np.maximum(0, 2 - loudness / quiet)


def cheapest_path(merit: Floats, unvoiced: Floats, octave: Floats) -> NDArray[np.intp]:
    """The peak of each frame on the best way through all of them (Viterbi); -1 where unvoiced.

    Args:
        merit: (frame, peak) how good each peak is.
        unvoiced: (frame,) how good having no voice is.
        octave: (frame, peak) pitch in octaves.
    """
    states = np.column_stack([merit, unvoiced])
    leaps = OCTAVE_JUMP_COST * np.abs(octave[1:, None, :] - octave[:-1, :, None])
    costs = np.pad(leaps, ((0, 0), (0, 1), (0, 1)), constant_values=VOICING_CHANGE_COST)
    costs[:, -1, -1] = 0
    total, origins = states[0], np.empty(costs.shape[::2], dtype=np.intp)
    for frame, cost in enumerate(costs):
        ways = total[:, None] - cost
        origins[frame] = ways.argmax(axis=0)
        total = ways.max(axis=0) + states[frame + 1]
    path = trace_back(origins, int(total.argmax()))
    return np.where(path == merit.shape[1], -1, path)


def trace_back(origins: NDArray[np.intp], last: int) -> NDArray[np.intp]:
    """Follow (step, state) origins from the last state back to the first: (step + 1,)."""
    path = [last]
    for step in origins[::-1]:
        path.append(int(step[path[-1]]))
    return np.array(path[::-1])
