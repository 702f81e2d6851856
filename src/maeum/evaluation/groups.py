"""Results by gender, age, style and speaker: for whom it works, and for whom it does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.emotions import EmotionSet
from maeum.evaluation.answered import GROUPED, class_indices
from maeum.evaluation.metrics import METRICS, Unit, bootstrap_intervals, bootstrap_unit

MIN_UTTERANCES_TO_JUDGE = 10
"""Groups of fewer utterances are too few to judge."""

SHOWN_WHOLE = 12
"""A column with more groups than this is told by its worst, its best and its spread."""

ENDS_SHOWN = 5

GROUPS_SEED = 0
"""Fixes the intervals: the same answers have the same ones."""


@dataclass(frozen=True)
class Group:
    """The results of the utterances that have one value in common.

    Attributes:
        value: of the column, as `female`.
        n: utterances.
        accuracy: share of right answers, in [0, 1].
        uar: unweighted average recall over the emotions that occur in the group, in [0, 1].
        macro_f1: mean F1 over the emotions that occur or were answered, in [0, 1].
        ci95: lower and upper end of the 95 % interval of the accuracy.
        ci95_over: what the interval was drawn over.
    """

    value: str
    n: int
    accuracy: float
    uar: float
    macro_f1: float
    ci95: tuple[float, float]
    ci95_over: Unit

    @property
    def few(self) -> bool:
        """Whether there are too few utterances to judge by."""
        return self.n < MIN_UTTERANCES_TO_JUDGE

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        scores = {name: getattr(self, name) for name in METRICS}
        return {
            "n": self.n,
            **scores,
            "ci95": {"accuracy": list(self.ci95)},
            "ci95_over": self.ci95_over,
            "few": self.few,
        }


@dataclass(frozen=True)
class Spread:
    """How far the accuracies of groups lie apart; shares in [0, 1].

    Attributes:
        groups: those with enough utterances to judge by.
        lowest, lower_quarter, median, upper_quarter, highest: of their accuracies.
    """

    groups: int
    lowest: float
    lower_quarter: float
    median: float
    upper_quarter: float
    highest: float


@dataclass(frozen=True)
class Part:
    """Rows of a table under one heading, which may be empty."""

    title: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Groups:
    """All values of one column.

    Attributes:
        column: gender, age, style or speaker.
        groups: in order of value.
        unknown: utterances without a value; they are in no group.
    """

    column: str
    groups: tuple[Group, ...]
    unknown: int = 0

    @property
    def many(self) -> bool:
        """Whether there are more groups than anyone would read."""
        return len(self.groups) > SHOWN_WHOLE

    @property
    def ranked(self) -> list[Group]:
        """Groups with enough utterances to judge by, the least accurate first."""
        enough = (group for group in self.groups if not group.few)
        return sorted(enough, key=lambda group: (group.accuracy, group.value))

    @property
    def parts(self) -> list[Part]:
        """What a table shows: all groups; of many, the worst and the best that can be judged."""
        ranked = self.ranked
        if not self.many:
            return [Part("", self.groups)]
        if len(ranked) <= 2 * ENDS_SHOWN:
            return [Part("worst first", tuple(ranked))] if ranked else []
        return [
            Part(f"the {ENDS_SHOWN} worst", tuple(ranked[:ENDS_SHOWN])),
            Part(f"the {ENDS_SHOWN} best", tuple(ranked[-ENDS_SHOWN:])),
        ]

    @property
    def shown(self) -> list[Group]:
        """The groups of all `parts`."""
        return [group for part in self.parts for group in part.groups]

    @property
    def spread(self) -> Spread | None:
        """Of the groups that can be judged; None where there are none."""
        shares = [group.accuracy for group in self.ranked]
        if not shares:
            return None
        return Spread(len(shares), *map(float, np.quantile(shares, (0, 0.25, 0.5, 0.75, 1))))

    @property
    def sentences(self) -> list[str]:
        """What a person should read beside the table."""
        return [*self._told_of_many(), *self._told_of_few(), *self._told_of_unknown()]

    def _told_of_many(self) -> list[str]:
        spread = self.spread
        if not self.many:
            return []
        if spread is None:
            return [f"{len(self.groups):,} groups, none of them large enough to judge."]
        return [
            f"{len(self.groups):,} groups; the accuracy of the {spread.groups:,} that can be "
            f"judged runs from {spread.lowest:.1%} to {spread.highest:.1%}, half of them lie "
            f"between {spread.lower_quarter:.1%} and {spread.upper_quarter:.1%}, the median is "
            f"{spread.median:.1%}."
        ]

    def _told_of_few(self) -> list[str]:
        few = sum(group.few for group in self.groups)
        if not few:
            return []
        listed = ", and are not ranked" if self.many else ""
        return [
            f"{few:,} of {len(self.groups):,} groups have fewer than {MIN_UTTERANCES_TO_JUDGE} "
            f"utterances: too few to judge{listed}."
        ]

    def _told_of_unknown(self) -> list[str]:
        if not self.unknown:
            return []
        return [f"{self.unknown:,} utterances of unknown {self.column} are in no group."]

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Plain values by value of the column, for JSON."""
        return {group.value: group.to_dict() for group in self.groups}


