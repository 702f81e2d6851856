"""Single files that lie elsewhere, read into memory."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, cast

from maeum.errors import StorageError
from maeum.storage.addresses import address_of, blamed_on, is_far, reached

MOST_BYTES = 2**30
"""Of one file read into memory."""

ASKED_EVERY_S = 60
"""What storage says of a file is believed for so long."""

MOST_REMEMBERED = 2**16
"""Files whose sizes are remembered."""

PIECE_BYTES = 2**20
"""Fetched at once where a file is read here and there."""

_CHANGED = ("LastModified", "last_modified", "updated", "mtime", "created")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")


@dataclass(frozen=True)
class FarFile:
    """A file elsewhere, and what storage says of it.

    Attributes:
        path: its address.
        size: bytes.
        changed_ns: when it was written, in nanoseconds since 1970; 0: storage does not say.
        tag: changes when it does.
    """

    path: Path
    size: int
    changed_ns: int
    tag: int

    @classmethod
    def told(cls, path: Path, info: Mapping[str, Any]) -> FarFile:
        """From what fsspec says of a file."""
        changed_ns = _nanoseconds(next((info[name] for name in _CHANGED if info.get(name)), 0))
        size = int(info["size"] or 0)
        stated = next((str(info[name]) for name in _TAGS if info.get(name)), str(changed_ns))
        digest = blake2b(f"{stated.strip(chr(34))} {size}".encode(), digest_size=8).digest()
        return cls(path, size, changed_ns, int.from_bytes(digest, "big") >> 1)

    def head(self, count: int) -> bytes:
        """Its first bytes, the rest is not fetched.

        Raises:
            StorageError: it cannot be read.
        """
        return self._fetched(min(count, self.size))

    def open(self) -> BinaryIO:
        """Its content, in memory.

        Raises:
            StorageError: it cannot be read, or is larger than `MOST_BYTES`.
        """
        if self.size > MOST_BYTES:
            raise StorageError(
                f"{address_of(self.path)} holds {self.size:,} bytes, at most {MOST_BYTES:,} are "
                "read from elsewhere; copy it here"
            )
        return io.BytesIO(self._fetched(None))

    def open_in_place(self) -> BinaryIO:
        """The file, of which what is asked for is fetched; for zips.

        Raises:
            StorageError: it cannot be read.
        """
        address = address_of(self.path)
        with blamed_on(address):
            return cast(BinaryIO, reached(address).open(address, "rb", block_size=PIECE_BYTES))

    def _fetched(self, end: int | None) -> bytes:
        address = address_of(self.path)
        try:
            with blamed_on(address):
                return bytes(reached(address).cat_file(address, start=0, end=end))
        except FileNotFoundError as error:
            raise StorageError(f"{address} is not there any more; look again") from error


def far_file(path: Path) -> FarFile | None:
    """The file at a far path, as `ASKED_EVERY_S` ago; None: there is none, or it is not far.

    Raises:
        StorageError: storage does not answer.
    """
    if not is_far(path):
        return None
    return _remembered(path, int(time.monotonic() // ASKED_EVERY_S))


@lru_cache(MOST_REMEMBERED)
def _remembered(path: Path, _minute: int) -> FarFile | None:
    return file_now(path)


def file_now(path: Path) -> FarFile | None:
    """The file at a far path as storage says now; None where there is none.

    Raises:
        StorageError: storage does not answer.
    """
    address = address_of(path)
    try:
        with blamed_on(address):
            info = reached(address).info(address, refresh=True)
    except FileNotFoundError:
        return None
    return FarFile.told(path, info) if info["type"] == "file" else None


def files_below(folder: Path) -> Iterator[tuple[str, FarFile]]:
    """Every file below a far folder, by its path from there, in order.

    Raises:
        StorageError: storage does not answer, or has a name that leads out of the folder.
    """
    address = address_of(folder)
    storage = reached(address)
    with blamed_on(address):
        root = storage._strip_protocol(address)
        storage.invalidate_cache(address)
        found = storage.find(address, detail=True)
    for name, info in sorted(found.items()):
        below = name[len(root) :].strip("/")
        if ".." in Path(below).parts:
            raise StorageError(f"{address} holds {below!r}, which leads out of it; rename it")
        if below and info["type"] == "file":
            yield below, FarFile.told(folder / below, info)


def _nanoseconds(moment: datetime | float | str) -> int:
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    seconds = moment.timestamp() if isinstance(moment, datetime) else float(moment)
    return round(seconds * 1e9)
