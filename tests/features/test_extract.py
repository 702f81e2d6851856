"""One vector per utterance, whatever the company, and none lost for another's sake."""

from __future__ import annotations

import threading

import numpy as np
import polars as pl
import pytest
import soundfile as sf
from standins import Lengths, Loudness

from maeum.corpus.manifest import Utterance
from maeum.encoders import speech_encoders, text_encoders
from maeum.errors import AudioError, CorpusError, EncoderError
from maeum.features import Stretch, extract, hear, hear_frames, keep, recipe, stretches
from maeum.features.hearing import TARGET_RMS, listen, with_equal_loudness

ACOUSTIC, LETTERS = speech_encoders("builtin:acoustic"), text_encoders("builtin:letters")


def extracted(corpus, **how):
    """Features by the built-in encoders, kept nowhere."""
    return extract(corpus, speech=ACOUSTIC, text=LETTERS, store=None, **how)


@pytest.fixture(scope="module")
def all_of_them(made_corpus):
    """Features of all that was made."""
    return extracted(made_corpus)


# -- the same vectors everywhere -------------------------------------------------------------


def test_an_utterance_has_the_same_vectors_alone_and_in_any_subset_and_order(
    made_corpus, all_of_them
):
    ids = made_corpus.utterances["id"]
    chosen = [ids[place] for place in (17, 3, 30)]
    rows = made_corpus.utterances
    subset = pl.concat([rows.filter(pl.col("id") == name) for name in chosen])
    for few in (subset, subset[:1]):
        found = extracted(made_corpus.with_utterances(few))
        expected = all_of_them.take(found.ids)
        for side in ("speech", "text"):
            assert np.array_equal(found.vectors(side), expected.vectors(side))


def test_a_recording_is_heard_the_same_by_itself(made_corpus, all_of_them):
    row = made_corpus.utterances.row(5, named=True)
    vector = hear(made_corpus.audio_root / row["audio"], ACOUSTIC)
    assert np.array_equal(vector, all_of_them.take([row["id"]]).vectors("speech")[0])


def test_everything_of_the_made_corpus_is_usable(made_corpus, all_of_them):
    assert all_of_them.ids == tuple(made_corpus.utterances["id"])
    assert all_of_them.usable.all()
    assert all_of_them.failures == {}
    assert len(all_of_them) == len(made_corpus)


@pytest.mark.parametrize("threaded", [False, True])
def test_vectors_of_several_encoders_stand_side_by_side(some, threaded):
    one = Loudness("test:one", threaded=threaded)
    two = Loudness("test:two", layers=2, threaded=threaded)
    found = extract(some, speech=[one, two], store=None).vectors("speech")
    alone = extract(some, speech=[one], store=None).vectors("speech")
    assert np.array_equal(found, np.concatenate([alone, alone, 2 * alone], axis=1))
    path, _ = stretches(some)[3]
    assert np.array_equal(hear(path, [one, two]), found[3])


def test_encoders_of_different_rates_hear_their_own(some, tmp_path):
    slow = Loudness("test:slow")
    slow.rate_hz = 8_000
    vector = hear(tmp_path / "0.wav", [Loudness(), slow])
    assert (vector[1], vector[4]) == (3_200, 1_600)
    assert extract(some, speech=[slow], store=None).vectors("speech")[0, 1] == 1_600


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


@pytest.mark.parametrize("threaded", [False, True])
def test_recordings_that_cannot_be_used_are_told_and_the_rest_go_on(mixed, store, threaded):
    encoder = Loudness(threaded=threaded)
    found = extract(mixed, speech=[encoder], text=LETTERS, store=store)
    assert found.present("speech").tolist() == [True, False, False, False, False, True, False]
    assert found.present("text").tolist() == [True, True, True, False, True, False, False]
    assert found.usable.tolist() == [True, True, True, False, True, True, False]
    assert list(found.failures) == ["b_silent", "c_missing", "d_broken", "g_short"]
    assert "silent.wav is silent" in found.failures["b_silent"]
    assert "missing.wav" in found.failures["c_missing"]
    for side in ("speech", "text"):
        assert (found.vectors(side)[~found.present(side)] == 0).all()
        assert (found.tables[side][~found.has[side]] == 0).all()
    assert encoder.given == 2
    assert found.counts["test:loudness"] == (0, 2, 4)


