"""Which utterances are trained on, which are looked at while training, which are tested.

A number means little until one knows what the test had in common with the training:

    random          anything: voices and sentences of the test may be in the training (the paper's)
    speaker         no voice of the test is in the training
    script          no sentence of the test is in the training
    speaker+script  neither; utterances that would mix parts are set aside and counted
    given           the corpus' own parts; where it has no test, its validation is tested
    none            everything is trained on
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.config import Protocol
from maeum.errors import SplitError

logger = logging.getLogger(__name__)

PARTS = ("train", "validation", "test")
SET_ASIDE = "set aside"

SHARES = (0.8, 0.1, 0.1)
"""Train, validation, test: the paper's."""

GROUPED_BY: dict[str, tuple[str, ...]] = {
    "random": (),
    "speaker": ("speaker",),
    "script": ("script",),
    "speaker+script": ("speaker", "script"),
}
"""The columns whose values a protocol keeps in one part."""

MEANING = {
    "random": "voices and sentences of the test may be in the training",
    "speaker": "no voice of the test is in the training, sentences may be",
    "script": "no sentence of the test is in the training, voices may be",
    "speaker+script": "neither a voice nor a sentence of the test is in the training",
    "given": "the parts the corpus itself names",
    "none": "everything is trained on, nothing is tested",
}
"""One sentence a person reads beside a number."""

MIN_SPEAKERS, MIN_SCRIPTS = 6, 10
"""From here on `auto` holds out voices and sentences at once."""

MOST_DRAWS, ROWS_DRAWN = 24, 500_000
"""Random assignments tried for a grouped split, of which the best balanced is kept: as many as
`ROWS_DRAWN` allows. Chance balances a large corpus by itself."""

_PART_NAMES = {"valid": "validation", "val": "validation", "dev": "validation", "training": "train"}


@dataclass(frozen=True)
class Split:
    """A part for every utterance.

    Attributes:
        protocol: a key of `MEANING`; never `auto`.
        seed: what fixed it.
        parts: columns id and part (train, validation, test or set aside), in order of id.
    """

    protocol: str
    seed: int
    parts: pl.DataFrame

    def rows(self, utterances: pl.DataFrame, part: str) -> pl.DataFrame:
        """The utterances of one part."""
        return utterances.join(self.parts.filter(pl.col("part") == part), on="id", how="semi")

    @property
    def counts(self) -> dict[str, int]:
        """Utterances in each part that has any, in order."""
        found = dict(self.parts["part"].value_counts().iter_rows())
        return {part: found[part] for part in (*PARTS, SET_ASIDE) if part in found}

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits, equal for two people who hold the same split."""
        text = self.parts.sort("id").write_csv()
        return blake2b(text.encode(), digest_size=8).hexdigest()

    def to_dict(self) -> dict[str, object]:
        """Plain values, for JSON and YAML."""
        return {
            "protocol": self.protocol,
            "seed": self.seed,
            "parts": self.counts,
            "fingerprint": self.fingerprint,
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{part} {count:,}" for part, count in self.counts.items())
        return f"{self.protocol}: {MEANING[self.protocol]} ({counts})"


@dataclass(frozen=True)
class Fold:
    """One turn of a cross-validation: ids to train on and ids to test."""

    name: str
    train: pl.Series
    test: pl.Series


def split(utterances: pl.DataFrame, protocol: Protocol = "auto", *, seed: int = 0) -> Split:
    """Give every utterance a part.

    Args:
        utterances: rows of a manifest.
        protocol: see the module; `auto` takes the strictest the corpus carries.
        seed: fixes chance.

    Raises:
        SplitError: the corpus has too few speakers or scripts for the protocol, or no parts of
            its own for `given`.
    """
    if utterances.is_empty():
        raise SplitError("no utterance was given; a split needs a corpus with utterances")
    utterances = utterances.sort("id")  # whatever order they came in, chance meets them in one
    name = choose_protocol(utterances) if protocol == "auto" else protocol
    if name not in MEANING:
        raise SplitError(f"unknown protocol {name!r}; expected auto, {', '.join(MEANING)}")
    if name == "none":
        part = pl.repeat("train", len(utterances), dtype=pl.String, eager=True)
    elif name == "given":
        part = _given(utterances)
    else:
        part = pl.Series(_drawn(utterances, GROUPED_BY[name], np.random.default_rng(seed)))
    parts = utterances.select("id").with_columns(part.alias("part"))
    return Split(name, seed, parts)


def choose_protocol(utterances: pl.DataFrame) -> str:
    """The strictest protocol a corpus carries: see DESIGN of `auto` in the module's table."""
    speakers, scripts = (utterances[column].drop_nulls().n_unique() for column in _GROUP_COLUMNS)
    if speakers >= MIN_SPEAKERS and scripts >= MIN_SCRIPTS:
        return "speaker+script"
    if speakers >= len(PARTS):
        return "speaker"
    return "script" if scripts >= len(PARTS) else "random"


