"""What processes of a cluster have to say, told by the one that people look at."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOOK_EVERY_S = 1.0

logger = logging.getLogger("maeum")


class Written(logging.Handler):
    """Notes as lines of a file: level, sentence."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.INFO)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        """Add one."""
        line = " ".join(record.getMessage().split())
        with suppress(OSError), self._path.open("a", encoding="utf-8") as file:
            file.write(f"{record.levelno} {line}\n")


def write_notes(path: Path) -> None:
    """Write what maeum logs from now on to a file, and nowhere else."""
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [Written(path)]


@contextmanager
def followed(path: Path) -> Iterator[None]:
    """A block in which notes are told as they come to be in a file."""
    over = threading.Event()
    follower = threading.Thread(target=_follow, args=(path, over), daemon=True)
    follower.start()
    try:
        yield
    finally:
        over.set()
        follower.join()


def _follow(path: Path, over: threading.Event) -> None:
    told = 0
    while True:
        last = over.wait(LOOK_EVERY_S)
        with suppress(OSError):
            whole = path.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
            for line in whole[told:]:
                level, _, sentence = line.partition(" ")
                logger.log(int(level), "%s", sentence)
            told = max(told, len(whole))
        if last:
            return
