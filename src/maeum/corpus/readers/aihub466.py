"""AI-Hub 466, 감성 및 발화 스타일별 음성합성 데이터: the paper's corpus, as people hold it.

A recording and its label have one stem; folders are doubled, renamed, lost or still in their zips,
and tell little. So everything below the source is looked through once, recordings and labels are
joined by stem, and what the names say is only held against what the label says.
"""

from __future__ import annotations

import gc
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import polars as pl

from maeum.corpus.archives import indirect
from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers.aihub466_files import Found, look_through
from maeum.corpus.readers.aihub466_names import (
    FileFacts,
    facts_of_file,
    is_short,
    names_its_corpus,
)
from maeum.corpus.readers.aihub466_pairs import Pair, pair_up
from maeum.corpus.readers.pieces import Item, Piece, signed
from maeum.corpus.readers.trees import composed
from maeum.corpus.text import clean
from maeum.emotions import known_emotion
from maeum.errors import ArchiveError, CorpusError
from maeum.files import decoded

logger = logging.getLogger(__name__)

Sections: TypeAlias = Mapping[str, Any]

FORMAT = 1
"""Raised when the same files would be read otherwise."""

AT_ONCE = 4096
"""Labels in a piece; a killed import loses no more."""

MOST_LABEL_BYTES = 2**20

UNREADABLE = (ArchiveError, OSError, ValueError, RecursionError)
"""What is raised of a label that cannot be read, and does not stop the others."""

STYLES = ("leave-out", "neutral")
"""`--style-only`: what recordings of a speaking style without an emotion are."""

LABEL_FOLDERS = ("라벨링데이터", "LabelingData")

NOTHING = frozenset({"", "n/a", "na", "none", "null", "없음", "notprovided", "notprovidied"})
"""Ways the producer has of saying nothing, in lower case."""

DISAGREES = "disagrees"
"""Key in `extra` of what folder and file name say where the label says another emotion."""

GENDERS = {"female": "female", "f": "female", "여": "female", "여성": "female", "여자": "female"}
GENDERS |= {"male": "male", "m": "male", "남": "male", "남성": "male", "남자": "male"}

_KEPT = {
    "Sensitivity": "sensitivity",
    "Character": "character",
    "CharacterEmotion": "character_emotion",
}
"""Fields of a speaker that are kept as they are, and what they are called then."""


def survey(source: Path, *, style_only: str = "leave-out", zips: str = "yes") -> Sequence[Piece]:
    """What is there, in pieces.

    Args:
        source: the tree or any part of it, unpacked or not; or one zip.
        style_only: a key of `STYLES`.
        zips: yes or no: whether zips are read too; a file that lies unpacked stands over its twin
            in a zip.

    Raises:
        CorpusError: an option is unknown, or there are no labels.
    """
    _refuse_unknown("style-only", style_only, STYLES)
    _refuse_unknown("zips", zips, ("yes", "no"))
    with _no_search_for_cycles():
        found = look_through(source, zips=zips == "yes")
        if not found.labels:
            raise CorpusError(_no_labels(source, found, zips=zips == "yes"))
        paired = pair_up(found)
    logger.info(
        "%s label files and %s recordings below %s",
        f"{len(found.labels):,}",
        f"{len(found.recordings):,}",
        source,
    )
    if not found.recordings:
        logger.warning("no recordings are there: the sentences are imported without them")
    root = source.parent if source.is_file() else source
    common = (FORMAT, style_only, bool(found.recordings))
    read = partial(
        _items, root=root, neutral=style_only == "neutral", with_sound=bool(found.recordings)
    )
    starts = range(0, len(paired.pairs), AT_ONCE)
    groups = [paired.pairs[start : start + AT_ONCE] for start in starts]
    pieces = [Piece(len(g), partial(read, g), signed(common, [p.sign for p in g])) for g in groups]
    rest = paired.rejected
    return [*pieces, Piece(len(rest), lambda: rest, signed(common, rest))] if rest else pieces


