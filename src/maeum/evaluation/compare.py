"""Two classifiers on the same utterances: how far apart they are, and whether that can be told.

Both answer the same utterances, so they are compared pair by pair: the bootstrap draws the same
speakers for both, and what is hard for one voice is hard for both and cancels out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import binomtest

from maeum.emotions import EmotionSet
from maeum.errors import RunError
from maeum.evaluation.answered import class_indices
from maeum.evaluation.metrics import (
    BOOTSTRAP_DRAWS,
    METRICS,
    MIN_SPEAKERS_FOR_BOOTSTRAP,
    Unit,
    bootstrap_unit,
    wilson_interval,
)

COMPARE_SEED = 0
"""Fixes the intervals: the same answers have the same ones."""

SIGNIFICANT = 0.05
"""Below this, McNemar's p is taken for a difference."""

LEFT_OUT = {
    "met": "that one of them was trained on or chosen by",
    "only_first": "that only {first} answers",
    "only_second": "that only {second} answers",
    "relabelled": "that the two were tested on under different labels",
}
"""Why utterances are not compared."""


@dataclass(frozen=True)
class Difference:
    """One score of both; shares in [0, 1], differences in [-1, 1].

    Attributes:
        first, second: the score of each.
        difference: first minus second.
        ci95: lower and upper end of the 95 % interval of the difference.
    """

    first: float
    second: float
    difference: float
    ci95: tuple[float, float]

    @property
    def told(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.ci95[0] > 0 or self.ci95[1] < 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "ci95": list(self.ci95), "told": self.told}


@dataclass(frozen=True)
class Comparison:
    """What came of comparing two classifiers.

    Attributes:
        names: of the first and the second.
        n: utterances that both answered.
        differences: by name of score, first minus second.
        ci95_over: what the bootstrap drew.
        units: how many of those there are.
        alike: utterances that both gave the same answer.
        only_right: utterances that only the first, and only the second, answered right.
        mcnemar_p: exact two-sided p of McNemar's test on `only_right`; it takes utterances for
            independent, which those of one voice are not.
        left_out: utterances not compared, by reason in `LEFT_OUT`.
        remarks: further sentences that belong beside the number.
    """

    names: tuple[str, str]
    n: int
    differences: Mapping[str, Difference]
    ci95_over: Unit
    units: int
    alike: int
    only_right: tuple[int, int]
    mcnemar_p: float
    left_out: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    def sentence(self) -> str:
        """What came of it, in words."""
        accuracy = self.differences["accuracy"]
        first, second = self.names
        if self.alike == self.n:
            return f"no difference: {first} and {second} answer all {self.n:,} utterances alike"
        (low, high), points = accuracy.ci95, accuracy.difference
        if points < 0:
            first, second, points, low, high = second, first, -points, -high, -low
        said = f"{_points(points)} points"
        interval = f"95 % interval {_points(low)} to {_points(high)} ({self._rests_on()})"
        if accuracy.told:
            return f"{first} beats {second} by {said}, {interval}"
        ahead = f"{first} is {said} ahead of {second}" if points else f"{first} and {second} draw"
        return f"no difference can be told: {ahead}, {interval}"

    def _rests_on(self) -> str:
        over = (
            f"over {self.units:,} speakers" if self.ci95_over == "speakers" else "over utterances"
        )
        p = "p < 0.001" if self.mcnemar_p < 0.001 else f"p = {self.mcnemar_p:.3f}"
        return f"accuracy of {self.n:,} common utterances, {over}; McNemar {p}"

    @property
    def notes(self) -> list[str]:
        """What a person should read beside the sentence."""
        first, second = self.names
        left_out = [
            f"{count:,} utterances {LEFT_OUT[why].format(first=first, second=second)} "
            "were not compared"
            for why, count in self.left_out.items()
            if count
        ]
        return [*left_out, *self.remarks, *self._told_of_unit(), *self._told_of_mcnemar()]

    def _told_of_unit(self) -> list[str]:
        if self.ci95_over == "speakers":
            return []
        return [
            f"fewer than {MIN_SPEAKERS_FOR_BOOTSTRAP} speakers are known, so the interval is over "
            "utterances; for new voices expect a wider one"
        ]

    def _told_of_mcnemar(self) -> list[str]:
        told = self.differences["accuracy"].told
        if told == (self.mcnemar_p < SIGNIFICANT):
            return []
        if told:
            return [
                "McNemar's test tells no difference, the interval does; of few or very unlike "
                "speakers it may be too narrow: take the difference for likely, not for certain"
            ]
        return [
            "McNemar's test takes utterances for independent, which those of one voice are not; "
            "believe the interval"
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "sentence": self.sentence(),
            "first": self.names[0],
            "second": self.names[1],
            "n": self.n,
            "differences": {name: one.to_dict() for name, one in self.differences.items()},
            "ci95_over": self.ci95_over,
            "units": self.units,
            "alike": self.alike,
            "mcnemar": {
                "only_first_right": self.only_right[0],
                "only_second_right": self.only_right[1],
                "p": self.mcnemar_p,
            },
            "left_out": dict(self.left_out),
            "notes": self.notes,
        }


