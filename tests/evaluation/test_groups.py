"""Results by gender, age, style and speaker."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from maeum.emotions import EmotionSet
from maeum.evaluation.groups import (
    MIN_UTTERANCES_TO_JUDGE,
    SHOWN_WHOLE,
    grouped,
)
from maeum.evaluation.metrics import bootstrap_intervals

EMOTIONS = EmotionSet.of(["Happy", "Angry", "Sad"])


def answers(n=600, voices=20, seed=0):
    """Women are answered better than men; every seventh age is unknown; one style."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    women = np.arange(n) % 2 == 1
    answer = np.where(rng.random(n) < np.where(women, 0.8, 0.5), truth, rng.integers(0, 3, n))
    names = np.array(EMOTIONS.names)
    return pl.DataFrame(
        {
            "speaker": [f"s{row % voices:03}" for row in range(n)],
            "truth": names[truth],
            "answer": names[answer],
            "gender": np.where(women, "female", "male"),
            "age": [None if row % 7 == 0 else f"{20 + 10 * (row % 3)}s" for row in range(n)],
            "style": ["calm"] * n,
        }
    )


def test_each_group_has_scikit_learns_scores():
    table = answers()
    found = grouped(table, EMOTIONS)
    assert list(found) == ["gender", "age", "speaker"]
    for column, groups in found.items():
        for group in groups.groups:
            own = table.filter(pl.col(column) == group.value)
            truth, answer = own["truth"].to_list(), own["answer"].to_list()
            assert group.n == len(own)
            assert group.accuracy == pytest.approx(accuracy_score(truth, answer))
            assert group.uar == pytest.approx(balanced_accuracy_score(truth, answer))
            assert group.macro_f1 == pytest.approx(f1_score(truth, answer, average="macro"))


def test_a_groups_interval_is_that_of_the_bootstrap_over_its_own_speakers():
    table = answers()
    women = table.filter(pl.col("gender") == "female")
    place = {name: index for index, name in enumerate(EMOTIONS.names)}
    truth, answer = (
        women[name].replace_strict(place, return_dtype=pl.Int64).to_numpy()
        for name in ("truth", "answer")
    )
    rng = np.random.default_rng(0)
    whole = bootstrap_intervals(truth, answer, women["speaker"].to_list(), 3, rng=rng)
    group = grouped(table, EMOTIONS)["gender"].groups[0]
    assert (group.value, group.ci95_over) == ("female", "speakers")
    assert group.ci95 == pytest.approx(whole["accuracy"], abs=0.01)


def test_a_speakers_interval_is_over_utterances():
    assert {g.ci95_over for g in grouped(answers(), EMOTIONS)["speaker"].groups} == {"utterances"}


def test_utterances_of_unknown_value_are_in_no_group_and_counted():
    table = answers()
    ages = grouped(table, EMOTIONS)["age"]
    assert ages.unknown == table["age"].null_count()
    assert sum(group.n for group in ages.groups) == len(table) - ages.unknown
    assert f"{ages.unknown} utterances of unknown age are in no group." in ages.sentences


@pytest.mark.parametrize("voices", [2, SHOWN_WHOLE])
def test_a_readable_number_of_groups_is_shown_whole(voices):
    groups = grouped(answers(voices=voices), EMOTIONS)["speaker"]
    assert groups.shown == list(groups.groups)
    assert not any("runs from" in told for told in groups.sentences)


def test_of_many_groups_the_worst_the_best_and_the_spread_are_shown():
    groups = grouped(answers(n=4_000, voices=100), EMOTIONS)["speaker"]
    shares = sorted(group.accuracy for group in groups.groups)
    shown = [group.accuracy for group in groups.shown]
    assert shown == shares[:5] + shares[-5:]
    assert [part.title for part in groups.parts] == ["the 5 worst", "the 5 best"]
    low, median, high = (f"{np.quantile(shares, q):.1%}" for q in (0, 0.5, 1))
    assert (
        f"100 groups; the accuracy of the 100 that can be judged runs from {low} to {high}"
        in (groups.sentences[0])
    )
    assert groups.sentences[0].endswith(f"the median is {median}.")


def test_groups_too_small_to_judge_are_marked_and_not_ranked():
    table = pl.concat(
        [answers(n=4_000, voices=100), answers(n=9, voices=1).with_columns(speaker=pl.lit("rare"))]
    )
    groups = grouped(table, EMOTIONS)["speaker"]
    rare = next(group for group in groups.groups if group.value == "rare")
    assert rare.few
    assert rare.n < MIN_UTTERANCES_TO_JUDGE
    assert rare not in groups.shown
    assert "1 of 101 groups have fewer than 10 utterances: too few to judge" in groups.sentences[1]


def test_where_no_group_can_be_judged_none_is_shown():
    groups = grouped(answers(n=90, voices=30), EMOTIONS)["speaker"]
    assert (groups.parts, groups.spread) == ([], None)
    assert groups.sentences[0] == "30 groups, none of them large enough to judge."


def test_json_holds_a_row_per_value():
    plain = json.loads(json.dumps(grouped(answers(), EMOTIONS)["gender"].to_dict()))
    assert list(plain) == ["female", "male"]
    assert set(plain["male"]) == {
        "n",
        "accuracy",
        "uar",
        "macro_f1",
        "ci95",
        "ci95_over",
        "few",
    }


def test_a_column_the_answers_lack_is_left_out():
    assert list(grouped(answers().drop("gender", "age", "style"), EMOTIONS)) == ["speaker"]
