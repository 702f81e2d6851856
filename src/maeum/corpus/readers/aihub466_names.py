"""What folders and file names of AI-Hub 466 tell; none of it is sure.

…/1.Training/라벨링데이터/TL1/1.감정/3.분노/0001_G1A3E3S0C0_PSB/0001_G1A3E3S0C0_PSB_000001.json
…/Training/LabelingData/1.Emotion/Angry/PSB_00001.json
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from maeum.emotions import PAPER

EMOTION_OF_CODE = {
    "1": "Happy",
    "2": "Sad",
    "3": "Angry",
    "4": "Anxious",
    "5": "Hurt",
    "6": "Embarrassed",
    "7": "Neutrality",
}
"""The E of a file name is the number of the emotion's folder."""

EMOTION_IN_A_STYLE = "4"
"""The G of a file name where it can only be the group 4.감정X발화스타일; 1 and 2 may be genders."""

_CODE = re.compile(
    r"(?P<number>\d+)_G(?P<group>\d+)A\d+E(?P<emotion>\d)(?:S(?P<style>\d+))?(?:C\d+)?"
    r"_(?P<initials>[A-Z][A-Z0-9]*)(?:_\d+)?",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"(?P<number>\d+)_(?P<initials>[A-Za-z][A-Za-z0-9]*)(?:_\d+)?")
_SHORT = re.compile(r"(?P<initials>[A-Za-z][A-Za-z0-9]*)_\d+")
_COPY = re.compile(r"(?: - (?:복사본|copy))?(?: ?\(\d+\))?$", re.IGNORECASE)
_INITIALS = re.compile("[A-Z]{2,4}")
_NUMBER_BEFORE = re.compile(r"^\d+\s*[._]?\s*")
_DISK = re.compile(r"(?P<part>[TV])[SL]\d*(\.zip)?", re.IGNORECASE)
_STYLE_FOLDER = re.compile(r"발화\s*스타일|(speech|speaking|utterance)?\s*styles?", re.IGNORECASE)
_PARTS = {
    "training": "train",
    "train": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "t": "train",
    "v": "validation",
}


@dataclass(frozen=True)
class FileFacts:
    """What a file's name and folders say.

    Attributes:
        speaker_number: as `0001`.
        initials: of the speaker, as `PSB`.
        code_emotion: by the E of the name.
        styled: whether the name has a style, and may have it without an emotion.
        folder_emotion: by the folder of an emotion.
        style_folder: the style behind the emotion of that folder, as `구연체` of `상처X구연체`.
        in_style_folder: whether it lies among the recordings of speaking styles.
        part: the official train or validation.
    """

    speaker_number: str | None = None
    initials: str | None = None
    code_emotion: str | None = None
    styled: bool = False
    folder_emotion: str | None = None
    style_folder: str | None = None
    in_style_folder: bool = False
    part: str | None = None


def facts_of_file(folder: str, stem: str) -> FileFacts:
    """What is said of a file.

    Args:
        folder: its path below the source, with `/`.
        stem: its name without the ending.

    >>> facts_of_file("1.Training/1.감정/3.분노", "0001_G1A3E3S0C0_PSB_000001").code_emotion
    'Angry'
    >>> facts_of_file("Training/4.감정X발화스타일/9.상처X구연체", "PSB_00001").folder_emotion
    'Hurt'
    """
    above = facts_of_folder(folder)
    named = next(filter(None, (k.fullmatch(bare(stem)) for k in (_CODE, _NUMBERED, _SHORT))), None)
    told = named.groupdict() if named else {}
    return FileFacts(
        speaker_number=told.get("number") or above.speaker_number,
        initials=told.get("initials") or above.initials,
        code_emotion=EMOTION_OF_CODE.get(told.get("emotion") or "") or above.code_emotion,
        styled=_is_styled(told) or above.styled,
        folder_emotion=above.folder_emotion,
        style_folder=above.style_folder,
        in_style_folder=above.in_style_folder,
        part=above.part,
    )


