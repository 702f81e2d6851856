"""AI-Hub 263, 감정 분류를 위한 대화 음성 데이터셋: short recordings, each judged by five raters.

Three tables, in cp949 or UTF-8, somewhere below the source (`4차년도.csv`, `5차년도.csv`,
`5차년도_2차.csv`, known by their columns), and the recordings (`4차년도/`, `5차년도/5차_wav/`, or
the zips they came in), each named by its `wav_id`. The column 상황 holds an emotion too, that of
the situation; in about a third of the rows most raters heard another one.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers.raters import Votes, check_choice, leaders, named, no_label, votes_of
from maeum.corpus.readers.table import columns_of, load_table
from maeum.corpus.readers.trees import composed, files_below, glance, recordings_below
from maeum.errors import CorpusError

logger = logging.getLogger(__name__)

LABELS = ("majority", "situation")
"""`--label`: the emotion most raters heard, or the one of 상황."""

TIES = ("reject", "situation")
"""`--ties`: rows whose raters are even are left out, or settled by 상황 if it is among them."""

NO_SPEAKERS = (
    "the corpus names no speakers, so no split can keep voices apart: what is measured on it may "
    "be kinder than new voices will be"
)

COLUMNS = ("wav_id", "발화문", "상황")
"""Columns that make a table one of this corpus."""

_HEARD = re.compile(r"\d번감정")


@dataclass(frozen=True)
class Ballot:
    """What one row says of the emotion.

    Attributes:
        votes: of the raters.
        strengths: emotion -> strengths from 0 to 2, of the raters who chose it.
        situation: the emotion of 상황, None where it is empty.
    """

    votes: Votes
    strengths: Mapping[str, Sequence[float]]
    situation: str | None

    def candidates(self, label: str, ties: str) -> tuple[str, ...]:
        """The emotions the utterance may have: one, several where raters are even, or none."""
        meant = (self.situation,) if self.situation else ()
        if label == "situation":
            return meant
        heard = leaders(self.votes)
        return meant if ties == "situation" and set(meant) & set(heard) else heard

    def strength(self, emotion: str) -> float | None:
        """Mean strength that the raters who chose an emotion gave it, from 0 to 2."""
        given = self.strengths.get(emotion)
        return sum(given) / len(given) if given else None


def read(
    source: Path, *, label: str = "majority", ties: str = "reject"
) -> Iterator[Utterance | Rejection]:
    """Every row of the tables, then every recording that no row names.

    Args:
        source: a folder that holds the tables, and the recordings in whatever folders or zips.
        label: one of `LABELS`.
        ties: one of `TIES`.

    Raises:
        CorpusError: an unknown label or way with ties, or no table or no recording.
    """
    check_choice("label", label, LABELS)
    check_choice("ties", ties, TIES)
    tables = _tables(source)
    recordings = recordings_below(source)
    if not recordings:
        raise CorpusError(
            f"{source} holds tables and no recording, unpacked or in a zip; put them there, or "
            "import the texts of a table alone: "
            f"maeum import table {tables[0].name} --column emotion=상황 --to CORPUS"
        )
    used: dict[str, Path | None] = {}
    heard: Counter[bool] = Counter()
    for path in tables:
        for number, row in enumerate(_rows(path), start=1):
            name = composed(row.get("wav_id") or f"{path.stem}-{number:06d}")
            place = f"{composed(path.name)} row {number}"
            audio = used.setdefault(name, _nearest(recordings.get(name, ()), path))
            item = _item(name, row, audio, place, label, ties)
            if isinstance(item, Utterance):
                heard[_is_heard_as_meant(item)] += 1
            yield item
    yield from _left_over(recordings, used)
    logger.info(
        "most raters heard another emotion than 상황 names in %s of %s labelled rows",
        f"{heard[False]:,}",
        f"{heard.total():,}",
    )


def recognise(source: Path) -> str | None:
    """What makes a source look like this corpus, in words; None where nothing does."""
    for path in glance(source):
        if path.suffix.lower() == ".csv" and set(COLUMNS) <= set(columns_of(path)):
            return f"{composed(path.name)} has {COLUMNS[0]}, {COLUMNS[1]} and {COLUMNS[2]}"
    return None


def _tables(source: Path) -> list[Path]:
    if not source.is_dir():
        raise CorpusError(f"{source} is no folder; point to the one with tables and recordings")
    found = [path for path in files_below(source) if path.suffix.lower() == ".csv"]
    tables = [path for path in found if set(COLUMNS) <= set(columns_of(path))]
    if not tables:
        raise CorpusError(
            f"{source} holds no table with the columns {', '.join(COLUMNS)} "
            f"({len(found)} .csv were looked at); point to the folder of 4차년도.csv"
        )
    return tables


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows, columns named without spaces (`4번감정세기` and `1번 감정세기` differ in that)."""
    for row in load_table(path).iter_rows(named=True):
        yield {name.replace(" ", ""): cell or "" for name, cell in row.items()}


def _nearest(paths: Sequence[Path], table: Path) -> Path | None:
    """The recording of a row: one in a folder or zip named as the table, else the first by name."""
    year = {composed(table.stem), f"{composed(table.stem)}.zip"}
    return min(
        paths, key=lambda path: (not year & {*map(composed, path.parts)}, path), default=None
    )


def _item(
    name: str, row: Mapping[str, str], audio: Path | None, place: str, label: str, ties: str
) -> Utterance | Rejection:
    if name == "wav_id":
        return Rejection(name, "repeated header", f"{place} repeats the header", place)
    if audio is None:
        detail = f"{place}: no recording is called {name}.wav"
        return Rejection(name, "recording missing", detail, place)
    ballot = _ballot(row)
    candidates = ballot.candidates(label, ties)
    if refused := no_label(name, candidates, place):
        return refused
    return Utterance(
        id=name,
        audio=str(audio),
        text=row["발화문"],
        gender=row.get("성별") or None,
        age=row.get("나이") or None,
        emotion=candidates[0],
        votes=ballot.votes or None,
        intensity=ballot.strength(candidates[0]),
        source=place,
        extra={"상황": ballot.situation} if ballot.situation else {},
    )


def _is_heard_as_meant(utterance: Utterance) -> bool:
    """Whether 상황 is among what most raters heard; where either is silent nothing differs."""
    heard, meant = leaders(utterance.votes or ()), utterance.extra.get("상황")
    return not heard or meant is None or meant in heard


def _ballot(row: Mapping[str, str]) -> Ballot:
    heard = {column: cell for column, cell in row.items() if _HEARD.fullmatch(column)}
    strengths: dict[str, list[float]] = {}
    for column, cell in heard.items():
        strength = _number(row.get(f"{column}세기", ""))
        if cell and strength is not None:
            strengths.setdefault(named(cell), []).append(strength)
    situation = row.get("상황", "")
    return Ballot(votes_of(heard.values()), strengths, named(situation) if situation else None)


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _left_over(
    recordings: Mapping[str, Sequence[Path]], used: Mapping[str, Path | None]
) -> Iterator[Rejection]:
    """A rejection for each recording without a row, and for each copy beside the one in use."""
    for name, paths in recordings.items():
        for path in paths:
            if name not in used:
                detail = f"{path}: no row of the tables names {name}"
                yield Rejection(name, "label missing", detail, str(path))
            elif path != used[name]:
                detail = f"{path} is called as {used[name]}, which is the one in use"
                yield Rejection(name, "recording stands twice", detail, str(path))
