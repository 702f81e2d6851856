"""Independent pieces of work, one after another or in several processes at once.

Where they are done is an executor's business: the same work gives the same wherever it is done.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from maeum import progress
from maeum.cache import cache_folder
from maeum.errors import JobError
from maeum.machine import memory_bytes, processors

Common = TypeVar("Common")
Item = TypeVar("Item")
Made = TypeVar("Made")

WORTH_A_PROCESS = 8
"""Pieces: a process takes as long to begin as half of so many small networks to be learnt."""

PROCESS_BYTES = 1.5e9
"""Memory that a process takes which trains on features, torch included; rather too much."""


class Executor(Protocol):
    """Where independent work is done."""

    def run(
        self,
        work: Callable[[Common, Item], Made],
        common: Common,
        items: Sequence[Item],
        done: Callable[[Item, Made], object],
    ) -> None:
        """Do the work of every item, in any order.

        Args:
            work: a function of a module, which another process can import.
            common: what all items need; handed over once to every process.
            items: what each piece is about.
            done: called here as each piece is through, with what came of it.

        Raises:
            JobError: what did the work was lost.
        """


@dataclass(frozen=True)
class Here:
    """In this process, in order."""

    def run(
        self,
        work: Callable[[Common, Item], Made],
        common: Common,
        items: Sequence[Item],
        done: Callable[[Item, Made], object],
    ) -> None:
        """See `Executor.run`."""
        for item in items:
            done(item, work(common, item))


@dataclass(frozen=True)
class Processes:
    """In several processes of this machine, each on one thread.

    Attributes:
        count: of processes; None: one for each processor, as far as there is work enough to repay
            its start, and memory.
    """

    count: int | None = None

    def run(
        self,
        work: Callable[[Common, Item], Made],
        common: Common,
        items: Sequence[Item],
        done: Callable[[Item, Made], object],
    ) -> None:
        """See `Executor.run`; tables of what is common lie in one file that all look into."""
        count = _worthwhile(len(items)) if self.count is None else self.count
        if count > 1:
            self._shared_out(min(count, len(items)), work, common, items, done)
        else:
            Here().run(work, common, items, done)

    @staticmethod
    def _shared_out(
        count: int,
        work: Callable[[Common, Item], Made],
        common: Common,
        items: Sequence[Item],
        done: Callable[[Item, Made], object],
    ) -> None:
        import joblib
        from joblib.externals.loky.process_executor import BrokenProcessPool

        with _kept(common) as path, joblib.parallel_config("loky", inner_max_num_threads=1):
            pool = joblib.Parallel(count, return_as="generator_unordered", batch_size=1)
            pieces = (joblib.delayed(_piece)(work, path, *item) for item in enumerate(items))
            try:
                for place, made in pool(pieces):
                    done(items[place], made)
            except BrokenProcessPool as error:
                raise JobError(
                    f"one of {count} processes was ended from outside, for want of memory, as "
                    "it may be; what was done is kept: type the same again, with fewer --jobs"
                ) from error


def _worthwhile(pieces: int) -> int:
    """How many processes so many pieces of work repay here."""
    return min(processors(), pieces // WORTH_A_PROCESS, int(memory_bytes() / PROCESS_BYTES))


@contextmanager
def _kept(common: object) -> Iterator[str]:
    """A file that holds it, for as long as the block lasts."""
    import joblib

    home = cache_folder() / "jobs"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "common"
        joblib.dump(common, path)
        yield str(path)


@lru_cache(maxsize=1)
def _opened(path: str) -> Any:  # noqa: ANN401 - what `_kept` was given
    """What this process has in common with the others; its tables are looked into, not read."""
    import joblib

    return joblib.load(path, mmap_mode="r")


def _piece(
    work: Callable[[Any, Any], Made], path: str, place: int, item: object
) -> tuple[int, Made]:
    """One piece, in a process that draws no bars."""
    with progress.unwatched():
        return place, work(_opened(path), item)
