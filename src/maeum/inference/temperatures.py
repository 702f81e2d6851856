"""Temperatures: how far the probabilities of a network are evened out before they are given.

A network that learnt from little is often surer than it is right. Its logits are divided by a
temperature (Guo et al., "On calibration of modern neural networks", 2017), which changes no answer.
softmax(z / T) is proportional to softmax(z) ** (1 / T), so probabilities are all that is needed,
whatever computed them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from maeum.errors import RunError

LOWEST, HIGHEST = 0.05, 20.0
"""What a temperature may be; beyond, all mass is on one emotion, or even."""

SMALLEST = float(np.finfo(np.float32).tiny)
"""Stands for a probability of 0, whose logarithm there is none of."""

GIVEN = ("speech", "text", "both")
"""What an answer may rest on; each has a temperature of its own."""


def resting_on(sides: Sequence[str]) -> tuple[str, ...]:
    """What the answers of a network that takes these sides may rest on.

    >>> resting_on(["speech", "text"]), resting_on(["text"])
    (('speech', 'text', 'both'), ('text',))
    """
    return GIVEN if len(sides) > 1 else tuple(sides)


def refuse_odd(temperatures: Mapping[str, float]) -> None:
    """See that what a run states can be used.

    Raises:
        RunError: a temperature is of nothing that is given, or is no number in the range.
    """
    for given, value in temperatures.items():
        if given not in GIVEN:
            raise RunError(
                f"the run states a temperature of {given!r}; expected {', '.join(GIVEN)}: train it "
                "again"
            )
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and isfinite(value) and LOWEST <= value <= HIGHEST):
            raise RunError(
                f"the run states the temperature {value!r} of {given}; expected a number from "
                f"{LOWEST} to {HIGHEST:g}: train it again"
            )


def temperatures_for(
    has: Mapping[str, NDArray[np.bool_]], temperatures: Mapping[str, float]
) -> NDArray[np.float64]:
    """(row,), the temperature of each by what it rests on; 1 where none is stated.

    Args:
        has: side -> (row,), of the sides that the network takes.
        temperatures: by what is given, as in `GIVEN`.

    >>> has = {"speech": np.array([True, True]), "text": np.array([True, False])}
    >>> temperatures_for(has, {"both": 1.5, "speech": 2.0}).tolist()
    [1.5, 2.0]
    """
    several = np.sum(list(has.values()), axis=0) > 1
    found = np.ones(len(several))
    for side, there in has.items():
        found[there] = temperatures.get(side, 1.0)
    found[several] = temperatures.get("both", 1.0)
    return found


def tempered(
    chances: NDArray[np.float32], temperatures: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Probabilities at temperatures; the likeliest emotion of every row stays the likeliest.

    Args:
        chances: (row, emotion), rows summing to 1.
        temperatures: (row,), over 0; above 1 evens out, below 1 sharpens, rows of 1 stay as they
            are to the bit.

    >>> tempered(np.array([[0.8, 0.2]]), np.array([2.0])).round(3).tolist()
    [[0.667, 0.333]]
    """
    changed = temperatures != 1
    if not changed.any():
        return chances
    logs = np.log(np.maximum(chances[changed].astype(np.float64), SMALLEST))
    powers = np.exp((logs - logs.max(axis=1, keepdims=True)) / temperatures[changed, None])
    even = chances.copy()
    even[changed] = powers / powers.sum(axis=1, keepdims=True)
    _keep_answers(even, chances.argmax(axis=1))
    return even


def _keep_answers(even: NDArray[np.float32], best: NDArray[np.int64]) -> None:
    """Undo ties that rounding made: the answer is ahead by the least there is."""
    (lost,) = np.nonzero(even.argmax(axis=1) != best)
    even[lost, best[lost]] = np.nextafter(even[lost].max(axis=1), np.ones(1, even.dtype))
