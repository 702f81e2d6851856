"""EmotionTTS Open DB, the emotional part, as published (KAIST and Selvas AI, CC BY-NC-SA 4.0).

The tree: `…/{plain-to-emotional,emotional-to-emotional}/<speaker>/{wav,script,transcript}/<stem>`,
where a stem is the speaker and a number of five digits. The plain set has five news-like sentences
spoken in all four emotions; the emotional set has sentences bound to one emotion each.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers.trees import glance
from maeum.errors import CorpusError, TextError
from maeum.files import read_text

SETS = {
    "plain": ("plain-to-emotional",),
    "emotional": ("emotional-to-emotional",),
    "both": ("plain-to-emotional", "emotional-to-emotional"),
}
"""`--set`: which of the published folders to read."""

EMOTION_OF_BLOCK = {0: "Neutrality", 1: "Happy", 2: "Sad", 3: "Angry"}
"""Emotion by blocks of a hundred numbers from 00001, 00101, 00201, 00301; see `SWAPPED`."""

SWAPPED = (
    "the published README calls numbers 00201- angry and 00301- sad, but the sentences "
    "(202: 우울해, 302: 술을 끊으시겠습니까?) and the loudness say the reverse in both sets; "
    "002xx is imported as Sad, 003xx as Angry"
)

GENDER_OF_LETTER = dict.fromkeys("abcde", "female") | dict.fromkeys("fghklmno", "male")
"""From the published README: speakers A to E are women, F to H and K to O men."""

SAME_PERSON = {"ema": "nea", "emf": "nek", "emg": "nel"}
"""Folders of the plain set that sound like one of the emotional set: a speaker-verification
network finds their clips as alike as clips of one folder (mean cosine 0.83, other pairs of a
gender at most 0.82, 0.79 and 0.77)."""

VOICES: Mapping[str, Mapping[str, str]] = {"published": {}, "merged": SAME_PERSON}
"""`--voices`: one speaker per folder, or folders of one person as one speaker."""

SAME_PERSON_NOTE = (
    "by their sound ema and nea, emf and nek, emg and nel are probably the same people; each "
    "folder counts as a speaker, as published, so a split by speaker is a little kind to voices: "
    "--voices merged takes each pair as one"
)

_STEM = re.compile(r"(?P<speaker>[a-z]{2}(?P<letter>[a-z]))(?P<number>\d{5})")


def read(
    source: Path,
    *,
    set: str = "both",
    voices: str = "published",
) -> Iterator[Utterance | Rejection]:
    """Every recording of the published tree.

    Args:
        source: the tree, or any folder above or inside it that holds the sets.
        set: which sets, a key of `SETS`.
        voices: a key of `VOICES`.

    Raises:
        CorpusError: unknown set or voices, or no such set below `source`.
    """
    if voices not in VOICES:
        raise CorpusError(f"unknown voices {voices!r}; --voices takes {', '.join(VOICES)}")
    wanted = SETS.get(set)
    if wanted is None:
        raise CorpusError(f"unknown set {set!r}; --set takes {', '.join(SETS)}")
    folders = sorted(folder for name in wanted for folder in _folders(source, name))
    if not folders:
        raise CorpusError(
            f"{source} holds no folder {' or '.join(wanted)}; "
            "point to the published tree (…/SpeechCorpus/Emotional)"
        )
    for folder in folders:
        for recording in sorted(folder.glob("*/wav/*.wav")):
            yield _utterance(recording, root=source, same_person=VOICES[voices])
        yield from _without_recording(folder)


def recognise(source: Path) -> str | None:
    """What makes a source look like this corpus, in words; None where nothing does."""
    named = (path for path in glance(source.resolve()) if path.name in SETS["both"])
    found = sorted({path.name for path in named if path.is_dir()})
    return f"it holds the folder {' and '.join(found)}" if found else None


def _folders(source: Path, name: str) -> list[Path]:
    """The folders of one set at, or below, the source."""
    return (
        [source] if source.resolve().name == name else [p for p in source.rglob(name) if p.is_dir()]
    )


def _utterance(
    recording: Path, *, root: Path, same_person: Mapping[str, str]
) -> Utterance | Rejection:
    match = _STEM.fullmatch(recording.stem)
    source = str(recording.relative_to(root))
    emotion = EMOTION_OF_BLOCK.get((int(match["number"]) - 1) // 100) if match else None
    if match is None or emotion is None:
        expected = "the name says no emotion; expected a speaker and 00001 to 00400"
        return Rejection(recording.stem, "name without an emotion", f"{source}: {expected}", source)
    try:
        text = _text_beside(recording, "script")
        transcript = _text_beside(recording, "transcript")
    except TextError as error:
        return Rejection(recording.stem, "text cannot be read", str(error), source)
    return Utterance(
        id=recording.stem,
        audio=source,
        text=text,
        speaker=same_person.get(match["speaker"], match["speaker"]),
        gender=GENDER_OF_LETTER.get(match["letter"]),
        emotion=emotion,
        style="plain" if match["speaker"].startswith("em") else "emotional",
        source=source,
        extra={} if transcript is None else {"transcript": transcript.strip()},
    )


def _text_beside(recording: Path, kind: str) -> str | None:
    path = recording.parent.parent / kind / f"{recording.stem}.txt"
    return read_text(path) if path.is_file() else None


def _without_recording(folder: Path) -> Iterator[Rejection]:
    """A rejection for each script whose recording is missing."""
    for script in sorted(folder.glob("*/script/*.txt")):
        if not (script.parent.parent / "wav" / f"{script.stem}.wav").is_file():
            detail = f"{script} has no recording {script.stem}.wav beside it"
            yield Rejection(script.stem, "recording missing", detail, str(script))
