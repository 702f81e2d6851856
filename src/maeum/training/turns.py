"""One turn of a test: a network learns from some utterances and answers for others."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from maeum.corpus.manifest import write_table
from maeum.evaluation.evaluate import answers
from maeum.training.learn import Material

ANSWERED = ("id", "speaker", "truth", "answer", "confidence")
"""Columns that say what was answered; the text stands in the corpus."""


@dataclass(frozen=True)
class Turn:
    """Ids of what is learnt from, looked at while training, and answered for."""

    train: Sequence[str]
    test: Sequence[str]
    validation: Sequence[str] = ()


def kept_answers(path: Path) -> pl.DataFrame | None:
    """The answers a file holds; None where it is missing or broken, and has to be made again."""
    try:
        found = pl.read_parquet(path)
        found.select(ANSWERED)
    except (OSError, pl.exceptions.PolarsError):
        return None
    return found


def learn_and_answer(
    material: Material, turn: Turn, path: Path, *, columns: Sequence[str] | None = None
) -> pl.DataFrame:
    """Train on a turn, answer for its test, and keep the answers in a file.

    What a kill leaves unfinished beside the file is gone on with, and taken away in the end.

    Args:
        material: the turn's utterances among it.
        turn: who trains and who is tested.
        path: Parquet file of the answers.
        columns: that are kept; None: all.
    """
    tested = set(turn.test)
    test = material.corpus.select(material.corpus.utterances["id"].is_in(list(tested)))
    lasting = material.settings.tune != "frozen" or bool(turn.validation)
    unfinished = path.with_suffix("") if lasting else None
    classifier, _ = material.learn(turn.train, turn.validation, checkpoints=unfinished)
    features = material.features_for(classifier, list(test.utterances["id"]))
    found = answers(classifier, test, features)
    if columns is not None:
        found = found.select(columns)
    write_table(found, path)
    if unfinished is not None:
        shutil.rmtree(unfinished, ignore_errors=True)
    return found