def compare(
    first: pl.DataFrame,
    second: pl.DataFrame,
    emotions: EmotionSet,
    *,
    names: tuple[str, str],
    met: pl.Series,
) -> Comparison:
    """Compare answers on the utterances that both have and neither has learnt from.

    Args:
        first: columns utterance, speaker, truth and answer; each utterance once.
        second: likewise.
        emotions: that both tell apart.
        names: of the two.
        met: hashes of utterances that either was trained on.

    Raises:
        RunError: nothing is left to compare.
    """
    pairs, left_out = paired(first, second, met)
    _refuse_nothing(pairs, left_out, names)
    classes = len(emotions)
    truth, one, other = (
        class_indices(pairs, column, emotions) for column in ("truth", "answer", "answer_second")
    )
    speakers = pairs["speaker"].to_list()
    unit = bootstrap_unit(pairs["speaker"].unique().to_list())
    cells = (truth * classes + one, truth * classes + other)
    only_right = (
        int(((one == truth) & (other != truth)).sum()),
        int(((one != truth) & (other == truth)).sum()),
    )
    return Comparison(
        names=names,
        n=len(pairs),
        differences=_differences(cells, speakers if unit == "speakers" else None, classes),
        ci95_over=unit,
        units=len(set(speakers)) if unit == "speakers" else len(pairs),
        alike=int((one == other).sum()),
        only_right=only_right,
        mcnemar_p=mcnemar(*only_right),
        left_out=left_out,
    )


def paired(
    first: pl.DataFrame, second: pl.DataFrame, met: pl.Series
) -> tuple[pl.DataFrame, dict[str, int]]:
    """What can be compared, and how much cannot by reason in `LEFT_OUT`.

    Returns:
        The first's columns with `answer_second` beside them, and the counts.
    """
    theirs = second.select("utterance", truth_second="truth", answer_second="answer")
    common = first.join(theirs, on="utterance", validate="1:1", maintain_order="left")
    fair = common.filter(~pl.col("utterance").is_in(met.unique().implode()))
    pairs = fair.filter(pl.col("truth") == pl.col("truth_second"))
    left_out = {
        "met": len(common) - len(fair),
        "only_first": len(first) - len(common),
        "only_second": len(second) - len(common),
        "relabelled": len(fair) - len(pairs),
    }
    return pairs, left_out


def _refuse_nothing(
    pairs: pl.DataFrame, left_out: Mapping[str, int], names: tuple[str, str]
) -> None:
    if len(pairs):
        return
    both = " and ".join(names)
    what = (
        f"every utterance that {both} both answer ({left_out['met']:,}) was in the training of one "
        "of them"
        if left_out["met"]
        else f"{both} answer no utterance in common under the same label"
    )
    raise RunError(
        f"{what}: train both with the same split, cross-validate both (`maeum crossval`), or let "
        "both answer a corpus that neither was trained on (`maeum compare RUN RUN CORPUS`)"
    )


def mcnemar(only_first: int, only_second: int) -> float:
    """Exact two-sided p of McNemar's test, in (0, 1].

    Args:
        only_first: utterances that only the first answered right.
        only_second: utterances that only the second did.

    >>> round(mcnemar(1, 9), 4)
    0.0215
    """
    discordant = only_first + only_second
    return float(binomtest(only_first, discordant).pvalue) if discordant else 1.0


def _differences(
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    speakers: list[str | None] | None,
    classes: int,
) -> dict[str, Difference]:
    """Each score of both, with the interval of the difference over the same draws."""
    matrices, copies = _distinct_pairs(cells, speakers, classes)
    units = int(copies.sum())
    rng = np.random.default_rng(COMPARE_SEED)
    weights = rng.multinomial(units, copies / units, size=BOOTSTRAP_DRAWS)
    seen = (copies @ matrices).reshape(2, classes, classes)
    drawn = (weights @ matrices).reshape(BOOTSTRAP_DRAWS, 2, classes, classes)
    found = {}
    for name, metric in METRICS.items():
        first, second = map(float, metric(seen))
        apart = metric(drawn) @ np.array([1.0, -1.0])
        ends = _interval(apart, first - second, units)
        found[name] = Difference(first, second, first - second, ends)
    return found


def _distinct_pairs(
    cells: tuple[NDArray[np.int64], NDArray[np.int64]],
    speakers: list[str | None] | None,
    classes: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Both confusion matrices that drawn units have (unit, 2 * cell), and how many have each."""
    size = classes**2
    if speakers is None:
        joint, copies = np.unique(cells[0] * size + cells[1], return_counts=True)
        one_hot = np.eye(size)
        return np.hstack([one_hot[joint // size], one_hot[joint % size]]), copies
    places = {name: place for place, name in enumerate(dict.fromkeys(speakers))}
    voice = np.fromiter((places[name] for name in speakers), np.int64, len(speakers))
    counts = [
        np.bincount(voice * size + own, minlength=len(places) * size).reshape(-1, size)
        for own in cells
    ]
    matrices, copies = np.unique(np.hstack(counts), axis=0, return_counts=True)
    return matrices.astype(np.float64), copies


def _interval(apart: NDArray[np.float64], seen: float, units: int) -> tuple[float, float]:
    """Percentile interval; where all draws agree, what units not drawn may still hold.

    As Wilson's interval has it, up to `unseen` of all units may be unlike those that were drawn,
    and could lie anywhere from -1 to 1.
    """
    low, high = map(float, np.quantile(apart, (0.025, 0.975)))
    if low < high:
        return low, high
    unseen = 1 - wilson_interval(1.0, units)[0]
    return seen * (1 - unseen) - unseen, seen * (1 - unseen) + unseen


def _points(share: float) -> str:
    """A difference of shares in points, without a minus before zero."""
    return f"{round(100 * share, 1) + 0.0:.1f}"
