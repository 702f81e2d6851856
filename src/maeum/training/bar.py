"""A progress bar for training, on standard error, where a person is watching."""

from __future__ import annotations

import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments


class TrainingBar(TrainerCallback):
    """Steps done, the last losses, the time left; nothing where no one is watching."""

    def __init__(self) -> None:
        self._losses: dict[str, float] = {}
        self._progress = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} steps"),
            TextColumn("{task.fields[losses]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task("training", total=None, losses="")

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Show the bar, from the step a resumed run begins at."""
        self._progress.start()
        self._progress.update(self._task, total=state.max_steps, completed=state.global_step)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Move it."""
        self._progress.update(self._task, completed=state.global_step)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **_: object,
    ) -> None:
        """Write the losses beside it."""
        shown = {"loss": "loss", "eval_loss": "validation"}
        for key, value in (logs or {}).items():
            if key in shown:
                self._losses[shown[key]] = float(value)
        losses = "  ".join(f"{name} {value:.3f}" for name, value in self._losses.items())
        self._progress.update(self._task, losses=losses)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Take it away."""
        self._progress.stop()
