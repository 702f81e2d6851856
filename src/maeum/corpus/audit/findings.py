"""What a check looks at, and what it says."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import polars as pl

from maeum.corpus.corpus import Corpus
from maeum.corpus.splits import Split

Severity = Literal["leak", "fault", "note"]

SEVERITIES: dict[Severity, str] = {
    "leak": "a score on this corpus can come out right for the wrong reason",
    "fault": "a recording, a text or a label is broken or contradicts another",
    "note": "worth knowing before a number is believed",
}
"""How bad a finding is, worst first."""


@dataclass(frozen=True)
class Finding:
    """One thing that makes a number lie.

    Attributes:
        kind: a few words, the same for all of a kind.
        severity: a key of `SEVERITIES`.
        title: one sentence with the size.
        size: utterances (or speakers, sentences, emotions, as the title says) concerned.
        of: out of how many.
        example: one of them.
        advice: what to do.
    """

    kind: str
    severity: Severity
    title: str
    size: int
    of: int
    example: str
    advice: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def counted(
    kind: str, severity: Severity, size: int, of: int, says: str, example: str, advice: str
) -> Finding:
    """A finding whose title counts: `says` is who is counted and what they do.

    >>> counted("silence", "fault", 2, 9, "recordings are silent", "a7", "leave them out").title
    'silence: 2 of 9 recordings are silent'
    """
    title = f"{kind}: {size:,} of {of:,} {says}"
    return Finding(kind, severity, title, size, of, example, advice)


@dataclass(frozen=True)
class Evidence:
    """What the checks look at.

    Attributes:
        corpus: as it was given.
        rows: its utterances beside the fields of `Measurement` (null where nobody listened),
            `length_s`, as heard or else as stated, and `sound`, equal where two utterances are
            the same sound as far as is known.
        split: the split in use; None: the corpus' own, if it has one.
    """

    corpus: Corpus
    rows: pl.DataFrame
    split: Split | None
