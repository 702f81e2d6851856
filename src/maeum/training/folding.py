"""Cross-validation: every utterance is tested once, by a network that never met its group."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Literal

import polars as pl

from maeum.config import Grouping, Settings
from maeum.corpus import Corpus, splits
from maeum.corpus.identity import KINDS, hashed
from maeum.corpus.splits import Fold
from maeum.errors import SettingsError
from maeum.evaluation import Evaluation
from maeum.evaluation.answered import described
from maeum.evaluation.evaluate import TRANSDUCTIVE, judge
from maeum.evaluation.leaks import Leaks, leaks_of_folds
from maeum.evaluation.writing import Background, write_report
from maeum.features import Features
from maeum.inference import Run
from maeum.jobs import Executor, Here
from maeum.progress import bar
from maeum.storage import keeps
from maeum.training import processes
from maeum.training.folder import claim, folder_card, same_encoders
from maeum.training.learn import Material, refuse_too_few, training_rows
from maeum.training.starting import Start, met_before, refuse_its_own_start, settings_and_start
from maeum.training.turns import Turn, kept_answers, learn_and_answer


@dataclass(frozen=True)
class CrossValidation:
    """What came of all folds.

    Attributes:
        evaluation: over every utterance, each answered once.
        folds: name, n, accuracy, uar and macro_f1 of each fold.
        folder: where it is kept.
    """

    evaluation: Evaluation
    folds: Sequence[dict[str, Any]]
    folder: Path

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**self.evaluation.to_dict(), "folds": list(self.folds)}


@keeps("to")
def crossval(
    corpus: Corpus,
    to: str | Path | None = None,
    *,
    by: Grouping = "speaker",
    folds: int | Literal["loso"] = 5,
    config: str | Path | None = None,
    features: Features | None = None,
    overwrite: bool = False,
    executor: Executor | None = None,
    **settings: object,
) -> CrossValidation:
    """Train one network per fold and test it on what the fold left out.

    Every fold trains for all epochs on everything else; nothing is held back to stop early.

    Args:
        corpus: what to learn from.
        to: folder; None: a new temporary one. Finished folds in it are not done again.
        by: what a network must not have met; see `corpus.splits.folds`.
        folds: how many; loso: one per group.
        config: YAML file of settings.
        features: of the corpus from the same encoders, if they are at hand.
        overwrite: replace work with other settings.
        executor: where networks are trained; None: here, one after another.
        settings: see `Settings`; `split`, `patience` and `tensorboard` have no place here.

    Raises:
        SettingsError: a setting is unknown, out of range or out of place.
        SplitError: the corpus cannot be folded so.
        RunError: the folder holds other work.
        JobError: a process that trained was lost.
    """
    chosen, start = settings_and_start(config, settings)
    _refuse_what_folds_decide(chosen)
    processes.refuse_several("a cross-validation")
    folder = Path(to) if to is not None else Path(tempfile.mkdtemp(prefix="maeum-crossval-"))
    refuse_its_own_start(folder, chosen)
    parting = {"protocol": by, "folds": folds, "seed": chosen.split_seed}
    card = folder_card("crossval", corpus, chosen, split=parting, start=start)
    claim(folder, card, chosen, overwrite=overwrite)
    turns = list(splits.folds(corpus.utterances, by, folds, seed=chosen.split_seed))
    for fold in turns:
        refuse_too_few(_rows(corpus, fold.train), chosen)
    run = Run(folder)
    if not run.card_path.is_file():
        run.write_card(card)
    before = met_before(chosen)
    if len(before):
        run.write_partition(before)

    paths = [folder / "folds" / f"{number:04d}.parquet" for number in range(len(turns))]
    todo = [work for work in zip(turns, paths, strict=True) if kept_answers(work[1]) is None]
    if todo:
        material = _gathered(run, corpus, chosen, features, start).apart
        with bar(total=len(todo), label="folds") as show:
            through = count(1)
            work = executor or Here()
            work.run(_answer, material, todo, lambda *_: show(next(through), ""))
    answered = [pl.read_parquet(path) for path in paths]
    return _pooled(folder, corpus, chosen, by, turns, answered)


def _gathered(
    run: Run, corpus: Corpus, settings: Settings, features: Features | None, start: Start | None
) -> Material:
    """What all folds learn from, by the encoders that folds done before had."""
    material = Material.gather(corpus, settings, features, start.network if start else None)
    run.write_card({**run.card, "encoders": same_encoders(run, material.versions)})
    return material


def _refuse_what_folds_decide(settings: Settings) -> None:
    if settings.split != "auto" or settings.patience or settings.tensorboard:
        raise SettingsError(
            "split, patience and tensorboard have no place in a cross-validation: `by` decides "
            "what is tested, nothing is held back to stop early, and each fold is a run of its own"
        )


def _answer(material: Material, work: tuple[Fold, Path]) -> None:
    """Train a network on a fold, and keep what it answers."""
    fold, path = work
    train = training_rows(_rows(material.corpus, fold.train), material.settings)
    learn_and_answer(material, Turn(list(train["id"]), list(fold.test)), path)


def _rows(corpus: Corpus, ids: pl.Series) -> pl.DataFrame:
    return corpus.utterances.filter(pl.col("id").is_in(ids.implode()))


def _pooled(
    folder: Path,
    corpus: Corpus,
    settings: Settings,
    by: str,
    turns: Sequence[Fold],
    answered: Sequence[pl.DataFrame],
) -> CrossValidation:
    """All answers judged together, and each fold by itself; written as a report."""
    # folds done by an older version kept no probabilities
    every = described(pl.concat(answered, how="diagonal"), corpus.utterances)
    left_out = len(corpus) - len(every)
    evaluation = _judged(every, corpus, by, settings, _leaks(corpus, turns, settings), left_out)
    nothing = Leaks(())
    table = [
        {"fold": fold.name, **_figures(_judged(own, corpus, by, settings, nothing))}
        for fold, own in zip(turns, answered, strict=True)
        if len(own)
    ]
    background = Background(
        title=folder.name,
        settings=settings.model_dump(),
        folds=table,
        split_note=f"{len(turns)} folds by {by}: every utterance was tested once.",
    )
    write_report(folder / "report", evaluation, background)
    return CrossValidation(evaluation, table, folder)


def _judged(
    answered: pl.DataFrame,
    corpus: Corpus,
    by: str,
    settings: Settings,
    found: Leaks,
    left_out: int = 0,
) -> Evaluation:
    return judge(
        answered,
        corpus.emotions,
        protocol=by,
        part="all, in folds",
        modality=settings.modality,
        leaks=found,
        left_out=left_out,
    )


def _figures(evaluation: Evaluation) -> dict[str, float]:
    scores = evaluation.scores
    names = ("n", "accuracy", "uar", "macro_f1")
    return {name: getattr(scores, name) for name in names}


def _leaks(corpus: Corpus, turns: Sequence[Fold], settings: Settings) -> Leaks:
    """What tests and trainings share, over all folds."""
    keys = hashed(corpus.utterances).with_columns(id=corpus.utterances["id"])
    before = met_before(settings).select(KINDS)
    notes = (TRANSDUCTIVE,) if settings.normalize == "speaker" and settings.hears_speech else ()
    folds = [
        (
            pl.concat(
                [keys.filter(pl.col("id").is_in(fold.train.implode())).select(KINDS), before]
            ),
            keys.filter(pl.col("id").is_in(fold.test.implode())),
        )
        for fold in turns
    ]
    return leaks_of_folds(folds, notes=notes)
