"""Attention on a processor: plain products, where torch's own takes up to twice as long.

That is the case in bfloat16 without a mask, as clips are heard that stand alone, on processors
that do not multiply tiles of a matrix (AMX); and wherever scores are left out at random, in tuning.
All else goes to torch. It is known to transformers by the name `PLAIN`, and models are told to take
it where they can.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from maeum.encoders.pretrained.dropout import quick_dropout

PLAIN = "maeum_plain"
"""Of this attention, among those of transformers."""

MOMENTS_AT_ONCE = 128
"""That look around together: their scores stay in the cache, whatever the length of a clip."""


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
    """Every moment looks at all others that a mask lets it see."""
    alone = attention_mask is None and len(query) == 1 and query.dtype is torch.bfloat16
    gains = query.device.type == "cpu" and (alone or dropout > 0)
    if not gains or query.shape != key.shape or more.get("is_causal"):
        given = (module, query, key, value, attention_mask)
        return sdpa_attention_forward(*given, dropout=dropout, scaling=scaling, **more)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    with torch.autocast("cpu", enabled=False):  # it would take the softmax in float32
        seen = _seen(query * scale, key, value, attention_mask, dropout)
    return seen.transpose(1, 2), None


def _seen(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, dropout: float) -> Tensor:
    # products of what does not lie in one piece are several times as slow
    batch, heads = query.shape[:2]
    query, key, value = (one.contiguous().flatten(0, 1) for one in (query, key, value))
    if mask is None and dropout == 0:
        return _seen_in_parts(query, key, value).unflatten(0, (batch, heads))
    scores = query @ key.transpose(1, 2)
    if mask is not None:
        scores = _masked(scores.unflatten(0, (batch, heads)), mask).flatten(0, 1)
    weights = torch.softmax(scores, dim=-1)
    if dropout > 0:
        weights = quick_dropout(weights, dropout)
    return (weights @ value).unflatten(0, (batch, heads))


def _seen_in_parts(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    parts = query.split(MOMENTS_AT_ONCE, dim=1)
    turned = key.transpose(1, 2)
    return torch.cat([torch.softmax(part @ turned, dim=-1) @ value for part in parts], dim=1)


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    """Scores with those out of sight at their least; a mask is of truths, or is added."""
    if mask.dtype is torch.bool:
        return scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores + mask.to(scores.dtype)


AttentionInterface.register(PLAIN, plain_attention)
AttentionMaskInterface.register(PLAIN, sdpa_mask)


def take_plain_attention(model: nn.Module) -> None:
    """Tell a model of transformers to take it, if it has torch's now."""
    known: Any = model
    if getattr(known.config, "_attn_implementation", None) == "sdpa":
        known.set_attn_implementation(PLAIN)
