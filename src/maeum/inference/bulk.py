"""Predictions for many utterances, kept as Parquet: stopped at any moment they go on.

asked.json              what was asked of which run; another question is refused
predictions/00000.parquet, …   a row per utterance, in order, some hundred a file

| column | type | meaning |
|---|---|---|
| id | text or null | of the utterance, where a corpus was asked about |
| audio, text | text or null | as asked, or as a recogniser wrote it down |
| emotion, confidence | text, float; null where it failed | the answer |
| probabilities | list of (emotion, probability) | of every emotion |
| modalities | list of text | what the answer rests on |
| contributions | list of (side, difference) | where they were asked for |
| error | text or null | why there is no answer |
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from maeum.corpus import Corpus
from maeum.corpus.manifest import write_table
from maeum.engine import Engine
from maeum.errors import RunError
from maeum.features.hearing import Stretch
from maeum.features.normalize import Voice
from maeum.files import write_json
from maeum.inference.exported import classifier_of
from maeum.inference.prediction import Failure, Prediction, Query
from maeum.storage import address_of, fetched, is_far

AT_ONCE = 256
"""Utterances a file; what a kill costs at most."""

_ASKED: dict[str, DataType | DataTypeClass] = {
    "id": pl.String,
    "audio": pl.String,
    "text": pl.String,
    "channel": pl.Int64,
    "start_s": pl.Float64,
    "duration_s": pl.Float64,
}

ASKED = pl.Schema(_ASKED)
"""Columns of what is asked: whose, the recording, what is said, and which part is meant."""

_ANSWERED: dict[str, DataType | DataTypeClass] = {
    "id": pl.String,
    "audio": pl.String,
    "text": pl.String,
    "emotion": pl.String,
    "confidence": pl.Float64,
    "probabilities": pl.List(pl.Struct({"emotion": pl.String, "probability": pl.Float64})),
    "modalities": pl.List(pl.String),
    "contributions": pl.List(pl.Struct({"side": pl.String, "difference": pl.Float64})),
    "error": pl.String,
}

SCHEMA = pl.Schema(_ANSWERED)
"""Columns of what is answered."""

CARDS = ("maeum.yaml", "exported.json", "config.json")
"""Files of a folder that say which weights it holds."""


@dataclass(frozen=True)
class Bulk:
    """What is asked of which run, the same for all utterances.

    Attributes:
        run: folder of a run or of an exported one, or a name on the model hub.
        engine: that computes pretrained encoders; None: as the run was trained.
        abstain: confidence below which an answer is `UNSURE`; None: none is.
        explain: say how much each side contributed.
        transcribe: speech recogniser for recordings without text; None: none.
        language: that it is told to expect.
        voice: what `Classifier.voice_in` gave, for runs that compare voices.
    """

    run: str
    engine: Engine | None = None
    abstain: float | None = None
    explain: bool = False
    transcribe: str | None = None
    language: str | None = None
    voice: Voice | None = None


class Piece(NamedTuple):
    """Some of the utterances.

    Attributes:
        number: of the file their answers go to.
        rows: columns of `ASKED`.
    """

    number: int
    rows: pl.DataFrame


@dataclass(frozen=True)
class Predictions:
    """A folder of predictions.

    Attributes:
        folder: where they are kept.
    """

    folder: Path

    def claim(self, bulk: Bulk, asked: pl.DataFrame) -> None:
        """See that the folder is new, or holds answers to this very question.

        Raises:
            RunError: it holds other files, or answers to another question.
        """
        card, now = self.folder / "asked.json", _card(bulk, asked)
        if self.folder.is_file():
            raise RunError(f"{self.folder} is a file; --to expects a folder")
        if not self.folder.is_dir() or not any(self.folder.iterdir()):
            write_json(card, now)
            return
        try:
            before = json.loads(card.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RunError(
                f"{self.folder} holds other files; --to expects a new folder, or one of predictions"
            ) from error
        changed = [name for name, value in now.items() if before.get(name) != value]
        if changed:
            raise RunError(
                f"{self.folder} holds answers to another question ({', '.join(changed)} differ); "
                "name another folder"
            )

    def lacking(self, asked: pl.DataFrame) -> Iterator[Piece]:
        """The pieces whose answers are not there."""
        for number in range(math.ceil(len(asked) / AT_ONCE)):
            rows = asked[number * AT_ONCE : (number + 1) * AT_ONCE]
            if not self._is_whole(number, len(rows)):
                yield Piece(number, rows)

    def keep(self, number: int, answers: pl.DataFrame) -> None:
        """Write the answers of a piece, whole or not at all."""
        write_table(answers, self._file(number))

    def read(self) -> pl.DataFrame:
        """All answers that are there, in order."""
        return pl.read_parquet(sorted((self.folder / "predictions").glob("*.parquet")))

    def _is_whole(self, number: int, rows: int) -> bool:
        try:
            found = pl.read_parquet(self._file(number), columns=["id"])
        except (OSError, pl.exceptions.PolarsError):
            return False
        return len(found) == rows

    def _file(self, number: int) -> Path:
        return self.folder / "predictions" / f"{number:05d}.parquet"


class Answering:
    """A run that answers piece after piece, in whatever process."""

    def __init__(self, bulk: Bulk, to: Predictions) -> None:
        self._bulk, self._to = bulk, to
        self._model = classifier_of(bulk.run, engine=bulk.engine)
        self._recogniser = None
        if bulk.transcribe is not None and "text" in self._model.sides:
            from maeum.inference.transcribing import Recogniser

            self._recogniser = Recogniser.load(bulk.transcribe, language=bulk.language)

    def __call__(self, piece: Piece) -> int:
        """Answer a piece and keep it; how many of its utterances have no answer."""
        queries, bulk = _queries(piece.rows), self._bulk
        if self._recogniser is not None:
            from maeum.inference.transcribing import with_words

            queries = list(with_words(queries, self._recogniser))
        found = self._model.predict(queries, voice=bulk.voice, explain=bulk.explain)
        rows = [
            _row(name, one if isinstance(one, Failure) else one.or_unsure(bulk.abstain))
            for name, one in zip(piece.rows["id"], found, strict=True)
        ]
        self._to.keep(piece.number, pl.DataFrame(rows, schema=SCHEMA))
        return sum(row["error"] is not None for row in rows)


def asked_of_corpus(corpus: Corpus) -> pl.DataFrame:
    """A row for every utterance of a corpus; columns of `ASKED`."""
    root = corpus.audio_root or Path()
    spoken = pl.concat_str([pl.lit(f"{address_of(root) if is_far(root) else root}/"), "audio"])
    return corpus.utterances.with_columns(audio=spoken).select(ASKED.names()).cast(ASKED)


def asked_in(queries: Sequence[Query]) -> pl.DataFrame:
    """A row for every query; columns of `ASKED`."""
    rows = [{"id": None, "audio": one.audio, "text": one.text} for one in queries]
    table = pl.DataFrame(rows, schema=dict.fromkeys(("id", "audio", "text"), pl.String))
    missing = [pl.lit(None).alias(name) for name in ASKED if name not in table.columns]
    return table.with_columns(missing).select(ASKED.names()).cast(ASKED)


def _queries(rows: pl.DataFrame) -> list[Query]:
    return [
        Query(
            row["audio"],
            row["text"],
            Stretch(row["channel"])
            if row["start_s"] is None
            else Stretch(row["channel"], row["start_s"], row["duration_s"]),
        )
        for row in rows.iter_rows(named=True)
    ]


def _row(name: str | None, found: Prediction | Failure) -> dict[str, Any]:
    if isinstance(found, Failure):
        return {**dict.fromkeys(SCHEMA), "id": name, **asdict(found)}
    return {
        "id": name,
        "audio": found.audio,
        "text": found.text,
        "emotion": found.emotion,
        "confidence": found.confidence,
        "probabilities": _pairs(found.probabilities, "emotion", "probability"),
        "modalities": list(found.modalities),
        "contributions": found.contributions and _pairs(found.contributions, "side", "difference"),
        "error": None,
    }


def _pairs(values: Mapping[str, float], name: str, value: str) -> list[dict[str, Any]]:
    return [{name: key, value: number} for key, number in values.items()]


def _card(bulk: Bulk, asked: pl.DataFrame) -> dict[str, Any]:
    """What decides the answers."""
    told = asdict(bulk) | {"engine": bulk.engine and asdict(bulk.engine)}
    voice = told.pop("voice")
    return {
        **told,
        "voice": voice and _digest(repr(voice).encode()),
        "weights": _digest(*_cards(bulk.run)),
        "utterances": len(asked),
        "asked": _digest(str(asked.hash_rows(seed=0).sum()).encode()),
    }


def _cards(run: str) -> list[bytes]:
    folder = fetched(run, CARDS)
    files = [folder / name for name in CARDS]
    return [file.read_bytes() for file in files if file.is_file()]


def _digest(*parts: bytes) -> str:
    return blake2b(b"\0".join(parts), digest_size=8).hexdigest()
