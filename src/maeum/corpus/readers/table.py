"""A table of one's own: csv, tsv, jsonl, xlsx or parquet, one row per utterance."""

from __future__ import annotations

import csv
import io
import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl
import polars.selectors as cs

from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.workbooks import first_sheet, sheet_columns
from maeum.errors import CorpusError, TextError
from maeum.files import decoded, read_text

logger = logging.getLogger(__name__)

COLUMN_NAMES = {
    "id": ("id", "utterance_id", "wav_id"),
    "audio": (
        *("audio", "path", "file", "filename", "file_name", "wav", "recording"),
        *("파일", "파일명", "파일이름", "파일경로", "경로", "음성", "음성파일", "녹음", "녹음파일"),
    ),
    "text": (
        *("text", "sentence", "transcript", "transcription", "script"),
        *("발화문", "문장", "텍스트", "대사", "발화", "내용"),
    ),
    "emotion": ("emotion", "label", "감정", "라벨", "레이블"),
    "speaker": ("speaker", "speaker_id", "spk", "화자", "화자id", "화자번호", "상담원", "고객"),
    "gender": ("gender", "sex", "성별"),
    "age": ("age", "나이", "연령"),
    "style": ("style",),
    "dialogue": ("dialogue", "dialog", "conversation"),
    "turn": ("turn",),
    "part": ("part", "split", "set"),
    "channel": ("channel",),
    "start_s": ("start_s", "start"),
    "duration_s": ("duration_s", "duration"),
    "intensity": ("intensity",),
}
"""Manifest field -> column names taken for it when none is named, best first, any case."""

NUMBERS: dict[str, type[int] | type[float]] = {
    "turn": int,
    "channel": int,
    "start_s": float,
    "duration_s": float,
    "intensity": float,
}
"""Fields that hold a number."""

LARGEST = {"turn": 2**31 - 1, "channel": 2**15 - 1}
"""What the manifest's columns hold."""


def read(
    source: Path, *, columns: Mapping[str, str] | None = None
) -> Iterator[Utterance | Rejection]:
    """Every row of the table.

    Args:
        source: `.csv`, `.tsv`, `.jsonl`/`.ndjson`, `.xlsx` or `.parquet`; text in UTF-8 or cp949.
        columns: manifest field -> column of the table, for what `COLUMN_NAMES` does not find.

    Raises:
        CorpusError: the table cannot be read, or has no column for the emotion or for both audio
            and text.
    """
    table = load_table(source)
    found = match_columns(table.columns, columns or {}, source)
    logger.info("%s", _told(found, table.columns))
    for number, row in enumerate(table.iter_rows(named=True), start=1):
        yield _utterance(row, found, number=number, source=source)


def _told(found: Mapping[str, str], present: Sequence[str]) -> str:
    """Which column was taken for what, in words."""
    taken = ", ".join(f"{field}={column}" for field, column in found.items())
    unused = ", ".join(column for column in present if column not in found.values())
    return f"columns: {taken}" + (f"; kept as extra: {unused}" if unused else "")


def load_table(source: Path) -> pl.DataFrame:
    """The table with every cell as text; columns of lists, maps and bytes are left out.

    Raises:
        CorpusError: no such file, an ending that is not in `LOADERS`, or contents that do not
            fit it.
    """
    if not source.is_file():
        raise CorpusError(f"{source} is not a file; expected {', '.join(LOADERS)}")
    loader = LOADERS.get(source.suffix.lower())
    if loader is None:
        raise CorpusError(f"{source} ends in {source.suffix!r}; expected {', '.join(LOADERS)}")
    try:
        table = loader(source)
    except (pl.exceptions.PolarsError, OSError, TextError) as error:
        reason = str(error).splitlines()[0].removeprefix(f"{source} is ")
        raise CorpusError(f"{source} cannot be read as {source.suffix}: {reason}") from error
    cells = cs.all() - cs.nested() - cs.binary()
    return table.select(cells.cast(pl.String).str.strip_chars())


def _load_separated(separator: str) -> Callable[[Path], pl.DataFrame]:
    def load(source: Path) -> pl.DataFrame:
        text = io.BytesIO(read_text(source).encode())
        return pl.read_csv(text, separator=separator, infer_schema=False)

    return load


LOADERS: dict[str, Callable[[Path], pl.DataFrame]] = {
    ".csv": _load_separated(","),
    ".tsv": _load_separated("\t"),
    ".jsonl": lambda source: pl.read_ndjson(io.BytesIO(read_text(source).encode())),
    ".ndjson": lambda source: pl.read_ndjson(io.BytesIO(read_text(source).encode())),
    ".xlsx": first_sheet,
    ".parquet": pl.read_parquet,
}
"""How each kind of file is read, by its ending."""

LONGEST_HEADER_BYTES = 2**16


