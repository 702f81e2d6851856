"""How a make-believe AI-Hub 466 lies on disks: names, folders, zips and their encodings."""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf

from maeum.testing.corpora import RATE_HZ, made_speakers, made_voice

PUBLISHED_HZ = 48_000

FOLDERS = {
    "Happy": "1.기쁨",
    "Sad": "2.슬픔",
    "Angry": "3.분노",
    "Anxious": "4.불안",
    "Hurt": "5.상처",
    "Embarrassed": "6.당황",
    "Neutrality": "7.중립",
}
"""Emotion -> its folder, whose number is the E of file names."""

_INITIALS = "PSBLYTKWJHMN"
_ROOT = "015.감성 및 발화 스타일별 음성합성 데이터/01.데이터"


@dataclass(frozen=True)
class Place:
    """Where an utterance lies, whatever the disk makes of it.

    Attributes:
        speaker: number, from 1.
        number: within the speaker, from 1.
        emotion: of the folder and the name.
        part: train or validation.
        style_only: among the recordings of a speaking style, which have no emotion.
        copy: the second of two.
    """

    speaker: int
    number: int
    emotion: str
    part: str
    style_only: bool = False
    copy: bool = False

    @property
    def disk(self) -> int:
        """Index in `DISKS`."""
        return (self.speaker - 1) % len(DISKS)

    @property
    def initials(self) -> str:
        """Of the speaker, as `PSB`."""
        first, second = divmod(self.speaker, len(_INITIALS))
        return f"{_INITIALS[first]}{_INITIALS[second]}B"

    @property
    def again(self) -> Place:
        """The place of a copy."""
        return replace(self, copy=True)

    @property
    def code(self) -> str:
        """As `0001_G1A3E3S0C0_PSB`."""
        gender, emotion = 1 + self.speaker % 2, FOLDERS[self.emotion][0]
        style = int(self.style_only)
        return f"{self.speaker:04}_G{gender}A3E{emotion}S{style}C0_{self.initials}"

    @property
    def stem(self) -> str:
        """Name of the files, without an ending."""
        if DISKS[self.disk].short_names:
            return f"{self.initials}_{self.number:05}"
        return f"{self.code}_{self.number:06}"


class Sound(NamedTuple):
    """A recording: what its file begins with, and how many zero bytes follow."""

    head: bytes
    silence: int


def sound_of(
    emotion: str,
    text: str | None,
    duration_s: float,
    initials: str,
    dirt: str,
    rng: np.random.Generator,
) -> Sound:
    """The recording of an utterance.

    Args:
        emotion: whose manner a made voice has.
        text: what a made voice says; None: silence.
        duration_s: of the silence.
        initials: of the speaker, whose voice it is.
        dirt: what is wrong with it.
        rng: where chance comes from.
    """
    if dirt == "recording unreadable":
        return Sound("이것은 소리가 아닙니다.\n".encode() * 4, 0)
    if dirt == "recording empty":
        return Sound(_wav_header(0), 0)
    if text is None:
        size = 2 * round(duration_s * PUBLISHED_HZ)
        return Sound(_wav_header(size), size)
    person = made_speakers(2, seed=sum(initials.encode()))[rng.integers(2)]
    buffer = io.BytesIO()
    sf.write(buffer, made_voice(emotion, text, person, rng=rng), RATE_HZ, format="WAV")
    return Sound(buffer.getvalue(), 0)


def _wav_header(size: int) -> bytes:
    """Of a mono wav of 16 bits with so many bytes of samples."""
    form = struct.pack("<HHIIHH", 1, 1, PUBLISHED_HZ, 2 * PUBLISHED_HZ, 2, 16)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", len(chunks) + size) + chunks


@dataclass(frozen=True)
class Disk:
    """How the speakers of one disk lie there.

    Attributes:
        tree: of a label or a recording, below the root of the whole, with places for `part` (the
            official part), `kind` (labels or recordings), `disk` (`TL1`, `VS2`, …).
        groups: folder of the group of emotions, and of that of styles.
        parts: what the official parts are called.
        kinds: what the folders of labels and recordings are called.
        emotions: whether emotions have their Korean folders, or English ones without a number.
        short_names: files go by initials and five digits.
        numbered: whether the folder of a speaker names his number.
        zipped: how names are written in its zips; none: it is unpacked.
        decomposed: names as macOS writes them, Hangul in letters.
    """

    tree: str = _ROOT + "/{part}/{kind}/{disk}"
    groups: tuple[str, str] = ("1.감정", "2.발화스타일")
    parts: tuple[str, str] = ("1.Training", "2.Validation")
    kinds: tuple[str, str] = ("라벨링데이터", "원천데이터")
    english: bool = False
    short_names: bool = False
    numbered: bool = True
    zipped: str | None = None
    decomposed: bool = False

    @contextmanager
    def opened(self, folder: Path) -> Iterator[Writer]:
        """What writes to it."""
        with ExitStack() as zips:
            yield Writer(self, folder, zips)