@lru_cache(maxsize=65_536)
def facts_of_folder(folder: str) -> FileFacts:
    """What is said of all files in a folder; the innermost folder that says something counts."""
    names = [unicodedata.normalize("NFC", name).strip() for name in folder.split("/")]
    inner = list(reversed(names))
    coded = next(filter(None, map(_speakers_folder, inner)), None)
    told = coded.groupdict() if coded else {}
    initials = told.get("initials") or next(filter(_INITIALS.fullmatch, inner[:2]), None)
    plain = [_NUMBER_BEFORE.sub("", name) for name in inner]
    acted = next(filter(_emotion, plain), None)
    return FileFacts(
        speaker_number=told.get("number"),
        initials=initials,
        code_emotion=EMOTION_OF_CODE.get(told.get("emotion") or ""),
        styled=_is_styled(told),
        folder_emotion=_emotion(acted or ""),
        style_folder=_parts_of(acted or "")[1] or None,
        in_style_folder=any(_STYLE_FOLDER.fullmatch(name) for name in plain),
        part=next(filter(None, map(_part, inner)), None),
    )


def bare(stem: str) -> str:
    """The name of a file without what copying adds to it.

    >>> bare("PSB_00001 - 복사본 (2)"), bare("PSB_00001(1)"), bare("PSB_00001")
    ('PSB_00001', 'PSB_00001', 'PSB_00001')
    """
    return stem if stem[-1:].isdigit() else _COPY.sub("", unicodedata.normalize("NFC", stem))


class Home(NamedTuple):
    """What tells files of one short name apart; nothing of files that go by their whole code.

    Attributes:
        emotion: of its folder.
        style: of its folder, beside the emotion.
        speaker: the number of the speaker's folder.
        part: the official part.
    """

    emotion: str | None
    style: str | None
    speaker: str | None
    part: str | None


def home_of(folder: str, stem: str) -> Home:
    """Where files of one name belong, as far as their folders tell.

    >>> home_of("1.Training/1.감정/3.분노/0001_PSB", "PSB_00001")
    Home(emotion='Angry', style=None, speaker='0001', part='train')
    >>> home_of("1.Training/1.감정/3.분노", "0001_G1A3E3S0C0_PSB_000001")
    Home(emotion=None, style=None, speaker=None, part=None)
    """
    if _CODE.fullmatch(bare(stem)):
        return Home(None, None, None, None)
    facts = facts_of_folder(folder)
    emotion = facts.folder_emotion or facts.code_emotion
    return Home(emotion, facts.style_folder, facts.speaker_number, facts.part)


def names_its_corpus(stem: str) -> bool:
    """Whether a label's name has the whole code, as no other corpus names its files."""
    return _CODE.fullmatch(stem) is not None


def is_short(stem: str) -> bool:
    """Whether a label goes by initials and a number."""
    return _SHORT.fullmatch(stem) is not None


def _speakers_folder(name: str) -> re.Match[str] | None:
    return _CODE.fullmatch(name) or _NUMBERED.fullmatch(name)


def _is_styled(told: dict[str, str | None]) -> bool:
    style = (told.get("style") or "0").strip("0")
    return bool(style) and told.get("group") != EMOTION_IN_A_STYLE


def _emotion(name: str) -> str | None:
    """The emotion of a folder, its number taken off: `분노`, `Angry`, `상처X구연체`.

    Three capitals are a speaker's initials, were they SAD.
    """
    if _INITIALS.fullmatch(name):
        return None
    spoken = _parts_of(name)[0]
    return next((e.name for e in PAPER.emotions if spoken and e.answers_to(spoken)), None)


def _parts_of(name: str) -> tuple[str, str]:
    """What stands before and behind the X of a folder's name."""
    first, _, second = name.replace("×", "X").partition("X")
    return first.strip(), second.strip()


def _part(name: str) -> str | None:
    disk = _DISK.fullmatch(name)
    told = disk["part"] if disk else _NUMBER_BEFORE.sub("", name)
    return _PARTS.get(told.lower())
