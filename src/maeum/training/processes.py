"""Several processes that train one network together, as `torchrun` starts them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar, cast

from maeum.config import Settings
from maeum.errors import SettingsError

if TYPE_CHECKING:
    from accelerate import PartialState

Found = TypeVar("Found")

TIMEOUT_S = 86_400
"""How long a process waits for the others: the first may encode a corpus meanwhile. Where one dies,
torchrun ends them all at once."""


def count() -> int:
    """How many processes train together; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """The number of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Whether this is the one process that writes and speaks."""
    return rank() == 0


def wait_for_all() -> None:
    """Go on when every process has come here; one that fails ends the others."""
    if count() > 1:
        _joined().wait_for_everyone()


@contextmanager
def first_before_others() -> Iterator[None]:
    """A block that the others enter when the first process has left it and kept what it found."""
    if count() == 1:
        yield
        return
    with _joined().main_process_first():
        yield


def as_first_finds(work: Callable[[], Found]) -> Found:
    """What work gives, done by the first process and told to the others."""
    if count() == 1:
        return work()
    from accelerate.utils import broadcast_object_list

    _joined()
    told: list[Found | None] = [work() if is_first() else None]
    broadcast_object_list(told)
    return cast(Found, told[0])


def _joined() -> PartialState:
    """What this process shares with the others."""
    import torch
    from accelerate import PartialState

    return PartialState(cpu=not torch.cuda.is_available(), timeout=timedelta(seconds=TIMEOUT_S))


def refuse_several(work: str) -> None:
    """For what is not shared out.

    Raises:
        SettingsError: more than one process was started.
    """
    if count() > 1:
        raise SettingsError(
            f"{work} trains in one process, {count()} were started; start it without torchrun"
        )


def per_step(settings: Settings) -> int:
    """Utterances a process takes at once; all pieces of all processes make up a batch.

    Raises:
        SettingsError: the batch cannot be parted so, or nothing is shared out.
    """
    pieces = settings.accumulate * count()
    if settings.tune == "frozen":
        refuse_several("a head on frozen encoders")
    if settings.batch_size % pieces:
        raise SettingsError(
            f"a batch of {settings.batch_size} cannot be parted into {settings.accumulate} "
            f"piece(s) for {count()} process(es); take a multiple of {pieces}"
        )
    return settings.batch_size // pieces