DISKS = (
    Disk(),
    Disk(tree=_ROOT + "/{part}/{kind}/{disk}/{disk}"),
    Disk(tree="{part}/{kind}", parts=("Training", "Validation")),
    Disk(
        tree="aihub466/{part}/{kind}/{disk}",
        groups=("1.Emotion", "2.Style"),
        parts=("Training", "Validation"),
        kinds=("LabelingData", "SourceData"),
        english=True,
    ),
    Disk(zipped="utf-8"),
    Disk(zipped="cp949"),
    Disk(tree="short/{part}/{kind}/{disk}", short_names=True),
    Disk(tree="mac/{part}/{kind}/{disk}", short_names=True, numbered=False, decomposed=True),
)
"""One manner of lying about each."""


class Writer:
    """Writes labels and recordings to a disk.

    Args:
        disk: whose manner they lie in.
        folder: of the whole tree.
        zips: closes what is opened.
    """

    def __init__(self, disk: Disk, folder: Path, zips: ExitStack) -> None:
        self._disk = disk
        self._folder = folder
        self._zips = zips
        self._open: dict[Path, zipfile.ZipFile] = {}
        self._made: set[Path] = set()

    def write_label(self, place: Place, data: bytes) -> None:
        """Write a label file."""
        self._write(place, 0, ".json", Sound(data, 0))

    def write_recording(self, place: Place, sound: Sound) -> None:
        """Write a recording."""
        self._write(place, 1, ".wav", sound)

    def _write(self, place: Place, kind: int, ending: str, sound: Sound) -> None:
        home, inner = self._home(place, kind), f"{self._inner(place)}{ending}"
        if self._disk.zipped:
            self._zip(home).writestr(
                _MemberName(inner, self._disk.zipped), sound.head + bytes(sound.silence)
            )
            return
        name = f"{home}/{inner}"
        if self._disk.decomposed:
            name = unicodedata.normalize("NFD", name)
        self._write_file(self._folder / name, sound)

    def _write_file(self, path: Path, sound: Sound) -> None:
        if path.parent not in self._made:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(path.parent)
        with path.open("wb") as file:
            file.write(sound.head)
            if sound.silence:
                file.truncate(len(sound.head) + sound.silence)  # takes no room on the disk

    def _home(self, place: Place, kind: int) -> str:
        """Path of the tree of labels or recordings; of a zip without its ending."""
        held_out = place.part == "validation"
        letter = "LS"[kind]
        disk = f"{'V' if held_out else 'T'}{letter}{place.disk + 1}"
        return self._disk.tree.format(
            part=self._disk.parts[held_out], kind=self._disk.kinds[kind], disk=disk
        )

    def _inner(self, place: Place) -> str:
        """Path below that tree, without an ending."""
        group = self._disk.groups[place.style_only]
        emotion = place.emotion if self._disk.english else FOLDERS[place.emotion]
        if place.style_only:
            emotion = "1.구연체"
        speaker = place.code if self._disk.numbered else place.initials
        copied = "/copy" if place.copy else ""
        return f"{group}/{emotion}/{speaker}{copied}/{place.stem}"

    def _zip(self, home: str) -> zipfile.ZipFile:
        path = self._folder / f"{home}.zip"
        if path not in self._open:
            path.parent.mkdir(parents=True, exist_ok=True)
            opened = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
            self._open[path] = self._zips.enter_context(opened)
        return self._open[path]


class _MemberName(zipfile.ZipInfo):
    """A member whose name is written in an encoding, as Korean Windows does, without a mark."""

    def __init__(self, name: str, encoding: str) -> None:
        super().__init__(name)
        self.compress_type = zipfile.ZIP_DEFLATED
        self._encoding = encoding

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        marked = 0x800 if self._encoding == "utf-8" else 0
        return self.filename.encode(self._encoding), self.flag_bits | marked
