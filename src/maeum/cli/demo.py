"""The whole journey on the packaged sample, offline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import answer, say, table

if TYPE_CHECKING:
    from maeum.corpus import Corpus
    from maeum.inference import Run

PROTOCOLS = ("random", "speaker+script")
MODALITIES = ("speech", "text", "both")


def demo(
    to: Annotated[Path, typer.Option("--to", help="Folder for what it makes.")] = Path("demo"),
) -> None:
    """Import, audit, split, train, evaluate and predict on a small synthetic corpus.

    **Example** `maeum demo`
    """
    corpus = _sample_corpus(to / "corpus")
    _audit(corpus)
    runs = _train_all(corpus, to)
    _compare(runs)
    _predict_one(runs["both", "speaker+script"], corpus)
    answer(_NEXT.format(to=to))


def _sample_corpus(folder: Path) -> Corpus:
    """The packaged sample, imported the way anyone's table is."""
    from maeum import sample
    from maeum.corpus import import_corpus
    from maeum.emotions import PAPER

    say("1. import: the packaged sample, synthetic voices")
    corpus = import_corpus("table", sample.path() / "sample.csv", folder, emotions=PAPER)
    speakers, scripts = (corpus.utterances[column].n_unique() for column in ("speaker", "script"))
    answer(f"{len(corpus)} utterances, {speakers} voices, {scripts} sentences, 7 emotions")
    return corpus


def _audit(corpus: Corpus) -> None:
    from maeum.corpus.audit import audit

    say("2. audit: what would make a number lie")
    for finding in audit(corpus, listen=False):
        if finding.severity == "leak":
            answer(f"leak: {finding.title}")


def _train_all(corpus: Corpus, to: Path) -> dict[tuple[str, str], Run]:
    """A run per modality and protocol; recordings are heard once for all of them."""
    from maeum.config import Settings
    from maeum.training import train
    from maeum.training.learn import Encoders

    say("3. features: once, for every run")
    settings = Settings.of()
    features = Encoders.of(settings).extract(corpus, settings)
    say("4. train and test: speech, text and both, under two protocols")
    runs = {}
    for protocol in PROTOCOLS:
        for modality in MODALITIES:
            folder = to / "runs" / f"{modality}-{protocol}"
            runs[modality, protocol] = train(
                corpus,
                folder,
                features=features,
                overwrite=True,
                modality=modality,
                split=protocol,
            )
    return runs


def _compare(runs: dict[tuple[str, str], Run]) -> None:
    rows = [
        (modality, *(_figure(runs[modality, protocol]) for protocol in PROTOCOLS))
        for modality in MODALITIES
    ]
    title = "Accuracy on the test part, with the 95 % interval (chance 14 %)"
    table(title, ("heard", *PROTOCOLS), rows)
    answer(
        "The same network, the same corpus. Under `random` the test repeats sentences and voices "
        "of the training; under `speaker+script` it meets neither. Only the second number says "
        "anything about people who were not recorded. These voices are synthetic: neither says "
        "anything about real ones."
    )


def _figure(run: Run) -> str:
    metrics = run.metrics
    low, high = metrics["ci95"]["accuracy"]
    return f"{metrics['accuracy']:.0%}  ({low:.0%} to {high:.0%}, n {metrics['n']})"


def _predict_one(run: Run, corpus: Corpus) -> None:
    say("5. predict: one recording of the test part")
    row = run.part(corpus, "test").utterances.row(0, named=True)
    assert corpus.audio_root is not None  # noqa: S101 - the sample has recordings
    found = run.model(corpus.audio_root / row["audio"], text=row["text"])
    answer(
        f"{row['audio']} “{row['text']}”: {found.emotion} {found.confidence:.0%} "
        f"(labelled {row['emotion']})"
    )


_NEXT = """
The whole report: {to}/runs/both-speaker+script/report/report.html
With data of your own:

  maeum import table calls.csv --to corpora/calls     columns audio, text, emotion, speaker
  maeum audit corpora/calls                           what would make its numbers lie
  maeum train corpora/calls --to runs/calls           a classifier and an honest number
  maeum predict runs/calls call.wav --text "…"        what was felt in one recording
"""
