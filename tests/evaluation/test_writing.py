"""An evaluation on disk, and in one sentence."""

import json

import numpy as np
import polars as pl
import pytest

from maeum.emotions import EmotionSet
from maeum.evaluation.evaluate import judge
from maeum.evaluation.leaks import Leaks, Shared
from maeum.evaluation.writing import (
    MISTAKES_SHOWN,
    Background,
    mistakes,
    summary,
    versions,
    write_report,
)

EMOTIONS = EmotionSet.of(["Happy", "Angry", "Sad"])


@pytest.fixture(scope="module")
def answers():
    """60 answers, 40 of them right, by 6 speakers; how sure grows with the row."""
    truth = [EMOTIONS.names[row % 3] for row in range(60)]
    answer = [name if row < 40 else EMOTIONS.names[row % 2] for row, name in enumerate(truth)]
    return pl.DataFrame(
        {
            "id": [f"u{row:02}" for row in range(60)],
            "speaker": [f"s{row % 6}" for row in range(60)],
            "text": [f"말 {row}" for row in range(60)],
            "truth": truth,
            "answer": answer,
            "confidence": np.linspace(0.4, 0.99, 60),
            "audio": [f"s{row % 6}/{row}.wav" for row in range(60)],
            "duration_s": np.linspace(1.0, 4.0, 60),
            "script": [f"말 {row % 9}" for row in range(60)],
            "gender": ["female" if row % 2 else "male" for row in range(60)],
            "age": pl.Series([None] * 60, dtype=pl.String),
            "style": ["calm"] * 60,
        }
    )


def judged(answers, **changes):
    told = {"protocol": "speaker", "part": "test", "modality": "both", "leaks": Leaks(())}
    return judge(answers, EMOTIONS, **{**told, **changes})


def right(answers):
    return (answers["truth"] == answers["answer"]).sum()


def test_the_summary_says_how_many_how_sure_and_of_what(answers):
    found = judged(answers)
    low, high = found.scores.ci95["accuracy"]
    text = summary(found)
    assert text.startswith(f"{right(answers) / 60:.1%} of 60 utterances right")
    assert f"(95 % interval over speakers {low:.1%} to {high:.1%})" in text
    assert f"unweighted average recall {found.scores.uar:.1%}" in text
    assert text.endswith("no voice of the test is in the training, sentences may be.")
    assert "could not be used" not in text


def test_the_summary_says_what_could_not_be_used(answers):
    assert summary(judged(answers, left_out=1_234)).endswith("; 1,234 could not be used.")


def test_few_speakers_make_an_interval_over_utterances_and_that_is_said(answers):
    few = answers.with_columns(speaker=pl.lit("s0"))
    assert "interval over utterances" in summary(judged(few))


def test_another_corpus_is_called_one(answers):
    assert "trained on another corpus" in summary(judged(answers, protocol="other corpus"))


def test_the_mistakes_shown_are_wrong_and_the_surest_first(answers):
    shown = mistakes(answers)
    sure = [row["confidence"] for row in shown]
    assert len(shown) == MISTAKES_SHOWN < 60 - right(answers)
    assert all(row["truth"] != row["answer"] for row in shown)
    assert sure == sorted(sure, reverse=True)
    wrong = answers.filter(pl.col("truth") != pl.col("answer"))
    assert sure[0] == wrong["confidence"].max()


def test_mistakes_equally_sure_come_by_id(answers):
    even = answers.with_columns(confidence=pl.lit(0.5)).reverse()
    ids = [row["id"] for row in mistakes(even)]
    assert ids == sorted(ids)


def test_no_mistakes_are_none(answers):
    assert mistakes(answers.head(40)) == []


def test_a_report_is_four_files_and_the_numbers_are_those(answers, tmp_path):
    shared = Leaks((Shared("script", 3, 4, 60),))
    found = judged(answers, leaks=shared)
    write_report(tmp_path / "report", found, Background(title="first <run>", settings={"seed": 3}))
    names = {path.name for path in (tmp_path / "report").iterdir()}
    assert names == {"metrics.json", "answers.parquet", "confusion.png", "report.html"}
    metrics = json.loads((tmp_path / "report" / "metrics.json").read_text(encoding="utf-8"))
    numbers = json.loads(json.dumps(found.to_dict()))
    assert set(numbers["by_group"]["speaker"]) == {f"s{voice}" for voice in range(6)}
    for told in (metrics, numbers):
        told["by_group"]["speaker"] = list(told["by_group"]["speaker"].values())
    assert metrics == {"summary": summary(found), **numbers}
    assert metrics["leaks"]["sentences"] == [
        "3 of 4 sentences of the test (60 utterances) are in the training too"
    ]
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "first &lt;run&gt;" in page
    assert "3 of 4 sentences of the test" in page
    assert (tmp_path / "report" / "confusion.png").read_bytes().startswith(b"\x89PNG")


def test_folds_stand_in_the_numbers(answers, tmp_path):
    folds = [{"fold": "a", "n": 60, "accuracy": 0.5, "uar": 0.5, "macro_f1": 0.5}]
    write_report(tmp_path, judged(answers), Background(title="x", settings={}, folds=folds))
    metrics = json.loads((tmp_path / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["folds"] == folds


def test_the_versions_are_of_what_decides_the_numbers():
    assert {"maeum", "torch", "numpy", "transformers"} <= versions().keys()
    assert all(version[0].isdigit() for version in versions().values())
