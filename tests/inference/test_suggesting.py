"""What is suggested for labelling, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from maeum import train
from maeum.corpus import import_corpus
from maeum.errors import CorpusError, SettingsError
from maeum.inference.suggesting import WAYS, suggest
from maeum.testing import make_corpus


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """48 recordings of 4 voices; of each emotion 12."""
    return import_corpus("table", make_corpus(tmp_path_factory.mktemp("calls"), speakers=4))


@pytest.fixture(scope="module")
def run(calls, tmp_path_factory):
    """A run that was trained on two of the voices."""
    few = calls.select(
        calls.utterances["speaker"].is_in(calls.utterances["speaker"].unique().sort()[:2].to_list())
    )
    to = tmp_path_factory.mktemp("runs") / "few"
    return train(few, to, modality="speech", split="none", epochs=5)


@pytest.mark.parametrize("by", WAYS)
def test_as_many_of_each_emotion_as_asked_for_once_each_and_with_a_reason(calls, run, by):
    found = suggest(calls, by, per_emotion=3, run=run if by == "uncertain" else None)
    ids = [one.id for one in found]
    assert len(set(ids)) == len(ids)
    assert set(ids) <= set(calls.utterances["id"])
    assert all(one.reason for one in found)
    if by != "uncertain":
        counts = pl.Series([one.emotion for one in found]).value_counts()
        assert set(counts["count"]) == {3}
        assert len(counts) == len(calls.emotions)


def test_the_longest_come_first_and_sentences_again_last(calls):
    found = suggest(calls, "long", total=len(calls))
    rows = {row["id"]: row for row in calls.utterances.iter_rows(named=True)}
    first = [rows[one.id] for one in found[: calls.utterances["script"].n_unique()]]
    assert len({row["script"] for row in first}) == len(first)
    lengths = [row["duration_s"] for row in first]
    assert lengths == sorted(lengths, reverse=True)
    assert found[0].reason.endswith(f"{len(calls) - 1} of {len(calls)} are shorter")


def test_one_of_each_group_stands_for_all_of_them(calls):
    found = suggest(calls, "diverse", per_emotion=3)
    sizes = [int(one.reason.split()[2]) if "stands" in one.reason else 1 for one in found]
    assert sum(sizes) == len(calls)
    assert [one.id for one in found] == [one.id for one in suggest(calls, "diverse", per_emotion=3)]


def test_those_a_run_cannot_decide_on_come_first(calls, run):
    found = suggest(calls, "uncertain", total=5, run=run)
    model = run.model
    features = model.extract(calls)
    chances = np.sort(model.probabilities(features), axis=1)
    margins = dict(zip(features.ids, chances[:, -1] - chances[:, -2], strict=True))
    left = [name for name in features.ids if name not in _learnt(run, calls)]
    assert [one.id for one in found] == sorted(left, key=lambda name: margins[name])[:5]
    assert "% or " in found[0].reason


def test_what_a_run_was_trained_on_is_not_suggested(calls, run):
    learnt = _learnt(run, calls)
    for by in WAYS:
        found = {one.id for one in suggest(calls, by, total=len(calls), run=run)}
        assert found == set(calls.utterances["id"]) - learnt
    with pytest.raises(CorpusError, match="trained on all of it"):
        suggest(calls.select(calls.utterances["id"].is_in(list(learnt))), "long", total=1, run=run)


def _learnt(run, calls):
    return set(run.part(calls, "train").utterances["id"])


def test_sentences_alone(calls):
    texts = replace(calls, utterances=calls.utterances.with_columns(audio=None, duration_s=None))
    longest = suggest(texts, "long", total=1)[0]
    assert len(longest.text) == texts.utterances["text"].str.len_chars().max()
    assert len(suggest(texts, "diverse", total=4)) == 4


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"by": "newest", "total": 1}, "no way 'newest' to choose; expected long, diverse"),
        ({"by": "long"}, "per emotion, or in all"),
        ({"by": "long", "total": 1, "per_emotion": 1}, "per emotion, or in all"),
        ({"by": "uncertain", "total": 1}, "name one with --run"),
    ],
)
def test_what_cannot_be_asked(calls, asked, complaint):
    with pytest.raises(SettingsError, match=complaint):
        suggest(calls, **asked)