def grouped(answers: pl.DataFrame, emotions: EmotionSet) -> dict[str, Groups]:
    """Results by column; a column with fewer than two values is left out.

    Args:
        answers: columns truth, answer, speaker, and those of `GROUPED` that are known.
        emotions: in class order.
    """
    plain = answers.with_columns(
        pl.Series(name, class_indices(answers, name, emotions)) for name in ("truth", "answer")
    )
    found = (_by(plain, column, len(emotions)) for column in GROUPED if column in answers.columns)
    return {groups.column: groups for groups in found if len(groups.groups) > 1}


def _by(answers: pl.DataFrame, column: str, classes: int) -> Groups:
    known = answers.drop_nulls(column).sort(column, maintain_order=True)
    parts = known.partition_by(column, maintain_order=True)
    scores = _scores(known, column, classes)
    groups = tuple(
        Group(
            value=part[column][0],
            n=len(part),
            ci95=_interval(part, unit),
            ci95_over=unit,
            **{name: float(values[place]) for name, values in scores.items()},
        )
        for place, (part, unit) in enumerate((part, _unit(part)) for part in parts)
    )
    return Groups(column, groups, len(answers) - len(known))


def _scores(known: pl.DataFrame, column: str, classes: int) -> dict[str, NDArray[np.float64]]:
    """Each score per group, from one stack of confusion matrices (group, class, class)."""
    group = (known[column].rank("dense") - 1).cast(pl.Int64).to_numpy()
    cells = (group * classes + known["truth"].to_numpy()) * classes + known["answer"].to_numpy()
    groups = known[column].n_unique()
    counts = np.bincount(cells, minlength=groups * classes**2).reshape(groups, classes, classes)
    return {name: metric(counts) for name, metric in METRICS.items()}


def _unit(part: pl.DataFrame) -> Unit:
    return bootstrap_unit(part["speaker"].unique().to_list())


def _interval(part: pl.DataFrame, unit: Unit) -> tuple[float, float]:
    wrong = (part["truth"] != part["answer"]).cast(pl.Int64)
    if unit == "utterances":
        return _interval_of_share(len(part) - int(wrong.sum()), len(part))
    return _drawn(wrong.to_numpy(), part["speaker"].to_list())


@cache
def _interval_of_share(right: int, n: int) -> tuple[float, float]:
    """Interval of so many right; hundreds of speakers share a few of these."""
    return _drawn(np.repeat([0, 1], [right, n - right]), None)


def _drawn(wrong: NDArray[np.int64], speakers: Sequence[str | None] | None) -> tuple[float, float]:
    """Bootstrap of the accuracy; for it, right and wrong are two classes of which one occurs."""
    rng = np.random.default_rng(GROUPS_SEED)
    return bootstrap_intervals(np.zeros_like(wrong), wrong, speakers, 2, rng=rng)["accuracy"]
