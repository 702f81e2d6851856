"""What gives the emotion away without a voice being heard: sentences and speakers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from maeum.corpus.audit.findings import Evidence, Finding, counted

NEARLY_ALL = 0.9
"""Share that is nearly all: of a speaker's utterances, or of the sentences."""
BEYOND_CHANCE_SIGMAS = 3.0


def text_decides(evidence: Evidence) -> Iterator[Finding]:
    """Sentences that occur with one emotion only."""
    sentences = _recurring(evidence.rows, "script", share=1.0)
    says = "read a sentence that occurs with one emotion only"
    example = "“{text}”: all {utterances:,} utterances are {emotion}"
    advice = (
        "split by script or speaker+script, and compare with a model that is given speech alone"
    )
    return _decides("text decides the emotion", sentences, "sentences", says, example, advice)


def speaker_decides(evidence: Evidence) -> Iterator[Finding]:
    """Speakers with one emotion, or nearly."""
    speakers = _recurring(evidence.rows, "speaker", share=NEARLY_ALL)
    says = "come from a speaker with one emotion, or nearly"
    example = "{speaker}: {commonest:,} of {utterances:,} utterances are {emotion}"
    advice = "split by speaker or speaker+script, or record these speakers in other emotions too"
    return _decides("a speaker decides the emotion", speakers, "speakers", says, example, advice)


def _decides(
    kind: str, groups: pl.DataFrame, groups_are: str, says: str, example: str, advice: str
) -> Iterator[Finding]:
    """A leak, where more groups are bound to an emotion than chance explains."""
    bound, chance = groups.filter("bound"), groups["chance"].to_numpy()
    expected, spread = chance.sum(), np.sqrt((chance * (1 - chance)).sum())
    if len(bound) > expected + BEYOND_CHANCE_SIGMAS * spread:
        share = f"{len(bound):,} of {len(groups):,} {groups_are}"
        says = f"utterances {says} ({share}, chance would give {expected:,.0f})"
        size, of = _utterances(bound), _utterances(groups)
        example = example.format(**bound.row(0, named=True))
        yield counted(kind, "leak", size, of, says, example, advice)


def text_tells_nothing(evidence: Evidence) -> Iterator[Finding]:
    """The reverse of a leak: sentences that occur in every emotion, all or nearly all."""
    emotions = evidence.rows["emotion"].n_unique()
    sentences = _groups(evidence.rows, "script").filter(pl.col("utterances") > 1)
    everywhere = sentences.filter(pl.col("emotions") == emotions)
    found, looked_at = len(everywhere), len(sentences)
    if emotions > 1 and found and found >= NEARLY_ALL * looked_at:
        little = f"little: {found:,} of {looked_at:,} sentences occur"
        what = "nothing: every sentence occurs" if found == looked_at else little
        title = f"text can tell {what} in every emotion"
        size, of = _utterances(everywhere), len(evidence.rows)
        example = "“{text}” in {emotions} emotions".format(**everywhere.row(0, named=True))
        advice = (
            "give speech alone, text can bring nothing; by random folds text falls below chance, "
            "since an utterance held out leaves its own emotion rarer among its sentence"
        )
        yield Finding("text tells nothing", "note", title, size, of, example, advice)


def one_emotion_speakers(evidence: Evidence) -> Iterator[Finding]:
    """Speakers whose mean and spread would be those of an emotion."""
    speakers = _groups(evidence.rows, "speaker")
    single = speakers.filter(pl.col("emotions") == 1)
    if len(single) and evidence.rows["emotion"].n_unique() > 1:
        size, of = len(single), len(speakers)
        title = (
            f"{size:,} of {of:,} speakers have one emotion only and cannot be normalised by speaker"
        )
        first = single.row(0, named=True)
        example = "{speaker}: {utterances:,} utterances, all {emotion}".format(**first)
        advice = "normalise by recording or not at all, or leave these speakers out"
        yield Finding("speakers with one emotion", "note", title, size, of, example, advice)


def _groups(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """One row per value of a column, largest first; `commonest` counts its commonest emotion."""
    grouped = rows.drop_nulls(column).group_by(column)
    found = grouped.agg(
        pl.len().alias("utterances"),
        pl.col("emotion").n_unique().alias("emotions"),
        pl.col("emotion").unique_counts().max().alias("commonest"),
        pl.col("emotion").mode().min(),
        pl.col("text").mode().min(),
    )
    return found.sort("utterances", column, descending=[True, False])


def _utterances(groups: pl.DataFrame) -> int:
    return int(groups["utterances"].sum())


def _recurring(rows: pl.DataFrame, column: str, *, share: float) -> pl.DataFrame:
    """Groups of several utterances; `bound` where that share of them has one emotion.

    Many sentences said twice have one emotion by accident: `chance` is how likely a group of that
    size is bound if only the emotions' frequencies matter.
    """
    from scipy.stats import binom

    groups = _groups(rows, column).filter(pl.col("utterances") > 1)
    frequencies = rows["emotion"].value_counts()["count"].to_numpy() / max(len(rows), 1)
    sizes = groups["utterances"].to_numpy()[:, None]
    chances = binom.sf(np.ceil(share * sizes) - 1, sizes, frequencies)  # (group, emotion)
    return groups.with_columns(
        bound=pl.col("commonest") >= share * pl.col("utterances"),
        chance=pl.Series(chances.sum(axis=1).clip(0, 1)),
    )
