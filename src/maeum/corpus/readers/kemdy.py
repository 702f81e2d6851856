"""KEMDy19 and KEMDy20 (ETRI): Korean dialogues, each segment judged by ten raters.

`annotation/*.csv` have two header rows (`Segment ID`, `Total Evaluation` and a group per rater,
each of Emotion, Valence and Arousal). The emotion of `Total Evaluation` is that of most raters;
where several have as many, they stand side by side (`neutral;happy`). A segment's recording carries
its name, and its words stand in a `.txt` beside it, in UTF-8 or cp949; both may be in a zip.

KEMDy19 (actors, two a session) has one table per participant, `Session01_F_res.csv` and
`Session01_M_res.csv`, and both list every segment of the session: a segment's own label stands in
the table of the one who speaks, the other table tells of the one who listens.
KEMDy20 (people talking freely, two a session) has one table per session, `Sess01_eval.csv`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maeum.corpus.archives import is_file, open_file
from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers.raters import Votes, check_choice, named, no_label, votes_of
from maeum.corpus.readers.table import columns_of
from maeum.corpus.readers.trees import composed, files_below, glance, recordings_below
from maeum.errors import CorpusError, TextError
from maeum.files import decoded, read_text

TIES = ("reject", "first")
"""`--ties`: an utterance whose raters are even is left out, or takes the emotion named first."""

REPEATED_SCRIPTS = (
    "the actors of all sessions play the same scripts, so most sentences come back with other "
    "voices: split by script or speaker+script"
)

MOST_TEXT_BYTES = 2**16

SEGMENT, TOTAL = "Segment ID", "Total Evaluation"

VOICES_BY_SESSION = (
    "segments name the session and whether a woman or a man speaks: each is taken for a voice of "
    "its own"
)

GENDERS = {"F": "female", "M": "male"}

_MARKS = re.compile(r"(?<![A-Za-z])[bloun]/(?![A-Za-z])")
_TWO_SPELLINGS = re.compile(r"\(([^()]*)\)/\([^()]*\)")


@dataclass(frozen=True)
class Layout:
    """How one of the two corpora names its tables and segments.

    Attributes:
        tables: names of annotation tables; a group `owner` where a table belongs to one person.
        segment: names of segments.
        example: a table's name, for people.
    """

    tables: re.Pattern[str]
    segment: re.Pattern[str]
    example: str


KEMDY19 = Layout(
    re.compile(r"Sess(?:ion)?\d+_(?P<owner>[FM])_res\.csv", re.IGNORECASE),
    re.compile(r"(?P<session>Sess\d+)_(?P<script>[a-z]+\d+)_(?P<gender>[FM])\d+"),
    "annotation/Session01_F_res.csv",
)
KEMDY20 = Layout(
    re.compile(r"Sess(?:ion)?\d+_eval\.csv", re.IGNORECASE),
    re.compile(r"(?P<session>Sess\d+)_(?P<script>[a-z]+\d+)_(?P<user>User\d+)(?P<gender>[FM])_\d+"),
    "annotation/Sess01_eval.csv",
)


@dataclass(frozen=True)
class Segment:
    """One row of an annotation table.

    Attributes:
        name: its segment.
        place: table and row, for people.
        turn: its number within the session.
        candidates: the emotions most raters chose; several where they are even.
        votes: of the raters.
        extra: valence and arousal, means of the raters.
    """

    name: str
    place: str
    turn: int
    candidates: tuple[str, ...]
    votes: Votes
    extra: dict[str, str] = field(default_factory=dict)


def read_2019(source: Path, *, ties: str = "reject") -> Iterator[Utterance | Rejection]:
    """Every segment of KEMDy19, then every recording that no table names.

    Args:
        source: a folder that holds the annotation tables and the recordings.
        ties: one of `TIES`.

    Raises:
        CorpusError: an unknown way with ties, no annotation table or one that cannot be read, or
            no recording.
    """
    return _read(source, KEMDY19, ties)


def read_2020(source: Path, *, ties: str = "reject") -> Iterator[Utterance | Rejection]:
    """Every segment of KEMDy20; see `read_2019`."""
    return _read(source, KEMDY20, ties)


def recognise_2019(source: Path) -> str | None:
    """What makes a source look like KEMDy19, in words; None where nothing does."""
    return _recognise(source, KEMDY19, "one table per participant")


def recognise_2020(source: Path) -> str | None:
    """What makes a source look like KEMDy20, in words; None where nothing does."""
    return _recognise(source, KEMDY20, "one table per session")


def _recognise(source: Path, layout: Layout, told: str) -> str | None:
    for path in glance(source):
        if layout.tables.fullmatch(path.name) and SEGMENT in columns_of(path):
            return f"{path.name} has {SEGMENT} and {TOTAL}, {told}"
    return None


def _read(source: Path, layout: Layout, ties: str) -> Iterator[Utterance | Rejection]:
    check_choice("ties", ties, TIES)
    tables = _tables(source, layout)
    recordings = recordings_below(source)
    if not recordings:
        raise CorpusError(
            f"{source} holds annotation tables and no recording; point to the folder above both"
        )
    own: set[str] = set()
    heard: dict[str, str] = {}
    for path in tables:
        owner = layout.tables.fullmatch(path.name).groupdict().get("owner")  # type: ignore[union-attr]
        for item in _rows(path):
            match = layout.segment.fullmatch(item.name) if isinstance(item, Segment) else None
            if isinstance(item, Rejection):
                yield item
            elif match is None:
                detail = f"{item.place}: {item.name!r} is no segment of this corpus"
                yield Rejection(item.name, "unknown segment", detail, item.place)
            elif owner and owner.upper() != match["gender"]:
                heard[item.name] = item.place
            else:
                own.add(item.name)
                yield _utterance(item, match, recordings.get(item.name, ()), source, ties)
    yield from _without_own_label(own, heard)
    yield from _without_row(recordings, own | heard.keys())


def _tables(source: Path, layout: Layout) -> list[Path]:
    if not source.is_dir():
        raise CorpusError(f"{source} is no folder; point to the one with annotation and wav")
    tables = [path for path in files_below(source) if layout.tables.fullmatch(path.name)]
    if not tables:
        raise CorpusError(
            f"{source} holds no annotation table as {layout.example}; point to the folder above it"
        )
    return tables


@dataclass(frozen=True)
class _Columns:
    """Where in a row things stand."""

    segment: int | None
    total: dict[str, int]
    raters: tuple[int, ...]

    @classmethod
    def of(cls, upper: Sequence[str], lower: Sequence[str]) -> _Columns:
        """From the two header rows; the upper one names a group over its first column alone."""
        group, total, raters = "", dict[str, int](), list[int]()
        for place, (above, below) in enumerate(zip(upper, lower, strict=False)):
            group = above.strip() or group
            if group == TOTAL:
                total[below.strip().lower()] = place
            elif total and below.strip().lower() == "emotion":
                raters.append(place)
        names = [name.strip() for name in upper]
        segment = names.index(SEGMENT) if SEGMENT in names else None
        return cls(segment, total, tuple(raters))


def _rows(path: Path) -> Iterator[Segment | Rejection]:
    """The rows of an annotation table; blank ones and second headers say nothing."""
    try:
        rows = list(csv.reader(io.StringIO(read_text(path))))
    except (TextError, csv.Error) as error:
        raise CorpusError(f"{path} cannot be read as .csv: {error}") from error
    upper, lower = (*rows, [], [])[:2]
    columns, width = _Columns.of(upper, lower), len(upper)
    if columns.segment is None or "emotion" not in columns.total:
        raise CorpusError(
            f"{path} does not begin with two header rows, {SEGMENT} and {TOTAL} in the first and "
            "Emotion in the second; take the table as ETRI hands it out"
        )
    for number, row in enumerate(rows[2:], start=1):
        place = f"{path.name} row {number}"
        if row == upper:
            yield Rejection(SEGMENT, "repeated header", f"{place} repeats the header", place)
        elif row != lower and any(map(str.strip, row)):
            yield _segment([cell.strip() for cell in (*row, *[""] * width)], columns, place, number)


def _segment(row: Sequence[str], columns: _Columns, place: str, number: int) -> Segment:
    name = "" if columns.segment is None else composed(row[columns.segment])
    emotions = row[columns.total["emotion"]].split(";")
    return Segment(
        name=name,
        place=place,
        turn=int(row[0]) if row[0].isdecimal() else number,
        candidates=tuple(dict.fromkeys(named(emotion) for emotion in emotions if emotion.strip())),
        votes=votes_of(row[rater] for rater in columns.raters),
        extra={
            name: row[columns.total[name]]
            for name in ("valence", "arousal")
            if name in columns.total and row[columns.total[name]]
        },
    )


def _utterance(
    segment: Segment, match: re.Match[str], paths: Sequence[Path], source: Path, ties: str
) -> Utterance | Rejection:
    name, place, said = segment.name, segment.place, match.groupdict()
    if not paths:
        detail = f"{place}: no recording is called {name}.wav"
        return Rejection(name, "recording missing", detail, place)
    candidates = segment.candidates[:1] if ties == "first" else segment.candidates
    if refused := no_label(name, candidates, place):
        return refused
    try:
        written = _text_beside(source / paths[0])
    except TextError as error:
        return Rejection(name, "text cannot be read", str(error), place)
    text = None if written is None else spoken(written)
    return Utterance(
        id=name,
        audio=str(paths[0]),
        text=text,
        speaker=said.get("user") or f"{said['session']}_{said['gender']}",
        gender=GENDERS[said["gender"]],
        emotion=candidates[0],
        votes=segment.votes or None,
        dialogue=f"{said['session']}_{said['script']}",
        turn=segment.turn,
        source=place,
        extra=segment.extra if text == written else {**segment.extra, "transcript": written or ""},
    )


def _text_beside(recording: Path) -> str | None:
    path = recording.with_suffix(".txt")
    if not is_file(path):
        return None
    with open_file(path) as file:
        return decoded(file.read(MOST_TEXT_BYTES), path).strip()


def spoken(written: str) -> str:
    """The words alone: ETRI's marks of noise go, of two spellings the written one stays.

    The marks are `b/` breath, `l/` laughter, `n/` noise, `o/` other people, `u/` not understood.

    >>> spoken("b/ 아 (컴퓨터)/(컴퓨타) l/ 샀어")
    '아 컴퓨터 샀어'
    """
    return " ".join(_MARKS.sub(" ", _TWO_SPELLINGS.sub(r"\1", written)).split())


def _without_own_label(own: set[str], heard: Mapping[str, str]) -> Iterator[Rejection]:
    for name, place in heard.items():
        if name not in own:
            detail = f"{place} tells of the one who listens; the speaker's own table lacks {name}"
            yield Rejection(name, "speaker's label missing", detail, place)


def _without_row(recordings: Mapping[str, Sequence[Path]], met: set[str]) -> Iterator[Rejection]:
    for name, paths in recordings.items():
        for path in paths if name not in met else paths[1:]:
            reason = "recording stands twice" if name in met else "label missing"
            says = f"is called as {paths[0]}" if name in met else "stands in no annotation table"
            yield Rejection(name, reason, f"{path} {says}", str(path))
