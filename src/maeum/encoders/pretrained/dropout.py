"""Dropout on a processor, where torch draws one number after another: a seventh of a tuning step.

Here one seed is drawn of torch's, so that a run goes on after an interruption as it would have, and
numpy makes 16 bits of it for each value, which takes a ninth of the time.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

CHANCES = 2**16
"""Steps between a value that is always kept and one that is always left out."""


def quick_dropout(x: Float[Tensor, "*shape"], p: float) -> Float[Tensor, "*shape"]:
    """Some values zero, each with probability p, and the others greater for it.

    Args:
        x: on any device; elsewhere than on a processor torch's own is taken.
        p: in [0, 1]; followed in steps of 1/`CHANCES`.
    """
    if x.device.type != "cpu" or not 0 < p < 1:
        return functional.dropout(x, p)
    return x * _factors(x.detach(), p)


class QuickDropout(nn.Dropout):
    """torch's layer, by `quick_dropout`."""

    def forward(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """As torch's: x itself but in training."""
        return quick_dropout(x, self.p) if self.training else x


def take_quick_dropout(model: nn.Module) -> None:
    """Put it wherever a model has torch's layer."""
    for module in model.modules():
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, QuickDropout(child.p).train(child.training))


@torch.library.custom_op("maeum::dropout_factors", mutates_args=())
def _factors(x: Tensor, p: float) -> Tensor:
    """Zero or one over the share that is kept, for each value."""
    least = round(p * CHANCES)
    seed = int(torch.empty((), dtype=torch.int64).random_())
    words = np.random.SFC64(seed).random_raw(-(-x.numel() // 4))
    bits = torch.from_numpy(words).view(torch.int16)[: x.numel()].view(x.shape)
    kept = bits.ge_(least - CHANCES // 2)  # of the same type: four times as fast as to bool
    return kept.to(x.dtype).mul_(CHANCES / max(CHANCES - least, 1))


@_factors.register_fake
def _(x: Tensor, p: float) -> Tensor:
    return torch.empty_like(x, memory_format=torch.contiguous_format)
