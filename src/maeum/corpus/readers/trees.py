"""What lies below a folder: all of it for a reader, a bounded first look for a guess."""

from __future__ import annotations

import os
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from maeum.corpus.archives import SUFFIX as ZIP
from maeum.corpus.archives import archive
from maeum.corpus.audio import AUDIO_SUFFIXES
from maeum.errors import ArchiveError, CorpusError

MOST_LOOKED_AT = 20_000
"""Files and folders a first look takes in, upper ones first: a moment's work on any disk."""
MOST_PER_FOLDER = 2_000
"""Of one folder or zip, so that a folder of a million recordings hides none of the others."""
MOST_ZIPS = 4
"""Zips a first look opens; the table of contents of a large one takes most of a second."""


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder in order of name; what systems hide (`._x.wav`) is passed over.

    Raises:
        CorpusError: a name is no text, as `unzip` leaves Korean names.
        OSError: a folder may not be read.
    """
    for place, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not _is_hidden(name))
        for name in sorted(names):
            if not _is_hidden(name):
                path = Path(place, name)
                check_name(path, folder)
                yield path


def recordings_below(folder: Path) -> dict[str, list[Path]]:
    """Stem -> paths of the recordings of that name, relative to the folder.

    Zips are looked into, and paths go through them; what lies unpacked as well is taken from there
    alone.

    Raises:
        ArchiveError: a zip is broken.
    """
    files = list(files_below(folder))
    zips = (path for path in files if path.suffix.lower() == ZIP)
    packed = (path / name for path in zips for name in archive(path).members)
    unpacked = _by_stem(files, folder)
    return _by_stem(packed, folder) | unpacked


def _by_stem(paths: Iterable[Path], folder: Path) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in paths:
        below = path.relative_to(folder)
        if path.suffix.lower() in AUDIO_SUFFIXES and not any(map(_is_hidden, below.parts)):
            found.setdefault(composed(path.stem), []).append(below)
    return found


def glance(source: Path) -> list[Path]:
    """Files and folders at and below a source, upper ones first, `MOST_LOOKED_AT` at most.

    Folders that may not be read count as empty; a reader that meets one says so.
    """
    seen, folders = [source], deque([source] if source.is_dir() else [])
    while folders and len(seen) < MOST_LOOKED_AT:
        visible = _entries(folders.popleft())
        seen += [Path(entry.path) for entry in visible]
        folders += [Path(entry.path) for entry in visible if entry.is_dir(follow_symlinks=False)]
    return seen[:MOST_LOOKED_AT]


def names_at(source: Path) -> list[str]:
    """Names of what `glance` sees, and of files in the first `MOST_ZIPS` zips among it."""
    seen = glance(source)
    zips = islice((path for path in seen if path.suffix.lower() == ZIP), MOST_ZIPS)
    packed = (Path(member).name for path in zips for member in _members(path))
    return [*(path.name for path in seen), *packed]


def _members(path: Path) -> Iterable[str]:
    try:
        return islice(archive(path).members, MOST_PER_FOLDER)
    except ArchiveError:
        return ()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(islice(entries, MOST_PER_FOLDER), key=lambda entry: entry.name)
    except OSError:
        return []
    return [entry for entry in found if not _is_hidden(entry.name)]


def composed(name: str) -> str:
    """A name with composed Hangul, as everything but macOS writes it."""
    return unicodedata.normalize("NFC", name)


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"


def check_name(path: Path, folder: Path) -> None:
    """See that the path of a file below a folder can be written down.

    Raises:
        CorpusError: a name in it is no text.
    """
    name = str(path.relative_to(folder))
    if not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
        raise CorpusError(
            f"{name!a} below {folder} is a name in another encoding than UTF-8, as unzip "
            "leaves Korean names; rename it, or unpack again with `unzip -O cp949`"
        )


def _raise(error: OSError) -> None:
    raise error
