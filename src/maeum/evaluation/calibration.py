"""Whether a probability means what it says: of what is 70 % sure, 70 % should be right.

How far that is so is measured by what stands in Guo et al., "On calibration of modern neural
networks" (2017), and temperatures that bring it nearer are found as it is done there: one number
for each set of modalities, by the likelihood of what is true in utterances that the network did not
learn from. No answer is changed by them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import exp, log
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from maeum.features import Features
from maeum.inference import Classifier
from maeum.inference.temperatures import HIGHEST, LOWEST, SMALLEST, resting_on

logger = logging.getLogger(__name__)

Chances = NDArray[np.float32] | NDArray[np.float64]
"""(row, emotion), rows summing to 1."""

BINS = 15
"""As in the paper, and as most others have it."""

PER_BIN = 10
"""Answers in a bin that is shown, at least: a share of fewer says little."""

FEWEST = 40
"""Utterances that a temperature is found on, at least.

Over ten splits by speaker, those found on 20 to 28 utterances made the likelihood of the test
worse; those found on 49 left it about as it was, and halved the calibration error of answers from
both."""

DRAWS_BY_CHANCE = 200
"""How often answers are drawn by their own probabilities, to see what error chance alone makes."""


@dataclass(frozen=True)
class Bin:
    """Answers about as sure as each other.

    Attributes:
        n: how many.
        confidence: their mean.
        accuracy: share of them that are right.
    """

    n: int
    confidence: float
    accuracy: float


@dataclass(frozen=True)
class Calibration:
    """How far probabilities are from what comes true.

    Attributes:
        n: utterances.
        confidence: mean of the answers.
        accuracy: share of right answers; above the confidence: too modest, below: too sure.
        ece: expected calibration error over `BINS` bins of equal width, in [0, 1].
        adaptive_ece: the same over bins of equally many answers.
        ece_by_chance: what `ece` would be on average over so few utterances, were each probability
            exactly what comes true.
        nll: mean negative log likelihood of the truth, in nats, at least 0.
        brier: mean squared distance of the probabilities from the truth, in [0, 2].
        bins: of equally many answers, few enough to hold `PER_BIN` each, in order.
    """

    n: int
    confidence: float
    accuracy: float
    ece: float
    adaptive_ece: float
    ece_by_chance: float
    nll: float
    brier: float
    bins: tuple[Bin, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "bins": [asdict(one) for one in self.bins]}

    def sentence(self) -> str:
        """The most important of it, for a person."""
        return (
            f"{self.confidence:.1%} sure on average where {self.accuracy:.1%} are right; expected "
            f"calibration error {self.ece:.1%} (chance alone would make {self.ece_by_chance:.1%} "
            "of it)"
        )


def calibration(chances: Chances, truth: Sequence[int] | NDArray[np.int64]) -> Calibration:
    """How far probabilities are from what came true.

    Args:
        chances: (row, emotion), rows summing to 1; at least one row.
        truth: (row,), class indices.
    """
    given, told = np.asarray(chances, dtype=np.float64), np.asarray(truth, dtype=np.int64)
    sure, right = given.max(axis=1), given.argmax(axis=1) == told
    edges, shown = even_edges(), min(BINS, max(1, len(told) // PER_BIN))
    return Calibration(
        n=len(told),
        confidence=float(sure.mean()),
        accuracy=float(right.mean()),
        ece=calibration_error(sure, right, edges),
        adaptive_ece=calibration_error(sure, right, adaptive_edges(sure)),
        ece_by_chance=_error_by_chance(sure, edges),
        nll=negative_log_likelihood(given, told),
        brier=brier_score(given, told),
        bins=reliability(sure, right, adaptive_edges(sure, shown)),
    )


def even_edges(bins: int = BINS) -> NDArray[np.float64]:
    """(bin + 1,) edges of bins of equal width; a confidence on an edge is in the bin below."""
    return np.linspace(0, 1, bins + 1)


def adaptive_edges(sure: NDArray[np.float64], bins: int = BINS) -> NDArray[np.float64]:
    """Edges of up to so many bins with equally many answers; equal ones are in one bin."""
    return np.unique([0.0, *np.quantile(sure, np.linspace(0, 1, bins + 1)[1:-1]), 1.0])


def _bin_of(sure: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.searchsorted(edges[1:-1], sure, side="left")


def calibration_error(
    sure: NDArray[np.float64], right: NDArray[np.bool_], edges: NDArray[np.float64]
) -> float:
    """Mean over answers of how far confidence and accuracy are apart in their bin, in [0, 1].

    Args:
        sure: (row,), confidence of each answer.
        right: (row,), whether it is right.
        edges: of the bins, from 0 to 1.

    >>> edges = even_edges(2)
    >>> calibration_error(np.array([0.9, 0.7, 0.4]), np.array([True, False, False]), edges)
    0.3333333333333333
    """
    gaps = np.bincount(_bin_of(sure, edges), weights=sure - right, minlength=len(edges) - 1)
    return float(np.abs(gaps).sum() / len(sure))


def _error_by_chance(sure: NDArray[np.float64], edges: NDArray[np.float64]) -> float:
    """Mean `calibration_error` of answers that are right as often as they say."""
    rng = np.random.default_rng(0)  # the same answers have the same number
    draws = (rng.random(len(sure)) < sure for _ in range(DRAWS_BY_CHANCE))
    return float(np.mean([calibration_error(sure, right, edges) for right in draws]))


def reliability(
    sure: NDArray[np.float64], right: NDArray[np.bool_], edges: NDArray[np.float64]
) -> tuple[Bin, ...]:
    """The bins that hold answers, in order; arguments as in `calibration_error`."""
    place = _bin_of(sure, edges)
    chosen = [place == number for number in np.unique(place)]
    return tuple(
        Bin(int(own.sum()), float(sure[own].mean()), float(right[own].mean())) for own in chosen
    )


def negative_log_likelihood(chances: Chances, truth: NDArray[np.int64]) -> float:
    """Mean of -log of what the truth was given, in nats; a 0 counts as the smallest float32.

    >>> round(negative_log_likelihood(np.array([[0.5, 0.5], [1, 0]]), np.array([0, 0])), 3)
    0.347
    """
    of_truth = np.asarray(chances, dtype=np.float64)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(of_truth, SMALLEST)).mean()) + 0.0


def brier_score(chances: Chances, truth: NDArray[np.int64]) -> float:
    """Mean over rows of the sum of squares of probability minus truth, in [0, 2].

    >>> brier_score(np.array([[0.5, 0.5], [1, 0]]), np.array([0, 1]))
    1.25
    """
    came = np.eye(np.shape(chances)[1])[truth]
    return float(np.square(chances - came).sum(axis=1).mean())


def temperature(chances: Chances, truth: Sequence[int] | NDArray[np.int64]) -> float | None:
    """The temperature at which the truth is likeliest, in (`LOWEST`, `HIGHEST`).

    Args:
        chances: (row, emotion), of a network, rows summing to 1.
        truth: (row,), class indices.

    Returns:
        None where there is no such number: fewer than `FEWEST` rows, or all answers right, which
        says nothing of how often they are wrong.
    """
    told = np.asarray(truth, dtype=np.int64)
    if len(told) < FEWEST or (np.argmax(chances, axis=1) == told).all():
        return None
    logs = np.log(np.maximum(np.asarray(chances, dtype=np.float64), SMALLEST))
    of_truth = logs[np.arange(len(told)), told]

    def loss(log_temperature: float) -> float:
        inverse = exp(-log_temperature)
        return float((logsumexp(logs * inverse, axis=1) - of_truth * inverse).mean())

    found = minimize_scalar(
        loss, bounds=(log(LOWEST), log(HIGHEST)), method="bounded", options={"xatol": 1e-4}
    )
    return float(exp(found.x))


def temperatures(
    classifier: Classifier, features: Features, truth: Sequence[int]
) -> dict[str, float]:
    """Temperatures of a classifier, by what an answer rests on, from what it did not learn from.

    Args:
        classifier: with or without temperatures; those it has are not looked at.
        features: of some utterances, as it takes them.
        truth: class index of each.

    Returns:
        An entry for each set of modalities that there are enough utterances of.
    """
    told = np.asarray(truth)
    found: dict[str, float] = {}
    if len(told) < FEWEST:
        logger.info(
            "not calibrated: the validation part has %s utterances, a temperature takes %s",
            f"{len(told):,}",
            FEWEST,
        )
        return found
    for given in resting_on(classifier.sides):
        alone = features.only(given)
        sides = classifier.sides if given == "both" else [given]
        (places,) = np.nonzero(np.logical_and.reduce([alone.present(side) for side in sides]))
        some = alone.take([alone.ids[place] for place in places])
        best = temperature(classifier.untempered(some), told[places])
        if best is not None:
            found[given] = best
        _say(given, len(places), best)
    return found


def _say(given: str, n: int, found: float | None) -> None:
    if found is not None:
        logger.info("temperature of %s: %.2f, by %s of the validation part", given, found, f"{n:,}")
        return
    why = f"fewer than {FEWEST}" if n < FEWEST else "all of them answered right"
    logger.info("not calibrated for %s: %s of the validation part, %s", given, f"{n:,}", why)
