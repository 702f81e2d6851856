"""What the corpus lacks: emotions, speakers, texts, recordings, and rows the import rejected."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from maeum.corpus.audit.findings import Evidence, Finding, counted

RARE = 10
"""With fewer utterances of an emotion, a tenth of them for the test is none."""

MISSING = {
    "speaker": ("missing speakers", "name no speaker", "a split cannot keep voices apart"),
    "text": ("missing texts", "have no text", "a model gets speech alone for them"),
    "audio": ("missing recordings", "have no recording", "a model gets text alone for them"),
}
"""Columns whose gaps matter: kind, what the utterances do, what follows."""


def scarce_emotions(evidence: Evidence) -> Iterator[Finding]:
    """Emotions of the set with few utterances or none."""
    found = dict(evidence.rows["emotion"].value_counts().iter_rows())
    counts = {name: found.get(name, 0) for name in evidence.corpus.emotions.names}
    absent = [name for name, count in counts.items() if count == 0]
    rare = [f"{name} ({count})" for name, count in counts.items() if 0 < count < RARE]
    for kind, names, says in (
        ("absent emotions", absent, "emotions have no utterance"),
        ("rare emotions", rare, f"emotions have fewer than {RARE} utterances"),
    ):
        if names:
            advice = "leave these emotions out of the set, or find more utterances of them"
            yield counted(kind, "note", len(names), len(counts), says, ", ".join(names), advice)


def missing(evidence: Evidence) -> Iterator[Finding]:
    """Utterances without a speaker, a text or a recording."""
    rows = evidence.rows
    for column, (kind, says, advice) in MISSING.items():
        ids = rows.filter(pl.col(column).is_null())["id"]
        if size := len(ids):
            says = f"utterances {says}"
            yield counted(kind, "note", size, len(rows), says, ids[0], advice)


def left_out(evidence: Evidence) -> Iterator[Finding]:
    """What the import rejected, by reason."""
    rejected = evidence.corpus.rejected
    of = len(evidence.corpus) + len(rejected)
    advice = "rejected.parquet of the corpus names each; mend the source and import again"
    reasons = rejected.group_by("reason").agg(pl.len().alias("size"), pl.col("detail").first())
    for reason, size, detail in reasons.sort(["size", "reason"], descending=[True, False]).rows():
        yield counted("left out", "note", size, of, f"utterances ({reason})", detail, advice)
