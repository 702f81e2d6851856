"""How far training is, on standard error: a bar where a person is watching, else a few lines."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from maeum.progress import Show, bar, is_watched

LINE_EVERY_S = 60.0
"""Where no one is watching."""

SHOWN = {"loss": "loss", "eval_loss": "validation"}
"""What is logged -> what it is called here."""

logger = logging.getLogger(__name__)


class TrainingBar(TrainerCallback):
    """Steps done, the last losses, the time left; where no one watches, a line a minute.

    Of several processes the first one speaks.
    """

    def __init__(self) -> None:
        self._losses: dict[str, float] = {}
        self._drawn = ExitStack()
        self._show: Show = _ignore
        self._said_s = time.monotonic()

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
        self._show(state.global_step, self._told)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Take the losses, and tell those who only see lines."""
        given = logs or {}
        self._losses |= {SHOWN[key]: float(given[key]) for key in SHOWN if key in given}
        alone = state.is_world_process_zero and not is_watched()
        if alone and time.monotonic() - self._said_s >= LINE_EVERY_S:
            logger.info("training: step %d/%d  %s", state.global_step, state.max_steps, self._told)
            self._said_s = time.monotonic()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Take it away."""
        self._drawn.close()

    @property
    def _told(self) -> str:
        shown = (name for name in SHOWN.values() if name in self._losses)
        return "  ".join(f"{name} {self._losses[name]:.3f}" for name in shown)


def _ignore(done: int, note: str) -> None:
    """What moves while there is no bar."""
