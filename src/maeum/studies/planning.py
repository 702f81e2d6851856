"""Who trains on what, known before anything is encoded: it takes the manifest alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.corpus import Corpus
from maeum.corpus.sampling import Sample, first_of, lack, queue
from maeum.errors import CorpusError, SplitError
from maeum.studies.grid import Cell, Study
from maeum.studies.partings import Parting, Rows, part

COLUMNS = {"speech": "audio", "text": "text"}
"""Side -> the column that says who has it."""


class Sampled(NamedTuple):
    """What the networks of a run learn from.

    Attributes:
        rows: per turn.
        found: utterances of the turn that has fewest.
        distinct_scripts: mean over turns.
        lacking: what a turn lacks, in a sentence; empty where every one is filled.
    """

    rows: tuple[Rows, ...]
    found: int
    distinct_scripts: float
    lacking: str


@dataclass(frozen=True)
class Planned:
    """One run.

    Attributes:
        cell: what it is.
        key: hash of all that decides it, the corpus among it.
        parting: what is tested beside what.
        sampled: what it learns from.
        asked: utterances in all; None: everything.
    """

    cell: Cell
    key: str
    parting: Parting
    sampled: Sampled
    asked: int | None

    @property
    def can_run(self) -> bool:
        """Whether there is all it was asked to train on."""
        return not self.parting.failure and not self.sampled.lacking

    @property
    def sides(self) -> list[str]:
        """What it is given: speech, text."""
        own = self.cell.settings
        return [
            side for side, used in (("speech", own.hears_speech), ("text", own.reads_text)) if used
        ]

    @property
    def looks_while_training(self) -> bool:
        """Whether patience asks for the validation part."""
        parts = [len(turn.validation) for turn in self.parting.turns]
        return any(self.cell.settings.patience_for(count) is not None for count in parts if count)

    def needed(self) -> Iterable[Rows]:
        """All rows that have to be encoded for it, some of them more than once."""
        yield from self.sampled.rows
        for turn in self.parting.turns:
            yield turn.test
            if self.looks_while_training:
                yield turn.validation


@dataclass(frozen=True)
class Plan:
    """All runs of a study.

    Attributes:
        study: what was asked.
        corpus: its utterances in order of id; rows are their numbers.
        runs: in the order of the grid.
        usable: (row,) which utterances have all that some run takes.
        lacking: utterances left out because the corpus has no recording or text of them, where
            some run takes that.
        unheard: id -> why, of those left out because they cannot be heard or read.
    """

    study: Study
    corpus: Corpus
    runs: tuple[Planned, ...]
    usable: NDArray[np.bool_]
    lacking: int = 0
    unheard: Mapping[str, str] = field(default_factory=dict)

    @property
    def partings(self) -> list[Parting]:
        """One per protocol, in order."""
        return list({id(run.parting): run.parting for run in self.runs}.values())

    def needed(self, runs: Iterable[Planned]) -> Rows:
        """The rows that some runs need, once each, in order."""
        wanted = np.zeros(len(self.corpus), dtype=bool)
        for run in runs:
            for rows in run.needed():
                wanted[rows] = True
        return np.flatnonzero(wanted)

    def ids(self, rows: Rows) -> list[str]:
        """Of utterances by number."""
        return self.corpus.utterances["id"].gather(rows).to_list()

    def shortfalls(self) -> dict[str, str]:
        """What cannot be filled: cell in words -> what it lacks."""
        return {
            self.words(run): run.parting.failure or run.sampled.lacking
            for run in self.runs
            if not run.can_run
        }

    def words(self, run: Planned, *, seed: bool = False) -> str:
        """A run as a person knows it: row, column, protocol."""
        study, cell = self.study, run.cell
        seeded = [f"seed {cell.settings.seed}"] if seed else []
        row = study.row_label([cell.value(axis) for axis in study.rows])
        column = study.column_label(cell.value(study.columns))
        return ", ".join([row, column, str(cell.settings.split), *seeded])


def plan(study: Study, corpus: Corpus, unheard: Mapping[str, str] | None = None) -> Plan:
    """Part the corpus for every protocol and draw every sample.

    Splits are those of `maeum train`: drawn over the whole corpus, what cannot be used taken out
    of the parts afterwards; samples are drawn by the same chance.

    Args:
        study: what to run.
        corpus: to learn from.
        unheard: id -> why, of utterances that cannot be heard or read.

    Raises:
        CorpusError: no utterance has what the study takes.
        SplitError: the corpus can be parted for none of the protocols.
        SettingsError: the test is to be sampled where folds test everything.
    """
    corpus = corpus.with_utterances(corpus.utterances.sort("id"))
    cells, unheard = study.cells(), unheard or {}
    sides = _sides(cells)
    there = _present(corpus.utterances, sides)
    usable = there & ~corpus.utterances["id"].is_in(list(unheard)).to_numpy()
    if not usable.any():
        raise CorpusError(_nothing_usable(sides, unheard))
    draw = _Draw(study, corpus, usable)
    runs = tuple(draw.run(cell) for cell in cells)
    if all(run.parting.failure for run in runs):
        raise SplitError(runs[0].parting.failure)
    return Plan(study, corpus, runs, usable, int((~there).sum()), dict(unheard))


class _Draw:
    """Partings and samples, each drawn once."""

    def __init__(self, study: Study, corpus: Corpus, usable: NDArray[np.bool_]) -> None:
        self._study, self._corpus, self._usable = study, corpus, usable
        self._table = _narrow(corpus.utterances)
        self._emotions = corpus.utterances["emotion"].unique().sort().to_list()
        self._partings: dict[tuple[object, ...], Parting] = {}
        self._queues: dict[tuple[object, ...], pl.DataFrame] = {}
        self._samples: dict[tuple[object, ...], Sampled] = {}

    def run(self, cell: Cell) -> Planned:
        """One run, with what it shares with others."""
        own, study = cell.settings, self._study
        parted_by = (
            own.split,
            own.split_seed,
            own.distinct_text and study.distinct == "corpus",
        )
        if parted_by not in self._partings:
            self._partings[parted_by] = part(self._table, self._usable, study, cell)
        parting = self._partings[parted_by]
        queued_by = (
            *parted_by,
            own.order,
            own.seed if own.order == "random" else None,
            own.distinct_text,
        )
        drawn_by = (*queued_by, own.per_emotion, own.total)
        if drawn_by not in self._samples:
            self._samples[drawn_by] = self._sampled(cell, parting, queued_by)
        key = key_of(study, cell, self._corpus.fingerprint)
        asked = own.total if own.per_emotion is None else own.per_emotion * len(self._emotions)
        return Planned(cell, key, parting, self._samples[drawn_by], asked)

    def _sampled(self, cell: Cell, parting: Parting, queued_by: tuple[object, ...]) -> Sampled:
        """The sample of every turn."""
        wanted = _wanted(cell)
        taken: list[pl.DataFrame] = []
        lacking = ""
        for number in range(len(parting.turns)):
            found = first_of(self._queue(cell, parting, number, queued_by), wanted)
            lacking = lacking or self._lack(found, wanted, parting, number)
            taken.append(found)
        return Sampled(
            rows=tuple(np.sort(one["row"].to_numpy()) for one in taken),
            found=min(map(len, taken), default=0),
            distinct_scripts=_mean([one["script"].drop_nulls().n_unique() for one in taken]),
            lacking=lacking,
        )

    def _lack(self, found: pl.DataFrame, wanted: Sample, parting: Parting, number: int) -> str:
        lacking = lack(found, wanted, self._emotions)
        if not lacking and found["emotion"].n_unique() < 2:
            lacking = f"found {len(found):,} utterance(s) of fewer than two emotions"
        name = parting.turns[number].name
        return f"{lacking} beside {name}" if lacking and name else lacking

    def _queue(
        self, cell: Cell, parting: Parting, number: int, queued_by: tuple[object, ...]
    ) -> pl.DataFrame:
        if (*queued_by, number) not in self._queues:
            rows = np.zeros(len(self._table), dtype=bool)
            rows[parting.turns[number].train] = True
            chance = np.random.default_rng(cell.settings.seed)
            arranged = queue(self._table.filter(pl.Series(rows)), _wanted(cell), rng=chance)
            self._queues[*queued_by, number] = arranged.select("row", "emotion", "script")
        return self._queues[*queued_by, number]


def key_of(study: Study, cell: Cell, fingerprint: str) -> str:
    """16 hexadecimal digits that change when anything does that decides a run.

    Settings at their defaults are left out, so that a new setting leaves old runs known.

    Args:
        study: for what decides all of its runs.
        cell: of it.
        fingerprint: of the corpus.
    """
    decides = {
        "settings": cell.settings.model_dump(exclude_defaults=True),
        "folds": study.folds,
        "distinct": study.distinct if cell.settings.distinct_text else None,
        "test_per_emotion": study.test_per_emotion,
        "corpus": fingerprint,
    }
    return blake2b(json.dumps(decides, sort_keys=True).encode(), digest_size=8).hexdigest()


def _wanted(cell: Cell) -> Sample:
    own = cell.settings
    return Sample(own.order, own.per_emotion, own.total, own.distinct_text)


def _narrow(utterances: pl.DataFrame) -> pl.DataFrame:
    """What splits and samples look at; texts only where their length counts."""
    unheard = pl.when(pl.col("duration_s").is_null()).then("text").alias("text")
    names = ("id", "speaker", "script", "emotion", "part", "duration_s")
    table = utterances.select(*names, unheard)
    return table.with_columns(row=pl.int_range(len(table), dtype=pl.Int64))


def _sides(cells: Sequence[Cell]) -> list[str]:
    """The sides that any run takes."""
    heard = any(cell.settings.hears_speech for cell in cells)
    read = any(cell.settings.reads_text for cell in cells)
    return [side for side, used in (("speech", heard), ("text", read)) if used]


def _present(utterances: pl.DataFrame, sides: Sequence[str]) -> NDArray[np.bool_]:
    """(row,) which utterances have all sides, as the manifest says."""
    there = [utterances[COLUMNS[side]].is_not_null().to_numpy() for side in sides]
    found: NDArray[np.bool_] = np.logical_and.reduce(there)
    return found


def _nothing_usable(sides: Sequence[str], unheard: Mapping[str, str]) -> str:
    wanted = " and ".join({"speech": "a recording", "text": "text"}[side] for side in sides)
    why = next(iter(unheard.values()), None)
    return f"no utterance has {wanted}, which the study takes" + (
        f"; the first because {why}" if why else ""
    )


def _mean(counts: Sequence[int]) -> float:
    return float(np.mean(counts)) if counts else 0.0