@contextmanager
def _no_search_for_cycles() -> Iterator[None]:
    """While a million tuples are made that refer to nothing; else it takes as long as all else."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read(source: Path, **options: str) -> Iterator[Item]:
    """Every utterance, piece by piece; for the arguments see `survey`."""
    for piece in survey(source, **options):
        yield from piece.read()


def _refuse_unknown(option: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise CorpusError(f"unknown {option} {value!r}; --{option} takes {', '.join(known)}")


def _no_labels(source: Path, found: Found, *, zips: bool) -> str:
    where = "unpacked or in a zip" if zips else "unpacked (zips were left alone)"
    beside = f", but {len(found.recordings):,} recordings" if found.recordings else ""
    return (
        f"{source} holds no label file (.json), {where}{beside}; point to the tree "
        "that has 라벨링데이터 and 원천데이터 in it"
    )


def _items(pairs: Sequence[Pair], *, root: Path, neutral: bool, with_sound: bool) -> Iterator[Item]:
    """What becomes of some pairs, in order."""
    for pair in pairs:
        label = root / pair.label.path
        try:
            sections = _sections(label)
        except UNREADABLE as error:
            reason = str(error).splitlines()[0].removeprefix(f"{label} is ")
            detail = f"{label} cannot be read as a label ({reason})"
            yield Rejection(pair.id, "label unreadable", detail, pair.label.path)
            continue
        if not isinstance(sections.get("화자정보"), dict):
            reason = "label unreadable" if pair.recording else "not a label"
            detail = f"{label} has no section 화자정보, as labels have"
            yield Rejection(pair.id, reason, detail, pair.label.path)
            continue
        yield _item(pair, sections, neutral=neutral, with_sound=with_sound)


def _sections(path: Path) -> Sections:
    """The sections of a label file.

    Raises:
        ArchiveError: its zip is broken.
        OSError: it cannot be opened.
        ValueError: it is no JSON, or no text.
        RecursionError: it is nested without end.
    """
    found = indirect(path)
    if found is None:
        with path.open("rb") as file:
            data = file.read(MOST_LABEL_BYTES + 1)
    else:
        data = found.head(MOST_LABEL_BYTES + 1)
    if len(data) > MOST_LABEL_BYTES:
        raise ValueError(f"it holds more than {MOST_LABEL_BYTES:,} bytes")
    text = _text_of(data, path)
    sections = json.loads(text)
    if "\\ud" in text.lower():
        json.dumps(sections, ensure_ascii=False).encode()  # half a sign is no text
    return sections if isinstance(sections, dict) else {}


def _text_of(data: bytes, path: Path) -> str:
    """In one of the encodings JSON may have, or in cp949."""
    try:
        return data.decode(json.detect_encoding(data))
    except UnicodeDecodeError:
        return decoded(data, path)


def _item(pair: Pair, sections: Sections, *, neutral: bool, with_sound: bool) -> Item:
    """The utterance of a label, or why it is left out."""
    speaker = sections["화자정보"]
    named = facts_of_file(pair.label.folder, pair.label.stem)
    spoken = _said(speaker, "Emotion")
    refusal = _refusal(pair, spoken, _style(speaker), named, neutral=neutral, with_sound=with_sound)
    if refusal is not None:
        reason, why = refusal
        return Rejection(pair.id, reason, f"{pair.label.path}: {why}", pair.label.path)
    return Utterance(
        id=pair.id,
        emotion="Neutrality" if _is_style_only(named, spoken, _style(speaker)) else spoken or "",
        audio=None if pair.recording is None else pair.recording.path,
        text=_text(_section(sections, "전사정보")),
        speaker=_speaker(named, speaker, _section(sections, "기본정보")),
        gender=_gender(speaker),
        age=_said(speaker, "Age"),
        style=_style(speaker),
        part=named.part,
        source=pair.label.path,
        extra=_extra(speaker, named, spoken),
    )


def _refusal(
    pair: Pair,
    spoken: str | None,
    style: str | None,
    named: FileFacts,
    *,
    neutral: bool,
    with_sound: bool,
) -> tuple[str, str] | None:
    """Reason and sentence, where the utterance cannot be used."""
    style_only = _is_style_only(named, spoken, style)
    if style_only and not neutral:
        return "style only", "a recording of a speaking style, no emotion was acted"
    if spoken is None and not style_only:
        return "no emotion", "the label names no emotion"
    if (spoken or "").lower() in NOTHING and not style_only:
        return "emotion N/A", f"the label says {spoken} for the emotion"
    if with_sound and pair.recording is None:
        return "recording missing", _no_recording(pair)
    return None


def _no_recording(pair: Pair) -> str:
    name = f"{pair.label.stem}.wav"
    if pair.candidates:
        return (
            f"{pair.candidates} recording(s) are called {name}, and no folder says which is meant"
        )
    return f"no recording is called {name}"


def _is_style_only(named: FileFacts, spoken: str | None, style: str | None) -> bool:
    """Whether the recording belongs to the group of speaking styles, which carry E7 for nothing."""
    known = known_emotion(spoken or "")
    if known is not None and known.name != "Neutrality":
        return False
    if spoken is not None and known is None and spoken.lower() not in NOTHING:
        return False  # an emotion that nobody knows is said to be unknown
    if named.in_style_folder:
        return True
    if named.folder_emotion is not None:
        return False
    styled = named.styled if named.code_emotion else style is not None
    return styled and (named.code_emotion or "Neutrality") == "Neutrality"


def _section(sections: Sections, name: str) -> Sections:
    section = sections.get(name)
    return section if isinstance(section, dict) else {}


def _said(section: Sections, field: str) -> str | None:
    """A field as text; None where it is absent or empty."""
    value = section.get(field)
    return None if value is None else clean(str(value))


def _told(section: Sections, field: str) -> str | None:
    """A field as text; None also where it says that there is nothing."""
    value = _said(section, field)
    return None if value is None or value.lower() in NOTHING else value


def _text(said: Sections) -> str | None:
    """The sentence as spoken; as written, where that is a single sign and this is not."""
    spoken, written = _said(said, "TransLabelText"), _said(said, "OrgLabelText")
    if written and len(spoken or "") <= 1 < len(written):
        return written
    return spoken or written


def _style(speaker: Sections) -> str | None:
    return _told(speaker, "SpeechStyle")


def _gender(speaker: Sections) -> str | None:
    told = _told(speaker, "Gender")
    return told and GENDERS.get(told.lower(), told)


def _speaker(named: FileFacts, speaker: Sections, basic: Sections) -> str | None:
    """Number and initials, as `0001_PSB`: of the file's name, else its folder, else the label."""
    number = named.speaker_number or _number(_told(basic, "NumberOfSpeaker"))
    initials = named.initials or _told(speaker, "SpeakerName")
    return "_".join(part for part in (number, initials) if part) or None


