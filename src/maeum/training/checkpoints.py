"""What a killed run goes on from: which checkpoints are whole, and how often one is kept."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from maeum.training import processes

STATE = "trainer_state.json"
"""Written last into a checkpoint; one without it was cut short."""

EVERY_S = 600.0
"""What a kill may cost at most, of epochs that take longer."""


@dataclass(frozen=True)
class Checkpoint:
    """One that was written to its end.

    Attributes:
        folder: `checkpoint-STEP`.
        state: Trainer's, of that moment.
    """

    folder: Path
    state: dict[str, Any]

    def __str__(self) -> str:
        return f"checkpoint of step {self.state['global_step']}"

    @property
    def epochs(self) -> int:
        """Passes done, rounded."""
        return round(float(self.state["epoch"]))

    @property
    def is_the_end(self) -> bool:
        """Whether training was over at that moment; Trainer, resumed, would go on for an epoch."""
        told = self.state["stateful_callbacks"]["TrainerControl"]["args"]
        return bool(told["should_training_stop"])


def last_checkpoint(folder: Path | None) -> Checkpoint | None:
    """The latest checkpoint that was written to its end."""
    if folder is None or not folder.is_dir():
        return None
    whole = [
        Checkpoint(path, state) for path in folder.glob("checkpoint-*") if (state := _of(path))
    ]
    return max(whole, key=lambda checkpoint: checkpoint.state["global_step"], default=None)


def _of(folder: Path) -> dict[str, Any]:
    """Trainer's state of that moment; empty where the checkpoint was cut short."""
    try:
        state: dict[str, Any] = json.loads((folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return state


class KeptOften(TrainerCallback):
    """A checkpoint inside of an epoch, where the last one is `EVERY_S` old."""

    def __init__(self) -> None:
        self._kept_s = time.monotonic()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Nothing is lost yet."""
        self._kept_s = time.monotonic()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Ask for one; after the last step of an epoch Trainer keeps one anyhow."""
        old = time.monotonic() - self._kept_s >= EVERY_S
        if processes.as_first_finds(lambda: old) and not float(state.epoch or 0).is_integer():
            control.should_save = True

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """It is there."""
        self._kept_s = time.monotonic()


class BestIsHere(TrainerCallback):
    """The best checkpoint is among the others, though the folder was moved since it was written."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Tell a resumed run where it is; Trainer has dropped a path that leads nowhere."""
        if state.best_global_step:
            best = Path(str(args.output_dir), f"checkpoint-{state.best_global_step}")
            state.best_model_checkpoint = str(best)
