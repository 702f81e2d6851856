"""A made AI-Hub 86: two workbooks of dialogues, and their dirt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from maeum.testing.corpora import made_scripts
from maeum.testing.planted import Planted

KOREAN = {
    "Happy": "기쁨",
    "Anxious": "불안",
    "Angry": "분노",
    "Sad": "슬픔",
    "Embarrassed": "당황",
    "Hurt": "상처",
}
"""The six emotions, as the column 감정_대분류 spells them."""

FINE = {"기쁨": "신이 난", "불안": "초조한", "분노": "짜증내는", "슬픔": "우울한"}
PARTS = ("Training", "Validation")
MOST_SENTENCES = 3

Row = dict[str, str | None]


def make_aihub86(folder: Path, *, per_emotion: int = 6, seed: int = 0) -> Planted:
    """Write two workbooks as AI-Hub 86 is handed out, with dirt of every kind.

    Dialogues of one to three sentences; labels with spaces behind them; a sheet of something else;
    empty cells, cells of spaces, dialogues without a sentence or an emotion, a foreign emotion.
    Needs the package xlsxwriter (`pip install maeum[dev]`).

    Args:
        folder: to write into.
        per_emotion: dialogues of each of six emotions that can be kept, in each workbook.
        seed: equal seeds give equal cells.

    >>> import tempfile
    >>> planted = make_aihub86(Path(tempfile.mkdtemp()), per_emotion=1)
    >>> planted.rejected
    {'empty sentence': 3, 'no emotion': 2, 'unknown emotion': 1}
    """
    kept: dict[str, dict[str, str]] = {"all": {}, "first": {}, "joined": {}}
    for part in PARTS:
        rows = _dialogues(part, per_emotion, seed)
        for number, row in enumerate(rows, start=1):
            name = f"{'train' if part == 'Training' else 'validation'}-{number:06}"
            _expect(kept, name, row)
        if part == "Training":
            half = f"train-{len(rows) + 1:06}"
            kept["all"][f"{half}-2"] = kept["joined"][f"{half}-1"] = "Sad"
            rows += _dirty()
        _write(folder / part / f"감성대화말뭉치(최종데이터)_{part}.xlsx", rows)
    rejected = {"empty sentence": 3, "no emotion": 2, "unknown emotion": 1}
    otherwise = {f"--sentences {name}": kept[name] for name in ("first", "joined")}
    return Planted(folder, kept["all"], rejected, otherwise)


def _expect(kept: dict[str, dict[str, str]], name: str, row: Row) -> None:
    [emotion] = (
        english for english, korean in KOREAN.items() if korean in (row["감정_대분류"] or "")
    )
    for turn in range(1, MOST_SENTENCES + 1):
        if row[f"사람문장{turn}"]:
            kept["all"][f"{name}-{turn}"] = emotion
    kept["first"][f"{name}-1"] = kept["joined"][f"{name}-1"] = emotion


def _dialogues(part: str, per_emotion: int, seed: int) -> list[Row]:
    rows = []
    for emotion, korean in KOREAN.items():
        texts = made_scripts(emotion, 2 * MOST_SENTENCES * per_emotion, seed=seed)
        texts = texts[PARTS.index(part) :: 2]
        for place in range(per_emotion):
            said = texts[MOST_SENTENCES * place :][: 1 + place % MOST_SENTENCES]
            rows.append(_row(korean + " " * (place % 2), said))
    return rows


def _dirty() -> list[Row]:
    """A first sentence missing; one of spaces alone; nothing said; no emotion; a foreign one."""
    return [
        _row("슬픔", [None, "아무 일도 손에 잡히지 않아"]),
        _row("슬픔", ["   "]),
        _row("기쁨", []),
        _row(None, ["오늘은 조금 이상한 날이야", "그렇지 않아?"]),
        _row("중립", ["내일은 월요일이야"]),
    ]


def _row(emotion: str | None, said: Sequence[str | None]) -> Row:
    told = [*said, *[None] * (MOST_SENTENCES - len(said))]
    row: Row = {
        "": "1",
        "연령": "청년",
        "성별": "여성",
        "상황키워드": "가족관계",
        "신체질환": "해당없음",
    }
    row |= {"감정_대분류": emotion, "감정_소분류": FINE.get((emotion or "").strip())}
    for turn, text in enumerate(told, start=1):
        row |= {f"사람문장{turn}": text, f"시스템문장{turn}": text and "그러셨군요."}
    return row


def _write(path: Path, rows: Sequence[Row]) -> None:
    import xlsxwriter

    path.parent.mkdir(parents=True, exist_ok=True)
    with xlsxwriter.Workbook(path) as book:
        pl.DataFrame({"안내": ["만든 자료입니다"]}).write_excel(book, worksheet="안내")
        pl.DataFrame(rows).write_excel(book, worksheet="Sheet1")