@pytest.fixture
def blank(corpus_of):
    """Three sentences; the one in the middle is a space."""
    said = {"a": "좋아요", "b": " ", "c": "싫어요"}
    return corpus_of(*(Utterance(name, "Sad", text=text) for name, text in said.items()))


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize(
    "text", [[Lengths()], [Lengths(cheap=True)], LETTERS], ids=["kept", "cheap", "built in"]
)
def test_sentences_that_cannot_be_read_are_told_and_the_rest_go_on(
    blank, store, caplog, text, frames
):
    found = extract(blank, text=text, store=store, frames=frames)
    assert found.present("text").tolist() == [True, False, True]
    assert "is empty" in found.failures["b"]
    assert not found.vectors("text")[1].any()
    assert "1 of 3 sentences cannot be read, the first because" in caplog.text
    assert found.counts == {text[0].name: (0, 2, 1)}


def test_sentences_that_cannot_be_read_are_told_where_vectors_are_only_kept(blank, store):
    kept = keep(blank, text=[Lengths()], store=store)
    assert (kept.counts["test:lengths"], list(kept.failures)) == ((0, 2, 1), ["b"])


def test_a_recording_that_was_mended_is_used_next_time(mixed, store, write_wav):
    extract(mixed, speech=[Loudness()], store=store)
    write_wav("silent.wav", seed=5)
    found = extract(mixed, speech=[Loudness()], store=store)
    assert found.present("speech").tolist() == [True, True, False, False, False, True, False]
    assert found.counts["test:loudness"] == (2, 1, 3)


def test_equal_recordings_that_cannot_be_used_are_each_named(corpus_of, write_wav):
    for name in ("one.wav", "two.wav"):
        write_wav(name, wave=np.zeros(16_000))
    silence = corpus_of(*(Utterance(name, "Sad", audio=f"{name}.wav") for name in ("one", "two")))
    failures = extract(silence, speech=[Loudness()], store=None).failures
    assert ["one.wav" in failures["one"], "two.wav" in failures["two"]] == [True, True]


def test_a_failure_does_not_change_the_vectors_of_others(mixed):
    all_of_them = extract(mixed, speech=ACOUSTIC, store=None)
    good = mixed.select(pl.col("id").is_in(["a_good", "f_speech"]))
    expected = extract(good, speech=ACOUSTIC, store=None)
    taken = all_of_them.take(expected.ids)
    assert np.array_equal(taken.vectors("speech"), expected.vectors("speech"))


def test_what_one_of_several_encoders_refuses_is_absent_from_all(some):
    class Picky(Loudness):
        def encode(self, waves):
            if any(len(wave) == 4_800 for wave in waves):
                raise AudioError("not this one")
            return super().encode(waves)

    found = extract(some, speech=[Loudness(), Picky("test:picky")], store=None)
    assert found.present("speech").tolist() == [True, False, True, True, True]
    assert found.failures == {"u1": "not this one"}
    assert (found.tables["speech"][1] == 0).all()
    assert found.counts["test:picky"] == (0, 4, 1)


def test_values_that_are_not_finite_are_a_failure_that_is_not_kept(some, store):
    class Wild(Loudness):
        def encode(self, waves):
            rows = super().encode(waves)
            rows[rows[:, 1] == 4_800, 2] = np.nan
            return rows

    for _ in range(2):
        found = extract(some, speech=[Wild()], store=store)
        assert "1.wav" in found.failures["u1"]
        assert "not finite" in found.failures["u1"]
    assert found.counts["test:loudness"] == (4, 0, 1)


def test_a_sentence_with_values_that_are_not_finite_is_named(some):
    class Wild(Lengths):
        def encode(self, sentences):
            return super().encode(sentences) / [[len(text) - 3] for text in sentences]

    with np.errstate(divide="ignore"):
        found = extract(some, text=[Wild()], store=None)
    assert list(found.failures) == ["u2"]
    assert "'가가가': test:lengths makes values of it that are not finite" in found.failures["u2"]


def test_an_encoder_that_says_another_length_than_it_gives_is_refused(some):
    class Longer(Loudness):
        layers = 2

        def encode(self, waves):
            return np.zeros((len(waves), 3), dtype=np.float32)

    with pytest.raises(EncoderError, match="expected one of length 6"):
        extract(some, speech=[Longer(layers=2)], store=None)


