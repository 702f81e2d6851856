"""How much of what a corpus holds: as plain values for JSON, and as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from maeum.corpus.corpus import Corpus

Cell: TypeAlias = str | int | float

QUANTILES = {"min": 0.0, "p5": 0.05, "median": 0.5, "p95": 0.95, "max": 1.0}
"""Which lengths are told, as shares of the utterances that are shorter."""

COUNTED = {
    "sample_rates_hz": ("sample_rate_hz", "Sample rates (Hz)"),
    "genders": ("gender", "Genders"),
    "styles": ("style", "Speaking styles"),
    "parts": ("part", "Parts"),
}
"""Name in `stats`: the column counted, and the title of its table."""


SHOWN, EXAMPLES = 4, 2
"""Sentences shown as examples, and utterances of each."""


@dataclass(frozen=True)
class Table:
    """What a person reads; how it is drawn is the reader's choice.

    Attributes:
        title: over the table.
        columns: their names.
        rows: as many cells each as there are columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


def stats(corpus: Corpus) -> dict[str, Any]:
    """Counts, durations and what was left out; every value is one that JSON can hold.

    Utterances whose value is not known are left out of the counts of it; `durations_s` is null
    where no length is known.
    """
    rows = corpus.utterances
    return {
        "reader": corpus.reader,
        "source": corpus.source,
        "fingerprint": corpus.fingerprint,
        **_counts(rows),
        "recordings": rows["audio"].count(),
        "texts": rows["text"].count(),
        "durations_s": _durations_s(rows["duration_s"]),
        "emotions": [
            {
                "name": emotion.name,
                "korean": emotion.korean,
                **_counts(rows.filter(pl.col("emotion") == emotion.name)),
            }
            for emotion in corpus.emotions.emotions
        ],
        "readings": _readings(rows),
        "shortest": _shortest(rows),
        **{name: _tally(rows[column]) for name, (column, _) in COUNTED.items()},
        "rejected": _tally(corpus.rejected["reason"]),
        "notes": list(corpus.notes),
    }


def _readings(rows: pl.DataFrame) -> dict[str, Any]:
    """Sentences that several speakers read: how many, and those that most of them read."""
    said = rows.drop_nulls(["script", "speaker"])
    apart = pl.col("speaker").is_first_distinct()
    by_sentence = said.group_by("script").agg(
        pl.col("text").first(),
        pl.col("speaker").n_unique().alias("speakers"),
        pl.len().alias("utterances"),
        pl.struct("id", "speaker", "duration_s").filter(apart).head(EXAMPLES).alias("examples"),
    )
    several = by_sentence.filter(pl.col("speakers") > 1)
    most_read = several.sort("speakers", "utterances", "script", descending=[True, True, False])
    return {
        "sentences": len(several),
        "utterances": int(several["utterances"].sum()),
        "most_read": most_read.head(SHOWN).drop("script").to_dicts(),
    }


def _shortest(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The utterances that last least, each sentence once."""
    said = rows.drop_nulls(["script", "duration_s"]).sort("duration_s", "id")
    return (
        said.unique("script", keep="first", maintain_order=True)
        .head(SHOWN)
        .select("id", "text", "duration_s")
        .to_dicts()
    )


def _counts(rows: pl.DataFrame) -> dict[str, int | float]:
    return {
        "speakers": rows["speaker"].drop_nulls().n_unique(),
        "utterances": len(rows),
        "sentences": rows["script"].drop_nulls().n_unique(),
        "hours": float(rows["duration_s"].sum()) / 3600,
    }


def _durations_s(lengths: pl.Series) -> dict[str, float] | None:
    known = lengths.drop_nulls()
    if known.is_empty():
        return None
    return {name: known.quantile(share, "linear") or 0.0 for name, share in QUANTILES.items()}


def _tally(values: pl.Series) -> dict[str, int]:
    """How often each value occurs, commonest first, ties by name."""
    counts = values.drop_nulls().cast(pl.String).alias("value").value_counts()
    return dict(counts.sort("count", "value", descending=[True, False]).iter_rows())


def tables(found: Mapping[str, Any]) -> list[Table]:
    """What `stats` found as tables; those with nothing in them are left out.

    Emotions stand as in the paper's Table 1: speakers and utterances of each, and the whole below.
    Sentences that several speakers read follow, as in its Table 2.
    """
    counted = [
        _counted_table(title, found[name], found["utterances"])
        for name, (_, title) in COUNTED.items()
    ]
    met = found["utterances"] + sum(found["rejected"].values())
    left_out = _counted_table("Left out", found["rejected"], met)
    notes = Table("Notes", ("note",), tuple((note,) for note in found["notes"]))
    said = [_readings_table(found["readings"]), _shortest_table(found["shortest"])]
    every = [_emotion_table(found), *said, _duration_table(found), *counted, left_out, notes]
    return [table for table in every if table.rows]


def _emotion_table(found: Mapping[str, Any]) -> Table:
    numbers = ("speakers", "utterances", "sentences", "hours")
    whole = {"name": "all", "korean": "", **found}
    rows = [
        (f"{entry['name']} {entry['korean']}".strip(), *(entry[number] for number in numbers))
        for entry in (*found["emotions"], whole)
    ]
    return Table("Emotions", ("emotion", *numbers), tuple(rows))


def _readings_table(readings: Mapping[str, Any]) -> Table:
    title = (
        f"Sentences several speakers read: {readings['sentences']:,}, in "
        f"{readings['utterances']:,} utterances; by most of them"
    )
    rows = tuple(
        (entry["text"], entry["speakers"], one["speaker"], one["duration_s"] or "")
        for entry in readings["most_read"]
        for one in entry["examples"]
    )
    return Table(title, ("sentence", "speakers", "for example", "length (s)"), rows)


def _shortest_table(shortest: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple((entry["text"], entry["duration_s"], entry["id"]) for entry in shortest)
    return Table("Shortest utterances", ("sentence", "length (s)", "id"), rows)


def _duration_table(found: Mapping[str, Any]) -> Table:
    lengths = found["durations_s"] or {}
    return Table(
        "Length of an utterance (s)", tuple(lengths), (tuple(lengths.values()),) if lengths else ()
    )


def _counted_table(title: str, counts: Mapping[str, int], whole: int) -> Table:
    rows = tuple((value, count, count / max(whole, 1)) for value, count in counts.items())
    return Table(title, ("value", "utterances", "share"), rows)
