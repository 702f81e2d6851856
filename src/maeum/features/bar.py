"""A progress bar for encoding, on standard error, where a person is watching."""

from __future__ import annotations

import sys
from types import TracebackType

from maeum.features.features import Count


class EncodingBar:
    """How much is done, what of it was found, the time left; nothing where no one is watching.

    Args:
        label: what is done.
        total: utterances there are.
    """

    def __init__(self, label: str, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as TimeLeft

        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[found]:,} found"),
            TimeLeft(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task = self._progress.add_task(label, total=total, found=0)

    def __enter__(self) -> EncodingBar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def show(self, count: Count) -> None:
        """Move it."""
        if not self._progress.disable:
            self._progress.update(self._task, completed=sum(count), found=count.found)
