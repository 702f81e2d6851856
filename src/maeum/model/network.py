"""The paper's network: features side by side, two linear layers, softmax.

    x = [A ; T]              (1)   speech and text features, concatenated
    h = ReLU(W1 x + b1)      (2)
    y = W2 h + b2            (3)   logits, one per emotion
    p = softmax(y)           (4)

"Efficient emotion classification with small amounts of speech and text, multimodal",
doi 10.3745/TKIPS.2024.13.4.174. Beyond the paper, one network also takes speech alone or text
alone: a learnt vector stands in for what is missing, and some pairs are trained with one half
hidden.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn import functional
from transformers import PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

SIDES = ("speech", "text")
"""The two halves of x, in order."""

SMALLEST_SCALE = 1e-6
"""A dimension that never varied in training is left at zero."""

CLIP_AT = 5.0
"""Standardised values are kept within this many spreads: a recording unlike all others stays one
voice among many."""


class NetworkConfig(PretrainedConfig):
    """Sizes and labels of an `EmotionNetwork`, saved as `config.json`.

    Args:
        emotions: what `EmotionSet.to_dict` gives, in class order.
        speech: name, version and dim of the speech encoder; None without speech.
        text: the same for text.
        hidden_size: width of h.
        dropout: share of h left out in training.
        modality_dropout: share of pairs trained with one half hidden.
        class_weights: (emotion,) weights in the loss; None: all 1.
        label_smoothing: mass moved off the true emotion.
        normalize: what was done to the speech features (`config.Normalization`).
    """

    model_type = "maeum"

    def __init__(
        self,
        emotions: Sequence[dict[str, str]] = (),
        speech: dict[str, object] | None = None,
        text: dict[str, object] | None = None,
        hidden_size: int = 128,
        dropout: float = 0.5,
        modality_dropout: float = 0.2,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        normalize: str = "none",
        **kwargs: Any,  # noqa: ANN401 - what transformers keeps in every configuration
    ) -> None:
        self.emotions = list(emotions)
        self.speech = speech
        self.text = text
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.modality_dropout = modality_dropout
        self.class_weights = None if class_weights is None else list(class_weights)
        self.label_smoothing = label_smoothing
        self.normalize = normalize
        if emotions:
            names = [emotion["name"] for emotion in emotions]
            kwargs["id2label"] = dict(enumerate(names))
            kwargs["label2id"] = {name: index for index, name in enumerate(names)}
        super().__init__(**kwargs)


class ModalityInput(nn.Module):
    """One modality's features, standardised, or the learnt vector that stands in for them."""

    mean: Tensor
    scale: Tensor
    usual_spread: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("scale", torch.ones(dim))
        self.register_buffer("usual_spread", torch.ones(dim))  # within a voice, for `normalize`
        self.stand_in = nn.Parameter(torch.zeros(dim))

    @property
    def dim(self) -> int:
        """Length of a feature vector."""
        return len(self.stand_in)

    def forward(
        self, features: Float[Tensor, "batch dim"], present: Bool[Tensor, " batch"]
    ) -> Float[Tensor, "batch dim"]:
        """Standardised features; the stand-in where the modality is absent."""
        standard = ((features - self.mean) / self.scale).clamp(-CLIP_AT, CLIP_AT)
        return torch.where(present[:, None], standard, self.stand_in)

    @torch.no_grad()
    def standardize_like(self, features: Float[Tensor, "clip dim"], how: str) -> None:
        """Take mean and scale from the training features.

        Args:
            features: of the training part.
            how: `each` dimension on its own, or `together` one scale for all.
        """
        variance = features.var(dim=0, unbiased=False)
        if how == "together":
            variance = variance.mean().expand_as(variance)
        self.mean.copy_(features.mean(dim=0))
        self.scale.copy_(variance.sqrt().clamp_min(SMALLEST_SCALE))


