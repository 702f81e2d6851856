"""Progress of long work, on standard error, only where a person is watching."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeAlias, TypeVar

if TYPE_CHECKING:
    from rich.progress import Progress

Item = TypeVar("Item")


Show: TypeAlias = Callable[[int, str], object]
"""Moves a bar to how many are done, with a note beside it."""


_unwatched = ContextVar("_unwatched", default=False)


def is_watched() -> bool:
    """Whether a person sees what is drawn; of several processes torchrun starts, one draws."""
    first = os.environ.get("RANK", "0") == "0"
    return sys.stderr.isatty() and first and not _unwatched.get()


@contextmanager
def unwatched() -> Iterator[None]:
    """A block that draws nothing: others work beside it, and one bar tells of them all."""
    before = _unwatched.set(True)
    try:
        yield
    finally:
        _unwatched.reset(before)


def track(items: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
    """Yield the items unchanged and draw a bar with count and time left.

    Args:
        items: what is worked through.
        total: how many there are.
        label: a word or two, as `reading audio`.

    Nothing is drawn when standard error is not a terminal, so logs and pipes stay clean.
    """
    if not is_watched():
        yield from items
        return
    with _drawn() as progress:
        task = progress.add_task(label, total=total, note="")
        yield from progress.track(items, total=total, task_id=task)


@contextmanager
def bar(*, total: int, label: str) -> Iterator[Show]:
    """A bar like that of `track`, moved by hand."""
    if not is_watched():
        yield lambda done, note: None
        return
    with _drawn() as progress:
        task = progress.add_task(label, total=total, note="")
        yield lambda done, note: progress.update(task, completed=done, note=note)


def _drawn() -> Progress:
    """What bars are drawn in; nothing of them stays."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
