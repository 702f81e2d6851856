"""Answering less should be right more often."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maeum.errors import SettingsError
from maeum.evaluation.coverage import abstention, coverage

told = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)


def test_the_surest_are_answered_first():
    found = coverage([0.5, 0.9, 0.7, 0.8], [False, True, False, True])
    np.testing.assert_allclose(found.accuracies, [1, 1, 2 / 3, 1 / 2])
    assert found.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert found.area == found.area_at_best
    assert [found.accuracy_at(share) for share in (0.5, 0.6, 1.0)] == [1, pytest.approx(2 / 3), 0.5]


def test_equally_sure_answers_count_alike_whatever_their_order():
    right = np.array([True, False, True, False, True])
    for order in (slice(None), slice(None, None, -1)):
        np.testing.assert_allclose(coverage(np.full(5, 0.7), right[order]).accuracies, 0.6)


def test_nine_of_ten_are_nine():
    assert coverage(np.linspace(1, 0.1, 10), [True] * 9 + [False]).accuracy_at(0.9) == 1.0


@given(told)
def test_all_coverages_end_at_the_accuracy_and_none_is_better_than_the_best(rows):
    sure, right = zip(*rows, strict=True)
    found = coverage(sure, right)
    assert found.accuracy_at(1.0) == pytest.approx(np.mean(right))
    assert found.area >= found.area_at_best - 1e-9
    assert list(json.loads(json.dumps(found.to_dict()))["accuracy_at"]) == [
        "0.5",
        "0.8",
        "0.9",
        "1.0",
    ]


def test_a_threshold_says_how_many_are_answered_and_how_well():
    found = abstention(0.7, [0.5, 0.9, 0.7, 0.8], [False, True, False, True])
    assert found.to_dict() == {"least": 0.7, "coverage": 0.75, "accuracy": pytest.approx(2 / 3)}
    assert "70% sure: 75.0% of utterances are answered, 66.7%" in found.sentence()


def test_where_nothing_is_sure_enough_there_is_no_accuracy():
    found = abstention(1.0, [0.5, 0.9], [False, True])
    assert (found.coverage, found.accuracy) == (0, None)
    assert "all are unsure" in found.sentence()


@pytest.mark.parametrize("least", [-1, 1.5, float("nan")])
def test_a_threshold_is_a_confidence(least):
    with pytest.raises(SettingsError, match="expected a share from 0 to 1"):
        abstention(least, [0.5], [True])
