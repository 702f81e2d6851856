"""How much memory tuning will need, found out without taking any.

A copy of the encoders without their numbers goes through one step of training; what would lie in
memory at any moment of it is counted.
"""

from __future__ import annotations

import copy
import logging
import os
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from maeum.config import Settings
from maeum.encoders import SpeechEncoder, Tunable, side_of
from maeum.encoders.pretrained.loading import first_line
from maeum.encoders.pretrained.lora import add_adapter, has_adapter
from maeum.encoders.pretrained.tower import Tower
from maeum.machine import memory_bytes
from maeum.training import processes
from maeum.training.clips import Clips
from maeum.training.precision import takes_bf16

logger = logging.getLogger(__name__)

GB = 2**30

BESIDE = 1.5 * GB
"""What a process takes beside its encoders: the program, libraries, buffers of their kernels."""

HELD = 1.3
"""What is held of memory for each byte of tensors that come and go: freed pieces do not always fit
the next. It and `BESIDE` are fitted to five peaks of the paper's pair at its real size, batch 8 of
4 s on a processor (docs/encoders.md), which they meet within 26 % below and 16 % above."""

WORTH_SAYING = 2.0 * GB
"""Below this nobody needs to know."""

MOMENTS = 2
"""Numbers AdamW keeps of every weight that learns."""

UNFORESEEN = (RuntimeError, NotImplementedError, TypeError, ValueError, AttributeError)
"""What is raised where a model does by its numbers what cannot be done without them."""

Change = Callable[[Tower], None]
"""What another choice would change of a tower."""


@dataclass(frozen=True)
class Example:
    """The largest batch a tower will be given.

    Attributes:
        tower: that learns.
        values: (1, …) as `Tunable.prepare` makes them of the longest item.
        batch: how many such items a step has.
        length: of the longest item, in words.
    """

    tower: Tower
    values: Tensor
    batch: int
    length: str


@dataclass(frozen=True)
class Need:
    """What a step needs.

    Attributes:
        weights: bytes of all weights.
        learning: bytes of those that learn; as many are needed of gradients, twice as many of
            AdamW.
        passing: bytes at most of what is kept for the way back, and of gradients.
    """

    weights: int
    learning: int
    passing: int

    def __add__(self, other: Need) -> Need:
        return Need(
            self.weights + other.weights,
            self.learning + other.learning,
            self.passing + other.passing,
        )

    def total(self, *, gradients_stay: bool) -> float:
        """Bytes of the whole process at its most.

        Args:
            gradients_stay: those of an earlier piece, or of other processes, lie beside a step's.
        """
        kept = self.learning * (MOMENTS + gradients_stay)
        return BESIDE + self.weights + HELD * self.passing + kept


def tell_need(tuned: Mapping[str, Tunable], clips: Clips, settings: Settings) -> None:
    """Say what tuning will need and what would need less; a warning where there is not so much.

    Args:
        tuned: `speech-0`, … -> encoder, made to learn as it will.
        clips: of the training part.
        settings: of the run.
    """
    examples = largest(tuned, clips, settings)
    try:
        needed, others = _needed_and_others(examples, settings)
    except UNFORESEEN as error:
        logger.info("how much memory tuning needs cannot be foreseen: %s", first_line(error))
        return
    if needed < WORTH_SAYING:
        return
    helping = [f"with {flag} {_gb(less)}" for flag, less in others.items() if less < 0.9 * needed]
    there, place = _there()
    short = f" and {place} has {_gb(there)}" if needed > there else ""
    sentence = f"tuning needs about {_gb(needed)} ({_spoken(examples, settings)}){short}"
    level = logging.WARNING if short else logging.INFO
    logger.log(level, "%s", "; ".join([sentence, *([", ".join(helping)] if helping else [])]))


def _needed_and_others(
    examples: Sequence[Example], settings: Settings
) -> tuple[float, dict[str, float]]:
    """Bytes, and option -> bytes with it; no options where it is little anyhow."""
    needed = foreseen(examples, settings)
    choices = _cheaper(settings) if needed >= WORTH_SAYING else {}
    return needed, {flag: foreseen(examples, settings, does) for flag, does in choices.items()}


def largest(tuned: Mapping[str, Tunable], clips: Clips, settings: Settings) -> list[Example]:
    """The largest batches there will be, one for each encoder that has something to learn from."""
    at_once, rows = processes.per_step(settings), clips.corpus.utterances
    spoken_s = cast(float | None, rows["duration_s"].max())
    longest_s = min(spoken_s or settings.cut_s, settings.cut_s)
    sentence = max(rows["text"].drop_nulls(), key=len, default="")
    examples = []
    for key, encoder in tuned.items():
        if side_of(key) == "speech":
            samples = round(longest_s * cast(SpeechEncoder, encoder).rate_hz)
            noise = np.random.default_rng(0).normal(0, 0.1, samples)
            values = encoder.prepare([noise.astype(np.float32)])["values"]
            examples.append(Example(encoder.tower, values, at_once, f"{longest_s:.3g} s"))
        elif sentence:
            values = encoder.prepare([sentence])["values"]
            examples.append(Example(encoder.tower, values, at_once, f"{values.shape[1]} tokens"))
    return examples


