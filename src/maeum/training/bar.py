"""How far training is, on standard error: a bar where a person is watching, else a few lines."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from maeum.progress import Show, bar, is_watched

LINE_EVERY_S = 60.0
"""Where no one is watching."""

SHOWN = {"loss": "loss", "eval_loss": "validation"}
"""What is logged -> what it is called here."""

logger = logging.getLogger(__name__)


class _Losses:
    """The last of each kind."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def take(self, logs: Mapping[str, Any] | None) -> None:
        self._last |= {
            SHOWN[key]: float(value) for key, value in (logs or {}).items() if key in SHOWN
        }

    def __str__(self) -> str:
        return "  ".join(f"{name} {value:.3f}" for name, value in self._last.items())


class TrainingBar(TrainerCallback):
    """Steps done, the last losses, the time left; nothing where no one is watching."""

    def __init__(self) -> None:
        self._losses, self._drawn = _Losses(), ExitStack()
        self._show: Show | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Show the bar, from the step a resumed run begins at."""
        self._show = self._drawn.enter_context(bar(total=state.max_steps, label="training"))
        self._show(state.global_step, "")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Move it."""
        if self._show is not None:
            self._show(state.global_step, str(self._losses))

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Take the losses to write beside it."""
        self._losses.take(logs)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Take it away."""
        self._drawn.close()


class TrainingLines(TrainerCallback):
    """A line a minute in logs and pipes, of work that takes longer; nothing beside a bar."""

    def __init__(self) -> None:
        self._losses = _Losses()
        self._said_s = time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Say the step and the last losses."""
        self._losses.take(logs)
        first = state.is_world_process_zero and not is_watched()
        if first and time.monotonic() - self._said_s >= LINE_EVERY_S:
            logger.info(
                "training: step %d/%d  %s", state.global_step, state.max_steps, self._losses
            )
            self._said_s = time.monotonic()
