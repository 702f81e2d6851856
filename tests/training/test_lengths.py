"""Batches of similar length: less padding, another order each epoch, the same after a kill."""

import numpy as np
import polars as pl
import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from maeum.config import Settings
from maeum.corpus import import_corpus
from maeum.testing import make_corpus, make_speech_checkpoint, make_text_checkpoint
from maeum.training.batches import ClipDataset
from maeum.training.clips import Clips
from maeum.training.learn import Material
from maeum.training.lengths import AnotherOrderEachEpoch, LongestFirst, SimilarLengths

BATCH = 8


@pytest.fixture
def lengths():
    """Of 1,003 clips, as long as speech is."""
    return np.random.default_rng(0).lognormal(np.log(3), 0.5, 1003).clip(0.8, 8)


def in_batches(order, lengths):
    whole = [lengths[place] for place in order][: len(lengths) // BATCH * BATCH]
    return np.reshape(whole, (-1, BATCH))


def padding(batches):
    """Share of what is computed for nothing."""
    return 1 - batches.sum() / (batches.max(axis=1) * BATCH).sum()


def test_little_of_a_batch_is_padding(lengths):
    similar = in_batches(SimilarLengths(lengths, batch_size=BATCH, seed=0), lengths)
    as_they_come = in_batches(range(len(lengths)), lengths)
    assert padding(similar) < 0.06 < 0.35 < padding(as_they_come)


def test_every_utterance_comes_once_and_what_is_left_over_last(lengths):
    order = list(SimilarLengths(lengths, batch_size=BATCH, seed=0))
    assert sorted(order) == list(range(len(lengths)))
    left_over = SimilarLengths(lengths[:5], batch_size=BATCH, seed=0)
    assert sorted(left_over) == list(range(5))


def test_long_batches_come_at_any_time(lengths):
    means = in_batches(SimilarLengths(lengths, batch_size=BATCH, seed=0), lengths).mean(axis=1)
    halves = np.array_split(means, 2)
    assert abs(halves[0].mean() - halves[1].mean()) < 0.3 * means.std()


def test_an_epoch_has_its_order_whatever_came_before(lengths):
    order, again = (SimilarLengths(lengths, batch_size=BATCH, seed=3) for _ in range(2))
    first, second = list(order), (setattr(order, "epoch", 1), list(order))[1]
    again.epoch = 1
    assert list(again) == second != first
    assert list(SimilarLengths(lengths, batch_size=BATCH, seed=4)) != first


def test_small_corpora_are_parted_anew_each_epoch(lengths):
    order = SimilarLengths(lengths[:64], batch_size=BATCH, seed=0)
    parted = []
    for order.epoch in range(2):
        batches = np.reshape(list(order), (-1, BATCH))
        parted.append({frozenset(batch) for batch in batches.tolist()})
    assert not parted[0] & parted[1]


def test_a_run_gone_on_with_is_in_the_epoch_it_was_in(lengths, tmp_path):
    order = SimilarLengths(lengths, batch_size=BATCH, seed=0)
    told = AnotherOrderEachEpoch(order)
    arguments = TrainingArguments(str(tmp_path), report_to=[], use_cpu=True)
    told.on_epoch_begin(arguments, TrainerState(epoch=2.75), TrainerControl())
    assert order.epoch == 2


def test_validation_begins_with_the_longest(lengths):
    places = list(LongestFirst(lengths))
    assert lengths[places].tolist() == sorted(lengths, reverse=True)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    table = make_corpus(folder / "made", speakers=4, scripts_per_emotion=2)
    return import_corpus("table", table, folder / "corpus")


def test_speech_counts_by_seconds_and_text_by_letters(corpus):
    rows = corpus.utterances.head(3).with_columns(
        duration_s=pl.Series([2.0, 2.0, None]), text=pl.Series(["하나", "하나 둘 셋", None])
    )
    clips = Clips(corpus.with_utterances(rows))
    spoken, read = clips.lengths({"speech"}), clips.lengths({"text"})
    assert spoken.tolist() == [2.0, 2.0, 0.0]
    assert read[0] < read[1]
    both = clips.lengths({"speech", "text"})
    assert both[2] < both[0] < both[1] < 2.1


@pytest.mark.parametrize("grouped", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_run_is_shown_similar_lengths_unless_told_otherwise(
    grouped, corpus, tmp_path_factory, monkeypatch
):
    folder = tmp_path_factory.mktemp("pair")
    settings = Settings.of(
        text=str(make_text_checkpoint(folder / "text", "kcelectra")),
        speech=str(make_speech_checkpoint(folder / "speech", "wav2vec2-large-robust")),
        tune="lora",
        epochs=2,
        batch_size=2,
        hidden_size=8,
        group_by_length=grouped,
    )
    shown, given = [], ClipDataset.__getitems__

    def noted(self, places):
        shown.append(self.lengths[places])
        return given(self, places)

    monkeypatch.setattr(ClipDataset, "__getitems__", noted)
    monkeypatch.setattr("maeum.training.lengths.POOLS", 1)
    material = Material.gather(corpus, settings)
    material.learn(list(material.corpus.utterances["id"]))
    apart = np.mean([np.ptp(batch) for batch in shown])
    usual = np.mean([np.ptp(pair) for pair in np.concatenate(shown).reshape(2, -1).T])
    assert (apart < 0.3 * usual) == grouped