def test_a_side_without_encoders_is_left_alone(mixed):
    found = extract(mixed, text=LETTERS, store=None)
    assert list(found.tables) == ["text"]
    assert not found.present("speech").any()
    assert found.failures == {}


def test_a_recording_over_a_minute_is_no_utterance(corpus_of, write_wav):
    long = corpus_of(Utterance("a", "Happy", audio=write_wav("long.wav", duration_s=61)))
    found = extract(long, speech=[Loudness()], store=None)
    assert not found.present("speech").any()
    assert "60" in found.failures["a"]


def test_a_corpus_without_rows_has_no_features(made_corpus):
    found = extracted(made_corpus.select(pl.lit(False)))
    assert found.vectors("speech").shape == (0, ACOUSTIC[0].dim)
    assert found.vectors("text").shape == (0, LETTERS[0].dim)
    assert found.context.shape == (0, 0)


def test_recordings_whose_folder_is_gone_are_no_fault_of_single_ones(some, tmp_path):
    from dataclasses import replace

    with pytest.raises(CorpusError, match="no folder any more"):
        extract(replace(some, audio_root=tmp_path / "gone"), speech=[Loudness()], store=None)


# -- how many at once ------------------------------------------------------------------------


@pytest.mark.parametrize(("at_once", "batches"), [(1, [1] * 5), (2, [2, 2, 1]), (16, [5])])
def test_an_encoder_is_given_as_many_at_once_as_it_says(some, at_once, batches):
    encoder = Loudness(at_once=at_once)
    extract(some, speech=[encoder], store=None)
    assert encoder.batches == batches


def test_the_next_recording_is_loaded_while_one_is_encoded(some, monkeypatch):
    begun = {f"{place}.wav": threading.Event() for place in range(5)}

    def listened(path, *arguments, **more):
        begun[path.name].set()
        return listen(path, *arguments, **more)

    class Waiting(Loudness):
        def encode(self, waves):
            following = begun.get(f"{self.given + 1}.wav")
            assert following is None or following.wait(timeout=10)
            return super().encode(waves)

    monkeypatch.setattr("maeum.features.sources.listen", listened)
    encoder = Waiting(at_once=1)
    assert extract(some, speech=[encoder], store=None).present("speech").all()
    assert encoder.batches == [1] * 5


# -- stretches and channels ------------------------------------------------------------------


def test_an_utterance_is_the_stretch_and_the_channel_the_manifest_names(corpus_of, tmp_path, store):
    buzz = np.resize([1.0, -1.0], 16_000)
    left, right = 0.1 * buzz, 0.4 * buzz
    left[8_000:] *= 2
    sf.write(tmp_path / "call.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    call = corpus_of(
        Utterance("a", "Happy", audio="call.wav", channel=0, start_s=0.5, duration_s=0.25),
        Utterance("b", "Happy", audio="call.wav", channel=1),
        Utterance("c", "Happy", audio="call.wav", start_s=0.0, duration_s=0.5),
    )
    for _ in range(2):
        found = extract(call, speech=[Loudness()], store=store).vectors("speech")
        np.testing.assert_allclose(found[:, 0], [0.2, 0.4, 0.25], atol=1e-4)
        assert found[:, 1].tolist() == [4_000, 16_000, 8_000]


def test_a_stretch_that_is_not_there_is_an_error(write_wav, tmp_path):
    write_wav("a.wav", duration_s=0.5)
    with pytest.raises(AudioError):
        hear(tmp_path / "a.wav", [Loudness()], Stretch(start_s=2.0, duration_s=1.0))


def test_stretches_are_found_by_place_and_in_order(mixed, tmp_path):
    found = stretches(mixed)
    assert (len(found), found[4]) == (7, None)
    assert found[0] == (tmp_path / "good.wav", Stretch())
    assert list(found) == [found[place] for place in range(7)] == found[:7]


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


def test_vectors_of_equal_loudness_are_not_found_for_others(some, store):
    plain = extract(some, speech=[Loudness()], store=store)
    loud = extract(some, speech=[Loudness()], store=store, equal_loudness=True)
    np.testing.assert_allclose(loud.vectors("speech")[:, 0], TARGET_RMS, rtol=1e-3)
    assert not np.allclose(plain.vectors("speech")[:, 0], TARGET_RMS, rtol=1e-3)
    again = extract(some, speech=[Loudness()], store=store, equal_loudness=True)
    assert again.counts["test:loudness"] == (5, 0, 0)


