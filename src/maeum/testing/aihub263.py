"""A made AI-Hub 263: its three tables and folders, its spellings, and every kind of its dirt."""

from __future__ import annotations

import csv
import io
import shutil
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from maeum.testing.corpora import Speaker, made_scripts, made_speakers
from maeum.testing.planted import Planted, another, put, say

SPELLINGS = {
    "Happy": ("happiness", "Happiness"),
    "Angry": ("angry", "anger", "Angry"),
    "Sad": ("sad", "sadness", "Sadness "),
    "Neutrality": ("neutral", "Neutral\t"),
    "Fear": ("fear", "Fear"),
    "Surprise": ("surprise", "Surprise"),
    "Disgust": ("disgust", "Disgust"),
}
"""How the tables spell each emotion, one after another."""

EMOTIONS = tuple(SPELLINGS)


@dataclass(frozen=True)
class Year:
    """One of the three deliveries.

    Attributes:
        table: path of its csv.
        wavs: folder of its recordings.
        encoding: of the csv.
        fourth: how it names the strength the fourth rater gave.
    """

    table: str
    wavs: str
    encoding: str
    fourth: str


YEARS = (
    Year("4차년도.csv", "4차년도", "cp949", "4번 감정세기"),
    Year("5차년도.csv", "5차년도/5차_wav", "cp949", "4번감정세기"),
    Year(
        "csv/5차년도_2차.csv",
        unicodedata.normalize("NFD", "5차년도_2차"),
        "utf-8-sig",
        "4번감정세기",
    ),
)

AGREED = ("aaaaa", "aaaab", "aaabb", "aabcd")
"""Votes of the five raters where `a` wins, one pattern after another."""


