"""What is trained on and what is tested, the same for all runs of a protocol."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.corpus.sampling import Sample, sample
from maeum.corpus.splits import folds, split
from maeum.errors import SettingsError, SplitError
from maeum.studies.grid import Cell, Study

Rows = NDArray[np.int64]
"""Numbers of utterances, in order of id."""

ENOUGH_TO_TEST = 1000
"""Utterances of a test part, from which on one split tells something."""

USUAL_FOLDS = {"speaker+script": 3}
"""Of a smaller corpus, by protocol; 3 make 3 x 3 turns where voices and sentences are new."""

FOLDS = 5
"""Of the other protocols."""


@dataclass(frozen=True)
class Turn:
    """One network's part of a run: what it may learn from, and what it answers for.

    Attributes:
        name: of the fold; empty for a split.
        train: rows that samples are drawn from.
        validation: rows looked at while training, where patience asks for it.
        test: rows answered for.
    """

    name: str
    train: Rows
    validation: Rows
    test: Rows


@dataclass(frozen=True)
class Parting:
    """How a corpus is parted for a protocol.

    Attributes:
        protocol: what test and training must not share.
        folds: 0: one split.
        turns: none where it cannot be parted.
        fingerprint: 16 hexadecimal digits, equal where the same utterances are tested in the same
            turns beside the same training.
        failure: why it cannot be parted, in a sentence; empty where it can.
    """

    protocol: str
    folds: int
    turns: tuple[Turn, ...] = ()
    fingerprint: str = ""
    failure: str = ""

    @property
    def tested(self) -> int:
        """Utterances answered for, in all turns."""
        return sum(len(turn.test) for turn in self.turns)

    def __str__(self) -> str:
        if self.failure:
            return f"{self.protocol}: {self.failure}"
        if not self.folds:
            return f"{self.protocol}: one split, {self.tested:,} utterances tested"
        return (
            f"{self.protocol}: {len(self.turns)} turns, {self.tested:,} utterances tested once each"
        )


def part(utterances: pl.DataFrame, usable: NDArray[np.bool_], study: Study, cell: Cell) -> Parting:
    """Part a corpus as a run of a study asks.

    Args:
        utterances: in order of id, with their number in the column `row`.
        usable: (row,) which of them some run can use all sides of; the others are in no turn.
        study: for the folds, and whether test and distinct sentences are sampled before.
        cell: for the protocol and the seed of the split.
    """
    settings = cell.settings
    if settings.distinct_text and study.distinct == "corpus":
        first = pl.col("script").is_null() | pl.col("script").is_first_distinct()
        utterances = utterances.filter(first)
    try:
        parting = _parted(utterances, usable, study.folds, str(settings.split), settings.split_seed)
    except SplitError as error:
        return Parting(str(settings.split), study.folds or 0, failure=str(error))
    if study.test_per_emotion is None:
        return parting
    return _with_sampled_test(parting, utterances, study.test_per_emotion, settings.split_seed)


def _parted(
    utterances: pl.DataFrame, usable: NDArray[np.bool_], count: int | None, protocol: str, seed: int
) -> Parting:
    """One split where that tests enough, or as many folds as asked."""
    if count:
        return _folded(utterances, usable, protocol, count, seed)
    try:
        once = _split(utterances, usable, protocol, seed)
    except SplitError:
        if count == 0 or protocol == "given":
            raise
        once = None
    if once is not None and (count == 0 or protocol == "given" or once.tested >= ENOUGH_TO_TEST):
        return once
    return _folded(utterances, usable, protocol, USUAL_FOLDS.get(protocol, FOLDS), seed)


def _split(
    utterances: pl.DataFrame, usable: NDArray[np.bool_], protocol: str, seed: int
) -> Parting:
    drawn = split(utterances, protocol, seed=seed)  # type: ignore[arg-type]
    rows, place = utterances["row"].to_numpy(), drawn.parts["part"].to_numpy()
    parts = {name: _usable(rows[place == name], usable) for name in ("train", "validation", "test")}
    if not len(parts["test"]):
        raise SplitError(f"{protocol} leaves no usable utterance to test; choose another protocol")
    return Parting(protocol, 0, (Turn("", **parts),), drawn.fingerprint)


def _folded(
    utterances: pl.DataFrame, usable: NDArray[np.bool_], protocol: str, count: int, seed: int
) -> Parting:
    number = utterances.select("id", "row")
    turns, nothing, told = [], np.zeros(0, dtype=np.int64), blake2b(digest_size=8)
    for fold in folds(utterances, protocol, count, seed=seed):
        train, test = (
            pl.DataFrame({"id": ids}).join(number, on="id", maintain_order="left")["row"].to_numpy()
            for ids in (fold.train, fold.test)
        )
        for ids in (fold.train, fold.test):
            told.update(ids.to_frame("id").write_csv().encode())
        turn = Turn(fold.name, _usable(train, usable), nothing, _usable(test, usable))
        if len(turn.test):
            turns.append(turn)
    return Parting(protocol, count, tuple(turns), told.hexdigest())


def _usable(rows: NDArray[np.int64], usable: NDArray[np.bool_]) -> Rows:
    rows = np.asarray(rows, dtype=np.int64)
    return rows[usable[rows]]


def _with_sampled_test(
    parting: Parting, utterances: pl.DataFrame, per_emotion: int, seed: int
) -> Parting:
    """So many of each emotion tested, and looked at while training, drawn by chance."""
    if parting.folds:
        raise SettingsError(
            f"{per_emotion} tests per emotion were asked for, but folds test every utterance once; "
            "take one split with --folds 0"
        )
    wanted = Sample(per_emotion=per_emotion, allow_fewer=True)
    (turn,) = parting.turns

    def some(rows: Rows) -> Rows:
        table = utterances.filter(pl.col("row").is_in(pl.Series(rows).implode()))
        return sample(table, wanted, rng=np.random.default_rng(seed))["row"].to_numpy()

    fewer = Turn(turn.name, turn.train, some(turn.validation), some(turn.test))
    return Parting(parting.protocol, 0, (fewer,), f"{parting.fingerprint}-{per_emotion}")
