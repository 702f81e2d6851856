"""Answers beside what is known of their utterances, and on disk without saying whose they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.corpus.identity import KINDS, hashed
from maeum.emotions import EmotionSet
from maeum.errors import RunError

GROUPED = ("gender", "age", "style", "speaker")
"""Columns by which results are told apart."""

_DESCRIBING = ("audio", "duration_s", "script", "gender", "age", "style")

_NAMES = (*KINDS, "truth", "answer", "gender", "age", "style")

ANSWERS = "answers.parquet"


def described(answers: pl.DataFrame, utterances: pl.DataFrame) -> pl.DataFrame:
    """The answers with recording, script, gender, age and style beside them, in their order.

    Args:
        answers: columns id, speaker, text, truth, answer, confidence.
        utterances: of the corpus that was tested, columns of `corpus.manifest.SCHEMA`.
    """
    return answers.join(
        utterances.select("id", *_DESCRIBING), on="id", how="left", maintain_order="left"
    )


def unnamed(answers: pl.DataFrame) -> pl.DataFrame:
    """Described answers with utterance, speaker and script hashed; no text, path or id in them.

    Gender, age and style stay readable: a few values that many utterances share.
    """
    shown = [name for name in _NAMES if name not in KINDS]
    return pl.concat([hashed(answers), answers.select(*shown, "confidence")], how="horizontal")


def read_answers(folder: Path) -> pl.DataFrame:
    """The answers that a run or a cross-validation kept, as `unnamed` makes them.

    Raises:
        RunError: it kept none, or the file is broken.
    """
    path = folder / "report" / ANSWERS
    if not path.is_file():
        raise RunError(
            f"{folder} keeps no answers (it has no report/{ANSWERS}): it tested nothing, is "
            "unfinished, or was made before answers were kept; type the cross-validation again, "
            "or name a corpus for both runs to answer: `maeum compare RUN RUN CORPUS`"
        )
    try:
        found = pl.read_parquet(path).select(pl.col(_NAMES).cast(pl.String), "confidence")
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path} cannot be read ({reason}); train again in a new folder") from error
    if found["utterance"].null_count() or found["utterance"].is_duplicated().any():
        raise RunError(f"{path} answers an utterance twice; train again in a new folder")
    return found


def class_indices(answers: pl.DataFrame, column: str, emotions: EmotionSet) -> NDArray[np.int64]:
    """Class index of each row's `truth` or `answer`.

    Raises:
        RunError: a name is none of the emotions.
    """
    place = {name: index for index, name in enumerate(emotions.names)}
    strangers = answers[column].filter(~answers[column].is_in(list(place)).fill_null(value=False))
    if len(strangers):
        raise RunError(
            f"the answers name {strangers[0]!r} where {', '.join(emotions.names)} are told apart; "
            "train again in a new folder"
        )
    indices: NDArray[np.int64] = (
        answers[column].replace_strict(place, return_dtype=pl.Int64).to_numpy()
    )
    return indices
