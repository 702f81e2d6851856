"""Made copies of KEMDy19 and KEMDy20: their trees, their two header rows, and their dirt."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from maeum.testing.corpora import Speaker, made_scripts, made_speakers
from maeum.testing.planted import Planted, another, put, say

SPELLINGS = {
    "Neutrality": "neutral",
    "Happy": "happy",
    "Surprise": "surprise",
    "Angry": "angry",
    "Sad": "sad",
    "Disgust": "disqust",
    "Fear": "fear",
}
"""How the tables spell each emotion, `disqust` included."""

EMOTIONS = tuple(SPELLINGS)
TURNS = 2 * len(EMOTIONS)
RATERS = ("01F", "02M", "03M", "04F", "05M", "06F", "07F", "08M", "09F", "10M")
VOTES = {1: "aaaaaabbcd", 2: "aaaabbbbcd"}
"""What ten raters say, by how many emotions come out first: `a` an emotion, `b` the next, …"""

SIGNALS_2019 = ("Wav", "ECG", "E4-EDA", "E4-TEMP")
SIGNALS_2020 = ("Wav",)


@dataclass(frozen=True)
class _Line:
    """A segment as it is planned: the tables and files are written from these."""

    name: str
    session: int
    script: str
    gender: str
    speaker: Speaker
    emotion: str
    text: str


@dataclass
class _Tree:
    folder: Path
    lines: list[_Line]
    seed: int
    labels: dict[str, str] = field(default_factory=dict)
    """Name -> what Total Evaluation says, where that is not the emotion."""
    kept: dict[str, str] = field(default_factory=dict)
    first: dict[str, str] = field(default_factory=dict)
    """Of even raters, the emotion named first."""

    def recording(self, line: _Line) -> Path:
        """Where the recording of a segment lies."""
        folder = self.folder / "wav" / f"Session{line.session:02}"
        if "User" not in line.name:
            folder /= line.name.rpartition("_")[0]
        return folder / f"{line.name}.wav"

    def row(self, line: _Line, number: int, signals: int, *, listener: bool = False) -> list[str]:
        """The row of a segment in a table; the listener felt something else."""
        emotion = another(EMOTIONS, line.emotion) if listener else line.emotion
        label = SPELLINGS[emotion] if listener else self.labels.get(line.name, SPELLINGS[emotion])
        votes = VOTES.get(label.count(";") + 1, "") if label else ""
        heard = [SPELLINGS[another(EMOTIONS, emotion, "abcd".index(v))] for v in votes]
        rated = [cell for rater in heard or [""] * 10 for cell in (rater, "3", "4")]
        times = [f"{number * 2 + end}.5" for _ in range(signals) for end in (0, 1)]
        return [str(number), *times, line.name, label, "3.1", "4.2", *rated]


def make_kemdy19(folder: Path, *, sessions: int = 3, seed: int = 0) -> Planted:
    """Write a tree as KEMDy19 is handed out, with spoken recordings and dirt of every kind.

    Every session plays the same two scripts; both participants' tables list every segment, with
    another emotion in the listener's. Texts in UTF-8, of one session in cp949, with ETRI's marks.

    Args:
        folder: to write into.
        sessions: pairs of actors, two at least.
        seed: equal seeds give equal files.

    >>> import tempfile
    >>> planted = make_kemdy19(Path(tempfile.mkdtemp()), sessions=2)
    >>> planted.rejected["speaker's label missing"]
    2
    """
    tree = _Tree(folder, list(_lines_2019(sessions, seed)), seed)
    rejected = _plant(tree)
    alone = {line.name for line in tree.lines[20:22]}
    for name in alone:
        del tree.kept[name]
    for session in range(1, sessions + 1):
        for owner in "FM":
            path = folder / "annotation" / f"Session{session:02}_{owner}_res.csv"
            rows = [
                tree.row(line, number, len(SIGNALS_2019), listener=line.gender != owner)
                for number, line in enumerate(_of(tree.lines, session), start=1)
                if line.gender != owner or line.name not in alone
            ]
            _write_table(path, SIGNALS_2019, rows, blank="", again=(session, owner) == (1, "M"))
    return _planted(tree, rejected | {"speaker's label missing": 2})


def make_kemdy20(folder: Path, *, sessions: int = 3, seed: int = 0) -> Planted:
    """Write a tree as KEMDy20 is handed out, with spoken recordings and dirt of every kind.

    Like `make_kemdy19`, with one table per session, speakers by number, and sentences of each
    session's own.

    >>> import tempfile
    >>> planted = make_kemdy20(Path(tempfile.mkdtemp()), sessions=2)
    >>> planted.rejected["raters disagree"]
    3
    """
    tree = _Tree(folder, list(_lines_2020(sessions, seed)), seed)
    rejected = _plant(tree)
    for session in range(1, sessions + 1):
        rows = [
            tree.row(line, number, len(SIGNALS_2020))
            for number, line in enumerate(_of(tree.lines, session), start=1)
        ]
        path = folder / "annotation" / f"Sess{session:02}_eval.csv"
        _write_table(path, SIGNALS_2020, rows, blank=" ", again=session == 1)
    return _planted(tree, rejected)


def _lines_2019(sessions: int, seed: int) -> Iterator[_Line]:
    people = made_speakers(2 * sessions, seed=seed)
    scripts = {emotion: made_scripts(emotion, 4, seed=seed) for emotion in EMOTIONS}
    for session, (part, script) in itertools.product(
        range(1, sessions + 1), enumerate(("script01", "impro01"))
    ):
        for turn in range(TURNS):
            gender, emotion = "FM"[turn % 2], EMOTIONS[turn // 2]
            name = f"Sess{session:02}_{script}_{gender}{turn // 2 + 1:03}"
            speaker = people[2 * (session - 1) + turn % 2]
            text = scripts[emotion][2 * part + turn % 2]
            yield _Line(name, session, script, gender, speaker, emotion, text)


def _lines_2020(sessions: int, seed: int) -> Iterator[_Line]:
    people = made_speakers(2 * sessions, seed=seed)
    scripts = {emotion: made_scripts(emotion, 4 * sessions, seed=seed) for emotion in EMOTIONS}
    for session, part in itertools.product(range(1, sessions + 1), range(2)):
        for turn in range(TURNS):
            person = 2 * (session - 1) + turn % 2
            gender, emotion = "FM"[turn % 2], EMOTIONS[turn // 2]
            script = f"script{part + 1:02}"
            user = f"User{person + 1:03}{gender}"
            name = f"Sess{session:02}_{script}_{user}_{turn // 2 + 1:03}"
            text = scripts[emotion][4 * (session - 1) + 2 * part + turn % 2]
            yield _Line(name, session, script, gender, people[person], emotion, text)


def _of(lines: Sequence[_Line], session: int) -> list[_Line]:
    return [line for line in lines if line.session == session]


def _plant(tree: _Tree) -> dict[str, int]:
    """Write recordings and texts, good and bad; what tables must say goes to `labels`."""
    _write_all(tree)
    even, silent = tree.lines[:3], tree.lines[4:5]
    for line in even:
        both = line.emotion, another(EMOTIONS, line.emotion)
        tree.labels[line.name] = ";".join(SPELLINGS[name] for name in both)
        tree.first[line.name] = line.emotion
    tree.labels |= {line.name: "" for line in silent}
    broken = _break_files(tree)
    for line in (*even, *silent, *(line for lines in broken.values() for line in lines)):
        del tree.kept[line.name]
    for name in ("Sess01_script09_F001.wav", "whole_session.wav"):
        path = tree.folder / "wav" / "Session01" / name
        say(path, "Happy", tree.lines[0].text, tree.lines[0].speaker)
    return {
        "raters disagree": len(even),
        "no emotion": len(silent),
        "label missing": 2,
        "repeated header": 1,
        "unknown segment": 1,
    } | {reason: len(lines) for reason, lines in broken.items()}


def _write_all(tree: _Tree) -> None:
    """Every recording and its text, of the second session in cp949, some with marks of noise."""
    tree.kept = {line.name: line.emotion for line in tree.lines}
    for number, line in enumerate(tree.lines):
        path = say(tree.recording(line), line.emotion, line.text, line.speaker, seed=tree.seed)
        text = f"b/ {line.text} l/" if number % 7 == 0 else line.text
        put(path.with_suffix(".txt"), text.encode("cp949" if line.session == 2 else "utf-8-sig"))
    tree.recording(tree.lines[12]).with_suffix(".txt").unlink()


def _break_files(tree: _Tree) -> dict[str, list[_Line]]:
    """Spoil some files; reason -> the segments to be left out for it."""
    lost, broken, unread = tree.lines[6:8], tree.lines[8:9], tree.lines[10:11]
    for line in lost:
        tree.recording(line).unlink()
    for line in broken:
        put(tree.recording(line), b"")
    for line in unread:
        put(tree.recording(line).with_suffix(".txt"), b"\xff\xfe\xff\xff")
    return {
        "recording missing": lost,
        "recording unreadable": broken,
        "text cannot be read": unread,
    }


def _write_table(
    path: Path, signals: Sequence[str], rows: list[list[str]], *, blank: str, again: bool
) -> None:
    """A table with its two header rows; once more in the middle, and a foreign row, if `again`."""
    groups = ("Total Evaluation", *(f"Eval{rater}" for rater in RATERS))
    upper = ["Numb", *(cell for signal in signals for cell in (signal, blank)), "Segment ID"]
    upper += [cell for group in groups for cell in (group, blank, blank)]
    lower = [blank, *["start", "end"] * len(signals), blank]
    lower += ["Emotion", "Valence", "Arousal"] * len(groups)
    if again:
        foreign = [*rows[0]]
        foreign[upper.index("Segment ID")] = "Sess01-script01-1"
        rows = [*rows[:5], upper, lower, foreign, *rows[5:], [""] * len(upper)]
    content = io.StringIO(newline="")
    csv.writer(content).writerows([upper, lower, *rows])
    put(path, content.getvalue().encode("utf-8"))


def _planted(tree: _Tree, rejected: dict[str, int]) -> Planted:
    return Planted(tree.folder, tree.kept, rejected, {"--ties first": tree.kept | tree.first})
