"""Normalisation per voice: how a person differs from themselves."""

import numpy as np
import pytest

from maeum.errors import CorpusError
from maeum.features import Features
from maeum.features.normalize import usual_spread, voice_of, with_known_voices


def vectors(count, *, mean=0.0, spread=1.0, seed=0, dim=3):
    return np.random.default_rng(seed).normal(mean, spread, (count, dim)).astype(np.float32)


def features(speech, has_speech=None):
    count = len(speech)
    return Features(
        ids=tuple(f"u{place}" for place in range(count)),
        speech=speech,
        text=None,
        has_speech=np.ones(count, dtype=bool) if has_speech is None else has_speech,
        has_text=np.zeros(count, dtype=bool),
    )


USUAL = np.array([1.0, 2.0, 3.0], dtype=np.float32)


def test_every_voice_ends_with_mean_zero():
    speech = np.concatenate([vectors(20, mean=5), vectors(30, mean=-8, spread=4, seed=1)])
    speakers = ["a"] * 20 + ["b"] * 30
    found = with_known_voices(features(speech), speakers, USUAL).speech
    for own in (found[:20], found[20:]):
        np.testing.assert_allclose(own.mean(axis=0), np.zeros(3), atol=1e-5)


def test_many_recordings_of_a_voice_end_with_spread_one_whatever_is_usual():
    speech = vectors(5_000, mean=3, spread=0.5)
    found = voice_of(speech, USUAL).normalize(speech)
    np.testing.assert_allclose(found.std(axis=0), np.ones(3), atol=0.01)


def test_two_recordings_weigh_as_much_as_what_is_usual():
    pair = np.array([[0, 0, 0], [2, 2, 2]], dtype=np.float32)
    voice = voice_of(pair, USUAL)
    np.testing.assert_allclose(voice.mean, [1, 1, 1])
    half_and_half = np.sqrt((1 + USUAL**2) / 2)  # their own variance is 1
    np.testing.assert_allclose(voice.spread, half_and_half, rtol=1e-6)


def test_one_recording_alone_is_at_zero_and_its_voice_has_the_usual_spread_at_most():
    one = vectors(1, mean=7)
    voice = voice_of(one, USUAL)
    np.testing.assert_allclose(voice.normalize(one), np.zeros((1, 3)))
    assert (voice.spread <= USUAL).all()


def test_a_dimension_that_never_changes_ends_at_zero():
    speech = vectors(10)
    speech[:, 1] = 4.0
    spread = usual_spread(speech, ["a"] * 5 + ["b"] * 5)
    found = voice_of(speech, spread).normalize(speech)
    assert (found[:, 1] == 0).all()
    assert np.isfinite(found).all()


def test_the_usual_spread_is_within_voices_not_between_them():
    apart = np.concatenate([vectors(500, mean=100), vectors(500, mean=-100, seed=1)])
    spread = usual_spread(apart, ["a"] * 500 + ["b"] * 500)
    np.testing.assert_allclose(spread, np.ones(3), atol=0.1)


def test_the_usual_spread_counts_every_recording_alike():
    wide, narrow = vectors(900, spread=2.0), vectors(100, spread=0.1, seed=1)
    spread = usual_spread(np.concatenate([wide, narrow]), ["a"] * 900 + ["b"] * 100)
    np.testing.assert_allclose(spread, np.full(3, np.sqrt(0.9 * 4)), rtol=0.1)


def test_a_voice_never_trained_on_is_normalised_by_its_own_recordings():
    trained, unseen = vectors(20), vectors(8, mean=50, seed=1)
    spread = usual_spread(trained, ["a"] * 20)
    both = np.concatenate([trained, unseen])
    found = with_known_voices(features(both), ["a"] * 20 + ["new"] * 8, spread).speech
    alone = with_known_voices(features(unseen), ["new"] * 8, spread).speech
    assert np.array_equal(found[20:], alone)
    np.testing.assert_allclose(alone.mean(axis=0), np.zeros(3), atol=1e-4)


def test_what_is_silent_takes_no_part_and_needs_no_speaker():
    speech = vectors(4)
    speech[3] = 0
    heard = np.array([True, True, True, False])
    found = with_known_voices(features(speech, heard), ["a", "a", "a", None], USUAL).speech
    expected = with_known_voices(features(speech[:3]), ["a"] * 3, USUAL).speech
    assert np.array_equal(found[:3], expected)
    assert (found[3] == 0).all()


def test_a_recording_that_names_no_speaker_is_an_error():
    with pytest.raises(CorpusError, match="names no speaker"):
        with_known_voices(features(vectors(3)), ["a", None, "a"], USUAL)
