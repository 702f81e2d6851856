"""Progress of long work, on standard error, only where a person is watching."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def track(items: Iterable[Item], *, total: int, label: str) -> Iterator[Item]:
    """Yield the items unchanged and draw a bar with count, rate and time left.

    Args:
        items: what is worked through.
        total: how many there are.
        label: a word or two, as `reading audio`.

    Nothing is drawn when standard error is not a terminal, so logs and pipes stay clean.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track as draw

    yield from draw(
        items, description=label, total=total, console=Console(stderr=True), transient=True
    )
