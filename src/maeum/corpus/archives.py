"""Files inside zips, by paths that go through them: `TS1.zip/1.감정/1.기쁨/0001_PSB_000001.wav`.

People keep a corpus as the zips it came in. Nothing is unpacked: a zip's table of contents is read
once, and a member when it is asked for. Names are read as UTF-8 or cp949, whatever the zip says.
A file, or a zip, may lie elsewhere (`maeum.storage`): `indirect` finds both kinds.
"""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import IO, BinaryIO

from maeum.errors import ArchiveError, StorageError
from maeum.files import KOREAN_ENCODINGS
from maeum.storage import FarFile, address_of, far_file, is_far

SUFFIX = ".zip"
MOST_BYTES = 2**30
"""Of one member, unpacked; a recording of an utterance has less than a hundredth of it."""
MOST_OPEN = 64
"""Zips held open at once."""

_INSIDE = SUFFIX + os.sep
_MARKED_UTF8 = 0x800
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)
"""What zipfile raises where a zip is broken, encrypted, or packed in a way it does not know."""

NOT_TO_BE_HAD = (ArchiveError, StorageError)
"""What is raised where a file inside a zip, or elsewhere, cannot be had."""


@dataclass(frozen=True)
class Member:
    """A file inside a zip.

    Attributes:
        path: through the zip.
        archive: the zip.
        info: what the zip says of it.
    """

    path: Path
    archive: Archive
    info: zipfile.ZipInfo

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return self.info.file_size

    def head(self, count: int) -> bytes:
        """Its first bytes, the rest is not unpacked.

        Raises:
            ArchiveError: it cannot be unpacked.
        """
        return self._read(count)

    def open(self) -> BinaryIO:
        """Its content, in memory.

        Raises:
            ArchiveError: it cannot be unpacked, or is larger than `MOST_BYTES`.
        """
        if self.size > MOST_BYTES:
            raise ArchiveError(
                f"{self.path} holds {self.size:,} bytes, at most {MOST_BYTES:,} are read out of a "
                "zip; unpack it"
            )
        return io.BytesIO(self._read(self.size))

    def _read(self, count: int) -> bytes:
        try:
            with self.archive.zip.open(self.info) as file:
                return file.read(count)
        except _UNREADABLE as error:
            reason = str(error) or type(error).__name__
            raise ArchiveError(
                f"{self.path} cannot be read out of its zip ({reason}); copy the zip again"
            ) from error


class Archive:
    """A zip that stays open; read by several threads, by one process.

    Args:
        path: of the zip.

    Raises:
        ArchiveError: it is no zip, or broken.
        StorageError: it lies elsewhere and cannot be had.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        far = far_file(path)
        try:
            self.zip = zipfile.ZipFile(path if far is None else far.open_in_place())
        except _UNREADABLE as error:
            raise ArchiveError(f"{path} is no zip or a broken one ({error}); copy it") from error

    @cached_property
    def members(self) -> Mapping[str, zipfile.ZipInfo]:
        """Path inside the zip -> what is known of the file; folders left out."""
        return {
            _name(info).replace("\\", "/"): info  # as some zips of Windows have it
            for info in self.zip.infolist()
            if not info.is_dir()
        }


def _name(info: zipfile.ZipInfo) -> str:
    """The name in the encoding it was written in; zipfile takes what is unmarked for cp437.

    >>> unmarked = zipfile.ZipInfo("기쁨".encode("cp949").decode("cp437"))
    >>> _name(unmarked)
    '기쁨'
    """
    if info.flag_bits & _MARKED_UTF8 or info.filename.isascii():
        return info.filename
    raw = info.filename.encode("cp437")
    for encoding in KOREAN_ENCODINGS:
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def archive(path: Path) -> Archive:
    """The zip at a path, opened once.

    Raises:
        ArchiveError: it is no zip, or broken.
        StorageError: it lies elsewhere and cannot be had.
    """
    far = far_file(path)
    if far is not None:
        return _archive(path, far.size, far.changed_ns, os.getpid())
    try:
        status = path.stat()
    except OSError as error:
        raise ArchiveError(f"{path} cannot be opened ({error.strerror})") from error
    return _archive(path, status.st_size, status.st_mtime_ns, os.getpid())


@lru_cache(MOST_OPEN)
def _archive(path: Path, size: int, mtime_ns: int, process: int) -> Archive:
    return Archive(path)


def zip_of(path: Path) -> Path | None:
    """The zip a path goes through; None for a plain one."""
    whole = str(path)
    if _INSIDE not in whole.lower():
        return None
    place = whole.lower().find(_INSIDE)
    while place >= 0:
        home = Path(whole[: place + len(SUFFIX)])
        if _is_plain_file(home):
            return home
        place = whole.lower().find(_INSIDE, place + 1)
    return None


@lru_cache(maxsize=1024)
def _is_plain_file(path: Path) -> bool:
    return far_file(path) is not None if is_far(path) else path.is_file()


def indirect(path: Path) -> Member | FarFile | None:
    """The file a path leads to inside a zip, or elsewhere; None for a plain path.

    Raises:
        ArchiveError: the zip is broken, or has no such file.
        StorageError: storage does not answer, or has no such file.
    """
    home = zip_of(path)
    if home is None and is_far(path):
        return _far(path)
    if home is None:
        return None
    opened = archive(home)
    info = opened.members.get(str(path)[len(str(home)) + 1 :].replace(os.sep, "/"))
    if info is None:
        raise ArchiveError(f"{path} does not exist: {home.name} has no such file")
    return Member(path, opened, info)


def _far(path: Path) -> FarFile:
    found = far_file(path)
    if found is None:
        raise StorageError(f"{address_of(path)} does not exist; check the address")
    return found


def is_file(path: Path) -> bool:
    """Whether there is a file, plain, inside a zip, or elsewhere."""
    try:
        return path.is_file() or indirect(path) is not None
    except NOT_TO_BE_HAD:
        return False


def open_file(path: Path) -> IO[bytes]:
    """The file at a path, plain, inside a zip, or elsewhere.

    Raises:
        ArchiveError: the zip is broken, or has no such file.
        StorageError: it lies elsewhere and cannot be had.
        OSError: a plain file cannot be opened.
    """
    found = indirect(path)
    return path.open("rb") if found is None else found.open()
