"""Mean and variance of tables too large for the memory, in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from numpy import ndarray
from torch import Tensor

AT_ONCE = 2**19
"""Numbers looked at together, whatever the width of the table: 4 MB in float64."""

Table = Float[ndarray, "clip width"] | Float[Tensor, "clip width"]
"""Vectors, one a row; also of a file mapped into memory."""

Chosen = Bool[ndarray, " clip"] | Bool[Tensor, " clip"]
"""Rows of a table to look at."""


@dataclass(frozen=True)
class Spread:
    """What is known of some rows.

    Attributes:
        count: rows seen.
        mean: (width,) of each column.
        squares: (width,) sums of squared distances from the mean.
    """

    count: int
    mean: Float64[ndarray, " width"]
    squares: Float64[ndarray, " width"]

    @property
    def variance(self) -> Float64[ndarray, " width"]:
        """Of each column; divided by the number of rows."""
        return self.squares / max(self.count, 1)

    def __add__(self, other: Spread) -> Spread:
        """Of both together, without the cancellation sums of squares suffer (Chan et al. 1979)."""
        count = self.count + other.count
        if not count:
            return self
        apart = other.mean - self.mean
        return Spread(
            count=count,
            mean=self.mean + apart * (other.count / count),
            squares=self.squares + other.squares + apart**2 * (self.count * other.count / count),
        )


def spread_of(values: Table, chosen: Chosen | None = None) -> Spread:
    """The spread of a table, read a piece at a time.

    Args:
        values: one vector a row.
        chosen: rows to look at; None: all.
    """
    clips, width = values.shape
    rows = max(1, AT_ONCE // width)
    total = Spread(0, np.zeros(width), np.zeros(width))
    for start in range(0, clips, rows):
        piece = np.asarray(values[start : start + rows])
        if chosen is not None:
            piece = piece[np.asarray(chosen[start : start + rows])]
        total += _of_piece(piece.astype(np.float64))
    return total


def _of_piece(piece: Float64[ndarray, "clip width"]) -> Spread:
    if not len(piece):
        return Spread(0, np.zeros(piece.shape[1]), np.zeros(piece.shape[1]))
    mean = piece.mean(axis=0)
    return Spread(len(piece), mean, ((piece - mean) ** 2).sum(axis=0))
