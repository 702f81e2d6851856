"""What of a pretrained encoder learns, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from maeum.encoders.pretrained.attention import take_plain_attention
from maeum.encoders.pretrained.dropout import take_quick_dropout
from maeum.encoders.pretrained.lora import add_adapter, has_adapter
from maeum.encoders.pretrained.tower import Tower
from maeum.errors import SettingsError


@dataclass(frozen=True)
class Tuning:
    """How an encoder is tuned.

    Attributes:
        how: low-rank updates, or every weight.
        rank: of the updates.
        convolutions: `full`: also the layers that hear the waveform; published recipes gain by
            leaving them as they are.
        noise: dropout and masking inside, as the model was pretrained with.
        gradient_checkpointing: compute again what would be kept; less memory, more time.
    """

    how: Literal["lora", "full"]
    rank: int = 16
    convolutions: bool = False
    noise: bool = True
    gradient_checkpointing: bool = False


def make_tunable(tower: Tower, tuning: Tuning) -> None:
    """Let the weights learn that should, and no others; changes the tower in place.

    Raises:
        SettingsError: all weights are to learn, under an adapter that was learnt on them.
    """
    model: Any = tower.model
    if tuning.how == "lora":
        add_adapter(model, tuning.rank)
    elif has_adapter(model):
        raise SettingsError(
            "the encoder has a LoRA adapter, which would not fit it any more if all its weights "
            "were tuned; use tune=lora, which goes on with the adapter, or frozen"
        )
    else:
        tower.thaw()
        for front in () if tuning.convolutions else tower.convolutions():
            front.requires_grad_(False)
    tower.noisy = tuning.noise
    if tuning.noise:
        take_quick_dropout(model)
        take_plain_attention(model)
    if tuning.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
