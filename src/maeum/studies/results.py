"""What came of the runs of a study: `runs/KEY/row.json`, and one table made of them.

| column | type | meaning |
|---|---|---|
| study, key | text | name of the study; hash of all that decides the run |
| status | text | done, short (cannot be filled) or failed |
| message | text or null | what it lacks, or why it failed |
| modality, order, size, speech, text, tune, fusion, protocol, seed | | axes; size as stated |
| scaled | int or null | what the size comes to; null: everything |
| count | text | what a size counts: per_emotion or total |
| axes | list | further axes of the study, as (axis, value) |
| turns | int | networks trained: one of a split, one per fold |
| asked, found | int or null | training utterances in all: asked for (null: everything), and there
  (of the turn with fewest) |
| distinct_scripts | float | sentences among them, mean over turns |
| tested | int | utterances answered for |
| accuracy, uar, macro_f1 | float or null | in [0, 1] |
| …_low, …_high | float or null | ends of their 95 % intervals |
| ci95_over | text or null | speakers or utterances: what the intervals are over |
| published | float or null | accuracy that was published of this cell, in [0, 1] |
| shared_speakers, shared_scripts | int or null | of the test, that were in the training too |
| tested_speakers, tested_scripts | int or null | that the test has |
| split | text | fingerprint: equal where the same utterances are tested beside the same training |
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
from polars.datatypes import DataType, DataTypeClass

from maeum.corpus.manifest import write_table
from maeum.errors import RunError
from maeum.evaluation import Evaluation
from maeum.evaluation.metrics import METRICS
from maeum.files import write_json
from maeum.studies.planning import Plan, Planned

DONE, SHORT, FAILED = "done", "short", "failed"

AXES = ("modality", "order", "size", "speech", "text", "tune", "fusion", "protocol", "seed")
"""Axes that are columns of their own."""

SHARED = ("speaker", "script")
"""Of what test and training may share, what a row says."""

_ENTRY = pl.Struct({"axis": pl.String, "value": pl.String})

_COLUMNS: dict[str, DataType | DataTypeClass] = {
    "study": pl.String,
    "key": pl.String,
    "status": pl.String,
    "message": pl.String,
    **dict.fromkeys(AXES, pl.String),
    "seed": pl.Int64,
    "scaled": pl.Int64,
    "count": pl.String,
    "axes": pl.List(_ENTRY),
    "turns": pl.Int64,
    "asked": pl.Int64,
    "found": pl.Int64,
    "distinct_scripts": pl.Float64,
    "tested": pl.Int64,
    **{f"{name}{end}": pl.Float64 for name in METRICS for end in ("", "_low", "_high")},
    "ci95_over": pl.String,
    "published": pl.Float64,
    **{f"{how}_{kind}s": pl.Int64 for kind in SHARED for how in ("shared", "tested")},
    "split": pl.String,
}

SCHEMA = pl.Schema(_COLUMNS)
"""Columns and types of `results.parquet`, in order."""


@dataclass(frozen=True)
class Result:
    """What came of one run, as `row.json` keeps it.

    Attributes:
        key: of the run.
        status: done or failed.
        message: why it failed.
        figures: scores, intervals, and what test and training share, by column.
        encoders: side and names -> versions.
        duration_s: seconds it took, all turns.
    """

    key: str
    status: str
    message: str | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    encoders: Mapping[str, list[str]] = field(default_factory=dict)
    duration_s: float = 0.0

    def save(self, folder: Path) -> None:
        """Write `row.json`."""
        write_json(folder / "row.json", asdict(self))

    @classmethod
    def read(cls, folder: Path, key: str) -> Result | None:
        """What a run's folder says; None where it says nothing that can be read."""
        try:
            known = json.loads((folder / "row.json").read_text(encoding="utf-8"))
            result = cls(**known)
            whole = result.status == FAILED or set(figures_named()) <= result.figures.keys()
        except (OSError, ValueError, TypeError, AttributeError):
            return None
        return result if whole and result.key == key else None


def figures_named() -> list[str]:
    """Columns that are known once a run is done."""
    scores = [f"{name}{end}" for name in METRICS for end in ("", "_low", "_high")]
    shared = [f"{how}_{kind}s" for kind in SHARED for how in ("shared", "tested")]
    return [*scores, "ci95_over", "tested", *shared]


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """The columns of a row that an evaluation fills."""
    scores = evaluation.scores
    figures: dict[str, Any] = {"tested": scores.n, "ci95_over": scores.ci95_over}
    for name in METRICS:
        figures[name] = getattr(scores, name)
        figures[f"{name}_low"], figures[f"{name}_high"] = scores.ci95[name]
    for entry in evaluation.leaks.shared:
        if entry.kind in SHARED:
            figures |= {
                f"shared_{entry.kind}s": entry.shared,
                f"tested_{entry.kind}s": entry.tested,
            }
    return figures


def table_of(plan: Plan, results: Mapping[str, Result]) -> pl.DataFrame:
    """One row per run that is done, failed, or cannot be filled, in the order of the grid."""
    rows = [
        _row(plan, run, results.get(run.key))
        for run in plan.runs
        if run.key in results or not run.can_run
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _row(plan: Plan, run: Planned, result: Result | None) -> dict[str, Any]:
    study, cell = plan.study, run.cell
    published = study.published_of(cell.values([*study.axes, "protocol", "seed"]))
    further = [axis for axis in study.axes if axis not in AXES]
    return {
        **dict.fromkeys(SCHEMA.names()),
        "study": study.name,
        "key": run.key,
        **_status(run, result),
        **{axis: str(value) for axis, value in cell.values(AXES).items()},
        "seed": cell.settings.seed,
        "scaled": cell.scaled,
        "count": study.count,
        "axes": [{"axis": axis, "value": str(cell.value(axis))} for axis in further],
        "turns": len(run.parting.turns),
        "asked": run.asked,
        "found": run.sampled.found,
        "distinct_scripts": run.sampled.distinct_scripts,
        "published": None if published is None else published / 100,
        "tested": run.parting.tested,
        "split": run.parting.fingerprint,
        **({} if result is None else result.figures),
    }


def _status(run: Planned, result: Result | None) -> dict[str, Any]:
    if run.parting.failure:
        return {"status": FAILED, "message": run.parting.failure}
    if run.sampled.lacking:
        return {"status": SHORT, "message": run.sampled.lacking}
    assert result is not None  # noqa: S101 - `table_of` has asked
    return {"status": result.status, "message": result.message}


def write_results(folder: Path, table: pl.DataFrame) -> None:
    """Write `results.parquet`."""
    write_table(table, folder / "results.parquet")


def read_results(folder: Path) -> pl.DataFrame:
    """The rows of a study so far; none before the first.

    Raises:
        RunError: the file is broken.
    """
    path = folder / "results.parquet"
    if not path.is_file():
        return pl.DataFrame(schema=SCHEMA)
    try:
        return pl.read_parquet(path).select(SCHEMA.names()).cast(SCHEMA)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise RunError(
            f"{path} cannot be read ({str(error).splitlines()[0]}); it is made anew when the same "
            "`maeum study run` is typed again"
        ) from error


def failed_rows(table: pl.DataFrame) -> Iterable[dict[str, Any]]:
    """The rows of runs that failed."""
    return table.filter(pl.col("status") == FAILED).iter_rows(named=True)