@dataclass
class _Tree:
    folder: Path
    seed: int
    speakers: Sequence[Speaker]
    rows: list[list[list[str]]] = field(default_factory=lambda: [[] for _ in YEARS])
    heard: dict[str, str] = field(default_factory=dict)
    meant: dict[str, str] = field(default_factory=dict)
    met: int = 0

    def add(
        self, emotion: str, text: str, votes: str = "aaaaa", *, meant: str | None = None
    ) -> tuple[str, Path]:
        """A row, and the recording it names; `votes` as in `AGREED`, `.` for none."""
        year = self.met % len(YEARS)
        name = blake2b(f"{self.seed} {self.met}".encode(), digest_size=12).hexdigest()
        speaker = self.speakers[self.met % len(self.speakers)]
        self.met += 1
        cells = [cell for vote in votes for cell in self._vote(emotion, vote)]
        spelt = SPELLINGS[meant][self.met % len(SPELLINGS[meant])] if meant else ""
        age = str(20 + self.met % 40)
        gender = "female" if speaker.gender == "여" else "male"
        self.rows[year].append([name, text, spelt, *cells, age, gender])
        ending = ".WAV" if self.met % 5 == 0 else ".wav"
        path = self.folder / YEARS[year].wavs / f"{name}{ending}"
        return name, say(path, emotion, text, speaker, seed=self.seed)

    def _vote(self, emotion: str, vote: str) -> tuple[str, str]:
        if vote == ".":
            return "", ""
        heard = another(EMOTIONS, emotion, "abcde".index(vote))
        spellings = SPELLINGS[heard]
        return spellings[self.met % len(spellings)], str(self.met % 3)

    def write(self) -> None:
        """The three tables, the second with its header once more in the middle."""
        for year, rows in zip(YEARS, self.rows, strict=True):
            header = ["wav_id", "발화문", "상황", *_vote_columns(year.fourth), "나이", "성별"]
            if year.table == "5차년도.csv":
                rows.insert(len(rows) // 2, header)
            content = io.StringIO(newline="")
            csv.writer(content).writerows([header, *rows])
            put(self.folder / year.table, content.getvalue().encode(year.encoding))


def _vote_columns(fourth: str) -> list[str]:
    names = [name for rater in range(1, 6) for name in (f"{rater}번 감정", f"{rater}번 감정세기")]
    return [fourth if name == "4번 감정세기" else name for name in names]


def make_aihub263(folder: Path, *, per_emotion: int = 6, seed: int = 0) -> Planted:
    """Write a tree as AI-Hub 263 is handed out, with spoken recordings and dirt of every kind.

    Three tables in cp949 and UTF-8, one below a folder; recordings in folders of their own, one of
    them named in decomposed Hangul; labels in several spellings; 상황 unlike the raters in a third
    of the rows; even raters, missing, broken, foreign and doubled recordings, doubled rows.

    Args:
        folder: to write into.
        per_emotion: utterances of each of seven emotions that can be kept.
        seed: equal seeds give equal files.

    >>> import tempfile
    >>> planted = make_aihub263(Path(tempfile.mkdtemp()), per_emotion=2)
    >>> planted.rejected["raters disagree"]
    4
    """
    tree = _Tree(folder, seed, made_speakers(8, seed=seed))
    scripts = {emotion: made_scripts(emotion, per_emotion + 3, seed=seed) for emotion in EMOTIONS}
    for place in range(per_emotion):
        for emotion in EMOTIONS:
            meant = another(EMOTIONS, emotion) if tree.met % 3 == 0 else emotion
            votes = AGREED[tree.met % len(AGREED)]
            name, _ = tree.add(emotion, scripts[emotion][place], votes, meant=meant)
            tree.heard[name], tree.meant[name] = emotion, meant
    texts = [text for emotion in EMOTIONS for text in scripts[emotion][per_emotion:]]
    by_situation, settled = _plant_even_raters(tree, texts)
    rejected = _plant_broken(tree, texts) | {"raters disagree": 4}
    tree.write()
    return Planted(
        folder,
        tree.heard,
        rejected,
        {
            "--label situation": tree.meant | by_situation,
            "--ties situation": tree.heard | settled,
        },
    )


def _plant_even_raters(tree: _Tree, texts: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Four rows without a winner: what 상황 says of all, and of those it settles."""
    even = (("aabbc", "Happy"), ("aabbc", "Angry"), ("aabbc", "Fear"), ("aabb.", "Happy"))
    meant = {
        tree.add("Happy", text, votes, meant=situation)[0]: situation
        for text, (votes, situation) in zip(texts, even, strict=False)
    }
    return meant, {name: emotion for name, emotion in meant.items() if emotion != "Fear"}


def _plant_broken(tree: _Tree, texts: Sequence[str]) -> dict[str, int]:
    """Rows and recordings that must be left out, by reason; another number of each."""
    for text in texts[4:7]:
        tree.add("Sad", text, meant="Sad")[1].unlink()
    for text in texts[7:9]:
        put(tree.add("Fear", text, meant="Fear")[1], b"RIFF and nothing more")
    tree.add("Sad", texts[9], ".....")
    place = tree.met % len(YEARS)
    tree.add("Sad", texts[11])
    tree.rows[place][-1][2:-2] = ["joyless", *["joyless", "1"] * 5]
    name, path = tree.add("Angry", texts[10], meant="Angry")
    tree.heard[name] = tree.meant[name] = "Angry"
    shutil.copyfile(path, path.parent / f"copy of {name}.wav")  # a name no row has
    for backup in ("backup", "backup/old"):
        (tree.folder / backup).mkdir()
        shutil.copyfile(path, tree.folder / backup / f"{name}.wav")
    put(path.parent / f"._{name}.wav", b"Mac OS X")  # what macOS leaves; passed over
    for number in range(5):
        say(tree.folder / "4차년도" / f"extra{number}.wav", "Happy", texts[11], tree.speakers[0])
    tree.rows[2] += [list(row) for row in tree.rows[0][:2]]
    return {
        "recording missing": 3,
        "recording unreadable": 2,
        "no emotion": 1,
        "unknown emotion": 1,
        "label missing": 6,
        "recording stands twice": 2,
        "id stands twice": 2,
        "repeated header": 1,
    }