_GROUP_COLUMNS = ("speaker", "script")


def folds(
    utterances: pl.DataFrame, by: str, count: int | Literal["loso"], *, seed: int = 0
) -> Iterator[Fold]:
    """Turns in which every utterance is tested once, and never beside its own group.

    An utterance without a group (no speaker, no script) takes part in no turn: nobody can say
    beside whom it stands.

    Args:
        utterances: rows of a manifest.
        by: random, speaker, script or speaker+script. The last holds out every pair of a speaker
            fold and a script fold, so `count` folds make count * count turns.
        count: folds, at least 2; `loso`: one per group (leave one speaker out).
        seed: fixes chance.

    Raises:
        SplitError: unknown `by`, fewer than two folds, or more folds than groups.
    """
    if by not in GROUPED_BY:
        raise SplitError(f"cannot fold by {by!r}; expected {', '.join(GROUPED_BY)}")
    rng = np.random.default_rng(seed)
    utterances = utterances.sort("id")
    columns = GROUPED_BY[by] or (None,)
    homes = [_fold_of_row(utterances, column, count, rng) for column in columns]
    known = np.logical_and.reduce([home >= 0 for home, _ in homes])
    for turn in np.ndindex(*(len(names) for _, names in homes)):
        held_out = [home == number for (home, _), number in zip(homes, turn, strict=True)]
        test = known & np.logical_and.reduce(held_out)
        if not test.any():
            continue
        train = known & ~np.logical_or.reduce(held_out)
        name = " x ".join(names[number] for (_, names), number in zip(homes, turn, strict=True))
        yield Fold(name, utterances["id"].filter(train), utterances["id"].filter(test))


def _given(utterances: pl.DataFrame) -> pl.Series:
    part = utterances["part"].str.strip_chars().str.to_lowercase().replace(_PART_NAMES)
    found = set(part.drop_nulls())
    if found == {"train", "validation"}:
        logger.warning(
            "the corpus names no test part: its validation part is tested, and nothing validates"
        )
        part, found = part.replace("validation", "test"), {"train", "test"}
    if not {"train", "test"} <= found or found - set(PARTS):
        raise SplitError(
            f"the corpus names the parts {', '.join(sorted(found)) or '(none)'}; "
            f"`given` needs train and test, or train and validation, and knows {', '.join(PARTS)}"
        )
    return part.fill_null(SET_ASIDE)


