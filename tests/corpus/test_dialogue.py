"""Who spoke before, in the same dialogue."""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from maeum.corpus.dialogue import previous_turns


def told(*rows: tuple[str, str | None, int | None]) -> pl.DataFrame:
    """Utterances as (id, dialogue, turn)."""
    schema = {"id": pl.String, "dialogue": pl.String, "turn": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_the_nearest_turn_stands_last_and_the_first_turn_has_none_before():
    rows = told(("a", "x", 1), ("b", "x", 2), ("c", "x", 3), ("d", "x", 4))
    assert previous_turns(rows, 2).tolist() == [[-1, -1], [-1, 0], [0, 1], [1, 2]]


def test_turns_decide_the_order_and_rows_may_stand_in_any():
    rows = told(("c", "x", 3), ("a", "x", 1), ("d", "x", 10), ("b", "x", 2))
    assert previous_turns(rows, 1).tolist() == [[3], [-1], [0], [1]]


def test_dialogues_do_not_mix_though_their_utterances_do():
    rows = told(("a", "x", 1), ("b", "y", 1), ("c", "x", 2), ("d", "y", 2), ("e", "z", 1))
    assert previous_turns(rows, 2).tolist() == [[-1, -1], [-1, -1], [-1, 0], [-1, 1], [-1, -1]]


def test_an_utterance_of_no_dialogue_has_nothing_before_it():
    rows = told(("a", None, 1), ("b", None, 2), ("c", "x", 1))
    assert previous_turns(rows, 1).tolist() == [[-1], [-1], [-1]]


def test_without_turns_the_ids_decide_and_equal_turns_go_by_id():
    rows = told(("b", "x", None), ("a", "x", None), ("d", "y", 5), ("c", "y", 5))
    assert previous_turns(rows, 1).tolist() == [[1], [-1], [3], [-1]]


def test_a_turn_left_out_is_passed_over():
    rows = told(("a", "x", 1), ("b", "x", 7))
    assert previous_turns(rows, 1).tolist() == [[-1], [0]]


def test_no_looking_back_and_no_rows_give_empty_tables():
    rows = told(("a", "x", 1), ("b", "x", 2))
    assert previous_turns(rows, 0).shape == (2, 0)
    assert previous_turns(rows[:0], 3).shape == (0, 3)
    assert previous_turns(rows, 5).dtype == np.int64


def test_looking_back_agrees_with_a_loop_over_every_dialogue():
    rng = np.random.default_rng(0)
    names = [f"d{number}" for number in rng.integers(0, 20, 200)]
    turns = rng.permutation(200)
    rows = told(*((f"{place:03}", names[place], int(turns[place])) for place in range(200)))
    for place, found in enumerate(previous_turns(rows, 3).tolist()):
        before = [
            other
            for other in range(200)
            if names[other] == names[place] and turns[other] < turns[place]
        ]
        nearest = sorted(before, key=lambda other: turns[other])[-3:]
        assert found == [-1] * (3 - len(nearest)) + nearest


def test_the_largest_corpus_takes_no_time():
    count = 453_365
    places = np.arange(count)
    rows = pl.DataFrame(
        {
            "id": [f"{place:06}" for place in places],
            "dialogue": [f"{place // 12:05}" for place in places],
            "turn": (places % 12).astype(np.int32),
        }
    )
    begin = time.perf_counter()
    found = previous_turns(rows, 3)
    assert time.perf_counter() - begin < 5
    assert (found[:, -1] >= 0).sum() == count - -(-count // 12)
