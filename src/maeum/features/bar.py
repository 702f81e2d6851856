"""A progress bar for encoding, on standard error, where a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from maeum.features.features import Count

Show: TypeAlias = Callable[[Count], object]
"""Moves the bar."""


@contextmanager
def encoding_bar(label: str, total: int) -> Iterator[Show]:
    """How much is done, what of it was found, and the time left.

    Args:
        label: what is done.
        total: utterances there are.
    """
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    found = TextColumn("{task.fields[found]:,} found")
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), found, TimeLeft()
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task(label, total=total, found=0)
        yield lambda count: drawn.update(task, completed=sum(count), found=count.found)
