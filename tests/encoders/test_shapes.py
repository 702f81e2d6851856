"""The shape of contours: what it tells, and what it leaves out."""

from __future__ import annotations

import numpy as np
import pytest

from maeum.encoders.builtin.contours import measure
from maeum.encoders.builtin.shapes import (
    course_measures,
    height_measures,
    shape,
    stretch_measures,
)

RATE_HZ = 16_000


def voice(semitones: np.ndarray, seconds: float = 1.0) -> np.ndarray:
    """A buzz whose pitch goes through some values, in semitones above 150 Hz."""
    count = round(seconds * RATE_HZ)
    course = np.interp(np.linspace(0, 1, count), np.linspace(0, 1, len(semitones)), semitones)
    phase = 2 * np.pi * np.cumsum(150 * 2 ** (course / 12)) / RATE_HZ
    return sum(np.sin(k * phase) / k for k in range(1, 9)).astype(np.float32) / 3


def test_a_voice_that_rises_ends_high():
    told = shape(measure(voice(np.array([0.0, 8.0]))))
    assert told["pitch_course.end_to_beginning"] > 4
    assert told["pitch_course.highest_at"] > 0.9
    assert told["pitch_course.lowest_at"] < 0.1
    assert told["stretch_rising_share"] == 1
    assert told["stretch_slope_semitones_per_s.mean"] == pytest.approx(8, rel=0.2)


def test_a_voice_that_falls_is_its_mirror():
    rising = course_measures(np.linspace(0, 8, 100))
    falling = course_measures(np.linspace(8, 0, 100))
    for name in ("wave_1", "step_1", "step_2_by_std", "end_to_beginning"):
        assert falling[name] == pytest.approx(-rising[name])
    assert (rising["highest_at"], falling["highest_at"]) == (1, 0)


def test_length_does_not_count():
    hill = np.sin(np.linspace(0, np.pi, 60))
    long, short = (course_measures(np.interp(np.linspace(0, 59, n), np.arange(60), hill))
                   for n in (400, 100))  # fmt: skip
    assert long == pytest.approx(short, abs=0.03)


def test_how_high_a_voice_is_does_not_count():
    pitch = np.random.default_rng(0).normal(0, 3, 200)
    assert height_measures(pitch + 12) == pytest.approx(height_measures(pitch), abs=1e-9)


def test_shares_are_of_all_frames():
    told = shape(measure(voice(np.array([0.0, 5.0, -3.0, 2.0]))))
    for name in ("pitch_semitones.share_", "level_db.share_"):
        assert sum(value for key, value in told.items() if key.startswith(name)) == pytest.approx(1)


def test_slopes_are_those_of_each_stretch():
    semitones = np.concatenate([np.linspace(0, 1, 50), np.zeros(10), np.linspace(5, 3, 50)])
    voiced = np.repeat([True, False, True], [50, 10, 50])
    told = stretch_measures(semitones, voiced)
    assert told["stretch_first_slope_semitones_per_s"] == pytest.approx(1 / 0.49)
    assert told["stretch_last_slope_semitones_per_s"] == pytest.approx(-2 / 0.49)
    assert told["stretch_rising_share"] == 0.5
    assert told["stretch_first_semitones"] == pytest.approx(-1.75)
    assert told["stretch_length_s.max"] == 0.5


@pytest.mark.parametrize(
    "wave",
    [
        np.zeros(1600),
        np.random.default_rng(0).normal(0, 0.1, 1600),
        np.ones(1600),
        np.eye(1, 1700)[0],
    ],
    ids=["silence", "noise", "constant", "click"],
)
def test_without_a_voice_all_values_are_finite(wave):
    told = shape(measure(wave.astype(np.float32)))
    assert np.isfinite(list(told.values())).all()
    assert len(told) == 66
