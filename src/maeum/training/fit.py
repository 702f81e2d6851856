"""From a network and batches to trained weights, on transformers' Trainer."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import gettempdir
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.utils.data import Sampler
from transformers import (
    EarlyStoppingCallback,
    Trainer,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)
from transformers.integrations.integration_utils import (
    TensorBoardCallback,
    is_tensorboard_available,
)
from transformers.trainer_callback import PrinterCallback, TrainerCallback

from maeum.config import Settings
from maeum.encoders.pretrained.quiet import quietly
from maeum.errors import SettingsError
from maeum.model import EmotionNetwork
from maeum.model.saving import writing_below
from maeum.model.whole import WholeNetwork
from maeum.training import processes
from maeum.training.bar import TrainingBar
from maeum.training.batches import ClipDataset, FeatureDataset, as_it_is
from maeum.training.checkpoints import BestIsHere, KeptOften, last_checkpoint
from maeum.training.lengths import AnotherOrderEachEpoch, LongestFirst, SimilarLengths
from maeum.training.precision import takes_bf16

logger = logging.getLogger(__name__)

LOGGED = 200
"""Losses kept of a run that tunes encoders."""

Learner: TypeAlias = EmotionNetwork | WholeNetwork
"""A network on features, or with its encoders."""

Learnable: TypeAlias = FeatureDataset | ClipDataset

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

    train: Learnable
    validation: Learnable | None = None
    checkpoints: Path | None = None

    def patience(self, settings: Settings) -> int | None:
        """Epochs to wait before stopping early; None where nothing validates or is kept."""
        if self.validation is None or self.checkpoints is None:
            return None
        return settings.patience_for(len(self.validation))


def fit(network: Learner, lesson: Lesson, settings: Settings) -> History:
    """Train in place; go on from the last whole checkpoint where there is one.

    A run interrupted anywhere and fitted again ends with the weights of one that was not: a
    checkpoint holds weights, optimiser, schedule and the state of chance.

    Returns:
        What was logged.
    """
    trainer = _Trainer(
        model=network,
        args=_arguments(lesson, settings, keep_best=lesson.patience(settings) is not None),
        train_dataset=lesson.train,
        eval_dataset=lesson.validation,
        data_collator=as_it_is,
        callbacks=_callbacks(lesson, settings),
        rates={"towers": settings.tuned_lr, "": settings.head_lr},
        order=_order(lesson.train, settings),
    )
    trainer.remove_callback(PrinterCallback)
    last = last_checkpoint(lesson.checkpoints)
    if last is not None:
        logger.info("going on from %s", last)
        if last.is_the_end:
            trainer.args.num_train_epochs = last.epochs
    with (
        _threads(network),
        quietly(),
        heap_left_alone(),
        writing_below(Path(str(trainer.args.output_dir))),
    ):
        trainer.train(resume_from_checkpoint=None if last is None else str(last.folder))
    network.cpu().eval()
    return [dict(entry) for entry in trainer.state.log_history]


class _Trainer(Trainer):
    """Trainer with a rate for what was pretrained and one for what is new, and with its own order.

    Its checkpoints hold what learns; what is frozen lies where it was read from.
    """

    def __init__(
        self,
        *,
        rates: dict[str, float],
        order: SimilarLengths | None = None,
        **arguments: Any,  # noqa: ANN401 - Trainer's
    ) -> None:
        super().__init__(**arguments)
        self._rates, self._order = rates, order
        if order is not None:
            self.add_callback(AnotherOrderEachEpoch(order))

    def _get_train_sampler(self, *given: Any, **more: Any) -> Sampler[int] | None:  # noqa: ANN401 - Trainer's
        """Similar lengths together; Trainer's own way of it begins each pool with the longest."""
        return self._order or super()._get_train_sampler(*given, **more)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sampler[int] | None:  # noqa: ANN401 - Trainer's
        """Likewise, the longest first."""
        if self._order is None or not isinstance(eval_dataset, ClipDataset):
            return super()._get_eval_sampler(eval_dataset)
        return LongestFirst(eval_dataset.lengths)

    def create_optimizer(self, model: Learner | None = None) -> torch.optim.Optimizer:
        """AdamW; biases and the scales of norms are not pulled to zero."""
        network: torch.nn.Module = model or self.model  # type: ignore[assignment]
        decaying = set(self.get_decay_parameter_names(network))
        groups: dict[tuple[str, bool], list[Tensor]] = {}
        for name, weight in network.named_parameters():
            if weight.requires_grad:
                home = "towers" if "towers." in name else ""
                groups.setdefault((home, name in decaying), []).append(weight)
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": weights,
                    "lr": self._rates[home],
                    "weight_decay": self.args.weight_decay if decays else 0.0,
                }
                for (home, decays), weights in sorted(groups.items(), key=lambda group: group[0])
            ],
            fused=True,
        )
        return self.optimizer

    def training_step(self, *given: Any, **more: Any) -> Tensor:  # noqa: ANN401 - Trainer's
        """As Trainer's; a loss that is no number ends the run before it is kept.

        Raises:
            SettingsError: the weights ran away.
        """
        loss = super().training_step(*given, **more)
        if not torch.isfinite(loss):
            raise SettingsError(
                f"after {self.state.global_step} steps the loss is {loss.item()}: the weights ran "
                "away; take lower rates (--lr, --encoder-lr), or a warm-up, in a new folder"
            )
        return loss

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Tensor] | None = None
    ) -> None:
        if state_dict is None and isinstance(self.model, WholeNetwork):
            state_dict = learnt_weights(self.model)
        super()._save(output_dir, state_dict)


