"""One encoder goes through one side of a corpus: what it made before is found, the rest is made."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from maeum.ahead import THREADS, ahead, batches, workers
from maeum.encoders import Encoder
from maeum.errors import EncoderError
from maeum.features.drawer import Keeping
from maeum.features.features import Count
from maeum.features.frames import mean_over_time
from maeum.features.hearing import encoding_workers
from maeum.features.sources import UNUSABLE, Loaded, Refusal, Source
from maeum.features.tables import in_parts
from maeum.progress import Show, bar

logger = logging.getLogger(__name__)

LABELS = {"speech": "hearing", "text": "reading"}


class Encoded(NamedTuple):
    """What an encoder makes of a recording or a sentence."""

    vector: Float32[ndarray, " width"]
    frames: Float32[ndarray, "time dim"] | None = None


class Outcome(NamedTuple):
    """What became of a row: what the encoder made of it, or why it made nothing."""

    row: int
    made: Encoded | Refusal


@dataclass
class Pass:
    """An encoder's way through a source.

    Attributes:
        source: what is encoded.
        encoder: by which.
        over_time: whether frames are wanted.
        drawer: where vectors are looked up and kept; None: nowhere.
        table: (row, width) to be filled; None: keeping is enough.
        held: row -> frames, filled where they are wanted and kept nowhere else.
        failures: row -> sentence.
    """

    source: Source
    encoder: Any
    over_time: bool = False
    drawer: Keeping | None = None
    table: Float32[ndarray, "row width"] | None = None
    held: dict[int, Float32[ndarray, "_ _"]] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)
    _found: int = 0
    _encoded: int = 0

    @property
    def count(self) -> Count:
        """How far it is."""
        return Count(self._found, self._encoded, len(self.failures))

    def run(self) -> Count:
        """Go all the way; what fails stands in `failures` and the rest goes on.

        Raises:
            EncoderError: the encoder gives vectors of another shape than it says.
            StoreError: the drawer is broken.
            OSError: the disk is full; what was made before stays in the drawer.
        """
        label = f"{LABELS[self.source.side]}: {self.encoder.name}"
        total = len(self.source.rows)
        with self._workers() as pool, bar(total=total, label=label) as show:
            for rows in (self._missing(pool, show), self._repeated()):
                for outcome in self._outcomes(rows, pool):
                    self._take(outcome)
                    self._tell(show)
        if self.drawer is not None:
            self.drawer.commit()
        return self.count

    def _tell(self, show: Show) -> None:
        show(sum(self.count), f"{self._found:,} found")

    def _workers(self) -> AbstractContextManager[ThreadPoolExecutor]:
        return encoding_workers() if self.encoder.threaded else workers()

    # -- what is there already

    def _missing(self, pool: ThreadPoolExecutor, show: Show) -> Iterator[int]:
        """The first rows of each content that must be encoded; those found are put in place."""
        for window in self.source.windows(pool):
            rows = window[self.source.first[window] == window]
            found = self._look_up(rows)
            self._found += int(found.sum())
            self._tell(show)
            yield from rows[~found].tolist()

    def _look_up(self, rows: Int64[ndarray, " row"]) -> ndarray:
        """(row,) whether there is a vector; if so it stands in the table."""
        keys = [self.source.key(row) for row in rows.tolist()]
        if self.drawer is None:
            return np.zeros(len(rows), dtype=bool)
        wanted = [key for key in keys if key]
        if self.table is None:
            stored = self.drawer.stored(wanted)
            return np.array([key in stored for key in keys], dtype=bool)
        vectors = self.drawer.vectors(wanted)
        found = np.array([key in vectors for key in keys], dtype=bool)
        if found.any():
            self.table[rows[found]] = np.stack([vectors[key] for key in keys if key in vectors])
        return found

    def _repeated(self) -> Iterator[int]:
        """Copy what equal rows have; yield those whose first one failed, to fail by themselves."""
        rows = self.source.rows
        for part in in_parts(rows[self.source.first[rows] != rows]):
            first = self.source.first[part]
            failed = np.array([row in self.failures for row in first.tolist()], dtype=bool)
            self._copy(first[~failed], part[~failed])
            yield from part[failed].tolist()

    def _copy(self, first: Int64[ndarray, " row"], again: Int64[ndarray, " row"]) -> None:
        self._found += len(again)
        if self.table is not None:
            self.table[again] = self.table[first]
        pairs = zip(again.tolist(), first.tolist(), strict=True)
        self.held |= {new: self.held[old] for new, old in pairs if old in self.held}

    # -- what is made

    def _outcomes(self, rows: Iterable[int], pool: ThreadPoolExecutor) -> Iterator[Outcome]:
        """What becomes of the rows, in order, the next ones being made ready meanwhile."""
        if self.encoder.threaded:
            yield from ahead(pool, self._load_and_encode, rows, 4 * THREADS)
            return
        loaded = self.source.loaded(rows, self.encoder, pool)
        for batch in batches(loaded, self.encoder.at_once):
            yield from self._encode_those_loaded(batch)

    def _load_and_encode(self, row: int) -> Outcome:
        (outcome,) = self._encode_those_loaded([self.source.try_to_load(row, self.encoder)])
        return outcome

    def _encode_those_loaded(self, batch: list[Loaded]) -> Iterator[Outcome]:
        good = [one for one in batch if not isinstance(one.given, Refusal)]
        made = iter(self._try_to_encode(good))
        for one in batch:
            yield Outcome(one.row, one.given) if isinstance(one.given, Refusal) else next(made)

    def _try_to_encode(self, batch: list[Loaded]) -> list[Outcome]:
        """Together, or where one of them is refused each by itself."""
        if not batch:
            return []
        try:
            made = self._encode([one.given for one in batch])
        except UNUSABLE as error:
            if len(batch) == 1:
                return [Outcome(batch[0].row, Refusal(str(error)))]
            return [outcome for one in batch for outcome in self._try_to_encode([one])]
        return [self._checked(one.row, encoded) for one, encoded in zip(batch, made, strict=True)]

    def _encode(self, given: list[Any]) -> list[Encoded]:
        if self.over_time:
            sequences = [np.asarray(one, dtype=np.float32) for one in self.encoder.frames(given)]
            made = [Encoded(mean_over_time(frames), frames) for frames in sequences]
        else:
            vectors = np.asarray(self.encoder.encode(given), dtype=np.float32)
            made = [Encoded(vector) for vector in vectors]
        width = width_of(self.encoder, over_time=self.over_time)
        _ensure_shapes(made, self.encoder, len(given), width)
        return made

    def _checked(self, row: int, made: Encoded) -> Outcome:
        if np.isfinite(made.vector).all():
            return Outcome(row, made)
        return Outcome(
            row,
            Refusal(
                f"{self.source.name(row)}: {self.encoder.name} makes values of it that are not "
                "finite; look at it, or take another encoder"
            ),
        )

    def _take(self, outcome: Outcome) -> None:
        row, made = outcome
        if isinstance(made, Refusal):
            self.failures[row] = made.why
            return
        self._encoded += 1
        key = self.source.key(row)
        if self.drawer is not None and key is not None:
            self.drawer.put(key, made.vector, made.frames)
        if self.table is not None:
            self.table[row] = made.vector
        if made.frames is not None and self.drawer is None and not self.encoder.cheap:
            self.held[row] = made.frames


def width_of(encoder: Encoder, *, over_time: bool) -> int:
    """Length of an encoder's vectors: of all its layers, or of the one that has frames."""
    return encoder.dim if over_time else encoder.layers * encoder.dim


def _ensure_shapes(made: list[Encoded], encoder: Encoder, count: int, width: int) -> None:
    shapes = {one.vector.shape for one in made}
    if len(made) != count or shapes != {(width,)}:
        raise EncoderError(
            f"{encoder.name} made {len(made)} vector(s) of shape {sorted(shapes)} of {count} "
            f"input(s); expected one of length {width} each, as its dim and layers say"
        )
