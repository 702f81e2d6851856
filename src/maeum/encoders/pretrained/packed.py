"""Models that only answer, with weights laid out for the processor: several times as fast.

torch multiplies float32 matrices through MKL, which on some makers' processors reaches half of what
oneDNN does, and lays out weights anew for every product in bfloat16. Here every linear layer and
convolution keeps its weights the way oneDNN wants them, and an activation behind a linear layer is
computed while its result is in the cache. What is packed cannot be trained, nor saved.

The layout goes through an operator of torch that is not promised to stay (`mkldnn`); where it is
missing the model computes as torch does, in the precision that was asked for.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from functools import cache
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from transformers.activations import GELUActivation

from maeum.encoders.pretrained.attention import take_plain_attention
from maeum.encoders.pretrained.native import has_tiles

EXPECTED_ROWS = 256
"""Frames or tokens in a product that weights are laid out for; others work, a little slower."""

ACTIVATED = ("intermediate_dense", "dense")
"""Names of the linear layer before `intermediate_act_fn` in models of wav2vec 2.0's and BERT's
kind."""

WEIGHTS_READ_BY_OTHERS = ("WavLMAttention",)
"""Modules that hand the weights of their layers to torch, past the layers: these stay."""

NOT_ROUNDED = (nn.LayerNorm, nn.GroupNorm, nn.Conv2d)
"""Layers that stay in float32: norms, and those that are given spectra as they are."""


class PackedLinear(nn.Module):
    """A linear layer, with the activation behind it.

    Args:
        linear: whose weights are taken.
        dtype: to compute in.
        gelu: whether the exact GELU follows.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype, *, gelu: bool = False) -> None:
        super().__init__()
        # plain attributes: what is laid out for oneDNN cannot be moved, nor copied with a model
        self._weight = _reordered(linear.weight.detach().to(dtype).contiguous())
        self._bias = None if linear.bias is None else _own_copy(linear.bias, dtype)
        self._dtype = dtype
        self._after = ("gelu", "none") if gelu else ("none", "")

    def forward(self, x: Float[Tensor, "*batch into"]) -> Float[Tensor, "*batch out"]:
        """W x + b, activated where that was asked for."""
        name, algorithm = self._after
        return cast(
            Tensor,
            torch.ops.mkldnn._linear_pointwise(
                x.to(self._dtype), self._weight, self._bias, name, [], algorithm
            ),
        )


class PackedConvolution(nn.Module):
    """A convolution over time whose channels lie side by side in memory.

    Args:
        convolution: whose weights are taken.
        dtype: to compute in.
    """

    def __init__(self, convolution: nn.Conv1d, dtype: torch.dtype) -> None:
        super().__init__()
        weight = _own_copy(convolution.weight, dtype)[:, :, None]
        self._weight = weight.to(memory_format=torch.channels_last)
        bias = convolution.bias
        self._bias = None if bias is None else _own_copy(bias, dtype)
        self._dtype = dtype
        self.kernel_size, self.stride = convolution.kernel_size, convolution.stride  # models ask
        self._how: dict[str, Any] = {
            "stride": (1, *convolution.stride),
            "padding": (0, *convolution.padding),
            "dilation": (1, *convolution.dilation),
            "groups": convolution.groups,
        }

    def forward(self, x: Float[Tensor, "batch channel time"]) -> Float[Tensor, "batch out frame"]:
        """As torch's."""
        image = x.to(self._dtype)[:, :, None].to(memory_format=torch.channels_last)
        return functional.conv2d(image, self._weight, self._bias, **self._how)[:, :, 0]


def pack(model: nn.Module, dtype: torch.dtype) -> None:
    """Lay out the weights of a model for this processor, in place; afterwards it only answers.

    What it is given stays in float32, and norms do. LoRA adapters are added to the weights they
    belong to.

    Args:
        model: of transformers, in float32.
        dtype: float32 or bfloat16, to compute in.
    """
    model.requires_grad_(False)
    _merge_adapters(model)
    _pack_below(model, dtype)
    if dtype is torch.bfloat16 and not has_tiles():
        take_plain_attention(model)
    for module in model.modules():
        # norms take and give either, and divide by small numbers
        own = torch.float32 if isinstance(module, NOT_ROUNDED) else dtype
        for values in _own(module):
            values.data = _own_copy(values, own)
    gc.collect()  # parametrized layers that were replaced refer to themselves, and hold the file


def _own(module: nn.Module) -> Iterator[Tensor]:
    """Floating-point numbers of a module itself."""
    for values in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
        if values.is_floating_point():
            yield values


def _own_copy(values: Tensor, dtype: torch.dtype) -> Tensor:
    """What was read looks into the file, and one such tensor keeps all of it in memory."""
    return values.detach().to(dtype, copy=True)


@cache
def can_pack(dtype: torch.dtype = torch.float32) -> bool:
    """Whether this torch, on this processor, has what packing needs to compute in some numbers."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        PackedLinear(nn.Linear(8, 8), dtype)(torch.zeros(1, 8))
    except (AttributeError, RuntimeError):
        return False
    return True


def _pack_below(module: nn.Module, dtype: torch.dtype) -> None:
    if type(module).__name__ in WEIGHTS_READ_BY_OTHERS:
        return
    activation = getattr(module, "intermediate_act_fn", None)
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Linear):
            gelu = name in ACTIVATED and _is_exact_gelu(activation)
            setattr(module, name, PackedLinear(child, dtype, gelu=gelu))
            if gelu:
                module.intermediate_act_fn = nn.Identity()
        elif isinstance(child, nn.Conv1d) and _is_plain(child):
            setattr(module, name, PackedConvolution(child, dtype))
        else:
            _pack_below(child, dtype)


def _merge_adapters(module: nn.Module) -> None:
    """Put plain layers, their weights updated, where peft's layers are."""
    for name, child in list(module.named_children()):
        if hasattr(child, "get_base_layer"):
            layer: Any = child
            layer.merge()
            setattr(module, name, layer.get_base_layer())
        else:
            _merge_adapters(child)


def _is_exact_gelu(activation: object) -> bool:
    if isinstance(activation, nn.GELU):
        return activation.approximate == "none"
    return isinstance(activation, GELUActivation)


def _is_plain(convolution: nn.Conv1d) -> bool:
    """Whether it is given zeros around its input, and moves in steps that are stated.

    Of a convolution whose weights are made of others (weight norms) the weights are taken.
    """
    stated = convolution.padding_mode == "zeros" and not isinstance(convolution.padding, str)
    known = type(convolution) is nn.Conv1d or parametrize.is_parametrized(convolution)
    return stated and known


def _reordered(weight: Tensor) -> Tensor:
    return cast(Tensor, torch.ops.mkldnn._reorder_linear_weight(weight, EXPECTED_ROWS))