def columns_of(source: Path) -> tuple[str, ...]:
    """The columns of a table, read without the rest; empty where the file has none to read."""
    look = HEADERS.get(source.suffix.lower())
    if look is None or not source.is_file():
        return ()
    try:
        return tuple(column.strip() for column in look(source))
    except (pl.exceptions.PolarsError, CorpusError, TextError, csv.Error):
        return ()


def _separated_columns(separator: str) -> Callable[[Path], Iterable[str]]:
    return lambda source: next(csv.reader([_first_line(source)], delimiter=separator), [])


def _first_line(source: Path) -> str:
    """The first line of a text; cut before it is decoded, since half a letter is no letter."""
    with source.open("rb") as file:
        return decoded(file.readline(LONGEST_HEADER_BYTES), source).rstrip("\r\n")


HEADERS: dict[str, Callable[[Path], Iterable[str]]] = {
    ".csv": _separated_columns(","),
    ".tsv": _separated_columns("\t"),
    ".jsonl": lambda source: pl.read_ndjson(io.StringIO(_first_line(source))).columns,
    ".ndjson": lambda source: pl.read_ndjson(io.StringIO(_first_line(source))).columns,
    ".xlsx": lambda source: next(filter(None, sheet_columns(source)), []),
    ".parquet": pl.read_parquet_schema,
}
"""How the columns of each kind of file are found, by its ending."""


def recognise(source: Path) -> str | None:
    """What makes a file look like a table of utterances, in words; None where nothing does."""
    found = find_columns(list(columns_of(source)), {}, source)
    if not is_enough(found):
        return None
    told = ", ".join(f"{field} in {column}" for field, column in found.items())
    return f"{source.name} is a table with {told}"


def match_columns(
    present: list[str], named: Mapping[str, str], source: Path | str
) -> dict[str, str]:
    """Manifest field -> column, as `find_columns`, of a table that can be a corpus.

    Raises:
        CorpusError: a named field or column does not exist, or the emotion, or both audio and
            text, have no column.
    """
    found = find_columns(present, named, source)
    if not is_enough(found):
        raise CorpusError(
            f"{source} needs a column for the emotion and one for audio or text; it has "
            f"{', '.join(present)}: name them, as --column emotion=label --column text=sentence"
        )
    return found


def is_enough(found: Mapping[str, str]) -> bool:
    """Whether a table with these fields can be a corpus."""
    return "emotion" in found and bool(found.keys() & {"audio", "text"})


def find_columns(
    present: list[str], named: Mapping[str, str], source: Path | str
) -> dict[str, str]:
    """Manifest field -> column, named ones first, else by `COLUMN_NAMES`.

    Raises:
        CorpusError: a named field or column does not exist.
    """
    for field, column in named.items():
        if field not in COLUMN_NAMES:
            raise CorpusError(f"unknown field {field!r}; expected {', '.join(COLUMN_NAMES)}")
        if column not in present:
            raise CorpusError(f"{source} has no column {column!r}; it has {', '.join(present)}")
    lower = {name.strip().lower(): name for name in reversed(present)}
    guessed = {
        field: next((lower[name] for name in names if name in lower), None)
        for field, names in COLUMN_NAMES.items()
    }
    return {field: column for field, column in guessed.items() if column} | dict(named)


def _utterance(
    row: Mapping[str, str | None], found: Mapping[str, str], *, number: int, source: Path
) -> Utterance | Rejection:
    cells = {field: row[column] or None for field, column in found.items()}
    place = f"{source.name} row {number}"
    name = cells.pop("id", None) or _stem(cells.get("audio")) or f"row-{number:06d}"
    emotion = cells.pop("emotion", None)
    if emotion == found["emotion"].strip():
        return Rejection(name, "repeated header", f"{place} repeats the header", place)
    if emotion is None:
        return Rejection(name, "no emotion", f"{place} names no emotion", place)
    try:
        numbers = {field: _number(field, cells.pop(field, None)) for field in NUMBERS}
    except ValueError as error:
        return Rejection(name, "not a number", f"{place}: {error}", place)
    extra = {key: cell for key, cell in row.items() if cell and key not in found.values()}
    return Utterance(id=name, emotion=emotion, source=place, extra=extra, **numbers, **cells)  # type: ignore[arg-type]


def _stem(audio: str | None) -> str | None:
    return None if audio is None else str(Path(audio).with_suffix(""))


def _number(field: str, cell: str | None) -> float | int | None:
    if cell is None:
        return None
    kind = NUMBERS[field]
    try:
        number = float(cell)
    except ValueError:
        number = math.nan
    most = LARGEST.get(field, math.inf)
    if not (math.isfinite(number) and number == kind(number) and abs(number) <= most):
        raise ValueError(f"{field} is {cell!r}, expected a number ({kind.__name__})")
    return kind(number)
