"""The two halves of x: what the encoders of a side gave, made comparable, or what stands in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from numpy import ndarray
from torch import Tensor, nn

from maeum.model.shape import SIDES, Card
from maeum.model.spread import Chosen, Table, spread_of

SMALLEST_SCALE = 1e-6
"""A dimension that never varied in training is left at zero."""

CLIP_AT = 5.0
"""Standardised values are kept within this many spreads: a recording unlike all others stays one
voice among many."""

CLIP_FRAMES_AT = 20.0
"""The same for single frames, which vary several times as much as the means the spread is of."""

Moments: TypeAlias = tuple[Float[Tensor, "batch _time _dim"], Bool[Tensor, "batch _time"]]
"""Vectors over time, and which of them are no padding. A plain tuple: Trainer, which moves batches
to a device, rebuilds a tuple from one iterable."""


class WeightedLayers(nn.Module):
    """A learnt sum over the layers of an encoder, as benchmarks of speech encoders have it."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(layers))  # softmax makes them equal at first

    def forward(self, vectors: Float[Tensor, "*batch layer dim"]) -> Float[Tensor, "*batch dim"]:
        """The sum; the weights are positive and sum to 1."""
        return (torch.softmax(self.weights, dim=0)[:, None] * vectors).sum(dim=-2)


class SideInput(nn.Module):
    """The encoders of one side, standardised, or the learnt vector that stands in for them.

    Args:
        cards: of the encoders, in order.
        stands_in: False where the stand-in is never asked for, and must not wait to be learnt.
    """

    mean: Tensor
    scale: Tensor
    usual_spread: Tensor

    def __init__(self, cards: Sequence[Card], *, stands_in: bool = True) -> None:
        super().__init__()
        self.cards = cards
        self.widths = [card["layers"] * card["dim"] for card in cards]
        self.dim = sum(card["dim"] for card in cards)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("scale", torch.ones(self.width))
        self.register_buffer("usual_spread", torch.ones(self.width))  # in a voice: `normalize`
        self.stand_in = nn.Parameter(torch.zeros(self.dim), requires_grad=stands_in)
        self.mixes = nn.ModuleList(_mix(card["layers"]) for card in cards)

    @property
    def width(self) -> int:
        """Length of what comes in: encoder after encoder, each layer after layer."""
        return sum(self.widths)

    def forward(
        self, vectors: Float[Tensor, "*batch width"], present: Bool[Tensor, "*batch"]
    ) -> Float[Tensor, "*batch dim"]:
        """Standardised vectors, one layer per encoder; the stand-in where the side is absent."""
        standard = self._apart((vectors - self.mean) / self.scale)
        each = zip(self.mixes, standard, self.cards, strict=True)
        parts = [
            mix(_limited(part, CLIP_AT, card).unflatten(-1, (card["layers"], -1)))
            for mix, part, card in each
        ]
        return torch.where(present[..., None], torch.cat(parts, dim=-1), self.stand_in)

    def _apart(self, vectors: Tensor) -> tuple[Tensor, ...]:
        return vectors.split(self.widths, dim=-1)

    def as_moments(self, vectors: Float[Tensor, "batch width"]) -> list[Moments]:
        """Per encoder a sequence of length 1; for encoders of one layer."""
        there = torch.ones(vectors.shape[0], 1, dtype=torch.bool, device=vectors.device)
        return [(part[:, None], there) for part in self._apart(vectors)]

    def standard_moments(self, frames: Sequence[Moments]) -> list[Moments]:
        """The frames of each encoder in units of the spread; for encoders of one layer."""
        means, scales = self._apart(self.mean), self._apart(self.scale)
        each = zip(frames, means, scales, self.cards, strict=True)
        return [
            (_limited((values - mean) / scale, CLIP_FRAMES_AT, card), keep)
            for (values, keep), mean, scale, card in each
        ]

    @torch.no_grad()
    def standardize_like(self, values: Table, present: Chosen | None = None) -> None:
        """Take mean and scale from the training features; without any they stay as they are.

        Args:
            values: of the training part; read a piece at a time.
            present: rows that have the side; None: all.
        """
        found = spread_of(values, present)
        if not found.count:
            return
        variances = np.split(found.variance, np.cumsum(self.widths)[:-1])
        shared = [_shared(part, card) for part, card in zip(variances, self.cards, strict=True)]
        scale = np.maximum(np.sqrt(np.concatenate(shared)), SMALLEST_SCALE)
        self.mean.copy_(torch.from_numpy(found.mean))
        self.scale.copy_(torch.from_numpy(scale))


def _mix(layers: int) -> nn.Module:
    """(..., layer, dim) -> (..., dim)."""
    return WeightedLayers(layers) if layers > 1 else nn.Flatten(start_dim=-2)


def _limited(standard: Tensor, limit: float, card: Card) -> Tensor:
    """Values beyond the limit brought back to it.

    Those of an encoder that learns grow on as a logarithm, for gradients to reach what has moved
    far from where it was measured.
    """
    within = standard.clamp(-limit, limit)
    if "kept" not in card:
        return within
    return within + standard.sign() * (standard.abs() - limit).clamp(min=0).log1p()


def _shared(variance: Float64[ndarray, " width"], card: Card) -> Float64[ndarray, " width"]:
    """The variances themselves, or each layer's mean of them where it is scaled together."""
    if card["standardize"] == "each":
        return variance
    return np.repeat(variance.reshape(card["layers"], -1).mean(axis=1), card["dim"])


def drawn_to_hide(
    present: dict[str, Bool[Tensor, " batch"]], share: float
) -> dict[str, Bool[Tensor, " batch"]]:
    """Modality dropout: of rows with both halves, a share loses one or the other, equally often.

    Args:
        present: side -> rows that have it, of both sides.
        share: in [0, 1], of the rows with both.

    Returns:
        Side -> rows that lose it.
    """
    speech, text = (present[side] for side in SIDES)
    chance = torch.rand(len(speech), device=speech.device)
    both = speech & text
    return {"speech": both & (chance < share / 2), "text": both & (chance > 1 - share / 2)}
