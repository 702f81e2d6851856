"""The files of AI-Hub 466: found anywhere below a folder or inside zips, joined by stem."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from maeum.corpus.archives import SUFFIX as ZIP
from maeum.corpus.archives import archive
from maeum.corpus.manifest import Rejection
from maeum.corpus.readers.aihub466_names import facts_of_folder, names_its_emotion
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


@dataclass
class Found:
    """All that lies below a source, in order of folder and name.

    Attributes:
        labels: .json.
        recordings: .wav.
    """

    labels: list[File] = field(default_factory=list)
    recordings: list[File] = field(default_factory=list)


class Pair(NamedTuple):
    """A label with its recording.

    Attributes:
        id: of the utterance.
        label: the label file.
        recording: None where there is none.
    """

    id: str
    label: File
    recording: File | None

    @property
    def sign(self) -> tuple[object, ...]:
        """What changes when one of the files does."""
        return (self.id, *self.label, *(self.recording or ()))


@dataclass(frozen=True)
class Paired:
    """What belongs together, and what is left.

    Attributes:
        pairs: a label each, in order of folder and name.
        rejected: recordings without a label, and utterances that lie there twice.
    """

    pairs: list[Pair]
    rejected: list[Rejection]


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
    stems = {file.stem for file in packed}
    unpacked = {_place(file) for file in plain if file.stem in stems}
    return sorted(plain + [file for file in packed if _place(file) not in unpacked])


class _Home(NamedTuple):
    """What tells files of one stem apart where stems are short; nothing, where they are not."""

    emotion: str | None
    speaker: str | None


def _place(file: File) -> tuple[str, _Home]:
    return file.stem, _home(file)


def _home(file: File) -> _Home:
    if names_its_emotion(file.stem):
        return _Home(None, None)
    facts = facts_of_folder(file.folder)
    return _Home(facts.folder_emotion or facts.code_emotion, facts.speaker_number)


def pair_up(found: Found) -> Paired:
    """Join labels and recordings by stem, whatever their folders are called.

    Several utterances may share a short stem (`PSB_00001`), one of each emotion: then the folders
    tell them apart. What is there twice all the same counts once.
    """
    labels, recordings = _by_stem(found.labels), _by_stem(found.recordings)
    pairs: list[Pair] = []
    rejected: list[Rejection] = []
    for stem, own in labels.items():
        heard = recordings.pop(stem, [])
        if len(own) == 1 and len(heard) <= 1:
            pairs.append(Pair(stem, own[0], heard[0] if heard else None))
            continue
        joined, left = _joined(stem, own, heard)
        pairs += joined
        rejected += left
    for left_over in recordings.values():
        rejected += [_rejected(file, "label missing") for file in left_over]
    return Paired(sorted(pairs, key=lambda pair: pair.label), rejected)


def _by_stem(files: Sequence[File]) -> dict[str, list[File]]:
    grouped: dict[str, list[File]] = defaultdict(list)
    for file in files:
        grouped[file.stem].append(file)
    return grouped


def _joined(
    stem: str, labels: list[File], recordings: list[File]
) -> tuple[list[Pair], list[Rejection]]:
    """Pairs of one stem, and what is there too often."""
    homes, heard = _grouped(labels), _grouped(recordings)
    loose = [file for home, own in heard.items() if home not in homes for file in own]
    silent = [home for home in homes if home not in heard]
    if len(silent) == len(loose) == 1:
        heard[silent[0]] = [loose.pop()]
    pairs: list[Pair] = []
    rejected: list[Rejection] = []
    for home, own in homes.items():
        sounds = heard.get(home, [])
        name = stem if len(homes) == 1 else "-".join([stem, *(part for part in home if part)])
        pairs.append(Pair(name, own[0], sounds[0] if sounds else None))
        rejected += [_rejected(file, "id stands twice", own[0]) for file in own[1:]]
        rejected += [_rejected(f, "id stands twice", sounds[0]) for f in sounds[max(1, len(own)) :]]
    rejected += [_rejected(file, "label missing") for file in loose]
    return pairs, rejected


def _grouped(files: Sequence[File]) -> dict[_Home, list[File]]:
    grouped: dict[_Home, list[File]] = defaultdict(list)
    for file in files:
        grouped[_home(file)].append(file)
    return dict(grouped)


_DETAILS = {
    "label missing": "{path} has no label called {stem}.json",
    "id stands twice": "{path} is there as {first} too",
}


def _rejected(file: File, reason: str, first: File | None = None) -> Rejection:
    other = first.path if first else ""
    detail = _DETAILS[reason].format(path=file.path, stem=file.stem, first=other)
    return Rejection(file.stem, reason, detail, file.path)
