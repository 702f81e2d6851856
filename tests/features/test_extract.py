"""One vector per utterance, whatever the company, and none lost for another's sake."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import soundfile as sf

from maeum.config import Settings
from maeum.corpus.manifest import Utterance
from maeum.encoders import speech_encoder, text_encoder
from maeum.errors import AudioError
from maeum.features import Features, extract
from maeum.features.extract import TARGET_RMS, Stretch, hear, with_equal_loudness
from maeum.training.learn import Encoders

ACOUSTIC, LETTERS = speech_encoder("builtin:acoustic"), text_encoder("builtin:letters")


class Loudness:
    """A speech encoder one can compute by hand: loudness, length, first sample."""

    name, version, standardize, rate_hz, dim = "test:loudness", "1", "each", 16_000, 3

    def encode(self, waves):
        rows = [(np.sqrt(np.mean(wave**2)), len(wave), wave[0]) for wave in waves]
        return np.array(rows, dtype=np.float32)


# -- the same vectors everywhere -------------------------------------------------------------


def test_an_utterance_has_the_same_vectors_alone_and_in_any_subset_and_order(
    made_corpus, made_features
):
    ids = made_corpus.utterances["id"]
    chosen = [ids[place] for place in (17, 3, 30)]
    rows = made_corpus.utterances
    subset = pl.concat([rows.filter(pl.col("id") == name) for name in chosen])
    few = extract(made_corpus.with_utterances(subset), speech=ACOUSTIC, text=LETTERS)
    alone = extract(made_corpus.with_utterances(subset[:1]), speech=ACOUSTIC, text=LETTERS)
    for found in (few, alone):
        expected = made_features.take(found.ids)
        assert np.array_equal(found.speech, expected.speech)
        assert np.array_equal(found.text, expected.text)


def test_a_recording_is_heard_the_same_by_itself(made_corpus, made_features):
    row = made_corpus.utterances.row(5, named=True)
    vector = hear(made_corpus.audio_root / row["audio"], ACOUSTIC)
    assert np.array_equal(vector, made_features.take([row["id"]]).speech[0])


def test_everything_of_the_made_corpus_is_usable(made_corpus, made_features):
    assert made_features.ids == tuple(made_corpus.utterances["id"])
    assert made_features.usable.all()
    assert made_features.failures == {}
    assert len(made_features) == len(made_corpus)


# -- what cannot be used ---------------------------------------------------------------------


@pytest.fixture
def mixed(corpus_of, write_wav, tmp_path):
    """Good, silent, missing, broken, text alone, speech alone, and one too short."""
    write_wav("silent.wav", wave=np.zeros(16_000))
    write_wav("short.wav", duration_s=0.05)
    (tmp_path / "broken.wav").write_bytes(b"RIFF nothing of the kind")
    return corpus_of(
        Utterance("a_good", "Happy", audio=write_wav("good.wav"), text="좋아요"),
        Utterance("b_silent", "Happy", audio="silent.wav", text="조용해요"),
        Utterance("c_missing", "Sad", audio="missing.wav", text="없어요"),
        Utterance("d_broken", "Sad", audio="broken.wav"),
        Utterance("e_text", "Sad", text="글이에요"),
        Utterance("f_speech", "Sad", audio=write_wav("other.wav", seed=1)),
        Utterance("g_short", "Sad", audio="short.wav"),
    )


def test_recordings_that_cannot_be_used_are_told_and_the_rest_go_on(mixed):
    found = extract(mixed, speech=ACOUSTIC, text=LETTERS)
    assert found.has_speech.tolist() == [True, False, False, False, False, True, False]
    assert found.has_text.tolist() == [True, True, True, False, True, False, False]
    assert found.usable.tolist() == [True, True, True, False, True, True, False]
    assert list(found.failures) == ["b_silent", "c_missing", "d_broken", "g_short"]
    assert "silent.wav is silent" in found.failures["b_silent"]
    assert "missing.wav" in found.failures["c_missing"]
    assert (found.speech[~found.has_speech] == 0).all()
    assert (found.text[~found.has_text] == 0).all()


def test_a_failure_does_not_change_the_vectors_of_others(mixed):
    all_of_them = extract(mixed, speech=ACOUSTIC)
    good = mixed.select(pl.col("id").is_in(["a_good", "f_speech"]))
    expected = extract(good, speech=ACOUSTIC)
    assert np.array_equal(all_of_them.take(expected.ids).speech, expected.speech)


def test_an_encoder_not_given_leaves_its_side_alone(mixed):
    found = extract(mixed, text=LETTERS)
    assert found.speech is None
    assert not found.has_speech.any()
    assert found.failures == {}


def test_a_recording_over_a_minute_is_no_utterance(corpus_of, write_wav):
    long = corpus_of(Utterance("a", "Happy", audio=write_wav("long.wav", duration_s=61)))
    found = extract(long, speech=Loudness())
    assert not found.has_speech.any()
    assert "60" in found.failures["a"]


def test_a_corpus_without_rows_has_no_features(made_corpus):
    nothing = made_corpus.select(pl.lit(False))
    found = extract(nothing, speech=ACOUSTIC, text=LETTERS)
    assert found.speech.shape == (0, ACOUSTIC.dim)
    assert found.text.shape == (0, LETTERS.dim)


# -- stretches and channels ------------------------------------------------------------------


def test_an_utterance_is_the_stretch_and_the_channel_the_manifest_names(corpus_of, tmp_path):
    buzz = np.resize([1.0, -1.0], 16_000)
    left, right = 0.1 * buzz, 0.4 * buzz
    left[8_000:] *= 2
    sf.write(tmp_path / "call.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    call = corpus_of(
        Utterance("a", "Happy", audio="call.wav", channel=0, start_s=0.5, duration_s=0.25),
        Utterance("b", "Happy", audio="call.wav", channel=1),
        Utterance("c", "Happy", audio="call.wav", start_s=0.0, duration_s=0.5),
    )
    found = extract(call, speech=Loudness()).speech
    np.testing.assert_allclose(found[:, 0], [0.2, 0.4, 0.25], atol=1e-4)
    assert found[:, 1].tolist() == [4_000, 16_000, 8_000]


def test_a_stretch_that_is_not_there_is_an_error(write_wav, tmp_path):
    write_wav("a.wav", duration_s=0.5)
    with pytest.raises(AudioError):
        hear(tmp_path / "a.wav", Loudness(), Stretch(start_s=2.0, duration_s=1.0))


# -- loudness --------------------------------------------------------------------------------


def test_a_quieter_copy_is_encoded_equally_at_equal_loudness(made_corpus, tmp_path):
    wave, rate_hz = sf.read(made_corpus.audio_root / made_corpus.utterances["audio"][0])
    for name, factor in (("near.wav", 0.9), ("far.wav", 0.09)):
        sf.write(tmp_path / name, wave * factor, rate_hz, subtype="FLOAT")
    near, far = tmp_path / "near.wav", tmp_path / "far.wav"
    equal = [hear(path, ACOUSTIC, equal_loudness=True) for path in (near, far)]
    np.testing.assert_allclose(*equal, rtol=1e-3, atol=1e-3)
    plain = [hear(path, ACOUSTIC) for path in (near, far)]
    assert np.abs(plain[0] - plain[1]).max() > 1, "else there was nothing to make equal"


def test_equal_loudness_is_the_stated_one():
    wave = np.random.default_rng(0).normal(0, 0.001, 16_000).astype(np.float32)
    loud = with_equal_loudness(wave)
    assert loud.dtype == np.float32
    np.testing.assert_allclose(np.sqrt(np.mean(loud**2)), TARGET_RMS, rtol=1e-4)


# -- some of them ----------------------------------------------------------------------------


@pytest.fixture
def three():
    return Features(
        ids=("a", "b", "c"),
        speech=np.arange(6, dtype=np.float32).reshape(3, 2),
        text=None,
        has_speech=np.array([True, False, True]),
        has_text=np.array([False, False, False]),
        failures={"b": "b.wav is silent"},
        made_by=frozenset(["test"]),
    )


def test_some_are_taken_in_the_order_asked_for(three):
    taken = three.take(["c", "b"])
    assert taken.ids == ("c", "b")
    assert taken.speech.tolist() == [[4, 5], [2, 3]]
    assert taken.has_speech.tolist() == [True, False]
    assert taken.failures == {"b": "b.wav is silent"}
    assert taken.made_by == three.made_by
    assert three.take(["a"]).failures == {}
    assert three.take([]).speech.shape == (0, 2)


def test_one_modality_is_kept_from_the_network_and_the_vectors_stay(three):
    both = replace(three, has_text=np.array([True, True, True]))
    assert both.only("text").has_speech.tolist() == [False] * 3
    assert both.only("text").has_text.all()
    assert both.only("speech").has_text.tolist() == [False] * 3
    assert both.only("speech").has_speech.tolist() == [True, False, True]
    assert both.only("both").usable.all()
    assert both.only("speech").speech is both.speech


def test_features_of_wrong_shape_are_noticed(three):
    with pytest.raises(Exception, match="has_speech"):
        replace(three, has_speech=np.array([True, False]))
    with pytest.raises(Exception, match="speech"):
        replace(three, speech=three.speech.astype(np.float64))


def test_features_say_what_made_them(made_corpus, made_features):
    def made_by(**settings):
        chosen = Settings(**settings)
        return Encoders.of(chosen).recipe(chosen)

    assert made_by() == made_features.made_by
    assert made_by(modality="text") < made_by()
    assert made_by(normalize="recording") != made_by()
    assert made_by(normalize="speaker") == made_by()
