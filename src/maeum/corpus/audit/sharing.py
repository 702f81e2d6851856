"""What is shared: by the parts of a split, and by the speakers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from maeum.config import Protocol
from maeum.corpus.audit.findings import Evidence, Finding, Severity
from maeum.corpus.splits import SET_ASIDE, Split
from maeum.corpus.splits import split as draw_split
from maeum.errors import SplitError

SHARED = {
    "speaker": (
        "shared voices",
        "are spoken by a voice of another part",
        "for scores on new voices split by speaker or speaker+script",
    ),
    "script": (
        "shared sentences",
        "read a sentence of another part",
        "for scores on new sentences split by script or speaker+script",
    ),
    "sound": (
        "shared recordings",
        "are a recording of another part",
        "take the copies out of the corpus and import again",
    ),
}
"""Columns parts can have in common: kind, what utterances held out do, advice."""


def shared_between_parts(evidence: Evidence) -> Iterator[Finding]:
    """What two parts have in common: a leak in a split in use, a note about one not drawn yet."""
    utterances = evidence.corpus.utterances
    if in_use := evidence.split or _drawn(utterances, "given"):
        yield from _shared(evidence.rows, in_use, "leak")
        return
    for protocol in ("random", "speaker"):
        if likely := _drawn(utterances, protocol):
            yield from _shared(evidence.rows, likely, "note", f" under a {protocol} split")


def _drawn(utterances: pl.DataFrame, protocol: Protocol) -> Split | None:
    """The split, if the corpus carries it."""
    try:
        return draw_split(utterances, protocol)
    except SplitError:
        return None


def _shared(
    rows: pl.DataFrame, drawn: Split, severity: Severity, where: str = ""
) -> Iterator[Finding]:
    """Every row of `SHARED` that the split does not keep apart."""
    parts = drawn.parts.filter(pl.col("part") != SET_ASIDE)
    rows = rows.drop("part").join(parts, on="id", maintain_order="left")
    of = len(rows.filter(pl.col("part") != "train"))
    for column, (kind, says, advice) in SHARED.items():
        in_two_parts = pl.col("part").n_unique().over(column) > 1
        common = rows.drop_nulls(column).filter(in_two_parts)
        held_out = common.filter(pl.col("part") != "train")
        if size := len(held_out):
            title = f"{kind}{where}: {size:,} of {of:,} utterances held out {says}"
            example = _pair(held_out.row(0, named=True), common, column)
            yield Finding(kind, severity, title, size, of, example, advice)


def _pair(one: Mapping[str, str], common: pl.DataFrame, column: str) -> str:
    """An utterance beside one of another part that has the same in common."""
    same = (pl.col(column) == one[column]) & (pl.col("part") != one["part"])
    other = common.filter(same).row(0, named=True)
    return f"{one['id']} ({one['part']}) and {other['id']} ({other['part']})"


def recurring_sentences(evidence: Evidence) -> Iterator[Finding]:
    """Sentences that several speakers read."""
    said = evidence.rows.drop_nulls(["script", "speaker"])
    recurring = said.filter(pl.col("speaker").n_unique().over("script") > 1)
    if size := len(recurring):
        sentences, speakers = (recurring[column].n_unique() for column in ("script", "speaker"))
        title = (
            f"the same {sentences:,} sentences recur over {speakers:,} speakers: "
            "a split by speaker tests sentences it was trained on"
        )
        commonest = recurring.filter(pl.col("script") == pl.col("script").mode().min())
        text, readers = commonest["text"].mode().sort()[0], commonest["speaker"].n_unique()
        example = f"“{text}” is read by {readers:,} speakers"
        advice = "split by speaker+script where sentences must be new as well as voices"
        kind, of = "sentences recur over speakers", len(evidence.rows)
        yield Finding(kind, "note", title, size, of, example, advice)
