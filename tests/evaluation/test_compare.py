"""Two sets of answers compared: against a plain loop and SciPy, and told in words."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score

from maeum.emotions import EmotionSet
from maeum.errors import RunError
from maeum.evaluation import compare as comparing
from maeum.evaluation.compare import Comparison, Difference, compare, mcnemar, paired

EMOTIONS = EmotionSet.of(["Happy", "Angry", "Sad"])
NOBODY = pl.Series("utterance", [], pl.String)
NAMES = ("both", "speech")
SCIKIT = {
    "accuracy": accuracy_score,
    "uar": balanced_accuracy_score,
    "macro_f1": lambda truth, answer: f1_score(truth, answer, average="macro"),
}


def answers(right, *, n=240, voices=12, seed=0):
    """Answers of which a share is right; the truth is the same whatever the seed."""
    truth = np.random.default_rng(99).integers(0, 3, n)
    rng = np.random.default_rng(seed)
    answer = np.where(rng.random(n) < right, truth, rng.integers(0, 3, n))
    names = np.array(EMOTIONS.names)
    return pl.DataFrame(
        {
            "utterance": [f"u{row}" for row in range(n)],
            "speaker": [f"s{row % voices}" for row in range(n)],
            "truth": names[truth],
            "answer": names[answer],
        }
    )


def compared(first, second, met=NOBODY):
    return compare(first, second, EMOTIONS, names=NAMES, met=met)


# -- the numbers -------------------------------------------------------------------------------


def test_both_scores_are_scikit_learns():
    first, second = answers(0.7, seed=1), answers(0.5, seed=2)
    found = compared(first, second).differences
    for name, score in SCIKIT.items():
        one, other = (score(side["truth"], side["answer"]) for side in (first, second))
        assert found[name].first == pytest.approx(one)
        assert found[name].second == pytest.approx(other)
        assert found[name].difference == pytest.approx(one - other)


@pytest.mark.parametrize("voices", [12, 3])
def test_the_interval_is_that_of_a_plain_loop_over_the_same_units(voices):
    first, second = answers(0.7, seed=1, voices=voices), answers(0.5, seed=2, voices=voices)
    found = compared(first, second)
    assert found.ci95_over == ("speakers" if voices == 12 else "utterances")
    assert found.units == (12 if voices == 12 else 240)
    unit = first["speaker" if voices == 12 else "utterance"].to_numpy()
    rows = {name: np.flatnonzero(unit == name) for name in np.unique(unit)}
    truth, one, other = (
        column.to_numpy() for column in (first["truth"], first["answer"], second["answer"])
    )
    rng = np.random.default_rng(5)
    drawn = {name: [] for name in SCIKIT}
    for _ in range(200):
        chosen = np.concatenate([rows[n] for n in rng.choice(list(rows), len(rows))])
        for name, score in SCIKIT.items():
            apart = score(truth[chosen], one[chosen]) - score(truth[chosen], other[chosen])
            drawn[name].append(apart)
    for name, values in drawn.items():
        ends = np.quantile(values, (0.025, 0.975))
        assert found.differences[name].ci95 == pytest.approx(ends, abs=0.03)


def test_pairing_makes_the_interval_narrower_than_two_apart():
    first = answers(0.6, seed=1)
    second = first.with_columns(
        answer=pl.when(pl.int_range(pl.len()) < 12).then("truth").otherwise("answer")
    )
    low, high = compared(first, second).differences["accuracy"].ci95
    assert high - low < 0.06


def test_the_same_answers_have_the_same_interval():
    first, second = answers(0.7, seed=1), answers(0.5, seed=2)
    assert compared(first, second) == compared(first, second)


def test_turned_round_it_says_the_same():
    first, second = answers(0.7, seed=1), answers(0.5, seed=2)
    there = compared(first, second)
    back = compare(second, first, EMOTIONS, names=NAMES[::-1], met=NOBODY)
    assert there.sentence() == back.sentence()
    assert there.only_right == back.only_right[::-1]


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 0), (1, 9), (5, 5), (17, 30)])
def test_mcnemar_is_the_sum_of_the_tails(b, c):
    tails = sum(
        binom.pmf(k, b + c, 0.5)
        for k in range(b + c + 1)
        if binom.pmf(k, b + c, 0.5) <= binom.pmf(b, b + c, 0.5) * (1 + 1e-9)
    )
    assert mcnemar(b, c) == pytest.approx(tails)


def test_mcnemar_counts_what_only_one_has_right():
    first, second = answers(0.7, seed=1), answers(0.5, seed=2)
    found = compared(first, second)
    one, other = (side["truth"] == side["answer"] for side in (first, second))
    assert found.only_right == ((one & ~other).sum(), (~one & other).sum())
    assert found.mcnemar_p == mcnemar(*found.only_right)


def test_a_few_unanimous_answers_are_not_called_certain():
    first = answers(1.0, n=8)
    second = first.with_columns(
        answer=pl.col("truth").replace({"Happy": "Sad", "Sad": "Angry", "Angry": "Happy"})
    )
    low, high = compared(first, second).differences["accuracy"].ci95
    assert (high, compared(first, second).differences["accuracy"].difference) == (1.0, 1.0)
    assert 0.1 < low < 0.5


def test_many_answers_take_seconds_and_little_room():
    first, second = (answers(0.6, n=45_000, voices=500, seed=s) for s in (1, 2))
    found = compared(first, second)
    assert (found.n, found.units) == (45_000, 500)


# -- what is paired ----------------------------------------------------------------------------


def test_the_order_of_rows_does_not_matter():
    first, second = answers(0.7, seed=1), answers(0.5, seed=2)
    shuffled = second.sample(fraction=1, shuffle=True, seed=3)
    assert compared(first, shuffled) == compared(first, second)


def test_what_is_not_compared_is_counted_by_reason():
    first, second = answers(0.7, seed=1).tail(-20), answers(0.5, seed=2).head(-10)
    second = second.with_columns(
        truth=pl.when(pl.col("utterance") == "u50").then(pl.lit("?")).otherwise("truth")
    )
    met = pl.Series(["u30", "u31", "u31", "u5", "elsewhere"])
    pairs, left_out = paired(first, second, met)
    assert left_out == {"met": 2, "only_first": 10, "only_second": 20, "relabelled": 1}
    assert len(pairs) == 240 - 33
    assert not set(pairs["utterance"]) & {"u30", "u31", "u50", "u5"}


def test_nothing_fair_left_is_an_error_that_says_what_to_do():
    side = answers(0.7)
    with pytest.raises(RunError, match=r"both and speech both answer \(240\) was in .*crossval"):
        compared(side, side, met=side["utterance"])


def test_nothing_in_common_is_an_error_that_says_what_to_do():
    side = answers(0.7)
    with pytest.raises(RunError, match=r"no utterance in common .*maeum compare RUN RUN CORPUS"):
        compared(side, side.with_columns(utterance="x" + pl.col("utterance")))


# -- in words ----------------------------------------------------------------------------------


def told(points, low, high, **changes):
    accuracy = Difference(0.7, 0.7 - points, points, (low, high))
    plain = Comparison(
        names=NAMES,
        n=412,
        differences={"accuracy": accuracy},
        ci95_over="speakers",
        units=12,
        alike=300,
        only_right=(40, 23),
        mcnemar_p=0.0081,
    )
    return replace(plain, **changes)


REST = "(accuracy of 412 common utterances, over 12 speakers; McNemar p = 0.008)"


@pytest.mark.parametrize(
    ("comparison", "sentence"),
    [
        (
            told(0.041, 0.01, 0.073),
            f"both beats speech by 4.1 points, 95 % interval 1.0 to 7.3 {REST}",
        ),
        (
            told(-0.041, -0.073, -0.01),
            f"speech beats both by 4.1 points, 95 % interval 1.0 to 7.3 {REST}",
        ),
        (
            told(0.012, -0.02, 0.044),
            "no difference can be told: both is 1.2 points ahead of speech, "
            f"95 % interval -2.0 to 4.4 {REST}",
        ),
        (
            told(-0.012, -0.044, 0.02),
            "no difference can be told: speech is 1.2 points ahead of both, "
            f"95 % interval -2.0 to 4.4 {REST}",
        ),
        (
            told(0.0, -0.02, 0.0001),
            f"no difference can be told: both and speech draw, 95 % interval -2.0 to 0.0 {REST}",
        ),
        (
            told(0.041, 0.01, 0.073, ci95_over="utterances", units=412, mcnemar_p=1e-5),
            "both beats speech by 4.1 points, 95 % interval 1.0 to 7.3 "
            "(accuracy of 412 common utterances, over utterances; McNemar p < 0.001)",
        ),
        (
            told(0.0, 0.0, 0.0, alike=412),
            "no difference: both and speech answer all 412 utterances alike",
        ),
    ],
)
def test_the_outcome_in_one_sentence(comparison, sentence):
    assert comparison.sentence() == sentence


def test_beside_the_sentence_stands_what_limits_it():
    found = told(
        0.012, -0.02, 0.044, ci95_over="utterances", left_out={"met": 1_200, "only_second": 3}
    )
    assert found.notes == [
        "1,200 utterances that one of them was trained on or chosen by were not compared",
        "3 utterances that only speech answers were not compared",
        "fewer than 6 speakers are known, so the interval is over utterances; for new voices "
        "expect a wider one",
        "McNemar's test takes utterances for independent, which those of one voice are not; "
        "believe the interval",
    ]


def test_an_interval_that_mcnemar_does_not_bear_out_is_doubted():
    assert told(0.041, 0.01, 0.073).notes == []
    assert "may be too narrow" in told(0.041, 0.01, 0.073, mcnemar_p=0.2).notes[0]


def test_json_holds_all_of_it():
    found = compared(answers(0.7, seed=1), answers(0.5, seed=2))
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["sentence"] == found.sentence()
    assert set(plain["differences"]) == set(SCIKIT)
    assert plain["mcnemar"]["p"] == found.mcnemar_p
    assert plain["left_out"] == {"met": 0, "only_first": 0, "only_second": 0, "relabelled": 0}


def test_the_interval_holds_the_true_difference_about_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(comparing, "BOOTSTRAP_DRAWS", 300)
    held = 0
    for seed in range(60):
        first, second = answers(0.7, seed=seed), answers(0.4, seed=seed + 1_000)
        low, high = compared(first, second).differences["accuracy"].ci95
        held += low <= 0.3 * 2 / 3 <= high
    assert held >= 51
