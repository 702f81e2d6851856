"""Ways to join speech and text: the paper's, and its rivals.

Every one takes the paper's three steps, `join` (1), `hide` (2) and `answer` (3), and differs from
the paper in the steps it defines itself:

    concat  x = [A ; T]                                                    the paper
    late    each side has its own (2) and (3); the probabilities are averaged
    gated   (2) h = z tanh(WA A) + (1 - z) tanh(WT T), z = sigmoid(Wz [A ; T])
    cross   (1) A and T are means over frames that have looked at the other side's

With a context c (`context.PreviousTurns`) x is [A ; T ; c], and where sides are apart, [A ; c] and
[T ; c].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from maeum.model.shape import SIDES, NetworkShape
from maeum.model.sides import Moments

MOST_HEADS = 4
"""Of cross-attention; fewer where the hidden size cannot be divided."""


@dataclass(frozen=True)
class Sides:
    """What is known of the utterances of a batch.

    Attributes:
        vectors: side -> A or T, standardised; the stand-in where it is absent.
        present: side -> which utterances have it.
        context: c; (batch, 0) in a network without.
        frames: side -> of each encoder; empty unless the fusion reads frames.
    """

    vectors: dict[str, Float[Tensor, "batch _"]]
    present: dict[str, Bool[Tensor, " batch"]]
    context: Float[Tensor, "batch context"]
    frames: dict[str, list[Moments]]


class Concat(nn.Module):
    """The paper: vectors side by side, then two layers.

    Args:
        config: of the network.
    """

    reads_frames: ClassVar[bool] = False

    def __init__(self, config: NetworkShape) -> None:
        super().__init__()
        self.hidden, self.output = self.layers(config)
        self.dropout = nn.Dropout(config.dropout)

    @staticmethod
    def layers(config: NetworkShape) -> tuple[nn.Module, nn.Module]:
        """The weights of `hide` and those of `answer`."""
        width, size = sum(config.dims.values()) + config.context_size, config.hidden_size
        return nn.Linear(width, size), nn.Linear(size, len(config.emotions))

    def join(self, sides: Sides) -> Float[Tensor, "batch x"]:
        """Equation (1): x = [A ; T], and c behind them."""
        return torch.cat([*sides.vectors.values(), sides.context], dim=1)

    def hide(self, x: Float[Tensor, "batch x"]) -> Float[Tensor, "batch h"]:
        """Equation (2): h = ReLU(W1 x + b1)."""
        return torch.relu(self.hidden(x))

    def answer(
        self, h: Float[Tensor, "batch h"], present: dict[str, Bool[Tensor, " batch"]]
    ) -> Float[Tensor, "batch emotion"]:
        """Equation (3): y = W2 h + b2.

        Args:
            h: what `hide` gave.
            present: side -> which utterances have it.
        """
        return self.output(self.dropout(h))


class _Apart(Concat):
    """A fusion in which each side meets weights of its own."""

    def __init__(self, config: NetworkShape) -> None:
        super().__init__(config)
        self._parts = [*config.dims.values(), config.context_size]

    def _apart(self, x: Tensor) -> dict[str, Tensor]:
        """Side -> [A ; c] or [T ; c]."""
        *vectors, c = x.split(self._parts, dim=1)
        both = zip(SIDES, vectors, strict=True)
        return {side: torch.cat([vector, c], dim=1) for side, vector in both}


class Late(_Apart):
    """Each side answers for itself; the probabilities of those present are averaged."""

    @staticmethod
    def layers(config: NetworkShape) -> tuple[nn.Module, nn.Module]:
        """Of each side, as if it were alone."""
        size, emotions = config.hidden_size, len(config.emotions)
        widths = {side: dim + config.context_size for side, dim in config.dims.items()}
        hidden = {side: nn.Linear(width, size) for side, width in widths.items()}
        output = {side: nn.Linear(size, emotions) for side in widths}
        return nn.ModuleDict(hidden), nn.ModuleDict(output)

    def hide(self, x: Float[Tensor, "batch x"]) -> Float[Tensor, "batch h"]:
        """Equation (2) for each side: h = [h of speech ; h of text]."""
        parts, layers = self._apart(x), cast(nn.ModuleDict, self.hidden)
        return torch.cat([torch.relu(layers[side](parts[side])) for side in SIDES], dim=1)

    def answer(
        self, h: Float[Tensor, "batch h"], present: dict[str, Bool[Tensor, " batch"]]
    ) -> Float[Tensor, "batch emotion"]:
        """Equation (3) for each side; y = log of the mean of their softmax, so softmax(y) is it.

        Where both sides are absent their stand-ins answer.
        """
        layers = cast(nn.ModuleDict, self.output)
        halves = zip(SIDES, self.dropout(h).chunk(2, dim=1), strict=True)
        logits = torch.stack([layers[side](half).float() for side, half in halves])
        there = torch.stack([present[side] for side in SIDES])
        there = there | ~there.any(dim=0)  # (side, batch)
        logs = logits.log_softmax(dim=2).masked_fill(~there[:, :, None], -math.inf)
        return logs.logsumexp(dim=0) - there.sum(dim=0)[:, None].log()


class Gated(_Apart):
    """A gate decides, for each place of h, how much it hears and how much it reads.

    The gated multimodal unit of Arevalo et al., "Gated multimodal units for information fusion",
    2017.
    """

    @staticmethod
    def layers(config: NetworkShape) -> tuple[nn.Module, nn.Module]:
        """WA, WT and Wz, without biases as published; W2."""
        size, context = config.hidden_size, config.context_size
        widths = {side: dim + context for side, dim in config.dims.items()}
        widths["gate"] = sum(config.dims.values()) + context
        hidden = {name: nn.Linear(width, size, bias=False) for name, width in widths.items()}
        return nn.ModuleDict(hidden), nn.Linear(size, len(config.emotions))

    def hide(self, x: Float[Tensor, "batch x"]) -> Float[Tensor, "batch h"]:
        """Equation (2) anew: h = z tanh(WA A) + (1 - z) tanh(WT T), z = sigmoid(Wz [A ; T])."""
        parts, layers = self._apart(x), cast(nn.ModuleDict, self.hidden)
        heard, read = (torch.tanh(layers[side](parts[side])) for side in SIDES)
        z = torch.sigmoid(layers["gate"](x))
        return z * heard + (1 - z) * read


class Cross(Concat):
    """Frames of speech look at tokens of text and the other way round, before they are joined."""

    reads_frames = True

    def __init__(self, config: NetworkShape) -> None:
        super().__init__(config)
        size = config.hidden_size
        dims = {side: [card["dim"] for card in cards] for side, cards in config.cards.items()}
        self.tokens = nn.ModuleDict({side: Tokens(dims[side], size) for side in SIDES})
        self.looks = nn.ModuleDict({side: Look(size) for side in SIDES})

    @staticmethod
    def layers(config: NetworkShape) -> tuple[nn.Module, nn.Module]:
        """W1 over two vectors as wide as h, and W2."""
        size = config.hidden_size
        hidden = nn.Linear(len(SIDES) * size + config.context_size, size)
        return hidden, nn.Linear(size, len(config.emotions))

    def join(self, sides: Sides) -> Float[Tensor, "batch x"]:
        """Equation (1) over the means of what each side makes of the other."""
        made = {side: self.tokens[side](sides.frames[side], sides.present[side]) for side in SIDES}
        heard = self.looks["speech"](*made["speech"], *made["text"])
        read = self.looks["text"](*made["text"], *made["speech"])
        return torch.cat([heard, read, sides.context], dim=1)


class Tokens(nn.Module):
    """The frames of a side's encoders, one after another, each as wide as h.

    Args:
        dims: of the frames of each encoder.
        size: width of h.
    """

    def __init__(self, dims: list[int], size: int) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, size)) for dim in dims
        )
        self.stand_in = nn.Parameter(torch.zeros(size))

    def forward(self, frames: list[Moments], present: Bool[Tensor, " batch"]) -> Moments:
        """Tokens as wide as h, and which count: of an absent side one that stands in for it."""
        made = [layer(values) for layer, (values, _) in zip(self.encoders, frames, strict=True)]
        kept = torch.cat([keep for _, keep in frames], dim=1) & present[:, None]
        stand_in = self.stand_in.to(made[0].dtype).expand(present.shape[0], 1, -1)
        return (
            torch.cat([*made, stand_in], dim=1),
            torch.cat([kept, ~kept.any(dim=1, keepdim=True)], dim=1),
        )


class Look(nn.Module):
    """One side's tokens attend to the other's, and are averaged."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(size, math.gcd(size, MOST_HEADS), batch_first=True)
        self.norm = nn.LayerNorm(size)

    def forward(
        self,
        own: Float[Tensor, "batch own size"],
        keep: Bool[Tensor, "batch own"],
        other: Float[Tensor, "batch other size"],
        keep_other: Bool[Tensor, "batch other"],
    ) -> Float[Tensor, "batch size"]:
        """The mean of one's own tokens, each with what it found among the other's."""
        found, _ = self.attention(
            own, other, other, key_padding_mask=~keep_other, need_weights=False
        )
        weights = keep[:, :, None].to(own.dtype)
        return (self.norm(own + found) * weights).sum(dim=1) / weights.sum(dim=1)


FUSIONS: dict[str, type[Concat]] = {
    "concat": Concat,
    "late": Late,
    "gated": Gated,
    "cross": Cross,
}
