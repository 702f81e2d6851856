"""An evaluation on disk: `metrics.json`, `answers.parquet`, `confusion.png`, `report.html`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import polars as pl

from maeum.corpus.identity import hashed_names
from maeum.corpus.manifest import write_table
from maeum.evaluation.answered import ANSWERS, unnamed
from maeum.evaluation.evaluate import Evaluation
from maeum.evaluation.figures import confusion_figure, png
from maeum.evaluation.report import Report, Sureness, render_report
from maeum.files import write_json, write_text, written_aside

MISTAKES_SHOWN = 12
"""Most confident wrong answers in a report."""

PACKAGES = ("maeum", "torch", "transformers", "numpy", "scikit-learn", "polars")


@dataclass(frozen=True)
class Background:
    """What a report tells beside the numbers.

    Attributes:
        title: what was tested on what.
        settings: of the run.
        history: log of the training.
        parts: utterances by part.
        split_note: what else is to be said of the parts.
        folds: scores of each fold, for a cross-validation.
    """

    title: str
    settings: Mapping[str, object]
    history: Sequence[Mapping[str, Any]] = ()
    parts: Mapping[str, int] = field(default_factory=dict)
    split_note: str = ""
    folds: Sequence[Mapping[str, Any]] = ()


def versions() -> dict[str, str]:
    """Versions of what decides the numbers, by package."""
    return {name: version(name) for name in PACKAGES}


def write_report(folder: Path, evaluation: Evaluation, background: Background) -> None:
    """Write the four files, each whole or not at all.

    Of whom the answers are is not said in `metrics.json` and `answers.parquet`; the report is for
    who holds the corpus, and shows mistakes and speakers by name.

    Args:
        folder: where they go.
        evaluation: whose answers are `answered.described`.
        background: what the report tells beside the numbers.
    """
    metrics = {"summary": summary(evaluation), **_without_names(evaluation.to_dict())}
    if background.folds:
        metrics["folds"] = list(background.folds)
    write_table(unnamed(evaluation.answers), folder / ANSWERS)
    write_json(folder / "metrics.json", metrics)
    title = f"{background.title}: {evaluation.protocol}"
    figure = confusion_figure(evaluation.scores.confusion, evaluation.emotions, title)
    with written_aside(folder / "confusion.png") as aside:
        aside.write_bytes(png(figure))
    write_text(folder / "report.html", render_report(_report(evaluation, background)))


def _without_names(numbers: dict[str, Any]) -> dict[str, Any]:
    """Speakers by the hashes they have in `answers.parquet`."""
    groups = dict(numbers["by_group"])
    if "speaker" in groups:
        names = hashed_names(list(groups["speaker"]))
        groups["speaker"] = {names[name]: own for name, own in groups["speaker"].items()}
    return {**numbers, "by_group": groups}


def _report(evaluation: Evaluation, background: Background) -> Report:
    return Report(
        title=background.title,
        summary=summary(evaluation),
        scores=evaluation.scores,
        emotions=evaluation.emotions,
        protocol=evaluation.protocol,
        split_note=background.split_note,
        leaks=evaluation.leaks.sentences,
        settings=background.settings,
        history=background.history,
        parts=background.parts,
        rows=mistakes(evaluation.answers),
        versions=versions(),
        folds=background.folds,
        groups=tuple(evaluation.groups.values()),
        sureness=_sureness(evaluation),
    )


def _sureness(evaluation: Evaluation) -> Sureness | None:
    if evaluation.calibration is None:
        return None
    return Sureness(evaluation.calibration, evaluation.calibration_before, evaluation.coverage)


def summary(evaluation: Evaluation) -> str:
    """The result in one sentence, for the terminal and the head of the report."""
    scores = evaluation.scores
    low, high = scores.ci95["accuracy"]
    left_out = f"; {evaluation.left_out:,} could not be used" if evaluation.left_out else ""
    return (
        f"{scores.accuracy:.1%} of {scores.n:,} utterances right "
        f"(95 % interval over {scores.ci95_over} {low:.1%} to {high:.1%}), "
        f"unweighted average recall {scores.uar:.1%}; {evaluation.meaning}{left_out}."
    )


def mistakes(answers: pl.DataFrame) -> list[dict[str, Any]]:
    """The wrong answers it was most sure of."""
    wrong = answers.filter(pl.col("truth") != pl.col("answer"))
    return wrong.sort("confidence", "id", descending=[True, False]).head(MISTAKES_SHOWN).to_dicts()
