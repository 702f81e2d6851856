"""What a tower gives: vectors over time, and which of them are there."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor


class Frames(NamedTuple):
    """Vectors of a padded batch.

    Attributes:
        values: one vector per layer and moment (or token).
        keep: False where there is padding only.
    """

    values: Float[Tensor, "batch layer time dim"]
    keep: Bool[Tensor, "batch time"]

    def mean(self) -> Float[Tensor, "batch vector"]:
        """The mean over what is kept, layer after layer: (batch, layer * dim)."""
        weights = self.keep[:, None, :, None].to(self.values.dtype)
        means = (self.values * weights).sum(dim=2) / weights.sum(dim=2).clamp_min(1)
        return means.flatten(1)
