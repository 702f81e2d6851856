"""What a voice does from frame to frame: level, colour, pitch and quality, every 10 ms.

The measures follow the Geneva minimalistic set (Eyben et al. 2016, "The Geneva Minimalistic
Acoustic Parameter Set for voice research and affective computing") where it has them, and take its
bands. All of them leave out how loud the recording is: powers are relative to its loudest frame.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maeum.encoders.builtin.frames import centred_frames
from maeum.encoders.builtin.pitch import Pitch, track_pitch
from maeum.encoders.builtin.spectra import (
    BIN_HZ,
    RATE_HZ,
    TINY,
    WINDOW,
    Floats,
    band_of,
    decibels,
    mean_db,
    mel_power,
    power_spectra,
    regression_slope,
    spectrum_at,
)

Mask: TypeAlias = NDArray[np.bool_]

HOP = 160  # 10 ms, the customary distance of frames
ACTIVE_RANGE_DB = 35.0  # frames further below the loudest one are pauses
FLOOR = np.float32(1e-9)  # of the loudest frame's power, in each bin: hides what is not sound
LEVEL_FLOOR = np.float32(1e-5)  # pauses deeper than 50 dB are alike: the rest is the room's
QUIETEST_PEAK = 1e-6  # -120 dB, below the last bit of 16-bit recordings: as good as silence
QUIETEST_DBFS = -120.0
LOUDNESS_EXPONENT = 0.3  # of power (Stevens 1955)
ROLL_OFF_PERCENT = (25, 50, 75, 85, 95)
ALPHA_BANDS_HZ = {"alpha_db": (50, 1000, 5000), "alpha_wide_db": (50, 5000, 8001)}
HAMMARBERG_EDGES_HZ = (0, 2000, 5000)
SLOPE_BANDS_HZ = {
    "slope_low_db_khz": (0, 501),
    "slope_middle_db_khz": (500, 1501),
    "slope_high_db_khz": (1000, 8001),
}
FORMANT_BANDS_HZ = {
    "h1_f1_db": (300, 1000),
    "h1_f2_db": (1000, 2500),
    "h1_f3_db": (2500, 4000),
}  # where the first three formants of most vowels lie
PITCH_REFERENCE_HZ = 100.0  # 0 semitones
UNVOICED_HZ = 150.0  # between voices of men and women; where a pitch is needed and none is there
PERIODICITY_LIMITS = (0.001, 0.999)  # -30 to 30 dB of harmonicity
DELTA_REACH = 2  # frames to each side, as is customary for deltas of cepstra


class Contours(NamedTuple):
    """Measurements of one clip from its first to its last active frame.

    Attributes:
        values: contours by name, each (frame,).
        voiced: (frame,) where the voice has a pitch.
        active: (frame,) where there is sound; elsewhere the speaker pauses.
        level_dbfs: mean power of the active frames in dB; 0 dB is a square wave of full scale.
    """

    values: dict[str, Floats]
    voiced: Mask
    active: Mask
    level_dbfs: float


def measure(wave: Floats) -> Contours:
    """Measure a wave (sample,) at `RATE_HZ`; silence before and after speech does not count."""
    wave, gain_db = at_full_scale(wave)
    frames = centred_frames(wave, size=WINDOW, hop=HOP)
    energy = (frames * frames).mean(axis=1)
    spoken, active = activity(energy)
    pitch = track_pitch(wave[sample_range(spoken)], rate_hz=RATE_HZ, hop=HOP)
    energy, loudest = energy[spoken], max(energy.max(), TINY)
    return Contours(
        values=contours_of(
            energy / loudest + LEVEL_FLOOR, power_spectra(frames[spoken]) / loudest + FLOOR, pitch
        ),
        voiced=pitch.hz > 0,
        active=active,
        level_dbfs=max(gain_db + mean_db(energy[active]), QUIETEST_DBFS),
    )


def contours_of(energy: Floats, power: Floats, pitch: Pitch) -> dict[str, Floats]:
    """All contours by name, each (frame,).

    Args:
        energy: (frame,) mean square relative to the loudest frame.
        power: (frame, bin) spectra on the same scale.
        pitch: of the same frames.
    """
    mel = mel_power(power)
    return {
        **level_contours(decibels(energy), mel),
        **colour_contours(power),
        **mel_contours(decibels(mel)),
        **change_contours(power, decibels(mel)),
        **slope_contours(decibels(power)),
        **pitch_contours(bridged_semitones(pitch.hz)),
        **quality_contours(decibels(power), pitch.hz, pitch.periodicity),
    }


def at_full_scale(wave: Floats) -> tuple[Floats, float]:
    """The wave (sample,) around 0 with a peak of 1, and the dB it had less."""
    centred = wave.astype(np.float64)
    centred -= centred.mean()
    peak = max(float(np.abs(centred).max()), QUIETEST_PEAK)
    return (centred / peak).astype(np.float32), 20 * float(np.log10(peak))


def activity(energy: Floats) -> tuple[slice, Mask]:
    """The range from the first to the last active frame, and which frames in it are active.

    In digital silence all frames are active.
    """
    active = energy >= energy.max() * np.float32(10 ** (-ACTIVE_RANGE_DB / 10))
    first, last = np.flatnonzero(active)[[0, -1]]
    spoken = slice(int(first), int(last) + 1)
    return spoken, active[spoken]


def sample_range(frames: slice) -> slice:
    """The samples that `centred_frames` cuts into as many frames, around the same moments."""
    return slice(frames.start * HOP, (frames.stop - 1) * HOP + 1)


def level_contours(level_db: Floats, mel: Floats) -> dict[str, Floats]:
    """How strong the sound is relative to the clip, in power and as heard, and how it changes.

    Args:
        level_db: (frame,) 0 in the loudest frame.
        mel: (frame, band) power.
    """
    heard = (mel**LOUDNESS_EXPONENT).sum(axis=1)
    loudness = heard / heard.mean()
    return {
        "level_db": level_db,
        "level_change_db": delta(level_db),
        "level_bend_db": bend(level_db),
        "loudness": loudness,
        "loudness_change": delta(loudness),
    }


def colour_contours(power: Floats) -> dict[str, Floats]:
    """Where in the spectrum (frame, bin) the power lies, in octaves above 1 Hz and in dB."""
    total = power.sum(axis=1)
    share = power / total[:, None]
    centre_hz = share @ BIN_HZ
    variance = share @ BIN_HZ**2 - centre_hz**2
    strongest = [band_of(power, *HAMMARBERG_EDGES_HZ[i : i + 2]).max(axis=1) for i in (0, 1)]
    return {
        "centroid_octaves": np.log2(centre_hz),
        "spread_octaves": np.log2(variance.clip(1)) / 2,
        **roll_off_contours(share),
        **{name: alpha_ratio_db(power, *edges) for name, edges in ALPHA_BANDS_HZ.items()},
        "hammarberg_db": decibels(strongest[0] / strongest[1]),
        "flatness_db": decibels(power).mean(axis=1) - decibels(power.mean(axis=1)),
        "entropy": -(share * np.log(share)).sum(axis=1),
    }


def alpha_ratio_db(power: Floats, low_hz: float, edge_hz: float, high_hz: float) -> Floats:
    """Power below to power above an edge, (frame,)."""
    below, above = band_of(power, low_hz, edge_hz), band_of(power, edge_hz, high_hz)
    return decibels(below.sum(axis=1) / above.sum(axis=1))


def roll_off_contours(share: Floats) -> dict[str, Floats]:
    """Frequencies below which given percentages of the power lie."""
    reached = share.cumsum(axis=1)
    bins = [(reached < percent / 100).sum(axis=1) for percent in ROLL_OFF_PERCENT]
    octaves = np.log2(BIN_HZ[np.clip(bins, 1, len(BIN_HZ) - 1)])
    return {
        f"roll_off_{percent}_octaves": row
        for percent, row in zip(ROLL_OFF_PERCENT, octaves, strict=True)
    }


def mel_contours(mel_db: Floats) -> dict[str, Floats]:
    """The long view of colour: each band (frame, band) against the mean of all."""
    relative = mel_db - mel_db.mean(axis=1, keepdims=True)
    return {f"mel_{band:02d}_db": row for band, row in enumerate(relative.T)}


def change_contours(power: Floats, mel_db: Floats) -> dict[str, Floats]:
    """How far the spectrum moves from one frame to the next."""
    amplitude = np.sqrt(power)
    shape = amplitude / amplitude.sum(axis=1, keepdims=True)
    return {
        "flux": np.sqrt((step(shape) ** 2).sum(axis=1)),
        "mel_flux_db": np.abs(step(mel_db)).mean(axis=1),
    }


def slope_contours(power_db: Floats) -> dict[str, Floats]:
    """Regression slopes of the spectrum (frame, bin) over bands, in dB per kHz."""
    return {
        name: regression_slope(band_of(power_db, *edges), band_of(BIN_HZ[None], *edges)[0] / 1000)
        for name, edges in SLOPE_BANDS_HZ.items()
    }


def bridged_semitones(pitch_hz: Floats) -> Floats:
    """Pitch in semitones above `PITCH_REFERENCE_HZ`, drawn straight across unvoiced frames.

    A clip without any voice stays at `UNVOICED_HZ`.
    """
    voiced = np.flatnonzero(pitch_hz)
    heard_hz = pitch_hz[voiced] if len(voiced) else np.array([UNVOICED_HZ])
    semitones = 12 * np.log2(heard_hz / PITCH_REFERENCE_HZ)
    moments = voiced if len(voiced) else np.array([0])
    return np.interp(np.arange(len(pitch_hz)), moments, semitones).astype(np.float32)


def pitch_contours(semitones: Floats) -> dict[str, Floats]:
    """Pitch, and how it moves in semitones per frame."""
    change = delta(semitones)
    return {
        "pitch_semitones": semitones,
        "pitch_change_semitones": change,
        "pitch_speed_semitones": np.abs(change),
        "pitch_bend_semitones": bend(semitones),
    }


def quality_contours(power_db: Floats, pitch_hz: Floats, periodicity: Floats) -> dict[str, Floats]:
    """How pure, breathy or pressed the voice is: harmonicity, and harmonics against formants."""
    pure = periodicity.clip(*PERIODICITY_LIMITS)
    base_hz = np.where(pitch_hz > 0, pitch_hz, np.float32(UNVOICED_HZ))
    first, second = spectrum_at(power_db, base_hz), spectrum_at(power_db, 2 * base_hz)
    formants = {
        name: first - band_of(power_db, *edges).max(axis=1)
        for name, edges in FORMANT_BANDS_HZ.items()
    }
    return {
        "periodicity": pure,
        "harmonicity_db": decibels(pure / (1 - pure)),
        "h1_h2_db": first - second,
        **formants,
        "h1_all_db": first - decibels((10 ** (power_db / 10)).sum(axis=1)),
    }


def delta(contour: Floats) -> Floats:
    """Regression slope per frame over `DELTA_REACH` frames to each side, (frame,)."""
    weights = np.arange(DELTA_REACH, -DELTA_REACH - 1, -1, dtype=np.float32)
    padded = np.pad(contour, DELTA_REACH, mode="edge")
    return np.convolve(padded, weights / (weights**2).sum(), mode="valid")


def step(spectra: Floats) -> Floats:
    """Difference of each row from the one before it; 0 in the first."""
    return np.diff(spectra, axis=0, prepend=spectra[:1])


def bend(contour: Floats) -> Floats:
    """How sharply a contour (frame,) turns, up or down alike; 0 in the first two frames.

    On pitch and level this is what jitter and shimmer are on single periods.
    """
    return np.abs(np.diff(contour, n=2, prepend=contour[[0, 0]]))
