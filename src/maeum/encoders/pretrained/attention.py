"""Attention in bfloat16 on a processor: plain products, where torch's own takes twice as long.

Only without a mask, as clips are heard that stand alone; whatever has one goes to torch. It is
known to transformers by the name `PLAIN`, and models are told to take it where they can.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

PLAIN = "maeum_plain"
"""Of this attention, among those of transformers."""


def plain_attention(
    module: nn.Module,
    query: Float[Tensor, "batch head time dim"],
    key: Float[Tensor, "batch head moment dim"],
    value: Float[Tensor, "batch head moment dim"],
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **more: Any,  # noqa: ANN401 - as transformers hands it on
) -> tuple[Float[Tensor, "batch time head dim"], None]:
    """Every moment looks at all others; nothing is learnt, and nothing left out at random."""
    if attention_mask is not None or len(query) != 1 or query.shape != key.shape:
        given = (module, query, key, value, attention_mask)
        return sdpa_attention_forward(*given, dropout=dropout, scaling=scaling, **more)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    # products of what does not lie in one piece are several times as slow
    scores = (query[0] * scale).contiguous() @ key[0].contiguous().transpose(1, 2)
    seen = torch.softmax(scores, dim=-1) @ value[0].contiguous()
    return seen.transpose(0, 1)[None], None


AttentionInterface.register(PLAIN, plain_attention)
AttentionMaskInterface.register(PLAIN, sdpa_mask)


def take_plain_attention(model: nn.Module) -> None:
    """Tell a model of transformers to take it, if it has torch's now."""
    known: Any = model
    if getattr(known.config, "_attn_implementation", None) == "sdpa":
        known.set_attn_implementation(PLAIN)