# -- kept, without features ------------------------------------------------------------------


def test_keeping_fills_the_store_and_tells_what_was_done(mixed, store):
    text = [Lengths(), *LETTERS]
    for expected in ((0, 2, 4), (2, 0, 4)):
        kept = keep(mixed, speech=[Loudness()], text=text, store=store)
        assert kept.counts["test:loudness"] == expected
        assert list(kept.failures) == ["b_silent", "c_missing", "d_broken", "g_short"]
    assert list(kept.counts) == list(kept.size_bytes) == ["test:loudness", "test:lengths"]
    found = extract(mixed, speech=[Loudness()], store=store)
    assert found.counts["test:loudness"] == (2, 0, 4)


# -- over time -------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [True, False])
def test_frames_are_given_when_asked_for_and_the_tables_hold_their_means(mixed, store, stored):
    for _ in range(2):
        found = extract(mixed, speech=[Loudness()], store=store if stored else None, frames=True)
        (table,) = found.frames["speech"]
        good, silent, other = table.of(np.array([0, 1, 5]))
        assert (good.shape, silent.shape, other.shape, table.dim) == ((5, 3), (0, 3), (5, 3), 3)
        for row, frames in ((0, good), (5, other)):
            np.testing.assert_allclose(found.tables["speech"][row], frames.mean(0), rtol=1e-6)
    (heard,) = hear_frames(mixed.audio_root / "good.wav", [Loudness()])
    assert np.array_equal(heard, good)
    assert found.counts["test:loudness"] == ((2, 0, 4) if stored else (0, 2, 4))


@pytest.mark.parametrize("cheap", [True, False])
def test_frames_of_sentences_have_one_per_token(mixed, store, cheap):
    found = extract(mixed, text=[Lengths(cheap=cheap)], store=store, frames=True)
    (table,) = found.frames["text"]
    assert [len(one) for one in table.of(np.array([4, 3, 1]))] == [4, 0, 4]
    assert table.of(np.array([0]))[0][:, 0].tolist() == [ord(letter) for letter in "좋아요"]


def test_frames_and_means_are_kept_apart(some, store):
    extract(some, speech=[Loudness(layers=2)], store=store)
    found = extract(some, speech=[Loudness(layers=2)], store=store, frames=True)
    assert found.counts["test:loudness"] == (0, 5, 0)
    assert found.tables["speech"].shape == (5, 3)
    assert sorted(one.kind for one in store.contents()) == ["frames", "means"]


def test_every_encoder_of_a_side_has_its_own_frames(some, store):
    both = [Loudness("test:one"), Loudness("test:two")]
    found = extract(some, speech=both, store=store, frames=True)
    one, two = (table.of(found.rows) for table in found.frames["speech"])
    assert all(map(np.array_equal, one, two))
    assert not extract(some, speech=both, store=store).frames


# -- dialogues -------------------------------------------------------------------------------


def test_context_names_the_rows_before_and_survives_taking(corpus_of, store):
    told = corpus_of(
        *(Utterance(f"u{turn}", "Sad", text="말", dialogue="d", turn=turn) for turn in range(4))
    )
    found = extract(told, text=LETTERS, store=store, context=2)
    assert found.context.tolist() == [[-1, -1], [-1, 0], [0, 1], [1, 2]]
    assert found.take(["u3", "u0"]).context.tolist() == [[1, 2], [-1, -1]]


def test_context_of_a_corpus_without_dialogues_is_refused(some):
    with pytest.raises(CorpusError, match="names a dialogue"):
        extract(some, text=LETTERS, store=None, context=1)


# -- what made them --------------------------------------------------------------------------


def test_features_say_what_made_them(some):
    made = extract(some, speech=[Loudness()], text=[Lengths()], store=None).made_by
    assert recipe([Loudness()], [Lengths()]) == made
    assert recipe(text=[Lengths()]) < made
    for other in (
        recipe([Loudness(version="2")]),
        recipe([Loudness(), Loudness("test:two")]),
        recipe([Loudness()], equal_loudness=True),
        recipe([Loudness()], frames=True),
        recipe([Loudness()], context=1),
    ):
        assert not other <= made
