"""The table of a study: what was published, and ours under each protocol, with intervals.

It is made of what the folder keeps and needs no corpus.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.emotions import EmotionSet
from maeum.evaluation.metrics import (
    accuracy,
    bootstrap_intervals,
    bootstrap_unit,
    chance,
    confusion,
)
from maeum.storage import fetched
from maeum.studies.folder import StudyFolder
from maeum.studies.grid import ALL, Cell, Study, Value
from maeum.studies.planning import key_of
from maeum.studies.results import DONE, FAILED, read_results
from maeum.training.turns import kept_answers

PENDING = "pending"
"""Of a cell that was not run yet."""

PAPER_LINE = "paper"

Row = tuple[Value, ...]
"""Values of the axes that make the rows of a table."""


@dataclass(frozen=True)
class Entry:
    """What a study found in one cell of its table, all seeds together.

    Attributes:
        row: values of the axes of the rows.
        column: value of the axis across.
        protocol: what test and training did not share.
        status: done, short, failed or pending.
        seeds: done, of `asked_seeds`.
        asked_seeds: that the study has.
        message: why it is short or failed.
        accuracy: mean over seeds, in [0, 1]; None: none is done.
        low: lower end of its 95 % interval.
        high: upper end.
        over: what the interval is over, speakers or utterances.
        confusion: (class, class) counts of all seeds, rows truth.
        found: training utterances of the turn with fewest.
        distinct_scripts: sentences among them, mean over turns.
        scaled: the size that was trained on; None: all there is.
    """

    row: Row
    column: Value
    protocol: str
    status: str
    seeds: int
    asked_seeds: int
    message: str = ""
    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    over: str = ""
    confusion: NDArray[np.int64] | None = None
    found: int | None = None
    distinct_scripts: float | None = None
    scaled: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        names = ("status", "accuracy", "low", "high", "over", "seeds", "found", "distinct_scripts")
        return {
            **{name: getattr(self, name) for name in names},
            "message": self.message or None,
            "over": self.over or None,
        }


@dataclass(frozen=True)
class Shown:
    """A study as its folder tells it.

    Attributes:
        folder: where it is kept.
        card: what `study.yaml` says.
        study: what was asked.
        results: rows of `results.SCHEMA`.
    """

    folder: StudyFolder
    card: dict[str, Any]
    study: Study
    results: pl.DataFrame

    @classmethod
    def of(cls, folder: str | Path) -> Shown:
        """The study in a folder, finished or not.

        Raises:
            RunError: it holds none.
            StorageError: it lies elsewhere and cannot be had.
        """
        kept = StudyFolder(fetched(folder))
        card = kept.opened()
        return cls(kept, card, Study.of(**card["study"]), read_results(kept.path))

    @cached_property
    def emotions(self) -> EmotionSet:
        """Of the corpus."""
        return EmotionSet.from_dict(self.card["corpus"]["emotions"])

    @cached_property
    def entries(self) -> dict[tuple[Row, Value, str], Entry]:
        """Row, column and protocol -> what was found."""
        groups: dict[tuple[Row, Value, str], list[Cell]] = {}
        for cell in self._cells:
            place = (self._row(cell), cell.value(self.study.columns), str(cell.settings.split))
            groups.setdefault(place, []).append(cell)
        return {place: self._entry(*place, cells) for place, cells in groups.items()}

    @property
    def rows(self) -> list[Row]:
        """Of the table, in order."""
        return list(dict.fromkeys(row for row, _, _ in self.entries))

    @property
    def columns(self) -> list[Value]:
        """Of the table, sizes in order."""
        found = list(dict.fromkeys(column for _, column, _ in self.entries))
        if self.study.columns != "size":
            return found
        return sorted(found, key=lambda size: np.inf if size == ALL else float(size or 0))

    @property
    def protocols(self) -> list[str]:
        """In order, the paper's first."""
        return list(dict.fromkeys(protocol for _, _, protocol in self.entries))

    def published(self, row: Row, column: Value) -> float | None:
        """The accuracy that was published of a cell, in [0, 1]."""
        return self._published.get((row, column))

    @cached_property
    def _published(self) -> dict[tuple[Row, Value], float]:
        study, found = self.study, {}
        for cell in self._cells:
            percent = study.published_of(cell.values([*study.axes, "protocol"]))
            if percent is not None:
                found[self._row(cell), cell.value(study.columns)] = percent / 100
        return found

    @cached_property
    def _cells(self) -> list[Cell]:
        return self.study.cells()

    @property
    def has_published(self) -> bool:
        """Whether anything was published of it."""
        return bool(self._published)

    def row_label(self, row: Row) -> str:
        """What a row is called."""
        return self.study.row_label(row)

    @cached_property
    def chance(self) -> float | None:
        """Accuracy of answering blindly, in [0, 1]; None before anything was tested."""
        tested = [e.confusion for e in self.entries.values() if e.confusion is not None]
        return chance(sum(tested[1:], tested[0]))["accuracy"] if tested else None

    @property
    def failed(self) -> list[dict[str, Any]]:
        """Rows of runs that failed."""
        return self.results.filter(pl.col("status") == FAILED).to_dicts()

    def words(self, row: dict[str, Any]) -> str:
        """A row of the results as a person knows it."""
        axes = [axis for axis in self.study.axes if axis in row]
        named = [f"{axis} {self.study.label(row[axis])}" for axis in axes]
        return ", ".join([*named, row["protocol"], f"seed {row['seed']}"])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        study = self.study
        return {
            "study": study.name,
            "title": study.title,
            "corpus": {name: v for name, v in self.card["corpus"].items() if name != "emotions"},
            "splits": self.card["splits"],
            "chance": self.chance,
            "cells": [
                {
                    **dict(zip(study.rows, row, strict=True)),
                    study.columns: column,
                    "scaled": self._scaled(row, column),
                    "published": self.published(row, column),
                    **{
                        protocol: self.entries[row, column, protocol].to_dict()
                        for protocol in self.protocols
                        if (row, column, protocol) in self.entries
                    },
                }
                for row in self.rows
                for column in self.columns
                if any((row, column, protocol) in self.entries for protocol in self.protocols)
            ],
            "failed": [
                {name: row[name] for name in ("key", "protocol", "seed", "size", "message")}
                for row in self.failed
            ],
        }

    def _scaled(self, row: Row, column: Value) -> int | None:
        return next(e.scaled for (r, c, _), e in self.entries.items() if (r, c) == (row, column))

    def _row(self, cell: Cell) -> Row:
        return tuple(cell.value(axis) for axis in self.study.rows)

    @cached_property
    def _by_key(self) -> dict[str, dict[str, Any]]:
        return {row["key"]: row for row in self.results.iter_rows(named=True)}

    def _entry(self, row: Row, column: Value, protocol: str, cells: Sequence[Cell]) -> Entry:
        """All seeds of a cell together."""
        fingerprint = self.card["corpus"]["fingerprint"]
        keys = [key_of(self.study, cell, fingerprint) for cell in cells]
        known = [self._by_key[key] for key in keys if key in self._by_key]
        done = [one for one in known if one["status"] == DONE]
        bad = [one for one in known if one["status"] != DONE]
        status = bad[0]["status"] if bad else (DONE if len(done) == len(cells) else PENDING)
        first = known[0] if known else {}
        return Entry(
            row=row,
            column=column,
            protocol=protocol,
            status=status,
            seeds=len(done),
            asked_seeds=len(cells),
            message=str(bad[0]["message"]) if bad else "",
            found=first.get("found"),
            distinct_scripts=first.get("distinct_scripts"),
            scaled=cells[0].scaled,
            **self._judged(done),
        )

    def _judged(self, done: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Mean over seeds with its interval; a voice is drawn with the answers of all seeds."""
        answered = [self._answers(row) for row in done]
        if not answered or any(one is None for one in answered):
            return {}
        every = pl.concat([one for one in answered if one is not None])
        place = {name: index for index, name in enumerate(self.emotions.names)}
        truth, answer = (
            every[name].replace_strict(place, return_dtype=pl.Int64).to_numpy()
            for name in ("truth", "answer")
        )
        unit = bootstrap_unit(every["speaker"].to_list())
        drawn = every["speaker" if unit == "speakers" else "id"].to_list()
        chances = np.random.default_rng(0)
        ends = bootstrap_intervals(truth, answer, drawn, len(place), rng=chances)["accuracy"]
        matrix = confusion(truth, answer, len(place))
        return {
            "accuracy": float(accuracy(matrix)),
            "low": ends[0],
            "high": ends[1],
            "over": unit,
            "confusion": matrix,
        }

    def _answers(self, row: dict[str, Any]) -> pl.DataFrame | None:
        turns = range(row["turns"])
        found = [kept_answers(self.folder.answers(row["key"], number)) for number in turns]
        if any(one is None for one in found):
            return None
        return pl.concat([one for one in found if one is not None])