def _number(told: str | None) -> str | None:
    return told.zfill(4) if told is not None and told.isdecimal() else None


def _extra(speaker: Sections, named: FileFacts, emotion: str | None) -> dict[str, str]:
    told = {kept: _told(speaker, field) for field, kept in _KEPT.items()}
    return {key: value for key, value in told.items() if value} | _disagreement(named, emotion)


def _disagreement(named: FileFacts, emotion: str | None) -> dict[str, str]:
    """What folder and name say, where it is not what the label says."""
    known = known_emotion(emotion or "")
    if known is None:
        return {}
    others = {"folder": named.folder_emotion, "file name": named.code_emotion}
    said = [f"{place}: {name}" for place, name in others.items() if name not in (None, known.name)]
    return {DISAGREES: f"{', '.join(said)}; label: {known.name}"} if said else {}


def disagreements(rows: pl.DataFrame) -> Iterator[str]:
    """How many labels say another emotion than folder or file name, where any do."""
    entries = rows.select("id", "extra").explode("extra").unnest("extra")
    found = entries.filter(pl.col("key") == DISAGREES)
    if size := len(found):
        first = found.row(0, named=True)
        yield (
            f"{size:,} label(s) name another emotion than their folder or file name; the label "
            f"counts, e.g. {first['id']} ({first['value']})"
        )


def recognise(names: Sequence[str]) -> str | None:
    """Why names of files and folders look like this corpus; None where they do not."""
    labels = [name for name in names if name.lower().endswith(".json")]
    coded = next((name for name in labels if names_its_corpus(Path(name).stem)), None)
    if coded:
        return f"{coded} names its speaker and emotion the way its labels do"
    folder = next((name for name in names if composed(name) in LABEL_FOLDERS), None)
    short = next((name for name in labels if is_short(Path(name).stem)), None)
    return f"{short} is a label by its name, and there is {folder}" if folder and short else None
