"""What a person asks for: recordings, texts for them, or texts alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from maeum.corpus.audio import find_recordings
from maeum.corpus.readers.table import find_columns, load_table
from maeum.errors import SettingsError, TextError
from maeum.files import read_text
from maeum.inference.prediction import Query


def queries(audio: Sequence[Path], *, text: str | None, texts: Path | None) -> list[Query]:
    """One query per recording or sentence.

    Args:
        audio: recordings, and folders of them.
        text: what is said in the one recording given, or alone.
        texts: a table with columns for audio and text, or `.txt` with one sentence a line.

    Raises:
        SettingsError: nothing is asked, or texts and recordings do not fit together.
        CorpusError: the table cannot be read.
    """
    recordings = [str(path) for path in find_recordings(audio)]
    if text is not None and texts is not None:
        raise SettingsError("--text and --texts were both given; give one of them")
    if texts is not None:
        return _with_texts(recordings, texts)
    if text is not None and len(recordings) > 1:
        raise SettingsError(
            f"--text was given for {len(recordings)} recordings; name their texts with --texts FILE"
        )
    if text is not None:
        return [Query(recordings[0] if recordings else None, text)]
    if not recordings:
        raise SettingsError("nothing to predict; give recordings, --text or --texts")
    return [Query(recording) for recording in recordings]


def _with_texts(recordings: Sequence[str], texts: Path) -> list[Query]:
    if texts.suffix.lower() == ".txt":
        return _with_lines(recordings, texts)
    rows = _rows(texts)
    if not rows:
        raise SettingsError(f"{texts} has no row; expected one per recording or sentence")
    if not recordings:
        return [Query(_beside(texts, audio), text) for audio, text in rows]
    if all(audio is None for audio, _ in rows):
        raise SettingsError(
            f"{texts} does not say which sentence belongs to which recording; "
            "give it a column audio, or one sentence a line in a .txt"
        )
    told = [(texts.parent / audio, text) for audio, text in rows if audio is not None]
    by_path = {path.resolve(): text for path, text in told}
    times = Counter(path.name for path, _ in told)
    by_name = {path.name: text for path, text in told if times[path.name] == 1}
    return [
        Query(str(path), by_path.get(path.resolve(), by_name.get(path.name)))
        for path in map(Path, recordings)
    ]


def _with_lines(recordings: Sequence[str], texts: Path) -> list[Query]:
    if not texts.is_file():
        raise TextError(f"{texts} does not exist; expected one sentence a line")
    lines = read_text(texts).splitlines()
    if not lines:
        raise TextError(f"{texts} is empty; expected one sentence a line")
    if not recordings:
        return [Query(None, line) for line in lines]
    if len(lines) != len(recordings):
        raise SettingsError(
            f"{texts} has {len(lines)} lines for {len(recordings)} recordings; "
            "give one line each, or a table with columns audio and text"
        )
    return [Query(recording, line) for recording, line in zip(recordings, lines, strict=True)]


def _rows(texts: Path) -> list[tuple[str | None, str | None]]:
    """(audio, text) of every row; None where a cell or column is missing."""
    table = load_table(texts)
    columns = find_columns(table.columns, {}, texts)
    if not columns.keys() & {"audio", "text"}:
        raise SettingsError(
            f"{texts} has the columns {', '.join(table.columns)}; expected audio, text or both"
        )
    names = (columns.get("audio"), columns.get("text"))
    cells = [[None] * len(table) if name is None else table[name].to_list() for name in names]
    return list(zip(*cells, strict=True))


def _beside(texts: Path, audio: str | None) -> str | None:
    """A recording's path as the table means it: relative to the table."""
    return None if audio is None else str(texts.parent / audio)
