"""A split keeps its promise for every corpus, and is the same for everybody."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maeum.corpus.splits import (
    GROUPED_BY,
    PARTS,
    SET_ASIDE,
    SHARES,
    choose_protocol,
    folds,
    split,
)
from maeum.errors import SplitError

EMOTIONS = np.array(["Happy", "Angry", "Sad", "Neutrality"])


def drawn_rows(*, speakers, scripts, count, seed=0):
    """`count` utterances of chance speakers, scripts and emotions; every group has at least one."""
    rng = np.random.default_rng(seed)
    count = max(count, speakers, scripts)
    return pl.DataFrame(
        {
            "id": [f"u{n:06d}" for n in range(count)],
            "speaker": [
                f"s{n}" for n in (*range(speakers), *rng.integers(0, speakers, count - speakers))
            ],
            "script": [
                f"t{n}" for n in (*range(scripts), *rng.integers(0, scripts, count - scripts))
            ],
            "emotion": EMOTIONS[rng.integers(0, 4, count)],
            "part": pl.repeat(None, count, dtype=pl.String, eager=True),
        }
    )


def grid(speakers=10, scripts=20):
    """Every speaker reads every script, as acted corpora do."""
    pairs = list(product(range(speakers), range(scripts)))
    return pl.DataFrame(
        {
            "id": [f"s{speaker}-t{script}" for speaker, script in pairs],
            "speaker": [f"s{speaker}" for speaker, _ in pairs],
            "script": [f"t{script}" for _, script in pairs],
            "emotion": [EMOTIONS[script % 4] for _, script in pairs],
            "part": [None] * len(pairs),
        },
        schema_overrides={"part": pl.String},
    ).sort("id")


CORPORA = st.builds(
    drawn_rows,
    speakers=st.integers(3, 12),
    scripts=st.integers(3, 15),
    count=st.integers(15, 90),
    seed=st.integers(0, 9999),
)
quickly = settings(deadline=None, derandomize=True, max_examples=40)


def parts_of_groups(rows, drawn, column):
    joined = rows.drop("part").join(drawn.parts.filter(pl.col("part") != SET_ASIDE), on="id")
    return joined.group_by(column).agg(pl.col("part").n_unique())["part"]


@pytest.mark.parametrize("protocol", ["speaker", "script", "speaker+script"])
@quickly
@given(rows=CORPORA, seed=st.integers(0, 99))
def test_no_group_ever_crosses_parts(protocol, rows, seed):
    drawn = split(rows, protocol, seed=seed)
    for column in GROUPED_BY[protocol]:
        assert parts_of_groups(rows, drawn, column).max() == 1


@pytest.mark.parametrize("protocol", ["random", "speaker", "script", "speaker+script", "none"])
@quickly
@given(rows=CORPORA)
def test_every_utterance_has_one_part_in_order_of_id(protocol, rows):
    drawn = split(rows, protocol)
    assert drawn.parts["id"].to_list() == rows["id"].to_list()
    assert set(drawn.parts["part"]) <= {*PARTS, SET_ASIDE}
    assert sum(drawn.counts.values()) == len(rows)
    if protocol != "speaker+script":
        assert SET_ASIDE not in drawn.counts


@pytest.mark.parametrize("protocol", ["random", "speaker", "script", "speaker+script"])
@quickly
@given(rows=CORPORA, seed=st.integers(0, 99), shuffle=st.integers(0, 99))
def test_the_same_seed_gives_the_same_split_whatever_the_row_order(protocol, rows, seed, shuffle):
    shuffled = rows.sample(fraction=1, shuffle=True, seed=shuffle)
    one, other = split(rows, protocol, seed=seed), split(shuffled, protocol, seed=seed)
    assert one.parts.equals(other.parts)
    assert one.fingerprint == other.fingerprint


def test_another_seed_gives_another_split():
    rows = grid()
    assert len({split(rows, "random", seed=seed).fingerprint for seed in range(5)}) == 5


@pytest.mark.parametrize("protocol", ["random", "speaker", "script", "speaker+script"])
def test_the_rows_kept_are_near_80_10_10_where_groups_are_many(protocol):
    rows = grid(speakers=30, scripts=200)
    counts = split(rows, protocol).counts
    kept = np.array([counts[part] for part in PARTS])
    assert kept / kept.sum() == pytest.approx(SHARES, abs=0.04)


def test_a_random_split_deals_every_emotion_out_evenly():
    rows = drawn_rows(speakers=5, scripts=5, count=1000)
    joined = rows.drop("part").join(split(rows, "random").parts, on="id")
    for _, one in joined.group_by("emotion"):
        shares = np.array([(one["part"] == part).sum() for part in PARTS]) / len(one)
        assert shares == pytest.approx(SHARES, abs=0.01)


def test_grouped_parts_have_every_emotion_where_the_groups_allow_it():
    rows = grid(speakers=10, scripts=40)
    joined = rows.drop("part").join(split(rows, "script").parts, on="id")
    assert joined.group_by("part").agg(pl.col("emotion").n_unique())["emotion"].to_list() == [4] * 3


def test_utterances_that_mix_parts_are_set_aside_and_counted():
    drawn = split(grid(), "speaker+script")
    assert drawn.counts[SET_ASIDE] > 0
    assert f"set aside {drawn.counts[SET_ASIDE]:,}" in str(drawn)


def test_an_utterance_without_a_speaker_is_set_aside():
    rows = grid().with_columns(
        speaker=pl.when(pl.col("id") == "s0-t0").then(None).otherwise("speaker")
    )
    drawn = split(rows, "speaker")
    assert drawn.parts.filter(pl.col("part") == SET_ASIDE)["id"].to_list() == ["s0-t0"]


def test_the_corpus_own_parts_are_taken_in_any_spelling():
    rows = grid(1, 5).with_columns(part=pl.Series(["Train", "training", "VALID", " test ", None]))
    assert split(rows, "given").parts["part"].to_list() == [
        "train",
        "train",
        "validation",
        "test",
        SET_ASIDE,
    ]


@pytest.mark.parametrize(
    ("rows", "protocol", "says"),
    [
        (grid(2, 20), "speaker", "2 speakers cannot fill 3 parts"),
        (grid(20, 2), "script", "2 scripts cannot fill 3 parts"),
        (grid(), "given", r"names the parts \(none\)"),
        (grid().with_columns(part=pl.lit("hold-out")), "given", "hold-out"),
        (grid().with_columns(speaker=pl.lit(None, pl.String)), "speaker", "names no speaker"),
        (grid(), "speakers", "unknown protocol 'speakers'; expected auto, random"),
        (grid().clear(), "random", "no utterance"),
    ],
)
def test_a_split_that_cannot_be_says_why(rows, protocol, says):
    with pytest.raises(SplitError, match=says):
        split(rows, protocol)


@pytest.mark.parametrize(
    ("speakers", "scripts", "protocol"),
    [
        (6, 10, "speaker+script"),
        (5, 10, "speaker"),
        (6, 9, "speaker"),
        (2, 3, "script"),
        (2, 2, "random"),
    ],
)
def test_auto_takes_the_strictest_the_corpus_carries(speakers, scripts, protocol):
    rows = grid(speakers, scripts)
    assert choose_protocol(rows) == protocol
    assert split(rows, "auto").protocol == protocol


def test_a_random_split_of_50_000_utterances_comes_back():
    rows = drawn_rows(speakers=54, scripts=9_000, count=50_000)
    assert split(rows, "random").counts == {"train": 40_000, "validation": 5_000, "test": 5_000}


@pytest.mark.parametrize("by", ["random", "speaker", "script", "speaker+script"])
@quickly
@given(rows=CORPORA, count=st.integers(2, 3), seed=st.integers(0, 99))
def test_every_utterance_is_tested_exactly_once_and_never_trained_on_then(by, rows, count, seed):
    tested = []
    for fold in folds(rows, by, count, seed=seed):
        assert not set(fold.train) & set(fold.test)
        tested += fold.test.to_list()
    assert sorted(tested) == rows["id"].to_list()


@pytest.mark.parametrize("by", ["speaker", "script", "speaker+script"])
@quickly
@given(rows=CORPORA)
def test_no_group_is_trained_on_and_tested_in_one_turn(by, rows):
    for fold in folds(rows, by, 3):
        for column in GROUPED_BY[by]:
            trained = rows.filter(pl.col("id").is_in(fold.train.implode()))[column]
            tested = rows.filter(pl.col("id").is_in(fold.test.implode()))[column]
            assert not set(trained) & set(tested)


def test_folds_do_not_depend_on_the_row_order():
    rows = grid()
    for by in GROUPED_BY:
        one = list(folds(rows, by, 3))
        other = list(folds(rows.reverse(), by, 3))
        assert [fold.name for fold in one] == [fold.name for fold in other]
        for a, b in zip(one, other, strict=True):
            assert (a.train.equals(b.train), a.test.equals(b.test)) == (True, True)


def test_leave_one_speaker_out_has_a_turn_for_each_by_name():
    turns = list(folds(grid(4, 5), "speaker", "loso"))
    assert [turn.name for turn in turns] == ["s0", "s1", "s2", "s3"]
    assert all(set(turn.test.str.slice(0, 2)) == {turn.name} for turn in turns)
    assert all(len(turn.train) == 15 for turn in turns)


def test_two_ways_of_folding_make_a_turn_for_each_pair():
    assert len(list(folds(grid(), "speaker+script", 3))) == 9


def test_an_utterance_without_a_speaker_takes_part_in_no_turn():
    rows = grid(4, 5).with_columns(
        speaker=pl.when(pl.col("id") == "s0-t0").then(None).otherwise("speaker")
    )
    for turn in folds(rows, "speaker", "loso"):
        assert "s0-t0" not in {*turn.train, *turn.test}


@pytest.mark.parametrize(
    ("rows", "by", "count", "says"),
    [
        (grid(4, 5), "speaker", 5, r"5 fold\(s\) asked for; expected 2 to 4"),
        (grid(4, 5), "speaker", 1, r"1 fold\(s\) asked for"),
        (grid(1, 5), "speaker", "loso", r"1 fold\(s\) asked for"),
        (grid(4, 5), "voice", 2, "cannot fold by 'voice'; expected random, speaker"),
        (grid(4, 5).with_columns(speaker=pl.lit(None, pl.String)), "speaker", 2, "no speaker"),
    ],
)
def test_folds_that_cannot_be_say_why(rows, by, count, says):
    with pytest.raises(SplitError, match=says):
        list(folds(rows, by, count))


def test_official_parts_without_a_test_are_tested_on_their_validation(caplog):
    rows = grid()
    named = pl.Series("part", ["Training"] * (len(rows) - 3) + ["Validation"] * 3)
    with caplog.at_level("INFO", logger="maeum"):
        drawn = split(rows.with_columns(named), "given")
    assert drawn.counts == {"train": len(rows) - 3, "test": 3}
    assert "its validation part is tested" in caplog.text
