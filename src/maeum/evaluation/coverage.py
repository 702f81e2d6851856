"""What is gained by not answering where the answer is unsure.

Coverage is the share of utterances that are answered, the surest first. Where confidence is worth
anything, the fewer are answered, the more of them are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.inference.prediction import refuse_no_confidence

SHARES = (0.5, 0.8, 0.9, 1.0)
"""Coverages whose accuracy is told."""


@dataclass(frozen=True)
class Coverage:
    """Accuracy against coverage.

    Attributes:
        accuracies: (n,), of the 1, 2, …, n surest answers; equally sure ones count alike.
        area: mean share of wrong answers over all coverages (area under the risk-coverage curve),
            in [0, 1]; lower is better.
        area_at_best: the same were all right answers surer than all wrong ones.
    """

    accuracies: NDArray[np.float64]
    area: float
    area_at_best: float

    def rank(self, share: float) -> int:
        """How many answers are a share of all, in (0, 1]; at least so many."""
        # a hair less, as 0.9 * 10 may be more than 9
        return ceil(share * len(self.accuracies) - 1e-9)

    def accuracy_at(self, share: float) -> float:
        """Accuracy of the surest answers that are this share of all, in (0, 1]."""
        return float(self.accuracies[self.rank(share) - 1])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; not the whole curve."""
        return {
            "area": self.area,
            "area_at_best": self.area_at_best,
            "accuracy_at": {str(share): self.accuracy_at(share) for share in SHARES},
        }


def coverage(
    sure: Sequence[float] | NDArray[Any], right: Sequence[bool] | NDArray[Any]
) -> Coverage:
    """The curve of some answers.

    Args:
        sure: (row,), confidence of each; at least one.
        right: (row,), whether it is right.

    >>> coverage([0.9, 0.6, 0.8], [True, False, True]).accuracies.round(2).tolist()
    [1.0, 1.0, 0.67]
    """
    accuracies = _accuracies(np.asarray(sure), np.asarray(right, dtype=np.float64))
    best = np.sort(np.asarray(right, dtype=np.float64))[::-1]
    ranks = np.arange(1, len(best) + 1)
    return Coverage(
        accuracies=accuracies,
        area=float(1 - accuracies.mean()),
        area_at_best=float(1 - (best.cumsum() / ranks).mean()),
    )


def _accuracies(sure: NDArray[Any], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,), of the surest; among equally sure ones as if they came in any order."""
    levels, level = np.unique(-sure, return_inverse=True)
    ends = np.bincount(level, minlength=len(levels)).cumsum()
    hits = np.bincount(level, weights=right, minlength=len(levels)).cumsum()
    ranks = np.arange(1, len(sure) + 1)
    return np.interp(ranks, [0, *ends], [0, *hits]) / ranks


@dataclass(frozen=True)
class Abstention:
    """What came of answering only where the answer is sure enough.

    Attributes:
        least: confidence asked for, in [0, 1].
        coverage: share of utterances answered.
        accuracy: share of those that were right; None: none was answered.
    """

    least: float
    coverage: float
    accuracy: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """All of it, for a person."""
        if self.accuracy is None:
            return f"no answer is {self.least:.0%} sure: all are unsure"
        return (
            f"answering where it is {self.least:.0%} sure: {self.coverage:.1%} of utterances are "
            f"answered, {self.accuracy:.1%} of these right"
        )


def abstention(
    least: float, sure: Sequence[float] | NDArray[Any], right: Sequence[bool] | NDArray[Any]
) -> Abstention:
    """What comes of it.

    Args:
        least: confidence asked for, in [0, 1].
        sure: (row,), confidence of each answer.
        right: (row,), whether it is right.

    Raises:
        SettingsError: `least` is no confidence.

    >>> abstention(0.7, [0.9, 0.6, 0.8], [True, False, False])
    Abstention(least=0.7, coverage=0.6666666666666666, accuracy=0.5)
    """
    refuse_no_confidence(least)
    answered = np.asarray(sure) >= least
    accuracy = float(np.asarray(right)[answered].mean()) if answered.any() else None
    return Abstention(least, float(answered.mean()), accuracy)