class EmotionNetwork(PreTrainedModel):
    """Equations (1) to (4) over features of speech, text, or both."""

    config_class = NetworkConfig
    base_model_prefix = "network"
    main_input_name = "speech"
    accepts_loss_kwargs = False  # else Trainer scales the loss by the number of devices
    config: NetworkConfig

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__(config)
        dims = {side: card["dim"] for side in SIDES if (card := getattr(config, side))}
        self.inputs = nn.ModuleDict({side: ModalityInput(dim) for side, dim in dims.items()})
        self.hidden = nn.Linear(sum(dims.values()), config.hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(config.hidden_size, len(config.emotions))
        self.post_init()  # type: ignore[no-untyped-call]

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Linear):
            module.reset_parameters()

    def side(self, name: str) -> ModalityInput:
        """The input of one modality the network has, `speech` or `text`."""
        return cast(ModalityInput, self.inputs[name])

    def forward(
        self,
        speech: Float[Tensor, "batch speech"] | None = None,
        text: Float[Tensor, "batch text"] | None = None,
        has_speech: Bool[Tensor, " batch"] | None = None,
        has_text: Bool[Tensor, " batch"] | None = None,
        labels: Int64[Tensor, " batch"] | None = None,
    ) -> SequenceClassifierOutput:
        """Logits, and the loss where labels are given.

        Args:
            speech: speech features; None where the network has no such side.
            text: text features, likewise.
            has_speech: which rows were heard; None: all, if `speech` is given.
            has_text: which rows have a text, likewise.
            labels: class indices.
        """
        given = {"speech": (speech, has_speech), "text": (text, has_text)}
        features, present = self._sides(given)
        if self.training and len(present) == len(SIDES):
            present = self._hide_some(present)
        sides = [self.inputs[side](features[side], present[side]) for side in features]
        x = torch.cat(sides, dim=1)  # (1) (batch, speech + text)
        h = torch.relu(self.hidden(x))  # (2) (batch, hidden)
        y = self.output(self.dropout(h))  # (3) (batch, emotion)
        return SequenceClassifierOutput(loss=self._loss(y, labels), logits=y)

    @torch.inference_mode()
    def probabilities(self, **inputs: Tensor | None) -> Float[Tensor, "batch emotion"]:
        """Equation (4): p = softmax(y), rows summing to 1; arguments of `forward`."""
        self.eval()  # type: ignore[no-untyped-call]
        return torch.softmax(self(**inputs).logits, dim=1)

    def _sides(
        self, given: dict[str, tuple[Tensor | None, Tensor | None]]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Features and presence of each side the network has; absent sides as zeros."""
        batch = next(len(features) for features, _ in given.values() if features is not None)
        features, present = {}, {}
        for side in self.inputs:
            modality, (values, has) = self.side(side), given[side]
            if values is None:
                values, has = modality.mean.expand(batch, -1), _all(False, batch, modality.mean)
            features[side] = values
            present[side] = _all(True, batch, values) if has is None else has
        return features, present

    def _hide_some(self, present: dict[str, Tensor]) -> dict[str, Tensor]:
        """Modality dropout: of rows with both halves, a share loses one or the other."""
        speech, text = (present[side] for side in SIDES)
        chance = torch.rand(len(speech), device=speech.device)
        half = self.config.modality_dropout / 2
        both = speech & text
        return {
            "speech": speech & ~(both & (chance < half)),
            "text": text & ~(both & (chance > 1 - half)),
        }

    def _loss(self, logits: Tensor, labels: Tensor | None) -> Tensor | None:
        if labels is None:
            return None
        weights = self.config.class_weights
        return functional.cross_entropy(
            logits,
            labels,
            weight=None if weights is None else logits.new_tensor(weights),
            label_smoothing=self.config.label_smoothing,
        )


def _all(value: bool, batch: int, like: Tensor) -> Tensor:
    return torch.full((batch,), value, dtype=torch.bool, device=like.device)
