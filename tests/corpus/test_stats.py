"""The counts are those of the corpus, ready for JSON and for a table."""

from __future__ import annotations

import json

import pytest

from maeum.corpus.manifest import Rejection, Utterance, rejection_table
from maeum.corpus.stats import stats, tables


@pytest.fixture
def corpus(corpus_of):
    rows = [
        ("1", "Happy", "s1", "female", 1.0, "좋은 아침이에요"),
        ("2", "Happy", "s2", "male", 2.0, "좋은 아침이에요!"),
        ("3", "Sad", "s1", "female", 3.0, "눈물이 나요"),
        ("4", "Sad", None, None, None, None),
    ]
    utterances = [
        Utterance(
            id=id,
            emotion=emotion,
            speaker=speaker,
            gender=gender,
            duration_s=length,
            text=text,
            audio=f"{id}.wav",
            sample_rate_hz=16_000 if id < "3" else 8_000,
        )
        for id, emotion, speaker, gender, length, text in rows
    ]
    left_out = [Rejection("5", "no emotion", "row 5"), Rejection("6", "no emotion", "row 6")]
    return corpus_of(
        *utterances,
        emotions=("Happy", "Sad", "Fear"),
        rejected=rejection_table(left_out),
        notes=("made for a test",),
    )


def test_speakers_and_utterances_are_counted_per_emotion(corpus):
    counted = {
        e["name"]: (e["speakers"], e["utterances"], e["sentences"])
        for e in stats(corpus)["emotions"]
    }
    assert counted == {"Happy": (2, 2, 1), "Sad": (1, 2, 1), "Fear": (0, 0, 0)}


def test_hours_and_lengths_are_of_the_utterances_whose_length_is_known(corpus):
    found = stats(corpus)
    assert found["hours"] == pytest.approx(6 / 3600)
    assert found["durations_s"] == pytest.approx(
        {"min": 1.0, "p5": 1.1, "median": 2.0, "p95": 2.9, "max": 3.0}
    )


def test_what_is_not_known_is_not_counted(corpus):
    found = stats(corpus)
    assert found["genders"] == {"female": 2, "male": 1}
    assert (found["speakers"], found["sentences"], found["texts"]) == (2, 2, 3)
    assert (found["styles"], found["parts"]) == ({}, {})


def test_rates_and_reasons_are_tallied(corpus):
    found = stats(corpus)
    assert found["sample_rates_hz"] == {"16000": 2, "8000": 2}
    assert found["rejected"] == {"no emotion": 2}


def test_everything_can_be_json(corpus):
    found = stats(corpus)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_a_corpus_of_text_alone_has_no_lengths(corpus_of):
    found = stats(
        corpus_of(Utterance("1", "Sad", text="눈물"), Utterance("2", "Happy", text="하하"))
    )
    assert found["durations_s"] is None
    assert found["hours"] == 0
    assert "Length of an utterance (s)" not in {table.title for table in tables(found)}


def test_the_first_table_is_speakers_and_utterances_per_emotion_with_the_whole_below(corpus):
    first = tables(stats(corpus))[0]
    assert first.columns[:3] == ("emotion", "speakers", "utterances")
    assert [row[:3] for row in first.rows] == [
        ("Happy 기쁨", 2, 2),
        ("Sad 슬픔", 1, 2),
        ("Fear 공포", 0, 0),
        ("all", 2, 4),
    ]


def test_every_table_is_full_and_has_a_cell_per_column(corpus):
    shown = tables(stats(corpus))
    titles = [table.title for table in shown]
    assert {"Left out", "Notes", "Genders"} <= set(titles)
    assert "Speaking styles" not in titles
    assert all(len(row) == len(table.columns) for table in shown for row in table.rows)


def test_shares_left_out_are_of_all_that_was_met(corpus):
    [table] = [table for table in tables(stats(corpus)) if table.title == "Left out"]
    assert table.rows == (("no emotion", 2, pytest.approx(2 / 6)),)
