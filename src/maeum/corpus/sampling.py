"""Which utterances to train on: an order, and how many in all or per emotion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    taken = first_of(queue(utterances, wanted, rng=rng), wanted)
    lacking = "" if wanted.allow_fewer else lack(taken, wanted, utterances["emotion"].unique())
    if lacking:
        raise SamplingError(
            f"{lacking}; ask for fewer, or go on with what there is (--allow-fewer)"
        )
    return taken.sort("id")


def queue(utterances: pl.DataFrame, wanted: Sample, *, rng: np.random.Generator) -> pl.DataFrame:
    """The utterances in the order they are taken in, whatever their number.

    Needs the columns id, duration_s, text and script; with `distinct_text` the first of each
    script stays, and rows without text.
    """
    arranged = ORDERS[wanted.order](utterances, rng)
    if not wanted.distinct_text:
        return arranged
    return arranged.filter(pl.col("script").is_null() | pl.col("script").is_first_distinct())


def first_of(queued: pl.DataFrame, wanted: Sample) -> pl.DataFrame:
    """As many as wanted from the head of a queue, or what there is."""
    if wanted.per_emotion is not None:
        place = pl.int_range(pl.len()).over("emotion")
        return queued.filter(place < wanted.per_emotion)
    return queued if wanted.total is None else queued.head(wanted.total)


def lack(taken: pl.DataFrame, wanted: Sample, emotions: Iterable[str]) -> str:
    """What a sample lacks of what was wanted, with both numbers; empty where it lacks nothing.

    Args:
        taken: the sample.
        wanted: what was asked for.
        emotions: of which there should be `per_emotion` each.
    """
    kind = "distinct sentences" if wanted.distinct_text else "utterances"
    if wanted.total is not None and len(taken) < wanted.total:
        return f"asked for {wanted.total:,} {kind}, found {len(taken):,}"
    if wanted.per_emotion is None:
        return ""
    found = dict(taken["emotion"].value_counts().iter_rows())
    counts = {emotion: found.get(emotion, 0) for emotion in sorted(emotions)}
    short = [f"{n:,} of {name}" for name, n in counts.items() if n < wanted.per_emotion]
    if not short:
        return ""
    return f"asked for {wanted.per_emotion:,} {kind} per emotion, found {', '.join(short)}"
