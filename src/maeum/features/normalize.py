"""Normalisation per voice: how this person differs from themselves, not from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64
from numpy import ndarray

from maeum.errors import CorpusError
from maeum.features.features import Features
from maeum.features.frames import FrameTable, Sequences
from maeum.features.tables import in_parts, new_table

SHRINKAGE = 2.0
"""The pooled spread weighs as much as this many recordings of the voice: two takes alone say
little of how a voice varies."""

SMALLEST_SPREAD = 1e-6
"""A dimension that never changes is left at zero."""


@dataclass(frozen=True)
class Voice:
    """Mean and spread of the vectors of one voice, each (dim,); labels are not needed."""

    mean: Float32[ndarray, " dim"]
    spread: Float32[ndarray, " dim"]

    def normalize(self, vectors: Float32[ndarray, "clip dim"]) -> Float32[ndarray, "clip dim"]:
        """The vectors as distances from this voice's mean, in units of its spread."""
        return ((vectors - self.mean) / self.spread).astype(np.float32)

    def parts(self, dims: Sequence[int]) -> list[Voice]:
        """The voice as each of some encoders hears it, whose vectors stand side by side."""
        edges = pairwise(np.cumsum([0, *dims]).tolist())
        return [Voice(self.mean[start:end], self.spread[start:end]) for start, end in edges]


def voice_of(
    vectors: Float32[ndarray, "clip dim"], usual_spread: Float32[ndarray, " dim"]
) -> Voice:
    """The voice heard in some recordings.

    Args:
        vectors: recordings of one person.
        usual_spread: spread within a voice, from the training corpus.
    """
    return _voice(vectors, np.arange(len(vectors)), usual_spread)


def usual_spread_in(features: Features, speakers: Sequence[str | None]) -> Float32[ndarray, " dim"]:
    """Spread within a voice, pooled over the voices heard in features; no table is copied.

    Args:
        features: the training part.
        speakers: who says each utterance.

    Raises:
        CorpusError: a recording names no speaker.
    """
    return _pooled_spread(features.tables["speech"], _rows_by_voice(features, speakers))


def with_known_voices(
    features: Features, speakers: Sequence[str | None], usual_spread: Float32[ndarray, " dim"]
) -> Features:
    """Features whose speech is normalised with the voice each utterance belongs to.

    Only the rows of these utterances have speech afterwards: of others, such as turns before
    them, no voice is known here.

    Args:
        features: of whole voices; they must have speech.
        speakers: who says each utterance.
        usual_spread: spread within a voice, from the training part.

    Raises:
        CorpusError: a recording names no speaker.
    """
    old = features.tables["speech"]
    table, has = new_table(*old.shape), np.zeros(len(old), dtype=bool)
    voices: list[Voice] = []
    voice_of_row = np.full(len(old), -1, dtype=np.int64)
    for rows in _rows_by_voice(features, speakers).values():
        voice = _voice(old, rows, usual_spread)
        for part in in_parts(rows):
            table[part] = voice.normalize(old[part])
        voice_of_row[rows], has[rows] = len(voices), True
        voices.append(voice)
    return replace(
        features,
        tables={**features.tables, "speech": table},
        has={**features.has, "speech": has},
        frames=_with_normal_frames(features.frames, voices, voice_of_row),
    )


@dataclass(frozen=True)
class NormalFrames:
    """Vectors over time as distances from the mean of the voice they belong to.

    Attributes:
        frames: as they were made.
        voices: whose they are.
        voice_of_row: (row,) place among the voices; -1: of nobody.
    """

    frames: FrameTable
    voices: Sequence[Voice]
    voice_of_row: Int64[ndarray, " row"]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.frames.dim

    def of(self, rows: Int64[ndarray, " row"]) -> Sequences:
        """See `FrameTable`; (0, dim) where there is no voice."""
        whose = self.voice_of_row[rows].tolist()
        return [
            self.voices[voice].normalize(found) if voice >= 0 else found[:0]
            for voice, found in zip(whose, self.frames.of(rows), strict=True)
        ]


def _with_normal_frames(
    frames: Mapping[str, tuple[FrameTable, ...]],
    voices: Sequence[Voice],
    voice_of_row: Int64[ndarray, " row"],
) -> dict[str, tuple[FrameTable, ...]]:
    if "speech" not in frames:
        return dict(frames)
    dims = [table.dim for table in frames["speech"]]
    heard = [voice.parts(dims) for voice in voices]
    normal: tuple[FrameTable, ...] = tuple(
        NormalFrames(table, [parts[place] for parts in heard], voice_of_row)
        for place, table in enumerate(frames["speech"])
    )
    return {**frames, "speech": normal}


def _rows_by_voice(
    features: Features, speakers: Sequence[str | None]
) -> dict[str, Int64[ndarray, " _"]]:
    heard = np.flatnonzero(features.present("speech"))
    names = [speakers[place] for place in heard.tolist()]
    if None in names:
        raise CorpusError("a recording names no speaker; normalize=speaker needs one for each")
    return _rows_by_name(features.rows[heard], names)


def _rows_by_name(
    rows: Int64[ndarray, " clip"], names: Sequence[str | None]
) -> dict[str, Int64[ndarray, " _"]]:
    if not len(rows):
        return {}
    distinct, whose = np.unique(np.array(names, dtype=str), return_inverse=True)
    sorted_rows = rows[np.argsort(whose, kind="stable")]
    parts = np.split(sorted_rows, np.cumsum(np.bincount(whose))[:-1])
    return dict(zip(distinct.tolist(), parts, strict=True))


def _voice(
    table: Float32[ndarray, "row dim"],
    rows: Int64[ndarray, " clip"],
    usual_spread: Float32[ndarray, " dim"],
) -> Voice:
    count = len(rows)
    mean, squares = _mean_and_squares(table, rows)
    variance = (squares + SHRINKAGE * usual_spread**2) / (count + SHRINKAGE)
    return Voice(mean.astype(np.float32), _spread(variance))


def _pooled_spread(
    table: Float32[ndarray, "row dim"], voices: Mapping[str, Int64[ndarray, " _"]]
) -> Float32[ndarray, " dim"]:
    squares = np.zeros(table.shape[1])
    for rows in voices.values():
        squares += _mean_and_squares(table, rows)[1]
    return _spread(squares / max(1, sum(len(rows) for rows in voices.values())))


def _mean_and_squares(
    table: Float32[ndarray, "row dim"], rows: Int64[ndarray, " clip"]
) -> tuple[Float64[ndarray, " dim"], Float64[ndarray, " dim"]]:
    """Mean of some rows, and the sum of the squares of their distances from it."""

    def parts() -> Iterator[Float64[ndarray, "_ dim"]]:
        return (table[part].astype(np.float64) for part in in_parts(rows))

    mean = sum(part.sum(axis=0) for part in parts()) / len(rows)
    return mean, sum(((part - mean) ** 2).sum(axis=0) for part in parts())


def _spread(variance: Float[ndarray, " dim"]) -> Float32[ndarray, " dim"]:
    return np.maximum(np.sqrt(variance), SMALLEST_SPREAD).astype(np.float32)
