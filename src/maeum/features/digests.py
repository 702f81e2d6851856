"""Hashes of recordings, so that a recording that was read once is known without being read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple, Protocol, runtime_checkable

from maeum.corpus.archives import NOT_TO_BE_HAD, Member, indirect, open_file
from maeum.features.database import Database, database
from maeum.storage import absolute, is_far

FORMAT = 1

SETTLED_S = 2.0
"""A file changed less than this ago may change again and keep its time: it is read once more.

Storage elsewhere tells by a hash of the content, which does not."""

COMMIT_EVERY = 4096
"""Hashes; reading so many again costs seconds."""

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS recordings (path BLOB PRIMARY KEY, size INTEGER, "
    "mtime_ns INTEGER, inode INTEGER, digest BLOB) WITHOUT ROWID",
)


class Sign(NamedTuple):
    """What changes when a file does, as the system tells without reading it."""

    size: int
    mtime_ns: int
    inode: int


class Known(NamedTuple):
    """A file's content, and the sign it had then."""

    sign: Sign
    digest: bytes


def sign_of(path: Path) -> Sign | None:
    """The sign of a file, that of its zip and its place there for one inside; None for none."""
    try:
        found = indirect(path)
    except NOT_TO_BE_HAD:
        return None
    if isinstance(found, Member):
        around = sign_of(found.archive.path)
        return around and Sign(found.size, around.mtime_ns, found.info.header_offset)
    if found is not None:
        return Sign(found.size, found.changed_ns, found.tag)
    try:
        status = path.stat()
    except (OSError, ValueError):
        return None
    if not S_ISREG(status.st_mode):
        return None
    return Sign(status.st_size, status.st_mtime_ns, status.st_ino % 2**63)


def known(path: Path, before: Known | None) -> Known | None:
    """A file's content: as it was known before, if the file has not changed, else read now.

    None where there is no file, or it cannot be read.
    """
    sign = sign_of(path)
    if sign is None or (before is not None and before.sign == sign):
        return before if sign else None
    try:
        with open_file(path) as file:
            return Known(sign, file_digest(file, "sha256").digest())  # type: ignore[arg-type]
    except (OSError, *NOT_TO_BE_HAD):
        return None


@dataclass(frozen=True)
class Digests:
    """The table of what has been read.

    Attributes:
        path: of the file it is in.
    """

    path: Path

    @contextmanager
    def opened(self) -> Iterator[OpenDigests]:
        """The table, open; what was put is committed when the block ends, well or not."""
        with database(self.path, _SCHEMA, FORMAT) as tables:
            opened = OpenDigests(tables)
            try:
                yield opened
            finally:
                opened.commit()


@runtime_checkable
class Remembering(Protocol):
    """What is known of recordings from before, and what is found now."""

    def before(self, paths: Sequence[Path]) -> dict[Path, Known]:
        """What is known of some files."""

    def put(self, found: Mapping[Path, Known]) -> None:
        """Keep what was read."""


class OpenDigests:
    """The table while it is open, in one thread."""

    def __init__(self, tables: Database) -> None:
        self._tables = tables
        self._waiting: list[tuple[bytes, int, int, int, bytes]] = []

    def before(self, paths: Sequence[Path]) -> dict[Path, Known]:
        """What is known of some files from before; they may have changed since."""
        by_name = {_name(path): path for path in paths}
        found = self._tables.rows("*", "recordings", "path", list(by_name))
        return {by_name[name]: Known(Sign(*sign), digest) for name, *sign, digest in found}

    def put(self, found: Mapping[Path, Known]) -> None:
        """Keep what was read."""
        now_s = time.time()
        self._waiting += [
            (_name(path), *one.sign, one.digest)
            for path, one in found.items()
            if is_far(path) or now_s - one.sign.mtime_ns / 1e9 > SETTLED_S
        ]
        if len(self._waiting) >= COMMIT_EVERY:
            self.commit()

    def commit(self) -> None:
        """Write what was put."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._tables.write("INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?, ?)", waiting)


def _name(path: Path) -> bytes:
    return os.fsencode(absolute(path))
