"""From a network and batches to trained weights, on transformers' Trainer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir

import torch
from transformers import EarlyStoppingCallback, Trainer, TrainingArguments
from transformers.trainer_callback import PrinterCallback, TrainerCallback

from maeum.config import Settings
from maeum.model import EmotionNetwork
from maeum.model.quiet import no_file_bars
from maeum.training.bar import TrainingBar
from maeum.training.batches import FeatureDataset, as_it_is

STATE = "trainer_state.json"
"""Written last into a checkpoint; one without it was cut short."""

History = list[dict[str, float]]
"""Trainer's log: epoch, step, and loss, eval_loss or learning_rate."""


@dataclass(frozen=True)
class Lesson:
    """What a network learns from.

    Attributes:
        train: the training part.
        validation: looked at after each epoch; None: nothing is.
        checkpoints: folder to resume from; None: start over when interrupted.
    """

    train: FeatureDataset
    validation: FeatureDataset | None = None
    checkpoints: Path | None = None


def fit(network: EmotionNetwork, lesson: Lesson, settings: Settings) -> History:
    """Train in place; go on from the last whole checkpoint where there is one.

    A run interrupted anywhere and fitted again ends with the weights of one that was not: a
    checkpoint holds weights, optimiser, schedule and the state of chance.

    Returns:
        What was logged.
    """
    stops_early = settings.patience is not None and lesson.validation and lesson.checkpoints
    trainer = Trainer(
        model=network,
        args=_arguments(lesson, settings, keep_best=bool(stops_early)),
        train_dataset=lesson.train,
        eval_dataset=lesson.validation,
        data_collator=as_it_is,  # type: ignore[arg-type]
        callbacks=_callbacks(settings, stops_early=bool(stops_early)),
    )
    trainer.remove_callback(PrinterCallback)
    last = last_checkpoint(lesson.checkpoints)
    with one_thread(), no_file_bars():
        trainer.train(resume_from_checkpoint=None if last is None else str(last))
    network.cpu()
    return [dict(entry) for entry in trainer.state.log_history]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch, and as many as before afterwards.

    Heads are small: threads that wait for each other cost more than they bring, up to ten times
    as much on a busy machine.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _arguments(lesson: Lesson, settings: Settings, *, keep_best: bool) -> TrainingArguments:
    steps = -(-len(lesson.train) // settings.batch_size) * settings.epochs
    keeps = lesson.checkpoints is not None
    return TrainingArguments(
        output_dir=str(lesson.checkpoints or gettempdir()),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=1024,
        learning_rate=settings.lr,
        weight_decay=settings.weight_decay,
        warmup_steps=int(settings.warmup * steps),
        lr_scheduler_type="linear",
        seed=settings.seed,
        logging_strategy="epoch",
        eval_strategy="epoch" if lesson.validation is not None else "no",
        save_strategy="epoch" if keeps else "no",
        save_total_limit=2,
        load_best_model_at_end=keep_best,
        metric_for_best_model="eval_loss" if keep_best else None,
        greater_is_better=False if keep_best else None,
        restore_callback_states_from_checkpoint=True,
        report_to=["tensorboard"] if settings.tensorboard else [],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )


def _callbacks(settings: Settings, *, stops_early: bool) -> list[TrainerCallback]:
    bar: list[TrainerCallback] = [TrainingBar()]
    if not stops_early or settings.patience is None:
        return bar
    return [*bar, EarlyStoppingCallback(early_stopping_patience=settings.patience)]


def last_checkpoint(folder: Path | None) -> Path | None:
    """The latest checkpoint that was written to its end."""
    if folder is None or not folder.is_dir():
        return None
    whole = [path for path in folder.glob("checkpoint-*") if _is_whole(path)]
    return max(whole, key=lambda path: int(path.name.rpartition("-")[2]), default=None)


def _is_whole(checkpoint: Path) -> bool:
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
