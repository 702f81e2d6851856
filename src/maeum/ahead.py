"""Work done ahead of where it is needed, in other threads, and never far ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from threading import local
from typing import TypeVar

from maeum.machine import processors

Item = TypeVar("Item")
Made = TypeVar("Made")


THREADS = processors()

_HERE = local()


def stay_on_one_core() -> None:
    """Say of the thread that calls that others compute beside it, each on a core of its own."""
    _HERE.on_one_core = True


def on_one_core() -> bool:
    """Whether the thread that calls was told to `stay_on_one_core`."""
    return getattr(_HERE, "on_one_core", False)


@contextmanager
def workers(
    count: int = THREADS, *, begin: Callable[[], object] | None = None
) -> Iterator[ThreadPoolExecutor]:
    """Threads; what they have not begun when the block ends is dropped.

    Args:
        count: of threads.
        begin: what each does first.
    """
    pool = ThreadPoolExecutor(count, initializer=begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def ahead(
    pool: ThreadPoolExecutor, work: Callable[[Item], Made], items: Iterable[Item], count: int
) -> Iterator[Made]:
    """What comes of the items, in order, with at most `count` begun and not yet taken."""
    waiting: deque[Future[Made]] = deque()
    for item in items:
        waiting.append(pool.submit(work, item))
        if len(waiting) >= count:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items, some at a time.

    >>> list(batches("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
