"""A make-believe AI-Hub 466 of any size: its names, its folders, its dirt, and no data of it.

    made = make_aihub466(folder, pairs=2_000)
    made.rejected                   # {"recording missing": 8, ...}: what a reader has to count
    made.imported                   # what it has to find usable

Every speaker lies on one of eight disks, and every disk in a manner of its own (`DISKS`): as
published, doubled, renamed, zipped, with names in another encoding. Recordings are headers with
silence behind them, which take no room on the disk, or made voices.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from maeum.emotions import PAPER
from maeum.errors import SettingsError
from maeum.testing.aihub466_disks import DISKS, Place, Writer, sound_of
from maeum.testing.aihub466_texts import SHORT_TEXTS, made_sentences

UTTERANCES = {
    "Happy": 66_097,
    "Anxious": 65_853,
    "Angry": 65_715,
    "Sad": 64_359,
    "Embarrassed": 64_201,
    "Neutrality": 63_400,
    "Hurt": 63_740,
}
"""Of each emotion, in the paper's Table 1; 453,365 in all."""

SPEAKERS = {name: 41 if name == "Happy" else 40 for name in UTTERANCES}
"""Of each emotion, in the same table."""

PAIRS = sum(UTTERANCES.values())
SENTENCES = 15_767
"""Without repeats, as the paper counts them."""

SHORTEST_S, LONGEST_S = 1.99, 5.57
VALIDATED = 9
"""Every ninth utterance lies in the official validation part."""

REJECTED = (
    "recording missing",
    "label missing",
    "label unreadable",
    "no emotion",
    "emotion N/A",
    "unknown emotion",
    "style only",
    "recording unreadable",
    "recording empty",
    "id stands twice",
)
"""Dirt that costs an utterance, by the reason a reader gives."""

BORNE = (
    "byte order mark",
    "no-break space",
    "one-letter transcript",
    "other spelling",
    "other folder",
    "numbers as text",
)
"""Dirt that costs nothing."""


@dataclass(frozen=True)
class Record:
    """One utterance as it will lie there.

    Attributes:
        number: within its speaker, from 1.
        speaker: number of the speaker, from 1.
        emotion: as labelled.
        lies_in: the emotion of its folder and of its name.
        text: what is said.
        duration_s: of the recording.
        part: train or validation.
        dirt: one of `REJECTED` or `BORNE`, or none.
    """

    number: int
    speaker: int
    emotion: str
    lies_in: str
    text: str
    duration_s: float
    part: str
    dirt: str = ""

    @property
    def place(self) -> Place:
        """Where it lies."""
        return Place(self.speaker, self.number, self.lies_in, self.part, self.dirt == "style only")


@dataclass(frozen=True)
class MadeTree:
    """What was planted.

    Attributes:
        folder: the tree.
        imported: utterances a reader must find usable.
        rejected: reason -> utterances it must leave out.
        disagreeing: imported utterances whose folder and name say another emotion than the label.
        emotions: emotion -> imported utterances.
        speakers: emotion -> speakers with an imported utterance.
        sentences: different sentences among those imported.
    """

    folder: Path
    imported: int
    rejected: Mapping[str, int]
    disagreeing: int
    emotions: Mapping[str, int]
    speakers: Mapping[str, int]
    sentences: int


def make_aihub466(
    folder: Path,
    *,
    pairs: int = 2_000,
    dirt: float = 0.004,
    voices: bool = False,
    seed: int = 0,
) -> MadeTree:
    """Write a tree with the proportions of the paper's Table 1.

    Args:
        folder: gets the tree.
        pairs: recordings with a label; `PAIRS` gives the table's own numbers.
        dirt: share of the pairs that each kind of dirt is planted in, one pair at least; 0: none.
        voices: made voices of a second at 16 kHz instead of silence of the true length at 48 kHz.
        seed: equal seeds give equal trees.

    Raises:
        SettingsError: there are fewer pairs than emotions, or than the dirt takes.
    """
    records = _with_dirt(_records(pairs, seed), dirt, seed)
    with ExitStack() as stack:
        writers = [stack.enter_context(disk.opened(folder)) for disk in DISKS]
        for record in records:
            _write(writers[record.place.disk], record, voices, seed)
    return _told(folder, records)