def _order(dataset: Learnable, settings: Settings) -> SimilarLengths | None:
    """Of utterances whose lengths matter; None: any."""
    if not (settings.group_by_length and isinstance(dataset, ClipDataset)):
        return None
    return SimilarLengths(
        dataset.lengths.clip(max=settings.cut_s),
        batch_size=settings.batch_size,
        seed=settings.seed,
    )


def learnt_weights(network: WholeNetwork) -> dict[str, Tensor]:
    """All that training changes or sets: the whole head, and of the towers what learns."""
    learning = {name for name, weight in network.named_parameters() if weight.requires_grad}
    buffers = {name for name, _ in network.named_buffers()}
    return {
        name: values
        for name, values in network.state_dict().items()
        if name in learning or name in buffers or name.startswith("head.")
    }


def _threads(network: Learner) -> AbstractContextManager[None]:
    return nullcontext() if isinstance(network, WholeNetwork) else one_thread()


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


@contextmanager
def heap_left_alone() -> Iterator[None]:
    """What is there before is not searched for garbage meanwhile.

    Trainer collects garbage when it ends; going through all that torch and transformers loaded
    took 0.3 s, as long as a small head learns.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _arguments(lesson: Lesson, settings: Settings, *, keep_best: bool) -> TrainingArguments:
    epochs = settings.epochs_for(len(lesson.train))
    steps = -(-len(lesson.train) // settings.batch_size) * epochs
    tunes = settings.tune != "frozen"
    keeps = lesson.checkpoints is not None
    at_once = processes.per_step(settings)
    arguments = TrainingArguments(
        output_dir=str(lesson.checkpoints or gettempdir()),
        num_train_epochs=epochs,
        per_device_train_batch_size=at_once,
        gradient_accumulation_steps=settings.accumulate,
        per_device_eval_batch_size=at_once if tunes else 1024,
        weight_decay=settings.weight_decay,
        warmup_steps=_warmup(steps, settings),
        lr_scheduler_type="linear",
        seed=settings.seed,
        bf16=takes_bf16(settings),
        logging_strategy="steps" if tunes else "epoch",
        logging_steps=max(1, steps // LOGGED),
        eval_strategy="epoch" if lesson.validation is not None else "no",
        save_strategy="epoch" if keeps else "no",
        save_total_limit=2,
        load_best_model_at_end=keep_best,
        metric_for_best_model="eval_loss" if keep_best else None,
        greater_is_better=False if keep_best else None,
        restore_callback_states_from_checkpoint=True,
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=tunes,  # a batch may lack a side
        ddp_timeout=processes.TIMEOUT_S,
        # a head is too small to gain from a device, and equal everywhere without
        use_cpu=not (tunes and torch.cuda.is_available()),
    )
    # more devices than one are for more processes; cut in pieces, rows would lose their recordings
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


def _warmup(steps: int, settings: Settings) -> int:
    """Steps with a rising rate; said aloud where there are no others."""
    rising = settings.warmup_steps(steps)
    if rising >= steps:
        logger.warning(
            "learning rates rise for %d steps and the run has %d, so that they are never reached; "
            "take --warmup 0.1, a share of the run",
            rising,
            steps,
        )
    return rising


def _callbacks(lesson: Lesson, settings: Settings) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = [TrainingBar(), ChanceOfItsOwn()]
    if lesson.checkpoints is not None:
        callbacks.append(KeptOften())
    patience = lesson.patience(settings)
    if patience is not None:
        callbacks += [EarlyStoppingCallback(patience), BestIsHere()]
    if settings.tensorboard and lesson.checkpoints is not None:
        callbacks.append(_tensorboard(lesson.checkpoints.parent / "tensorboard"))
    return callbacks


class ChanceOfItsOwn(TrainerCallback):
    """Of processes that train together each draws other noise: their utterances are others too."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """A resumed run goes on with what its checkpoint says."""
        if processes.count() > 1 and state.global_step == 0:
            set_seed(args.seed + processes.rank())


def _tensorboard(folder: Path) -> TrainerCallback:
    """A log for TensorBoard."""
    if not is_tensorboard_available():
        raise SettingsError("tensorboard is not installed; pip install 'maeum[tracking]'")
    from torch.utils.tensorboard import SummaryWriter

    return TensorBoardCallback(SummaryWriter(folder))
