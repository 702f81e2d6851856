"""Which utterances to train on: an order, and how many in all or per emotion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from maeum.config import Order
from maeum.errors import SamplingError, SettingsError


def _random(table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    order = pl.Series(rng.permutation(len(table)))
    return table.sort("id").select(pl.all().gather(order))


def _by_length(*, descending: bool) -> Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]:
    length = pl.coalesce("duration_s", pl.col("text").str.len_chars().cast(pl.Float64))

    def arrange(table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
        return table.sort(length, "id", descending=[descending, False], nulls_last=True)

    return arrange


ORDERS: dict[str, Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]] = {
    "random": _random,
    "short": _by_length(descending=False),
    "long": _by_length(descending=True),
}
"""How utterances are queued: by chance, shortest or longest first (seconds, or letters where
there is no recording); ties by id."""


@dataclass(frozen=True)
class Sample:
    """What to take. Both counts None: everything.

    Attributes:
        order: a key of `ORDERS`.
        per_emotion: utterances of each emotion.
        total: utterances in all, whatever their emotion.
        distinct_text: each script at most once.
        allow_fewer: go on with what there is.
    """

    order: Order = "random"
    per_emotion: int | None = None
    total: int | None = None
    distinct_text: bool = False
    allow_fewer: bool = False

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise SettingsError(f"unknown order {self.order!r}; expected {', '.join(ORDERS)}")
        for name, count in (("per_emotion", self.per_emotion), ("total", self.total)):
            if count is not None and count < 1:
                raise SettingsError(f"{name} is {count}; expected 1 or more, or none for all")
        if self.per_emotion is not None and self.total is not None:
            raise SettingsError(
                f"per_emotion={self.per_emotion} and total={self.total} were both given; "
                "give one of them"
            )


def sample(utterances: pl.DataFrame, wanted: Sample, *, rng: np.random.Generator) -> pl.DataFrame:
    """The utterances to train on.

    Args:
        utterances: rows of a manifest.
        wanted: order and counts.
        rng: decides the order `random`.

    Returns:
        Rows in order of id.

    Raises:
        SamplingError: fewer exist than asked for; the message has both numbers.
    """
    queue = ORDERS[wanted.order](utterances, rng)
    if wanted.distinct_text:
        queue = _each_script_once(queue)
    taken = _take(queue, wanted)
    if not wanted.allow_fewer:
        _refuse_fewer(taken, wanted, found_in=utterances)
    return taken.sort("id")


def _each_script_once(queue: pl.DataFrame) -> pl.DataFrame:
    """The first of each script in the queue; rows without text stay."""
    return queue.filter(pl.col("script").is_null() | pl.col("script").is_first_distinct())


def _take(queue: pl.DataFrame, wanted: Sample) -> pl.DataFrame:
    if wanted.per_emotion is not None:
        place = pl.int_range(pl.len()).over("emotion")
        return queue.filter(place < wanted.per_emotion)
    return queue if wanted.total is None else queue.head(wanted.total)


def _refuse_fewer(taken: pl.DataFrame, wanted: Sample, *, found_in: pl.DataFrame) -> None:
    kind = "distinct sentences" if wanted.distinct_text else "utterances"
    advice = "ask for fewer, or go on with what there is (--allow-fewer)"
    if wanted.total is not None and len(taken) < wanted.total:
        raise SamplingError(f"asked for {wanted.total} {kind}, found {len(taken)}; {advice}")
    if wanted.per_emotion is None:
        return
    found = dict(taken["emotion"].value_counts().iter_rows())
    short = {
        emotion: found.get(emotion, 0)
        for emotion in sorted(found_in["emotion"].unique())
        if found.get(emotion, 0) < wanted.per_emotion
    }
    if short:
        listed = ", ".join(f"{count} of {emotion}" for emotion, count in short.items())
        raise SamplingError(
            f"asked for {wanted.per_emotion} {kind} per emotion, found {listed}; {advice}"
        )
