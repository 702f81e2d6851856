"""The files of AI-Hub 466: found anywhere below a folder or inside zips."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from maeum.corpus.archives import SUFFIX as ZIP
from maeum.corpus.archives import archive
from maeum.corpus.readers.aihub466_names import Home, bare, home_of
from maeum.corpus.readers.trees import check_name

LABEL, RECORDING = ".json", ".wav"


class File(NamedTuple):
    """A label or a recording.

    Attributes:
        folder: below the source, with `/`; of a file in a zip it goes through the zip.
        stem: its name without the ending.
        ending: as `.json`.
        size: bytes.
        mtime_ns: of the file, or of its zip.
    """

    folder: str
    stem: str
    ending: str
    size: int
    mtime_ns: int

    @property
    def path(self) -> str:
        """Below the source, with `/`."""
        name = self.stem + self.ending
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def key(self) -> str:
        """Equal for a label and its recording, and for copies of either."""
        return bare(self.stem).casefold()

    @property
    def home(self) -> Home:
        """What tells it from others of its name."""
        return home_of(self.folder, self.stem)


@dataclass
class Found:
    """All that lies below a source, in order of folder and name.

    Attributes:
        labels: .json.
        recordings: .wav.
    """

    labels: list[File] = field(default_factory=list)
    recordings: list[File] = field(default_factory=list)


def look_through(source: Path, *, zips: bool) -> Found:
    """Every label and recording at or below a source; links to folders are followed once.

    Raises:
        ArchiveError: a zip is broken.
        CorpusError: a name is no text.
    """
    plain, packed = Found(), Found()
    if source.is_file():
        _look_into_zip(packed, source.parent, source.name)
    else:
        names = _walk(source, "", plain, set())
        for name in sorted(names) if zips else ():
            _look_into_zip(packed, source, name)
    return Found(
        _unpacked_first(plain.labels, packed.labels),
        _unpacked_first(plain.recordings, packed.recordings),
    )


def _walk(root: Path, folder: str, found: Found, seen: set[tuple[int, int]]) -> list[str]:
    """Fill what is found below a folder; the zips met."""
    here = os.stat(root / folder)
    if (here.st_dev, here.st_ino) in seen:
        return []
    seen.add((here.st_dev, here.st_ino))
    zips: list[str] = []
    folders: list[str] = []
    for entry in _visible(root, folder):
        below = f"{folder}/{entry.name}" if folder else entry.name
        if entry.is_dir():
            folders.append(below)
        elif entry.name[-4:].lower() == ZIP:
            zips.append(below)
        elif (files := _kind(found, entry.name)) is not None:
            status = entry.stat()
            files.append(_file(folder, entry.name, status.st_size, status.st_mtime_ns))
    for below in sorted(folders):
        zips += _walk(root, below, found, seen)
    return zips


def _visible(root: Path, folder: str) -> Iterator[os.DirEntry[str]]:
    """What a folder holds that is not hidden; every name is one that can be written down."""
    with os.scandir(root / folder) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                if not entry.name.isascii():
                    check_name(Path(entry.path), root)
                yield entry


def _kind(found: Found, name: str) -> list[File] | None:
    """Where a file of this name goes; None where it is neither label nor recording."""
    ending = name[-5:].lower()
    if ending == LABEL:
        return found.labels
    return found.recordings if ending.endswith(RECORDING) else None


def _look_into_zip(found: Found, root: Path, name: str) -> None:
    mtime_ns = os.stat(root / name).st_mtime_ns
    for member, info in archive(root / name).members.items():
        folder, _, file = f"{name}/{member}".rpartition("/")
        files = _kind(found, file)
        if files is not None and not file.startswith(".") and "__MACOSX" not in member:
            files.append(_file(folder, file, info.file_size, mtime_ns))


def _file(folder: str, name: str, size: int, mtime_ns: int) -> File:
    stem, dot, ending = name.rpartition(".")
    return File(folder, stem, dot + ending, size, mtime_ns)


def _unpacked_first(plain: list[File], packed: list[File]) -> list[File]:
    """All files in order; one in a zip is left out where it lies unpacked, being the same."""
    names = {file.key for file in packed}
    unpacked = {(file.key, file.home) for file in plain if file.key in names}
    return sorted(plain + [f for f in packed if (f.key, f.home) not in unpacked])
