"""Utterances that stand in the corpus several times, with the same emotion or with another."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from maeum.corpus.audio import SILENCE_DBFS
from maeum.corpus.audit.findings import Evidence, Finding, counted


def repeated_recordings(evidence: Evidence) -> Iterator[Finding]:
    """The same sound several times; silence is none."""
    audible = pl.col("level_dbfs").fill_null(0.0) >= SILENCE_DBFS
    rows = evidence.rows.drop_nulls("audio").filter(audible)
    conflicting, alike = _repeated(rows, "sound")
    if size := len(conflicting):
        says = "utterances hold the same sound as another with a different emotion"
        example = _pair(conflicting, "sound")
        advice = "listen, keep the label that is right, and import again"
        yield counted("conflicting labels", "leak", size, len(rows), says, example, advice)
    if size := len(alike):
        says = "utterances hold the same sound as another of the same emotion"
        example = _pair(alike, "sound")
        advice = "keep one of each and import again, or a test repeats what was trained on"
        yield counted("duplicate recordings", "fault", size, len(rows), says, example, advice)


def repeated_texts(evidence: Evidence) -> Iterator[Finding]:
    """The same text several times, among utterances without a recording."""
    rows = evidence.rows.filter(pl.col("audio").is_null()).drop_nulls("text")
    conflicting, alike = _repeated(rows, "text")
    if size := len(conflicting):
        kind = "conflicting labels of texts"
        says = "utterances have the same text as another with a different emotion"
        example = _pair(conflicting, "text")
        advice = "keep the label that is right; where both are, text alone cannot tell them apart"
        yield counted(kind, "fault", size, len(rows), says, example, advice)
    if size := len(alike):
        says = "utterances have the same text as another of the same emotion"
        example = _pair(alike, "text")
        advice = "split by script, or sample with distinct text"
        yield counted("duplicate texts", "note", size, len(rows), says, example, advice)


def _repeated(rows: pl.DataFrame, column: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows that share their value with others: where emotions differ, and where they agree."""
    repeated = rows.filter(pl.len().over(column) > 1)
    differ = pl.col("emotion").n_unique().over(column) > 1
    return repeated.filter(differ), repeated.filter(~differ)


def _pair(copies: pl.DataFrame, column: str) -> str:
    """The first beside a copy of it, one with another emotion if there is any."""
    first, *others = copies.filter(pl.col(column) == copies[column][0]).rows(named=True)
    other = min(others, key=lambda copy: copy["emotion"] == first["emotion"])
    return f"{first['id']} ({first['emotion']}) and {other['id']} ({other['emotion']})"
