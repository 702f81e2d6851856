"""A tower: the part of a pretrained encoder that torch runs and gradients reach."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Iterable
from typing import Self

import torch
from torch import nn

from maeum.encoders.pretrained.packed import can_pack, pack

# WavLM hands torch two masks of different types, which is said on every run and helps nobody
warnings.filterwarnings("ignore", "Support for mismatched key_padding_mask and attn_mask")


class Tower(nn.Module):
    """A transformers model that gives `Frames`; `forward` is each kind's own.

    Attributes:
        model: the transformers model.
        noisy: whether training switches on dropout and masking inside.
        input_dtype: of waves and spectra it is given.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.noisy, self.input_dtype = True, torch.float32
        self.freeze()
        self.eval()

    @property
    @abstractmethod
    def dim(self) -> int:
        """Length of one layer's vector."""

    @property
    @abstractmethod
    def layers(self) -> int:
        """How many layers' vectors it gives."""

    def freeze(self) -> None:
        """Nothing learns."""
        self.model.requires_grad_(False)

    def thaw(self) -> None:
        """Everything learns."""
        self.model.requires_grad_(True)

    def hasten(self, dtype: torch.dtype, *, packed: bool) -> None:
        """From now on only answer.

        Args:
            dtype: to compute in.
            packed: whether weights are laid out for a processor.
        """
        if packed and can_pack(dtype):
            pack(self.model, dtype)
        else:
            self.to(dtype)
            self.input_dtype = dtype

    def train(self, mode: bool = True) -> Self:
        """As torch's, but without noise the model stays as it is when it answers."""
        return super().train(mode and self.noisy)

    def convolutions(self) -> Iterable[nn.Module]:
        """The layers that hear the waveform."""
        return ()
