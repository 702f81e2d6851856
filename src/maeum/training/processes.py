"""Several processes that train one network together, as `torchrun` starts them."""

from __future__ import annotations

import os

from maeum.config import Settings
from maeum.errors import SettingsError


def count() -> int:
    """How many processes train together; 1 without torchrun."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first() -> bool:
    """Whether this is the one process that writes and speaks."""
    return int(os.environ.get("RANK", "0")) == 0


def wait_for_all() -> None:
    """Go on when every process has come here; one that fails ends the others."""
    if count() > 1:
        import torch
        from accelerate import PartialState

        PartialState(cpu=not torch.cuda.is_available()).wait_for_everyone()


def first_says(word: bool) -> bool:
    """What the first process says, in all of them, so that they do the same."""
    if count() == 1:
        return word
    import torch
    from accelerate import PartialState
    from accelerate.utils import broadcast

    return bool(broadcast(torch.tensor(word, device=PartialState().device)).item())


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
