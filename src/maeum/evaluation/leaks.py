"""What test and training have in common, told without keeping the corpus.

A run keeps hashes of its utterances, speakers and sentences (`corpus.identity`); those of any
corpus can be compared with them later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from maeum.corpus.identity import KINDS


@dataclass(frozen=True)
class Shared:
    """How much of one kind the test shares with the training.

    Attributes:
        kind: utterance, speaker or script.
        shared: how many of the test's occur in the training.
        tested: how many the test has.
        utterances: utterances of the test they make up.
    """

    kind: str
    shared: int
    tested: int
    utterances: int

    def __str__(self) -> str:
        names = {"utterance": "utterances", "speaker": "speakers", "script": "sentences"}
        return (
            f"{self.shared:,} of {self.tested:,} {names[self.kind]} of the test "
            f"({self.utterances:,} utterances) are in the training too"
        )


@dataclass(frozen=True)
class Leaks:
    """All that test and training share.

    Attributes:
        shared: one entry per kind.
        notes: further sentences that belong beside the number.
    """

    shared: tuple[Shared, ...]
    notes: tuple[str, ...] = ()

    @property
    def found(self) -> list[Shared]:
        """What is shared at all."""
        return [entry for entry in self.shared if entry.shared]

    @property
    def sentences(self) -> list[str]:
        """What a person should read beside the number; empty where nothing is shared."""
        return [*map(str, self.found), *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        by_kind = {f"{entry.kind}s": asdict(entry) for entry in self.shared}
        for entry in by_kind.values():
            del entry["kind"]
        return {**by_kind, "sentences": self.sentences}


def leaks(train: pl.DataFrame, test: pl.DataFrame, *, notes: tuple[str, ...] = ()) -> Leaks:
    """What two sets of hashed utterances share.

    Args:
        train: columns of `hashed`.
        test: likewise.
        notes: further sentences that belong beside the number.
    """
    return Leaks(tuple(_shared(kind, train[kind], test[kind]) for kind in KINDS), notes)


def pooled(several: Sequence[Leaks]) -> Leaks:
    """The leaks of all folds of a cross-validation, counted together."""
    columns = zip(*(entry.shared for entry in several), strict=True)
    shared = tuple(
        Shared(
            kind=entries[0].kind,
            shared=sum(entry.shared for entry in entries),
            tested=sum(entry.tested for entry in entries),
            utterances=sum(entry.utterances for entry in entries),
        )
        for entries in columns
    )
    return Leaks(shared, several[0].notes)


def _shared(kind: str, train: pl.Series, test: pl.Series) -> Shared:
    known = train.drop_nulls().unique()
    met = test.drop_nulls()
    common = met.filter(met.is_in(known.implode()))
    return Shared(kind, common.n_unique(), met.n_unique(), len(common))
