"""Features: one vector per utterance and side, and the table they lie in.

A table has one row per utterance of the whole corpus. Some of the utterances are some of its row
numbers, so `Features.take` copies nothing and a table may be larger than memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from maeum.errors import CorpusError
from maeum.features.frames import FrameTable


class Count(NamedTuple):
    """How many utterances of a corpus an encoder's vectors were found for, or made for.

    Attributes:
        found: taken from the store, or from an equal recording or sentence.
        encoded: made now.
        failed: could not be made.
    """

    found: int
    encoded: int
    failed: int


@dataclass(frozen=True)
class Features:
    """Vectors of some utterances; a side (`speech`, `text`) without encoders has no entry.

    Attributes:
        ids: utterances, in order.
        tables: side -> (row, width), the vectors of its encoders side by side, zeros where there
            is none. Rows are those of the corpus they were extracted from. Large tables are
            memory-mapped: take what is needed, a whole table may not fit.
        has: side -> (row,), where there is a vector.
        rows: (utterance,) the row of each.
        context: (utterance, turn) rows of the previous utterances of the same dialogue, nearest
            last, -1 where there is none; no columns where no context was asked for.
        frames: side -> per encoder its vectors over time; empty unless they were asked for.
        failures: id -> sentence, for what could not be used.
        made_by: what decides the vectors; see `recipe`.
        counts: name of an encoder -> how many of its vectors were found and made.
    """

    ids: tuple[str, ...]
    tables: dict[str, Float32[ndarray, "row _"]]
    has: dict[str, Bool[ndarray, " row"]]
    rows: Int64[ndarray, " utterance"]
    context: Int64[ndarray, "utterance turn"]
    frames: dict[str, tuple[FrameTable, ...]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    made_by: frozenset[str] = frozenset()
    counts: dict[str, Count] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        ids: Sequence[str],
        tables: dict[str, Float32[ndarray, "row _"]],
        has: dict[str, Bool[ndarray, " row"]],
        **more: Any,  # noqa: ANN401 - the other attributes
    ) -> Features:
        """Features of utterances that are the rows of the tables, in order, without context."""
        rows = np.arange(len(ids))
        return cls(tuple(ids), tables, has, rows, rows[:, None][:, :0], **more)

    def __len__(self) -> int:
        return len(self.ids)

    def vectors(self, side: str) -> Float32[ndarray, "utterance width"]:
        """A copy of the vectors of a side, zeros where it is absent.

        Raises:
            KeyError: no encoder of that side was asked for.
        """
        vectors = self.tables[side][self.rows]
        vectors[~self.present(side)] = 0
        return vectors

    def present(
        self, side: str, places: Int64[ndarray, " utterance"] | None = None
    ) -> Bool[ndarray, " utterance"]:
        """Which utterances have that side; none of them where it was not asked for.

        Args:
            side: `speech` or `text`.
            places: of the utterances meant, among these; None: all.
        """
        rows = self.rows if places is None else self.rows[places]
        return self.has[side][rows] if side in self.has else np.zeros(len(rows), dtype=bool)

    @property
    def usable(self) -> Bool[ndarray, " utterance"]:
        """Which utterances have at least one side."""
        found = np.zeros(len(self), dtype=bool)
        for side in self.has:
            found |= self.present(side)
        return found

    def take(self, ids: Sequence[str]) -> Features:
        """The same features for some utterances, in the order given; no vector is copied.

        Raises:
            CorpusError: they are not of these utterances.
        """
        place = self._place
        if strangers := [name for name in ids if name not in place]:
            raise CorpusError(
                f"the features are of another corpus: {len(strangers)} of {len(ids)} utterances "
                f"are not in them, {strangers[0]} among them; extract them anew"
            )
        places = np.array([place[name] for name in ids], dtype=np.int64)
        return replace(
            self,
            ids=tuple(ids),
            rows=self.rows[places],
            context=self.context[places],
            failures={name: self.failures[name] for name in ids if name in self.failures},
        )

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.ids)}

    def apart(self) -> Features:
        """The same utterances, blind to previous ones that are not among them.

        What is trained on thus never looks at what is tested, nor the other way round.
        """
        return replace(self, context=np.where(np.isin(self.context, self.rows), self.context, -1))

    def only(self, modality: str) -> Features:
        """The same utterances with one side kept from the network, unless it is `both`.

        That goes for the previous utterances too.
        """
        if modality == "both":
            return self
        kept = {
            side: there if side == modality else np.zeros_like(there)
            for side, there in self.has.items()
        }
        return replace(self, has=kept)
