"""One run: a corpus in, a tested classifier out."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.corpus.identity import hashed
from maeum.corpus.splits import PARTS, Split, split
from maeum.evaluation import evaluate
from maeum.evaluation.writing import Background, write_report
from maeum.features import Features
from maeum.files import write_json, write_text
from maeum.inference import EmotionClassifier, Run
from maeum.storage import keeps
from maeum.training import processes
from maeum.training.card import model_card
from maeum.training.fit import History
from maeum.training.folder import claim, folder_card, same_encoders
from maeum.training.learn import Material, refuse_too_few, training_rows
from maeum.training.starting import leave_word, met_before, refuse_its_own_start, settings_and_start

logger = logging.getLogger(__name__)


@keeps("to")
def train(
    corpus: Corpus,
    to: str | Path | None = None,
    *,
    config: str | Path | None = None,
    features: Features | None = None,
    overwrite: bool = False,
    **settings: object,
) -> Run:
    """Train a classifier, test it on what it has not seen, and keep both.

    Args:
        corpus: what to learn from.
        to: folder of the run; None: a new temporary one. A run interrupted there goes on, a
            finished one with the same settings is returned as it is.
        config: YAML file of settings.
        features: of the corpus from the same encoders, if they are at hand.
        overwrite: replace a run with other settings.
        settings: see `Settings`; they stand over the file.

    Raises:
        SettingsError: a setting is unknown or out of range, or the run would start from itself.
        CorpusError: the corpus cannot be split, or is smaller than asked for.
        RunError: the folder holds a run with other settings, or other files.
    """
    chosen, start = settings_and_start(config, settings)
    processes.per_step(chosen)
    run = Run(Path(to) if to is not None else Path(tempfile.mkdtemp(prefix="maeum-run-")))
    refuse_its_own_start(run.folder, chosen)
    parts = split(corpus.utterances, chosen.split, seed=chosen.split_seed)
    refuse_too_few(parts.rows(corpus.utterances, "train"), chosen)
    card = folder_card("run", corpus, chosen, split=parts.to_dict(), start=start)
    if processes.is_first():
        claim(run.folder, card, chosen, overwrite=overwrite)
    processes.wait_for_all()
    logger.info("split %s", parts)
    if run.finished:
        logger.info("finished already, not trained again: %s", run.folder)
        _tidy(run)
        return run
    material = Material.gather(corpus, chosen, features, start.network if start else None)
    taken = _parts_to_use(material, parts, chosen)
    if processes.is_first():
        begun = {"encoders": same_encoders(run, material.versions)}
        run.write_card({**card, **begun, "used": {part: len(ids) for part, ids in taken.items()}})
        run.write_partition(pl.concat([_partition(corpus, taken), met_before(chosen)]))
    classifier, history = material.learn(
        taken["train"], taken["validation"], checkpoints=run.folder / "checkpoints"
    )
    if processes.is_first():
        if taken["validation"]:
            classifier.set_temperatures(material.temperatures(classifier, taken["validation"]))
        _keep(run, corpus, material, classifier, history)
    return run


def _parts_to_use(material: Material, parts: Split, settings: Settings) -> dict[str, list[str]]:
    """Ids by part: usable ones, the training part sampled as the settings ask."""
    usable = material.corpus.utterances
    rows = {part: parts.rows(usable, part) for part in PARTS}
    rows["train"] = training_rows(rows["train"], settings)
    return {part: list(table["id"]) for part, table in rows.items()}


def _partition(corpus: Corpus, taken: Mapping[str, list[str]]) -> pl.DataFrame:
    part_of = {name: part for part, ids in taken.items() for name in ids}
    rows = corpus.utterances.filter(pl.col("id").is_in(list(part_of)))
    part = rows["id"].replace_strict(part_of, return_dtype=pl.String)
    return hashed(rows).with_columns(part=part)


def _keep(
    run: Run, corpus: Corpus, material: Material, classifier: EmotionClassifier, history: History
) -> None:
    """Weights, test, report and card; the card last, as the sign that all is there."""
    classifier.save_pretrained(run.folder)
    leave_word(run)
    write_json(run.folder / "log.json", history)
    evaluation = None
    if run.card["used"]["test"]:
        evaluation = evaluate(run, corpus, features=material.lasting_features)
        background = Background(
            title=run.folder.name,
            settings=run.card["settings"],
            history=history,
            parts=run.card["used"],
        )
        write_report(run.folder / "report", evaluation, background)
    write_text(run.folder / "README.md", model_card(run, evaluation))
    _tidy(run)


def _tidy(run: Run) -> None:
    """Remove what only an unfinished run needs, also where a kill came before that."""
    for path in (run.folder / "checkpoints", *run.folder.glob(".saving-*")):
        shutil.rmtree(path, ignore_errors=True)
