"""predict --to: answers for many utterances, kept in a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import typer

from maeum.cli.console import answer, answer_json, say
from maeum.cli.options import on_cluster
from maeum.corpus import Corpus
from maeum.corpus.archives import is_file
from maeum.errors import SettingsError
from maeum.inference.bulk import Answering, Bulk, Piece, Predictions, asked_in, asked_of_corpus
from maeum.inference.exported import classifier_of
from maeum.inference.queries import queries
from maeum.progress import bar
from maeum.storage import kept

SHOWN = 3
"""Failures that are told one by one; all stand in the files."""


Given = tuple[Sequence[Path], str | None, Path | None]
"""Recordings, folders or a corpus; a text; a table of texts."""


def predict_into(
    folder: Path | None, bulk: Bulk, given: Given, *, speaker: Path | None, on: str, json_: bool
) -> None:
    """Answer what is not answered yet, and say how it went.

    Args:
        folder: where answers are kept.
        bulk: what is asked of which run.
        given: what it is asked about.
        speaker: folder of recordings of the voice.
        on: local, ray or ray://HOST.
        json_: answer in JSON.
    """
    if folder is None:
        raise typer.BadParameter("takes a folder for the answers: --to", param_hint="--on")
    asked = _asked(*given)
    if Path(bulk.run).is_dir():
        bulk = replace(bulk, run=str(Path(bulk.run).absolute()))
    if speaker is not None:
        model = classifier_of(bulk.run, engine=bulk.engine)
        bulk = replace(bulk, voice=model.voice_in(speaker))
    with kept(folder) as here:
        answers = _answered(bulk, Predictions(here.absolute()), asked, on)
    _tell(folder, answers, json_)


def _answered(bulk: Bulk, to: Predictions, asked: pl.DataFrame, on: str) -> pl.DataFrame:
    """All answers, those that were there before and those that were not."""
    to.claim(bulk, asked)
    pieces = list(to.lacking(asked))
    done = len(asked) - sum(len(piece.rows) for piece in pieces)
    with bar(total=len(asked), label="predicting") as show:
        show(done, "")

        def told(answered: int, _: int) -> None:
            nonlocal done
            done += answered
            show(done, "")

        if pieces:
            _answer(bulk, to, pieces, told, on)
    return to.read()


def _asked(audio: Sequence[Path], text: str | None, texts: Path | None) -> pl.DataFrame:
    """What is asked: a corpus, or what `queries` makes of recordings and texts.

    Raises:
        SettingsError: a corpus and something else.
    """
    corpora = [path for path in audio if is_file(path / "corpus.json")]
    if not corpora:
        return asked_in(queries(audio, text=text, texts=texts))
    if len(audio) > 1 or text is not None or texts is not None:
        raise SettingsError(f"{corpora[0]} is a corpus, which is asked about alone")
    return asked_of_corpus(Corpus.open(corpora[0]))


def _answer(
    bulk: Bulk,
    kept: Predictions,
    pieces: Sequence[Piece],
    told: Callable[[int, int], object],
    on: str,
) -> None:
    with on_cluster(on) as there:
        if there:
            from maeum.cluster.predictions import predict_on_ray

            predict_on_ray(bulk, kept, pieces, told)
            return
        answering = Answering(bulk, kept)
        for piece in pieces:
            told(len(piece.rows), answering(piece))


def _tell(folder: Path, found: pl.DataFrame, json_: bool) -> None:
    failed = found.filter(pl.col("error").is_not_null())
    counts = dict(found["emotion"].drop_nulls().value_counts(sort=True).iter_rows())
    answered = len(found) - len(failed)
    if json_:
        answer_json(
            {
                "folder": str(folder),
                "answered": answered,
                "failed": len(failed),
                "emotions": counts,
            }
        )
    else:
        felt = ", ".join(f"{name} {count:,}" for name, count in counts.items())
        answer(f"{folder}: {answered:,} answered ({felt}), {len(failed):,} failed")
    for sentence in failed["error"].head(SHOWN):
        say(f"failed: {sentence}")
    if len(failed) > SHOWN:
        say(f"failed: {len(failed) - SHOWN:,} more; see the column error")
    if len(failed):
        raise typer.Exit(1)
