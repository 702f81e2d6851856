"""What of a pretrained encoder learns, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from maeum.encoders import Reading, Tunable, findable
from maeum.encoders.pretrained.lora import (
    Base,
    add_adapter,
    base_of,
    has_adapter,
    is_adapter,
    save_adapter,
)
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
    if tuning.gradient_checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})


def keep_tuned(encoder: Tunable, folder: Path, reading: Reading) -> None:
    """Write a tuned encoder such that `speech_encoders` or `text_encoders` read it by its folder.

    Every weight, in the layout of the hub; of one with an adapter the adapter alone.

    Args:
        encoder: that was tuned.
        folder: to write to.
        reading: how the encoder was read.
    """
    if not has_adapter(encoder.tower.model):
        encoder.save(folder)
        return
    known = Path(encoder.name)
    fresh = Base(findable(encoder.name), encoder.version, reading)
    save_adapter(encoder.tower.model, folder, base_of(known) if is_adapter(known) else fresh)
