"""The tower of a text encoder: numbers of tokens to vectors, no sentence touched by another."""

from __future__ import annotations

from inspect import signature
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn
from transformers import MODEL_MAPPING, PretrainedConfig

from maeum.encoders.pretrained.computing import picked_layers
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.tower import Tower
from maeum.errors import EncoderError

KINDS = (
    "albert",
    "bert",
    "camembert",
    "deberta",
    "deberta-v2",
    "distilbert",
    "electra",
    "ernie",
    "eurobert",
    "megatron-bert",
    "modernbert",
    "mpnet",
    "rembert",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
)
"""Kinds of models that are read. Each gives a sentence the same vectors alone and beside longer
ones; others of their like do not (ConvBERT, FNet, MobileBERT and Nyströmformer let padding in)."""


class TextTower(Tower):
    """An encoder of tokens, and which of its layers are wanted.

    Args:
        model: the encoder alone.
        layers: `last`, the number of one (0: what enters the first), or `weighted`: all.
        name: for messages.

    Raises:
        EncoderError: the model has no such layer.
    """

    def __init__(self, model: nn.Module, layers: str, name: str) -> None:
        super().__init__(model)
        config: Any = model.config
        self._depth = int(config.num_hidden_layers)
        self._dim = int(config.hidden_size)
        self._picked = picked_layers(layers, self._depth, name)

    @property
    def layers(self) -> int:
        """How many layers' vectors it gives."""
        return len(self._picked)

    @property
    def dim(self) -> int:
        """Length of one layer's vector."""
        return self._dim

    def forward(
        self, values: Int[Tensor, "batch token"], keep: Bool[Tensor, "batch token"]
    ) -> Frames:
        """Vectors of every token.

        Token types are left to the model: KLUE's RoBERTa has one, and fails on a second.

        Args:
            values: numbers of tokens, padded.
            keep: False where there is padding only.
        """
        below_too = self._picked != (self._depth,)
        given = self.model(
            input_ids=values, attention_mask=keep.long(), output_hidden_states=below_too
        )
        states = given.hidden_states if below_too else {self._depth: given.last_hidden_state}
        return Frames(torch.stack([states[layer] for layer in self._picked], dim=1), keep)


def encoder_class(config: PretrainedConfig, name: str) -> Any:  # noqa: ANN401 - of transformers
    """The class that is the encoder alone of a kind of model.

    Raises:
        EncoderError: the kind is not one that reads sentences in both directions.
    """
    if config.model_type not in KINDS or getattr(config, "is_decoder", False):
        raise EncoderError(
            f"{name} is of the kind {config.model_type}, which is not read as a text encoder; "
            f"expected one of {', '.join(KINDS)}"
        )
    return MODEL_MAPPING[type(config)]


def without_pooler(model_class: Any) -> dict[str, bool]:  # noqa: ANN401 - of transformers
    """What a class is told to leave its pooler out: not every model has one, or a trained one."""
    takes = "add_pooling_layer" in signature(model_class.__init__).parameters
    return {"add_pooling_layer": False} if takes else {}


def most_tokens(model: nn.Module) -> int | None:
    """Tokens the model has positions for; None: any number.

    RoBERTa's positions begin after the number of its padding: of 514 sentences can use 512.
    """
    table = getattr(getattr(model, "embeddings", None), "position_embeddings", None)
    if table is None:
        return None
    return int(table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1))
