"""What was said before: attention from an utterance over the previous ones of its dialogue.

It gives one vector c, which stands behind A and T in x = [A ; T ; c]; a fusion that keeps the
sides apart has c behind each of them.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class PreviousTurns(nn.Module):
    """Scaled dot product attention over previous turns; a learnt vector where there are none.

    How many turns ago something was said is learnt as an offset of its key (Shaw et al. 2018).

    Args:
        width: length of [A ; T].
        hidden_size: length of c.
        turns: most previous utterances looked at.
    """

    def __init__(self, width: int, hidden_size: int, turns: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, hidden_size)
        self.key = nn.Linear(width, hidden_size)
        self.value = nn.Linear(width, hidden_size)
        self.turns_ago = nn.Parameter(torch.zeros(turns, hidden_size))  # the nearest last
        self.nothing = nn.Parameter(torch.zeros(hidden_size))

    def forward(
        self,
        present: Float[Tensor, "batch width"],
        previous: Float[Tensor, "batch turn width"],
        there: Bool[Tensor, "batch turn"],
    ) -> Float[Tensor, "batch hidden"]:
        """The vector c of each utterance.

        Args:
            present: A and T of the utterances.
            previous: A and T of those before them, the nearest last.
            there: which of those exist.
        """
        turns = previous.shape[1]
        keys = self.key(previous) + self.turns_ago[-turns:]
        scores = (keys @ self.query(present)[:, :, None]).squeeze(2)  # (batch, turn)
        scores = scores.float() / math.sqrt(keys.shape[2])
        # not -inf: a row without turns would have no number, and no gradient, at all
        weights = torch.softmax(scores.masked_fill(~there, torch.finfo(scores.dtype).min), dim=1)
        seen = (weights[:, None].to(keys.dtype) @ self.value(previous)).squeeze(1)
        return torch.where(there.any(dim=1, keepdim=True), seen, self.nothing)
