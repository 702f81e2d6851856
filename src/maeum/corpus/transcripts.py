"""What was said when: transcripts with times, as subtitles (srt, vtt) or JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from maeum.corpus.text import clean
from maeum.errors import SettingsError, TextError
from maeum.files import read_text

SUFFIXES = (".srt", ".vtt", ".json")
MOST_BYTES = 64 * 2**20
"""Of a transcript; a day of talk has one of them."""


@dataclass(frozen=True)
class Cue:
    """One piece of talk.

    Attributes:
        start_s: where it begins, in seconds from the beginning of the recording.
        end_s: where it ends.
        text: what is said, cleaned.
    """

    start_s: float
    end_s: float
    text: str


def suffix_of(path: Path) -> str:
    """That of a transcript's kind, by how it begins and not by what it is called."""
    with path.open("rb") as file:
        begin = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n")
    if begin.startswith(b"WEBVTT"):
        return ".vtt"
    return ".json" if begin.startswith((b"{", b"[")) else ".srt"


def read_transcript(path: Path, suffix: str | None = None) -> tuple[Cue, ...]:
    """The cues of a transcript, by time; those without words are left out.

    JSON is a list of objects with `start`, `end` (seconds) and `text`, or an object that holds one
    as `segments`, or as `chunks` with `timestamp` for both: what speech recognisers write.

    Args:
        path: ending in `.srt`, `.vtt` or `.json`, unless
        suffix: says which of these it is.

    Raises:
        TextError: it is missing, of another kind, broken, or without any words.
        SettingsError: subtitles are read by a package that is not installed.
    """
    suffix = suffix or path.suffix.lower()
    if suffix not in SUFFIXES:
        raise TextError(f"{path} is no transcript with times; expected {', '.join(SUFFIXES)}")
    if not path.is_file():
        raise TextError(f"{path} does not exist; check the path of the transcript")
    if path.stat().st_size > MOST_BYTES:
        raise TextError(f"{path} has more than {MOST_BYTES // 2**20} MiB; is it a transcript?")
    found = _of_json(path) if suffix == ".json" else _of_subtitles(path, suffix)
    cues = sorted(_said(found), key=lambda cue: (cue.start_s, cue.end_s))
    if not cues:
        raise TextError(f"{path} holds no words with times; expected lines of talk")
    return tuple(cues)


def _said(entries: Iterable[tuple[float, float, str]]) -> Iterator[Cue]:
    for start_s, end_s, text in entries:
        words = clean(text)
        if words is not None and 0 <= start_s < end_s < math.inf:
            yield Cue(start_s, end_s, words)


def _of_subtitles(path: Path, suffix: str) -> Iterator[tuple[float, float, str]]:
    try:
        import pysubs2
    except ImportError as error:
        raise SettingsError(
            "subtitles are read with pysubs2, which is not installed; pip install 'maeum[long]'"
        ) from error
    try:
        lines = pysubs2.SSAFile.from_string(read_text(path), format_=suffix[1:])
    except pysubs2.exceptions.Pysubs2Error as error:
        raise _broken(path, str(error) or type(error).__name__) from error
    # what stands on two lines of the screen is one sentence
    return ((one.start / 1000, one.end / 1000, one.plaintext.replace("\n", " ")) for one in lines)


def _of_json(path: Path) -> Iterator[tuple[float, float, str]]:
    try:
        whole = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise _broken(path, str(error)) from error
    entries = whole.get("segments", whole.get("chunks")) if isinstance(whole, dict) else whole
    if not isinstance(entries, list):
        raise _broken(path, "neither a list, nor an object with `segments` or `chunks`")
    for place, entry in enumerate(entries):
        try:
            yield _times_and_words(entry)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise _broken(path, f"entry {place + 1} has no start, end and text") from error


def _times_and_words(entry: Any) -> tuple[float, float, str]:  # noqa: ANN401 - of a stranger
    start_s, end_s = entry["timestamp"] if "timestamp" in entry else (entry["start"], entry["end"])
    return float(start_s), float(end_s), str(entry["text"])


def _broken(path: Path, reason: str) -> TextError:
    return TextError(
        f"{path} cannot be read as a transcript ({reason}); expected cues with start, end and text"
    )