def foreseen(
    examples: Sequence[Example], settings: Settings, change: Change | None = None
) -> float:
    """Bytes the process will take at its most; of several on one machine, all of them.

    Args:
        examples: the largest batches there will be.
        settings: of the run.
        change: of the towers, to look at another choice; they themselves stay as they are.
    """
    need = Need(0, 0, 0)
    for example in examples:
        need += needed_by(example, bf16=takes_bf16(settings), change=change)
    together = 1 if torch.cuda.is_available() else int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    stay = settings.accumulate > 1 or processes.count() > 1
    return together * need.total(gradients_stay=stay)


def needed_by(example: Example, *, bf16: bool, change: Change | None = None) -> Need:
    """What one tower needs for a step.

    Args:
        example: the largest batch it will be given.
        bf16: whether it computes in bfloat16.
        change: of the tower, to look at another choice.
    """
    tower = _hollow(example.tower)
    if change is not None:
        change(tower)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        _imagine(tower, mode, device)
        given = example.values
        values = torch.zeros(example.batch, *given.shape[1:], dtype=given.dtype, device=device)
        with _Counted(tower) as counted:
            with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                answer = tower.model(values, output_hidden_states=tower.layers > 1)
            answer.last_hidden_state.float().mean().backward()
            del answer
    weights = list(tower.parameters())
    return Need(
        weights=sum(weight.nbytes for weight in weights),
        learning=sum(weight.nbytes for weight in weights if weight.requires_grad),
        passing=counted.most,
    )


def _cheaper(settings: Settings) -> dict[str, Change]:
    """Choices that need less memory: option -> what it changes."""
    choices: dict[str, Change] = {}
    if not settings.gradient_checkpointing and settings.encoder_noise:
        choices["--gradient-checkpointing"] = _checkpointed
    if settings.tune == "full":
        choices["--tune lora"] = lambda tower: _adapted(tower, settings.lora_rank)
    return choices


def _checkpointed(tower: Tower) -> None:
    model: Any = tower.model
    model.gradient_checkpointing_enable({"use_reentrant": False})


def _adapted(tower: Tower, rank: int) -> None:
    if not has_adapter(tower.model):
        add_adapter(tower.model, rank)


def _hollow(tower: Tower) -> Tower:
    """A copy that learns likewise, its weights without numbers."""
    empty: dict[int, Any] = {
        id(weight): nn.Parameter(torch.empty_like(weight, device="meta"), weight.requires_grad)
        for weight in tower.parameters()
    }
    empty |= {id(values): torch.empty_like(values, device="meta") for values in tower.buffers()}
    made = copy.deepcopy(tower, empty)
    model: Any = made.model
    model.config.apply_spec_augment = False  # it looks at numbers, and takes no memory
    return made.train()


def _imagine(tower: Tower, mode: FakeTensorMode, device: torch.device) -> None:
    """Let the weights seem to lie on a device."""
    for module in tower.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                seeming = FakeTensor(mode, weight.detach(), device)
                module._parameters[name] = nn.Parameter(seeming, weight.requires_grad)
        for name, values in module._buffers.items():
            if values is not None:
                module._buffers[name] = FakeTensor(mode, values.detach(), device)


class _Counted(TorchDispatchMode):
    """Counts what lies in memory while operations run, weights apart.

    Attributes:
        most: bytes, at most so far.
    """

    def __init__(self, tower: Tower) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()
        for weight in [*tower.parameters(), *tower.buffers()]:
            self._known.add(weight.untyped_storage())
        self._now = self.most = 0

    def __torch_dispatch__(
        self,
        operation: Any,  # noqa: ANN401 - here and below as torch has it
        types: Any,  # noqa: ANN401
        given: Any = (),  # noqa: ANN401
        named: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        found = operation(*given, **(named or {}))
        for made in tree_leaves(found):
            if isinstance(made, Tensor):
                self._count(made.untyped_storage())
        return found

    def _count(self, storage: Any) -> None:  # noqa: ANN401 - of torch
        if storage not in self._known:
            self._known.add(storage)
            self._now += storage.nbytes()
            self.most = max(self.most, self._now)
            weakref.finalize(storage, self._gone, storage.nbytes())

    def _gone(self, size: int) -> None:
        self._now -= size


def _there() -> tuple[float, str]:
    """Bytes there are for training, and of what."""
    if torch.cuda.is_available():
        return float(torch.cuda.mem_get_info()[1]), torch.cuda.get_device_name()
    return memory_bytes(), "this machine"


def _spoken(examples: Sequence[Example], settings: Settings) -> str:
    """The largest batch in words."""
    longest = max(examples, key=lambda example: example.values.numel())
    return f"batch {settings.batch_size} of up to {longest.length}"


def _gb(size: float) -> str:
    """Bytes for people.

    >>> _gb(31.4 * GB), _gb(2.75 * GB)
    ('31 GB', '2.8 GB')
    """
    return f"{size / GB:.{0 if size >= 10 * GB else 1}f} GB"
