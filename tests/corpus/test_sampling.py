"""What is taken is what was asked for, in the order asked for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from maeum.corpus.sampling import Sample, sample
from maeum.errors import SamplingError, SettingsError

ROWS = pl.DataFrame(
    {
        "id": ["a", "b", "c", "d", "e", "f"],
        "emotion": ["Sad", "Sad", "Sad", "Happy", "Happy", "Happy"],
        "duration_s": [3.0, 1.0, 2.0, 1.0, 5.0, 4.0],
        "text": ["하나", "둘", "둘", "셋", "넷", "다섯"],
        "script": ["1", "2", "2", "3", "4", "5"],
    }
)


def taken(rows=ROWS, *, seed=0, **wanted):
    return sample(rows, Sample(**wanted), rng=np.random.default_rng(seed))["id"].to_list()


def test_nothing_asked_for_is_everything():
    assert taken() == list("abcdef")


def test_the_shortest_and_longest_come_first_and_ties_by_id():
    assert taken(order="short", total=2) == ["b", "d"]
    assert taken(order="short", total=1) == ["b"]
    assert taken(order="long", total=2) == ["e", "f"]
    equal = ROWS.with_columns(duration_s=1.0).reverse()
    assert taken(equal, order="short", total=3) == ["a", "b", "c"]
    assert taken(equal, order="long", total=3) == ["a", "b", "c"]


def test_rows_come_back_in_order_of_id():
    assert taken(order="long", total=3) == ["a", "e", "f"]


def test_texts_without_a_recording_are_measured_in_letters():
    text_alone = ROWS.with_columns(duration_s=pl.lit(None, pl.Float64))
    assert taken(text_alone, order="long", total=2) == ["a", "f"]


def test_what_has_no_length_comes_last():
    rows = ROWS.with_columns(
        pl.when(pl.col("id") == "e").then(None).otherwise(pl.col("duration_s", "text")).name.keep()
    )
    for order in ("short", "long"):
        assert "e" not in taken(rows, order=order, total=5)


def test_chance_is_the_argument_and_not_the_row_order():
    assert taken(total=3, seed=1) == taken(ROWS.reverse(), total=3, seed=1)
    assert len({tuple(taken(total=3, seed=seed)) for seed in range(20)}) > 5


def test_so_many_of_each_emotion():
    assert taken(order="short", per_emotion=2) == ["b", "c", "d", "f"]


def test_a_sentence_is_taken_once_where_texts_must_be_distinct():
    assert taken(distinct_text=True, order="short") == ["a", "b", "d", "e", "f"]
    assert taken(distinct_text=True, order="long") == ["a", "c", "d", "e", "f"]


def test_rows_without_text_are_all_distinct():
    rows = ROWS.with_columns(script=pl.lit(None, pl.String))
    assert len(taken(rows, distinct_text=True)) == 6


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"total": 7}, "asked for 7 utterances, found 6"),
        ({"total": 6, "distinct_text": True}, "asked for 6 distinct sentences, found 5"),
        (
            {"per_emotion": 3, "distinct_text": True},
            "asked for 3 distinct sentences per emotion, found 2 of Sad",
        ),
        ({"per_emotion": 4}, "asked for 4 utterances per emotion, found 3 of Happy, 3 of Sad"),
    ],
)
def test_too_few_is_an_error_with_both_numbers(wanted, says):
    with pytest.raises(SamplingError, match=says):
        taken(**wanted)
    assert taken(**wanted, allow_fewer=True)


def test_going_on_with_fewer_takes_all_there_is():
    assert len(taken(total=7, allow_fewer=True)) == 6
    assert len(taken(per_emotion=4, allow_fewer=True)) == 6


@pytest.mark.parametrize(
    "wanted",
    [{"total": 3, "per_emotion": 1}, {"total": 0}, {"per_emotion": -1}, {"order": "longest"}],
)
def test_settings_that_make_no_sense_are_refused(wanted):
    with pytest.raises(SettingsError):
        Sample(**wanted)
