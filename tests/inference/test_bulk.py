"""Many answers are kept piece by piece, are those of single questions, and go on."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from maeum import cli
from maeum.errors import RunError
from maeum.inference import Prediction, Query
from maeum.inference import bulk as bulk_module
from maeum.inference.bulk import Answering, Bulk, Predictions, asked_in, asked_of_corpus


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(bulk_module, "AT_ONCE", 8)


@pytest.fixture
def asked(made_corpus):
    return asked_of_corpus(made_corpus)


def answered(bulk, asked, folder):
    kept = Predictions(folder)
    kept.claim(bulk, asked)
    answering = Answering(bulk, kept)
    numbers = []
    for piece in kept.lacking(asked):
        answering(piece)
        numbers.append(piece.number)
    return kept, numbers


def test_answers_are_those_of_single_questions(made_run, made_corpus, asked, tmp_path):
    kept, _ = answered(Bulk(str(made_run.folder)), asked, tmp_path / "to")
    found = kept.read()
    assert found["id"].to_list() == made_corpus.utterances["id"].to_list()
    row = found.row(5, named=True)
    alone = made_run.model(row["audio"], text=row["text"])
    chances = {pair["emotion"]: pair["probability"] for pair in row["probabilities"]}
    assert chances == pytest.approx(alone.probabilities, abs=1e-6)
    assert (row["emotion"], row["modalities"]) == (alone.emotion, list(alone.modalities))


def test_what_was_answered_is_not_answered_again(made_run, asked, tmp_path, small_pieces):
    bulk = Bulk(str(made_run.folder))
    kept, numbers = answered(bulk, asked, tmp_path / "to")
    assert numbers == list(range(5))
    whole = kept.read()
    files = sorted((tmp_path / "to" / "predictions").iterdir())
    files[1].unlink()
    files[3].write_bytes(b"cut")
    _, numbers = answered(bulk, asked, tmp_path / "to")
    assert numbers == [1, 3]
    assert_frame_equal(kept.read(), whole)


def test_another_question_is_refused(made_run, asked, tmp_path):
    bulk = Bulk(str(made_run.folder))
    answered(bulk, asked.head(3), tmp_path / "to")
    kept = Predictions(tmp_path / "to")
    with pytest.raises(RunError, match=r"another question \(abstain differ\)"):
        kept.claim(replace(bulk, abstain=0.5), asked.head(3))
    with pytest.raises(RunError, match="utterances, asked differ"):
        kept.claim(bulk, asked)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    with pytest.raises(RunError, match="holds other files"):
        Predictions(tmp_path / "other").claim(bulk, asked)
    with pytest.raises(RunError, match="is a file"):
        Predictions(tmp_path / "other" / "file").claim(bulk, asked)


def test_what_cannot_be_answered_says_why(made_run, tmp_path):
    asked = asked_in(
        [Query(None, "정말 행복해"), Query(str(tmp_path / "none.wav")), Query(None, " ")]
    )
    kept, _ = answered(
        Bulk(str(made_run.folder), abstain=1.0, explain=True), asked, tmp_path / "to"
    )
    found = kept.read()
    assert found["emotion"].to_list() == ["unsure", None, None]
    assert found["error"].is_null().to_list() == [True, False, False]
    assert "none.wav" in found["error"][1]


def typed(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["maeum", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0, capsys.readouterr()


def test_a_corpus_is_asked_about_by_the_command(
    made_run, made_corpus, tmp_path, monkeypatch, capsys
):
    made_corpus.save(tmp_path / "corpus")
    words = ("predict", made_run.folder, tmp_path / "corpus", "--to", tmp_path / "felt")
    code, said = typed(monkeypatch, capsys, *words, "--json")
    told = json.loads(said.out)
    assert (code, told["answered"], told["failed"]) == (0, 36, 0)
    assert sum(told["emotions"].values()) == 36
    code, said = typed(monkeypatch, capsys, *words)
    assert "36 answered" in said.out
    code, said = typed(monkeypatch, capsys, *words, "--text", "행복해")
    assert code == 1
    assert "is a corpus, which is asked about alone" in said.err


def test_failures_are_told_and_change_the_exit_status(made_run, tmp_path, monkeypatch, capsys):
    paths = [tmp_path / f"{number}.wav" for number in range(5)]
    for path in paths:
        Path(path).touch()
    code, said = typed(
        monkeypatch, capsys, "predict", made_run.folder, *paths, "--to", tmp_path / "x"
    )
    assert code == 1
    assert "0 answered" in said.out
    assert "failed: 2 more; see the column error" in said.err
    assert len(pl.read_parquet(tmp_path / "x" / "predictions")) == 5


def test_a_cluster_takes_a_folder_for_the_answers(made_run, monkeypatch, capsys):
    code, said = typed(
        monkeypatch, capsys, "predict", made_run.folder, "--text", "a", "--on", "ray"
    )
    assert code == 2
    assert "--to" in said.err


def test_a_prediction_is_a_prediction():
    """What is kept has room for all that one says."""
    assert set(Prediction.__dataclass_fields__) < set(bulk_module.SCHEMA)
