"""From what a reader says to rows: labels known, texts cleaned, recordings measured by header."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property, lru_cache
from pathlib import Path
from typing import NamedTuple

import polars as pl

from maeum.corpus.archives import is_file
from maeum.corpus.audio import AudioHeader, read_header
from maeum.corpus.manifest import (
    Rejection,
    Utterance,
    rejection_table,
    rows_as_met,
)
from maeum.corpus.readers.pieces import Item
from maeum.corpus.text import clean
from maeum.emotions import CATALOGUE, Emotion, EmotionSet, known_emotion
from maeum.errors import AudioError, EmotionError


class Tables(NamedTuple):
    """What came of some items.

    Attributes:
        utterances: rows in `manifest.SCHEMA`, in order as met, script still null.
        rejected: rows in `manifest.REJECTED_SCHEMA`.
    """

    utterances: pl.DataFrame
    rejected: pl.DataFrame


@dataclass(frozen=True)
class Check:
    """What an utterance has to pass.

    Attributes:
        root: the folder recordings are relative to.
        emotions: that are known; None: all of the catalogue.
    """

    root: Path
    emotions: EmotionSet | None

    def tables(self, items: Iterable[Item]) -> Tables:
        """The items that pass as rows, and those that do not with their reasons."""
        checked = [item if isinstance(item, Rejection) else self._one(item) for item in items]
        kept = (item for item in checked if isinstance(item, Utterance))
        left_out = (item for item in checked if isinstance(item, Rejection))
        return Tables(rows_as_met(kept), rejection_table(left_out))

    def _one(self, utterance: Utterance) -> Item:
        """The utterance with the emotion's own name and its recording's length, or a rejection."""
        try:
            known = self._known(utterance.emotion)
        except EmotionError as error:
            return rejected(utterance, "unknown emotion", f"{utterance.source}: {error}")
        text = clean(utterance.text)
        if utterance.audio is not None:
            found = _measured(utterance, self.root / utterance.audio)
        else:
            found = _Measured() if text else _without_content(utterance)
        if isinstance(found, Rejection):
            return found
        return replace(utterance, emotion=known.name, text=text, **found._asdict())

    @cached_property
    def _known(self) -> Callable[[str], Emotion]:
        """The emotion of a spelling; there are few of them and many utterances."""
        return lru_cache(4096)(_catalogued if self.emotions is None else self.emotions.parse)


class _Measured(NamedTuple):
    """What a header tells of an utterance; nothing of one without a recording."""

    start_s: float | None = None
    duration_s: float | None = None
    sample_rate_hz: int | None = None


def _catalogued(spelling: str) -> Emotion:
    emotion = known_emotion(spelling)
    if emotion is None:
        raise EmotionError(
            f"unknown emotion {spelling!r}{_meant(spelling)}; name the emotions of the corpus, "
            "as --emotions happy,sad,calm:평온"
        )
    return emotion


def _meant(spelling: str) -> str:
    """The known spelling nearest to one that is not, as a question; nothing where none is near."""
    known = [name for emotion in CATALOGUE for name in (*emotion.spellings, emotion.korean)]
    near = get_close_matches(spelling.strip().lower(), known, n=1, cutoff=0.5)
    return f" (is it {near[0]}?)" if near else ""


def _measured(utterance: Utterance, path: Path) -> _Measured | Rejection:
    """Where the utterance lies in its recording; headers only."""
    try:
        header = read_header(path)
    except AudioError as error:
        if not is_file(path):
            return rejected(utterance, "recording missing", f"{path} does not exist")
        return rejected(utterance, "recording unreadable", str(error))
    start_s = utterance.start_s if utterance.duration_s is None else utterance.start_s or 0.0
    left_s = header.duration_s - (start_s or 0.0)
    length_s = min(utterance.duration_s or left_s, left_s)
    if length_s <= 0 or (start_s or 0.0) < 0:
        return rejected(utterance, "recording empty", _empty_stretch(path, header, utterance))
    return _Measured(start_s, length_s, header.rate_hz)


def _empty_stretch(path: Path, header: AudioHeader, utterance: Utterance) -> str:
    asked = f"from {utterance.start_s or 0.0:g} s on"
    if utterance.duration_s is not None:
        asked += f" for {utterance.duration_s:g} s"
    return f"{path} lasts {header.duration_s:.2f} s; {asked} it holds no sound"


def _without_content(utterance: Utterance) -> Rejection:
    return rejected(utterance, "neither recording nor text", f"{utterance.source} has neither")


def rejected(utterance: Utterance, reason: str, detail: str) -> Rejection:
    """An utterance, left out."""
    return Rejection(utterance.id, reason, detail, utterance.source)
