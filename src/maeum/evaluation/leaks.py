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
        affected = "" if self.kind == "utterance" else f" ({self.utterances:,} utterances)"
        return (
            f"{self.shared:,} of {self.tested:,} {names[self.kind]} of the test{affected} "
            "are in the training too"
        )


UNKNOWN = (
    "what this checkpoint was trained on is not at hand: voices, sentences and even "
    "recordings of the test may have been in it, and leaks cannot be looked for"
)


@dataclass(frozen=True)
class Leaks:
    """All that test and training share.

    Attributes:
        shared: one entry per kind; none where the training is unknown.
        notes: further sentences that belong beside the number.
        known: whether anybody can say what the training had.
    """

    shared: tuple[Shared, ...]
    notes: tuple[str, ...] = ()
    known: bool = True

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
        if not self.known:
            return {**{f"{kind}s": None for kind in KINDS}, "sentences": self.sentences}
        return {**by_kind, "sentences": self.sentences}


def unknown_leaks(notes: tuple[str, ...] = ()) -> Leaks:
    """Of a classifier whose training nobody knows.

    Args:
        notes: further sentences that belong beside the number.
    """
    return Leaks((), (UNKNOWN, *notes), known=False)


def leaks(train: pl.DataFrame, test: pl.DataFrame, *, notes: tuple[str, ...] = ()) -> Leaks:
    """What two sets of hashed utterances share.

    Args:
        train: columns of `hashed`.
        test: likewise.
        notes: further sentences that belong beside the number.
    """
    return leaks_of_folds([(train, test)], notes=notes)


def leaks_of_folds(
    folds: Sequence[tuple[pl.DataFrame, pl.DataFrame]], *, notes: tuple[str, ...] = ()
) -> Leaks:
    """What the tests of all folds share with the training of their own fold.

    Args:
        folds: train and test of each, columns of `hashed`.
        notes: further sentences that belong beside the number.
    """
    return Leaks(tuple(_shared(kind, folds) for kind in KINDS), notes)


def _shared(kind: str, folds: Sequence[tuple[pl.DataFrame, pl.DataFrame]]) -> Shared:
    met = pl.concat([test[kind].drop_nulls() for _, test in folds])
    common = pl.concat(
        [
            test[kind].filter(test[kind].is_in(train[kind].drop_nulls().unique().implode()))
            for train, test in folds
        ]
    )
    return Shared(kind, common.n_unique(), met.n_unique(), len(common))
