"""The precision encoders are tuned in: bfloat16 where the machine computes in it by itself."""

from __future__ import annotations

import logging

import torch

from maeum.config import Settings
from maeum.encoders.pretrained.native import has_bfloat16

logger = logging.getLogger(__name__)


def has_bf16() -> bool:
    """Whether the accelerator, or the processor where there is none, computes in bfloat16.

    What only imitates it is slower than float32.
    """
    return has_bfloat16(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def takes_bf16(settings: Settings) -> bool:
    """Whether a run is tuned in bfloat16: where asked for, or not said, and the machine has it."""
    return settings.tune != "frozen" and settings.bf16 is not False and has_bf16()


def say_precision(settings: Settings) -> None:
    """Tell which was taken; nothing where the user said it and has it."""
    if settings.bf16 and not has_bf16():
        logger.warning(
            "bf16 was asked for and this machine does not compute in bfloat16; it tunes in float32"
        )
    elif settings.bf16 is None and has_bf16():
        logger.info("tuning in bfloat16, which this machine computes in; --no-bf16 for float32")
    elif settings.bf16 is None:
        logger.info("tuning in float32: this machine does not compute in bfloat16")
