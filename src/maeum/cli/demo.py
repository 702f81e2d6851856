"""The whole journey on the packaged sample, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from maeum.cli.console import answer, say, table

if TYPE_CHECKING:
    from maeum.corpus import Corpus
    from maeum.evaluation import Evaluation
    from maeum.features import Features
    from maeum.inference import Run

Case: TypeAlias = tuple[str, str]
"""A modality and a protocol."""

PROTOCOLS: tuple[Literal["random", "speaker+script"], ...] = ("random", "speaker+script")
MODALITIES = ("speech", "text", "both")
FOLDS = 3
"""Each utterance is tested once; with speaker+script by one of 3 x 3 networks."""
EPOCHS = 30
"""Half of what a corpus of this size would get: a newcomer waits."""


def demo(
    to: Annotated[Path, typer.Option("--to", help="Folder for what it makes.")] = Path("demo"),
) -> None:
    """Import, audit, split, train, evaluate and predict on a small synthetic corpus.

    **Example** `maeum demo`
    """
    corpus = _sample_corpus(to / "corpus")
    _audit(corpus)
    features = _features(corpus)
    _compare(_cross_validate_all(corpus, features, to / "crossval"))
    run = _train(corpus, features, to / "run")
    _predict_one(run, corpus)
    answer(_NEXT.format(to=to))


def _sample_corpus(folder: Path) -> Corpus:
    """The packaged sample, imported the way anyone's table is."""
    from maeum import sample
    from maeum.corpus import import_corpus
    from maeum.emotions import PAPER

    say("1. import: the packaged sample, synthetic voices")
    corpus = import_corpus("table", sample.path() / "sample.csv", folder, emotions=PAPER)
    speakers, scripts = (corpus.utterances[column].n_unique() for column in ("speaker", "script"))
    answer(
        f"{len(corpus)} utterances, {speakers} voices, {scripts} sentences, {len(PAPER)} emotions"
    )
    return corpus


def _audit(corpus: Corpus) -> None:
    from maeum.corpus.audit import audit

    say("2. audit: what would make a number lie")
    for finding in audit(corpus, listen=False):
        if finding.severity == "leak":
            answer(f"leak: {finding.title}")


def _features(corpus: Corpus) -> Features:
    """Recordings are heard and sentences read once, for every network."""
    from maeum.config import Settings
    from maeum.training.encoders import Encoders

    say("3. features: once, for every network")
    return Encoders.of(Settings.of()).extract(corpus)


def _cross_validate_all(corpus: Corpus, features: Features, to: Path) -> dict[Case, Evaluation]:
    """Every modality under both protocols, every utterance tested once."""
    from maeum.training import crossval

    say("4. train and test: speech, text and both, under two protocols")
    found: dict[Case, Evaluation] = {}
    for protocol in PROTOCOLS:
        for modality in MODALITIES:
            result = crossval(
                corpus,
                to / f"{modality}-{protocol}",
                by=protocol,
                folds=FOLDS,
                features=features,
                overwrite=True,
                modality=modality,
                epochs=EPOCHS,
            )
            found[modality, protocol] = result.evaluation
    return found


def _compare(found: dict[Case, Evaluation]) -> None:
    rows = [
        (modality, *(_figure(found[modality, protocol]) for protocol in PROTOCOLS))
        for modality in MODALITIES
    ]
    any_case = next(iter(found.values()))
    chance = 1 / len(any_case.emotions)
    title = f"Right of {any_case.scores.n}, with the 95 % interval (chance {chance:.0%})"
    table(title, ("heard", *PROTOCOLS), rows)
    answer(
        "The same network, the same corpus. Under random the test repeats sentences and voices "
        "of the training; under speaker+script it meets neither. Only the second number says "
        "anything about people who were not recorded. These voices are synthetic: neither says "
        "anything about real ones."
    )


def _figure(evaluation: Evaluation) -> str:
    low, high = evaluation.scores.ci95["accuracy"]
    return f"{evaluation.scores.accuracy:.0%}  ({low:.0%} to {high:.0%})"


def _train(corpus: Corpus, features: Features, to: Path) -> Run:
    from maeum.training import train

    say("5. a classifier to keep: speech and text, tested on voices and sentences it never met")
    run = train(
        corpus, to, features=features, overwrite=True, split="speaker+script", epochs=EPOCHS
    )
    answer(run.result)
    return run


def _predict_one(run: Run, corpus: Corpus) -> None:
    say("6. predict: one recording of the test part")
    row = run.part(corpus, "test").utterances.row(0, named=True)
    assert corpus.audio_root is not None  # noqa: S101 - the sample has recordings
    found = run.model(corpus.audio_root / row["audio"], text=row["text"])
    answer(
        f"{row['audio']} “{row['text']}”: {found.emotion} {found.confidence:.0%} "
        f"(labelled {row['emotion']})"
    )


_NEXT = """
The whole report: {to}/run/report/report.html
A page that answers: maeum serve {to}/run
With data of your own:

  maeum import table calls.csv --to corpora/calls     columns audio, text, emotion, speaker
  maeum audit corpora/calls                           what would make its numbers lie
  maeum train corpora/calls --to runs/calls           a classifier and an honest number
  maeum predict runs/calls call.wav --text "…"        what was felt in one recording
"""
