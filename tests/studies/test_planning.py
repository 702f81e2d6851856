"""Who trains on what is known before anything is encoded, and is what `train` would take."""

import time

import numpy as np
import polars as pl
import pytest
from tinystudies import EMOTIONS, small

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.corpus.manifest import SCHEMA, Utterance
from maeum.corpus.splits import split
from maeum.emotions import PAPER
from maeum.errors import CorpusError, SettingsError, SplitError
from maeum.studies import named
from maeum.studies.planning import plan
from maeum.training.learn import training_rows


def made(count, *, sentences, speakers=40, seed=0):
    """A corpus of AI-Hub's design in memory: a sentence has one emotion, many read it."""
    rng = np.random.default_rng(seed)
    script = rng.integers(0, sentences, count)
    table = pl.DataFrame(
        {
            "id": [f"u{number:07}" for number in range(count)],
            "audio": [f"{number}.wav" for number in range(count)],
            "duration_s": rng.uniform(0.8, 9, count),
            "text": [f"문장 {number}" for number in script],
            "script": [f"s{number}" for number in script],
            "speaker": [f"p{number}" for number in rng.integers(0, speakers, count)],
            "emotion": [PAPER.names[number % 7] for number in script],
        }
    )
    nothing = {
        name: pl.lit(None, kind) for name, kind in SCHEMA.items() if name not in table.columns
    }
    return Corpus(table.with_columns(**nothing).select(SCHEMA.names()).cast(SCHEMA), PAPER)


@pytest.fixture(scope="module")
def large():
    """40,000 utterances of 2,100 sentences."""
    return made(40_000, sentences=2_100)


def test_more_distinct_sentences_than_exist_are_said_with_both_numbers(large):
    study = named("table4").changed(seeds=1, protocols=["random"])
    lacking = plan(study, large).shortfalls()
    sizes = ("500", "1,000", "1,500", "2,000")
    assert list(lacking) == [f"text, {size}, random" for size in sizes]
    found = lacking["text, 2,000, random"]
    assert found.startswith("asked for 2,000 distinct sentences per emotion, found 300 of Angry")


@pytest.mark.parametrize("order", ["random", "short", "long"])
@pytest.mark.parametrize("protocol", ["random", "speaker+script"])
@pytest.mark.parametrize("how", [{}, {"distinct_text": True}])
def test_a_run_trains_on_what_train_would_take(large, order, protocol, how):
    study = small(
        settings=how,
        blocks=[{"modality": "speech", "size": 40, "order": order, "seed": [3]}],
        protocols=[protocol],
        rows=["order"],
    )
    drawn = plan(study, large)
    (run,) = drawn.runs
    settings = Settings.of(order=order, per_emotion=40, seed=3, **how)
    parts = split(large.utterances, protocol, seed=0)
    expected = training_rows(parts.rows(large.utterances, "train"), settings)
    assert drawn.ids(run.sampled.rows[0]) == expected["id"].to_list()
    tested = parts.rows(large.utterances, "test")["id"].to_list()
    assert drawn.ids(run.parting.turns[0].test) == sorted(tested)


def test_a_large_test_part_is_one_split_and_a_small_corpus_is_folded(large, said):
    study = small(folds=None, protocols=["random", "speaker+script"])
    assert [(p.folds, len(p.turns)) for p in plan(study, large).partings] == [(0, 1), (0, 1)]
    assert [(p.folds, len(p.turns)) for p in plan(study, said).partings] == [(5, 5), (3, 9)]


def test_all_runs_of_a_protocol_share_one_test_set(said):
    study = small(
        blocks=[{"modality": ["text"], "size": [2, 4], "order": ["short", "random"]}],
        rows=["order"],
        folds=4,
        seeds=3,
    )
    partings = {id(run.parting) for run in plan(study, said).runs}
    assert len(partings) == 1
    (parting,) = plan(study, said).partings
    tested = np.concatenate([turn.test for turn in parting.turns])
    assert sorted(tested.tolist()) == list(range(len(said)))


def test_sentences_can_be_dropped_before_the_split(large):
    study = named("table4").changed(seeds=1, protocols=["random"], folds=0)
    training, corpus = (
        plan(study.changed(distinct=where), large) for where in ("training", "corpus")
    )
    assert training.runs[0].parting.tested == pytest.approx(4_000, abs=50)
    assert corpus.runs[0].parting.tested == pytest.approx(210, abs=10)
    last = corpus.runs[-1]
    assert last.sampled.found == pytest.approx(0.8 * 2_100, abs=10)


def test_the_test_can_be_sampled_too(large, said):
    study = small(test_per_emotion=5, blocks=[{"modality": "speech", "size": [20]}])
    (parting,) = plan(study, large).partings
    emotions = large.utterances["emotion"].gather(parting.turns[0].test)
    assert emotions.value_counts()["count"].to_list() == [5] * 7
    with pytest.raises(SettingsError, match="take one split with --folds 0"):
        plan(small(test_per_emotion=5, folds=3), said)


def test_utterances_that_lack_a_side_of_any_run_are_in_no_run(corpus_of):
    emotions = ("Happy", "Angry")
    corpus = corpus_of(
        *(
            Utterance(
                id=f"u{number:02}",
                emotion=emotions[number % 2],
                text=None if number == 3 else f"서로 다른 {number * 7919} 말",
                audio=None if number == 5 else f"{number}.wav",
                speaker=f"s{number % 4}",
            )
            for number in range(40)
        ),
        emotions=emotions,
    )
    both = plan(small(blocks=[{"modality": ["text", "speech"], "size": 2}]), corpus)
    assert both.lacking == 2
    used = {row for run in both.runs for rows in run.needed() for row in rows.tolist()}
    assert not used & {3, 5}
    assert plan(small(blocks=[{"modality": "text", "size": 2}]), corpus).lacking == 1


def test_a_protocol_the_corpus_cannot_carry_fails_in_its_rows_alone(said):
    nameless = said.with_utterances(said.utterances.with_columns(speaker=pl.lit(None, pl.String)))
    drawn = plan(small(protocols=["random", "speaker+script"], folds=None), nameless)
    failing = [run.parting.failure for run in drawn.runs if not run.can_run]
    assert len(failing) == len(drawn.runs) // 2
    assert all("names no speaker" in failure for failure in failing)


def test_a_corpus_that_carries_no_protocol_of_the_study_is_one_sentence(said):
    with pytest.raises(SplitError, match=r"99 fold\(s\) asked for; expected 2 to 8"):
        plan(small(protocols=["speaker"], folds=99), said)


def test_nothing_usable_is_said(said):
    with pytest.raises(CorpusError, match="no utterance has a recording, which the study takes"):
        plan(small(blocks=[{"modality": "speech", "size": 2}]), said)


def test_fewer_than_two_emotions_cannot_be_trained_on(said):
    drawn = plan(small(count="total", blocks=[{"modality": "text", "size": [1]}]), said)
    (lacking,) = set(drawn.shortfalls().values())
    assert lacking == "found 1 utterance(s) of fewer than two emotions"


def test_planning_a_table_of_a_large_corpus_takes_seconds():
    corpus = made(150_000, sentences=5_000)
    begun_s = time.monotonic()
    drawn = plan(named("table3"), corpus)
    assert len(drawn.runs) == 108
    assert time.monotonic() - begun_s < 10


def test_counts_of_a_sample_are_told(said):
    (run, *_) = plan(small(settings={"distinct_text": True}), said).runs
    assert (run.asked, run.sampled.found) == (2 * len(EMOTIONS), 6)
    assert run.sampled.distinct_scripts == 6