def _records(pairs: int, seed: int) -> list[Record]:
    """All utterances, clean; the shares of the emotions are those of Table 1."""
    if pairs < len(UTTERANCES):
        raise SettingsError(f"{pairs} pairs cannot hold {len(UTTERANCES)} emotions; ask for more")
    ends = np.cumsum(list(UTTERANCES.values())) * pairs // PAIRS
    counts = np.diff(ends, prepend=0).tolist()
    sentence_ends = np.arange(1, len(counts) + 1) * SENTENCES // len(counts)
    sentences = np.diff(sentence_ends, prepend=0)
    rng = np.random.default_rng(seed)
    records: list[Record] = []
    said = [0] * (max(SPEAKERS.values()) + 1)
    for emotion, count, most in zip(UTTERANCES, counts, sentences.tolist(), strict=True):
        scaled = most if pairs >= PAIRS else max(2, most * pairs // PAIRS)
        texts = made_sentences(emotion, min(scaled, count))
        for place in range(count):
            speaker = place % SPEAKERS[emotion] + 1
            said[speaker] += 1
            text = texts[place * len(texts) // count]
            records.append(_record(emotion, speaker, said[speaker], text, rng))
    return records


def _record(emotion: str, speaker: int, number: int, text: str, rng: np.random.Generator) -> Record:
    length_s = SHORT_TEXTS.get(text) or round(float(rng.uniform(SHORTEST_S, LONGEST_S)), 2)
    part = "train" if number % VALIDATED else "validation"
    return Record(number, speaker, emotion, emotion, text, length_s, part)


def _with_dirt(records: list[Record], dirt: float, seed: int) -> list[Record]:
    """The records, each kind of dirt planted in some of them and no two in one."""
    kinds = (*REJECTED, *BORNE) if dirt else ()
    each = max(1, round(dirt * len(records)))
    if each * len(kinds) > len(records):
        raise SettingsError(
            f"{len(records)} pairs cannot hold {each} each of {len(kinds)} kinds of dirt; "
            "make more pairs, or less dirt"
        )
    drawn = iter(np.random.default_rng([seed, 1]).permutation(len(records)).tolist())
    for kind in kinds:
        wanted = each
        while wanted:
            place = next(drawn)
            if planted := _dirtied(records[place], kind):
                records[place] = planted
                wanted -= 1
    return records


def _dirtied(record: Record, kind: str) -> Record | None:
    """The record with a kind of dirt; None where it cannot have it."""
    if record.text in SHORT_TEXTS and kind in ("one-letter transcript", "other spelling"):
        return None
    record = replace(record, dirt=kind)
    if kind == "other folder":
        names = list(UTTERANCES)
        return replace(record, lies_in=names[names.index(record.emotion) - 1])
    if kind == "style only":
        return replace(record, emotion="Neutrality", lies_in="Neutrality")
    return record


def _write(writer: Writer, record: Record, voices: bool, seed: int) -> None:
    """The label and the recording, as far as the dirt leaves them."""
    place, dirt = record.place, record.dirt
    if dirt != "label missing":
        writer.write_label(place, _label(record))
    if dirt != "recording missing":
        text = record.text if voices else None
        rng = np.random.default_rng([seed, record.speaker, record.number])
        sound = sound_of(record.emotion, text, record.duration_s, place.initials, dirt, rng)
        writer.write_recording(place, sound)
    if dirt == "id stands twice":
        writer.write_label(place.again, _label(record))
        writer.write_recording(place.again, sound)


def _label(record: Record) -> bytes:
    """A label file in the producer's words."""
    text, spoken = record.text, record.text
    if record.dirt == "no-break space":
        text = spoken = text.replace(" ", "\xa0") + "\xa0"
    if record.dirt == "other spelling":
        text = spoken = "또" + text
    if record.dirt == "one-letter transcript":
        spoken = "아"
    fields = _fields(record, text, spoken)
    data = json.dumps(fields, ensure_ascii=False).encode()
    if record.dirt == "label unreadable":
        return data[: len(data) // 2]
    return b"\xef\xbb\xbf" + data if record.dirt == "byte order mark" else data


def _fields(record: Record, text: str, spoken: str) -> dict[str, dict[str, Any]]:
    place = record.place
    said = {"emotion N/A": "N/A", "unknown emotion": "Hapy"}
    speaker = {
        "SpeakerName": place.initials,
        "Gender": "Female" if record.speaker % 2 else "Male",
        "Age": f"{10 * (record.speaker % 5 + 1)}~{10 * (record.speaker % 5 + 1) + 9}",
        "Emotion": said.get(record.dirt, record.emotion),
        "Sensitivity": "N/A",
        "SpeechStyle": "구연체" if record.dirt == "style only" else "N/A",
        "Character": "N/A",
        "CharacterEmotion": "N/A",
    }
    if record.dirt == "no emotion":
        del speaker["Emotion"]
    length: Any = record.duration_s
    return {
        "기본정보": {"Language": "KOR", "NumberOfSpeaker": f"{record.speaker:04}"},
        "음성정보": {"SamplingRate": "48000", "NumberOfBit": "16", "NumberOfChannel": "1"},
        "전사정보": {"OrgLabelText": text, "TransLabelText": spoken},
        "화자정보": speaker,
        "파일정보": {
            "FileName": f"{place.stem}.wav",
            "FileLength": str(length) if record.dirt == "numbers as text" else length,
        },
    }


def _told(folder: Path, records: list[Record]) -> MadeTree:
    """What a reader has to find."""
    kept = [record for record in records if record.dirt not in REJECTED[:-1]]
    counts = {reason: sum(r.dirt == reason for r in records) for reason in REJECTED}
    by_emotion = {name: [r for r in kept if r.emotion == name] for name in PAPER.names}
    return MadeTree(
        folder=folder,
        imported=len(kept),
        rejected={reason: count for reason, count in counts.items() if count},
        disagreeing=sum(record.dirt == "other folder" for record in kept),
        emotions={name: len(own) for name, own in by_emotion.items()},
        speakers={name: len({r.speaker for r in own}) for name, own in by_emotion.items()},
        sentences=len(set(_texts(kept))),
    )


def _texts(records: list[Record]) -> Iterator[str]:
    return (record.text for record in records)
