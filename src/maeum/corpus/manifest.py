"""The contract between corpora and everything after them: one row per utterance, kept as Parquet.

| column | type | meaning |
|---|---|---|
| id | text | unique in the corpus |
| audio | text or null | path below the corpus' audio root |
| channel | int or null | which channel of the recording, from 0; null: mixed to mono |
| start_s | float or null | where the utterance begins in the recording, in seconds; null: at 0 |
| duration_s | float or null | length of the utterance in seconds |
| sample_rate_hz | int or null | as recorded |
| text | text or null | what was said, cleaned |
| script | text or null | identity of the sentence: equal where the sentence is the same |
| speaker, gender, age | text or null | who said it |
| emotion | text | name in the corpus' emotion set |
| votes | list or null | raters' votes as (emotion, count) |
| intensity | float or null | strength of the emotion, in the corpus' own unit |
| style | text or null | speaking style |
| dialogue, turn | text, int or null | place in a conversation |
| part | text or null | the corpus' own train / validation / test |
| source | text or null | where the row was read |
| extra | list | the rest a corpus offers, as (key, value) |
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from maeum.errors import CorpusError
from maeum.files import written_aside

_VOTE = pl.Struct({"emotion": pl.String, "count": pl.Int32})
_ENTRY = pl.Struct({"key": pl.String, "value": pl.String})

_COLUMNS: dict[str, DataType | DataTypeClass] = {
    "id": pl.String,
    "audio": pl.String,
    "channel": pl.Int16,
    "start_s": pl.Float64,
    "duration_s": pl.Float64,
    "sample_rate_hz": pl.Int32,
    "text": pl.String,
    "script": pl.String,
    "speaker": pl.String,
    "gender": pl.String,
    "age": pl.String,
    "emotion": pl.String,
    "votes": pl.List(_VOTE),
    "intensity": pl.Float64,
    "style": pl.String,
    "dialogue": pl.String,
    "turn": pl.Int32,
    "part": pl.String,
    "source": pl.String,
    "extra": pl.List(_ENTRY),
}

SCHEMA = pl.Schema(_COLUMNS)
"""Columns and types of `manifest.parquet`, in order."""

REJECTED_SCHEMA = pl.Schema(
    {"id": pl.String, "source": pl.String, "reason": pl.String, "detail": pl.String}
)
"""Columns of `rejected.parquet`: `reason` is a countable kind, `detail` the whole sentence."""


@dataclass(frozen=True)
class Utterance:
    """What a reader knows of one utterance; see the module for each field."""

    id: str
    emotion: str
    audio: str | None = None
    channel: int | None = None
    start_s: float | None = None
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    text: str | None = None
    speaker: str | None = None
    gender: str | None = None
    age: str | None = None
    votes: tuple[tuple[str, int], ...] | None = None
    intensity: float | None = None
    style: str | None = None
    dialogue: str | None = None
    turn: int | None = None
    part: str | None = None
    source: str | None = None
    extra: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejection:
    """An utterance left out, and why.

    Attributes:
        id: as the manifest would have had it.
        reason: a few words, the same for all of a kind, so that they can be counted.
        detail: the sentence a person reads.
        source: where it was met.
    """

    id: str
    reason: str
    detail: str
    source: str | None = None


def utterance_table(utterances: Iterable[Utterance]) -> pl.DataFrame:
    """Rows in `SCHEMA` (script still null), in order of id."""
    return rows_as_met(utterances).sort("id")


def rows_as_met(utterances: Iterable[Utterance]) -> pl.DataFrame:
    """Rows in `SCHEMA` (script still null), in the order given."""
    return pl.DataFrame([_row(utterance) for utterance in utterances], schema=SCHEMA)


def _row(utterance: Utterance) -> dict[str, Any]:
    votes = utterance.votes
    return {
        **vars(utterance),
        "script": None,
        "votes": votes and [{"emotion": emotion, "count": count} for emotion, count in votes],
        "extra": [{"key": key, "value": value} for key, value in utterance.extra.items()],
    }


def rejection_table(rejections: Iterable[Rejection]) -> pl.DataFrame:
    """Rows in `REJECTED_SCHEMA`."""
    return pl.DataFrame([vars(rejection) for rejection in rejections], schema=REJECTED_SCHEMA)


def write_table(table: pl.DataFrame, path: Path) -> None:
    """Write Parquet whole or not at all."""
    content = BytesIO()
    table.write_parquet(content)  # polars itself would hide what the disk says
    with written_aside(path) as aside:
        aside.write_bytes(content.getbuffer())


def read_manifest(path: Path) -> pl.DataFrame:
    """The rows of a `manifest.parquet`.

    Raises:
        CorpusError: the file cannot be read, or its columns are not those of `SCHEMA`.
    """
    return read_table(path, SCHEMA)


def read_table(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """The rows of one of a corpus' files.

    Raises:
        CorpusError: the file cannot be read, or its columns are not those of the schema.
    """
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise CorpusError(f"{path} cannot be read as Parquet ({reason}); import again") from error
    missing = [name for name in schema if name not in table.columns]
    if missing:
        raise CorpusError(f"{path} lacks the columns {', '.join(missing)}; import again")
    return table.select(schema.names()).cast(schema)
