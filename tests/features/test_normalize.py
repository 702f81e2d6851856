"""Normalisation per voice: how a person differs from themselves."""

import numpy as np
import pytest

from maeum.errors import CorpusError
from maeum.features import Features, tables
from maeum.features.frames import HeldFrames
from maeum.features.normalize import usual_spread_in, voice_of, with_known_voices


def vectors(count, *, mean=0.0, spread=1.0, seed=0, dim=3):
    return np.random.default_rng(seed).normal(mean, spread, (count, dim)).astype(np.float32)


def features(speech, has_speech=None, **more):
    count = len(speech)
    has = np.ones(count, dtype=bool) if has_speech is None else has_speech
    ids = [f"u{place}" for place in range(count)]
    return Features.of(ids, {"speech": speech}, {"speech": has}, **more)


def normalized(*arguments):
    return with_known_voices(*arguments).vectors("speech")


USUAL = np.array([1.0, 2.0, 3.0], dtype=np.float32)


def test_every_voice_ends_with_mean_zero():
    speech = np.concatenate([vectors(20, mean=5), vectors(30, mean=-8, spread=4, seed=1)])
    speakers = ["a"] * 20 + ["b"] * 30
    found = normalized(features(speech), speakers, USUAL)
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
    spread = usual_spread_in(features(speech), ["a"] * 5 + ["b"] * 5)
    found = voice_of(speech, spread).normalize(speech)
    assert (found[:, 1] == 0).all()
    assert np.isfinite(found).all()


def test_the_usual_spread_is_within_voices_not_between_them():
    apart = np.concatenate([vectors(500, mean=100), vectors(500, mean=-100, seed=1)])
    spread = usual_spread_in(features(apart), ["a"] * 500 + ["b"] * 500)
    np.testing.assert_allclose(spread, np.ones(3), atol=0.1)


def test_the_usual_spread_counts_every_recording_alike():
    wide, narrow = vectors(900, spread=2.0), vectors(100, spread=0.1, seed=1)
    both = features(np.concatenate([wide, narrow]))
    spread = usual_spread_in(both, ["a"] * 900 + ["b"] * 100)
    np.testing.assert_allclose(spread, np.full(3, np.sqrt(0.9 * 4)), rtol=0.1)


def test_a_voice_never_trained_on_is_normalised_by_its_own_recordings():
    trained, unseen = vectors(20), vectors(8, mean=50, seed=1)
    spread = usual_spread_in(features(trained), ["a"] * 20)
    both = np.concatenate([trained, unseen])
    found = normalized(features(both), ["a"] * 20 + ["new"] * 8, spread)
    alone = normalized(features(unseen), ["new"] * 8, spread)
    assert np.array_equal(found[20:], alone)
    np.testing.assert_allclose(alone.mean(axis=0), np.zeros(3), atol=1e-4)


def test_what_is_silent_takes_no_part_and_needs_no_speaker():
    speech = vectors(4)
    speech[3] = 0
    heard = np.array([True, True, True, False])
    found = normalized(features(speech, heard), ["a", "a", "a", None], USUAL)
    expected = normalized(features(speech[:3]), ["a"] * 3, USUAL)
    assert np.array_equal(found[:3], expected)
    assert (found[3] == 0).all()


def test_a_recording_that_names_no_speaker_is_an_error():
    with pytest.raises(CorpusError, match="names no speaker"):
        with_known_voices(features(vectors(3)), ["a", None, "a"], USUAL)


# -- through tables --------------------------------------------------------------------------


def test_only_rows_of_these_utterances_have_speech_afterwards():
    found = with_known_voices(features(vectors(6)).take(["u1", "u4"]), ["a", "a"], USUAL)
    assert found.has["speech"].tolist() == [False, True, False, False, True, False]
    assert not found.tables["speech"][[0, 2, 3, 5]].any()
    np.testing.assert_allclose(found.vectors("speech").mean(axis=0), np.zeros(3), atol=1e-6)


def test_the_features_given_stay_as_they_were():
    speech = vectors(4)
    before = speech.copy()
    with_known_voices(features(speech), ["a"] * 4, USUAL)
    assert np.array_equal(speech, before)


def test_the_usual_spread_is_of_the_recordings_that_are_heard_in_the_features_alone():
    speech, speakers = vectors(40, mean=3), ["a"] * 15 + ["b"] * 25
    heard = np.arange(40) % 7 != 0
    loud = speech + 100 * (~heard)[:, None].astype("f4")
    expected = usual_spread_in(features(speech[heard]), np.array(speakers)[heard].tolist())
    found = usual_spread_in(features(loud, heard), speakers)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    some = features(speech, heard).take([f"u{row}" for row in range(30, 20, -1)])
    expected = usual_spread_in(features(speech[21:31], heard[21:31]), ["b"] * 10)
    np.testing.assert_allclose(usual_spread_in(some, ["b"] * 10), expected, rtol=1e-6)


def test_a_table_larger_than_memory_is_normalised_the_same(monkeypatch, tmp_path):
    speech, speakers = vectors(50, mean=3), ["a"] * 20 + ["b"] * 30
    expected = normalized(features(speech), speakers, USUAL)
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path))
    monkeypatch.setattr(tables, "LARGEST_IN_MEMORY", 10)
    monkeypatch.setattr(tables.in_parts, "__defaults__", (7,))
    found = with_known_voices(features(speech), speakers, USUAL)
    assert isinstance(found.tables["speech"], np.memmap)
    np.testing.assert_allclose(found.vectors("speech"), expected, rtol=1e-5, atol=1e-6)


def test_frames_are_normalised_like_their_means():
    rng = np.random.default_rng(0)
    by_row = [
        {row: rng.normal(row, 1, (5, dim)).astype("f4") for row in range(6)} for dim in (2, 1)
    ]
    means = [np.stack([frames.mean(axis=0) for frames in one.values()]) for one in by_row]
    tables_of = tuple(HeldFrames(one, dim) for one, dim in zip(by_row, (2, 1), strict=True))
    given = features(np.concatenate(means, axis=1), frames={"speech": tables_of})
    found = with_known_voices(given, ["a", "a", "b", "b", "b", "b"], USUAL)
    for place, part in ((0, slice(0, 2)), (1, slice(2, 3))):
        frames = found.frames["speech"][place].of(found.rows)
        expected = found.vectors("speech")[:, part]
        np.testing.assert_allclose([one.mean(axis=0) for one in frames], expected, atol=1e-5)
    (unheard,) = (
        with_known_voices(given.take(["u0"]), ["a"], USUAL).frames["speech"][0].of(np.array([3]))
    )
    assert unheard.shape == (0, 2)
