"""AI-Hub 86, 감성 대화 말뭉치: typed dialogues of a person and a machine, text alone.

Workbooks somewhere below the source (`감성대화말뭉치(최종데이터)_Training.xlsx`, …), one dialogue a
row: `감정_대분류` has six emotions (no neutral), `감정_소분류` about sixty, and the person's
sentences stand in `사람문장1`, `사람문장2`, …, the machine's answers beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path

from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers.raters import check_choice
from maeum.corpus.readers.trees import composed, files_below, glance
from maeum.corpus.text import clean
from maeum.corpus.workbooks import read_workbook, sheet_columns
from maeum.errors import CorpusError

Turns = list[tuple[int, str | None]]
"""The person's sentences by their number; None where a cell is empty."""


def _joined(turns: Turns) -> Turns:
    return [(1, " ".join(text for _, text in turns if text) or None)]


SENTENCES: Mapping[str, Callable[[Turns], Turns]] = {
    "all": lambda turns: turns,
    "first": lambda turns: turns[:1],
    "joined": _joined,
}
"""`--sentences`: each sentence an utterance, the first of a dialogue, or all of it as one."""

LABEL_OF_DIALOGUE = (
    "a label is that of a whole dialogue, and its sentences share it; no split keeps dialogues "
    "together, so with --sentences all a test may meet dialogues it knows: --sentences first or "
    "joined takes one utterance of each"
)

PARTS = {"training": "train", "validation": "validation"}
"""Word in a file's or folder's name -> part."""

MOST_OPENED = 20
"""Workbooks a first look opens; a large one takes a tenth of a second."""

_SENTENCE = re.compile(r"사람문장(\d+)")
_EMOTION, _FINE = "감정대분류", "감정소분류"


def read(source: Path, *, sentences: str = "all") -> Iterator[Utterance | Rejection]:
    """Every sentence a person typed.

    Args:
        source: a workbook, or a folder that holds them.
        sentences: a key of `SENTENCES`.

    Raises:
        CorpusError: unknown sentences, no workbook of dialogues, or one that cannot be read.
    """
    check_choice("sentences", sentences, SENTENCES)
    found = False
    for path in _workbooks(source):
        for sheet in read_workbook(path).values():
            columns = [_plain(column) for column in sheet.columns]
            if not _is_dialogues(columns):
                continue
            found = True
            for number, cells in enumerate(sheet.iter_rows(), start=1):
                row = {name: clean(cell) for name, cell in zip(columns, cells, strict=True)}
                yield from _dialogue(row, path, number, SENTENCES[sentences])
    if not found:
        raise CorpusError(
            f"{source} holds no workbook (.xlsx) with the columns 감정_대분류 and 사람문장1; "
            "point to the one of the corpus or to the folder above it"
        )


def recognise(source: Path) -> str | None:
    """What makes a source look like this corpus, in words; None where nothing does."""
    books = (path for path in glance(source) if path.suffix.lower() == ".xlsx" and path.is_file())
    for path in islice(books, MOST_OPENED):
        if _has_dialogues(path):
            return f"{composed(path.name)} has 감정_대분류 and 사람문장1"
    return None


def _has_dialogues(path: Path) -> bool:
    try:
        return any(_is_dialogues(map(_plain, columns)) for columns in sheet_columns(path))
    except CorpusError:
        return False


def _workbooks(source: Path) -> list[Path]:
    files = files_below(source) if source.is_dir() else [source]
    return [path for path in files if path.suffix.lower() == ".xlsx"]


def _plain(column: str) -> str:
    """A column's name without spaces and underscores, which copies of the corpus drop."""
    return re.sub(r"[\s_]", "", composed(column))


def _is_dialogues(columns: Iterator[str] | list[str]) -> bool:
    return {_EMOTION, "사람문장1"} <= set(columns)


def _dialogue(
    row: Mapping[str, str | None], path: Path, number: int, taken: Callable[[Turns], Turns]
) -> Iterator[Utterance | Rejection]:
    part = _part(path)
    name = f"{part or composed(path.stem)}-{number:06d}"
    place = f"{composed(path.name)} row {number}"
    emotion = row[_EMOTION]
    for turn, text in taken(_turns(row)):
        sentence = f"{name}-{turn}"
        if text is None:
            detail = f"{place}: 사람문장{turn} is empty"
            yield Rejection(sentence, "empty sentence", detail, place)
        elif emotion is None:
            yield Rejection(sentence, "no emotion", f"{place} names no emotion", place)
        else:
            yield Utterance(
                id=sentence,
                text=text,
                emotion=emotion,
                gender=row.get("성별"),
                age=row.get("연령"),
                dialogue=name,
                turn=turn,
                part=part,
                source=place,
                extra=_extra(row, turn),
            )


def _turns(row: Mapping[str, str | None]) -> Turns:
    """The sentences up to the last that is there; a dialogue may be shorter than the table."""
    cells = {int(m[1]): text for column, text in row.items() if (m := _SENTENCE.fullmatch(column))}
    last = max((turn for turn, text in cells.items() if text), default=1)
    return [(turn, cells[turn]) for turn in sorted(cells) if turn <= last]


def _part(path: Path) -> str | None:
    words = chain.from_iterable(re.findall("[a-z]+", name.lower()) for name in reversed(path.parts))
    return next((PARTS[word] for word in words if word in PARTS), None)


def _extra(row: Mapping[str, str | None], turn: int) -> dict[str, str]:
    kept = (_FINE, "상황키워드", "신체질환", f"시스템문장{turn}")
    return {name.rstrip("0123456789"): cell for name in kept if (cell := row.get(name))}