def _drawn(
    utterances: pl.DataFrame, columns: Sequence[str], rng: np.random.Generator
) -> NDArray[np.str_]:
    """(row,) part names: the best balanced of several random assignments."""
    emotions = _one_hot(utterances["emotion"])
    if not columns:
        return _named(_deal_rows(emotions, np.array(SHARES), rng))
    groups = [_group_numbers(utterances, column) for column in columns]
    shares = _shares_of_groups(len(columns))
    count = min(MOST_DRAWS, max(1, ROWS_DRAWN // len(utterances)))
    draws = [_draw(groups, emotions, shares, columns, rng) for _ in range(count)]
    return _named(min(draws, key=lambda parts: _imbalance(parts, emotions)))


def _shares_of_groups(columns: int) -> NDArray[np.float64]:
    """Shares of the groups such that the rows kept stand to each other as `SHARES`.

    With two columns a row stays only if both its groups fall into one part, so a part keeps the
    square of its share; hence the roots.
    """
    roots = np.array(SHARES) ** (1 / columns)
    shares: NDArray[np.float64] = roots / roots.sum()
    return shares


def _draw(
    groups: Sequence[NDArray[np.int64]],
    emotions: NDArray[np.int64],
    shares: NDArray[np.float64],
    columns: Sequence[str],
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """(row,) part numbers; -1 where the columns disagree or a group is unknown."""
    per_column = [
        _part_of_rows(group, emotions, shares, column, rng)
        for group, column in zip(groups, columns, strict=True)
    ]
    first = per_column[0]
    agree = np.logical_and.reduce([part == first for part in per_column])
    return np.where(agree, first, -1)


def _part_of_rows(
    group: NDArray[np.int64],
    emotions: NDArray[np.int64],
    shares: NDArray[np.float64],
    column: str,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    known = group >= 0
    counts = np.zeros((group.max() + 1, emotions.shape[1]), dtype=np.int64)
    np.add.at(counts, group[known], emotions[known])
    part_of_group = _assign(counts, shares, rng, f"{column}s")
    return np.where(known, part_of_group[group], -1)


def _deal_rows(
    emotions: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """(row,) part numbers: every emotion shuffled, then dealt out evenly by share."""
    shuffled = rng.permutation(len(emotions))
    order = shuffled[np.argsort(emotions[shuffled].argmax(axis=1), kind="stable")]
    part_of = np.zeros(len(order), dtype=np.int64)
    left, share_left = order, 1.0
    for part, share in list(enumerate(shares))[:0:-1]:
        place = np.arange(len(left) + 1) * (share / share_left) + rng.random()
        taken = np.diff(np.floor(place)) > 0
        part_of[left[taken]] = part
        left, share_left = left[~taken], share_left - share
    return part_of


def _assign(
    counts: NDArray[np.int64], shares: NDArray[np.float64], rng: np.random.Generator, what: str
) -> NDArray[np.int64]:
    """Give each group to the part that lacks it most, large groups first, ties by chance.

    Args:
        counts: (group, emotion) utterances.
        shares: (part,) summing to 1.
        rng: the order of groups of one size.
        what: groups, in the plural, for the error.

    Returns:
        (group,) part numbers; every part has a group.
    """
    groups, parts = len(counts), len(shares)
    if groups < parts:
        raise SplitError(f"{groups} {what} cannot fill {parts} parts; choose another protocol")
    wanted = shares[:, None] * counts.sum(axis=0)  # (part, emotion)
    weight = 1 / np.maximum(counts.sum(axis=0), 1)  # rare emotions count as much
    order = rng.permutation(groups)
    order = order[np.argsort(-counts[order].sum(axis=1), kind="stable")]
    scale = weight / wanted.clip(1e-9)
    lack, part_of, empty = wanted.copy(), np.full(groups, -1), np.full(parts, True)
    for place, group in enumerate(order):
        gain = (lack * scale) @ counts[group]
        if empty.sum() >= groups - place:
            gain = np.where(empty, gain, -np.inf)
        part = int(np.argmax(gain))
        part_of[group], empty[part] = part, False
        lack[part] -= counts[group]
    return part_of


def _imbalance(parts: NDArray[np.int64], emotions: NDArray[np.int64]) -> float:
    """Distance of the rows kept from `SHARES` in every emotion, plus the share set aside."""
    kept = np.stack([emotions[parts == number].sum(axis=0) for number in range(len(SHARES))])
    wanted = np.array(SHARES)[:, None] * emotions.sum(axis=0)
    lacking = np.abs(kept / np.maximum(emotions.sum(axis=0), 1) - np.array(SHARES)[:, None]).sum()
    missing = ((kept == 0) & (wanted > 0)).sum()
    return float(missing * 10 + lacking)


def _fold_of_row(
    utterances: pl.DataFrame,
    column: str | None,
    count: int | Literal["loso"],
    rng: np.random.Generator,
) -> tuple[NDArray[np.int64], list[str]]:
    """((row,) fold numbers, -1 for rows without a group; the folds' names)."""
    emotions = _one_hot(utterances["emotion"])
    if column is None:
        group, names = np.arange(len(utterances)), [str(number) for number in utterances["id"]]
    else:
        group = _group_numbers(utterances, column)
        names = [str(name) for name in utterances[column].drop_nulls().unique().sort()]
    asked = len(names) if count == "loso" else count
    if not 2 <= asked <= len(names):
        what = f"{column}(s)" if column else "utterance(s)"
        raise SplitError(f"{asked} fold(s) asked for; expected 2 to {len(names)}, one {what} each")
    if count == "loso":
        return group, names
    shares = np.full(count, 1 / count)
    if column is None:
        fold = _deal_rows(emotions, shares, rng)
    else:
        fold = _part_of_rows(group, emotions, shares, column, rng)
    return fold, [f"{column or 'fold'} {number + 1}" for number in range(count)]


def _group_numbers(utterances: pl.DataFrame, column: str) -> NDArray[np.int64]:
    """(row,) number of the group in sorted order; -1 where the column is empty."""
    values = utterances[column]
    if values.null_count() == len(values):
        raise SplitError(f"the corpus names no {column}; choose another protocol")
    ranks = values.rank("dense").cast(pl.Int64) - 1
    numbers: NDArray[np.int64] = ranks.fill_null(-1).to_numpy()
    return numbers


def _one_hot(emotion: pl.Series) -> NDArray[np.int64]:
    """(row, emotion) ones and zeros."""
    number: NDArray[np.int64] = emotion.rank("dense").cast(pl.Int64).to_numpy() - 1
    marked: NDArray[np.int64] = np.eye(number.max() + 1, dtype=np.int64)[number]
    return marked


def _named(parts: NDArray[np.int64]) -> NDArray[np.str_]:
    return np.array([*PARTS, SET_ASIDE])[parts]
