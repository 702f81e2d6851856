"""What makes a number lie: leaks, faulty recordings and labels, found before anything is trained.

A corpus can be learnt without hearing it: where each sentence belongs to one emotion, a model that
remembers sentences looks as if it understood voices. `audit` says so, with the size of it, an
example and what to do. A check is a function in `AUDITS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl

from maeum.corpus.audit import copies, gaps, labels, recordings, sharing
from maeum.corpus.audit.findings import SEVERITIES, Evidence, Finding
from maeum.corpus.audit.listening import MEASURED, Measurement, measure
from maeum.corpus.corpus import Corpus
from maeum.corpus.splits import Split

__all__ = [
    "AUDITS",
    "SEVERITIES",
    "Evidence",
    "Finding",
    "Measurement",
    "audit",
    "gather",
    "measure",
]

AUDITS: dict[str, Callable[[Evidence], Iterator[Finding]]] = {
    "text decides": labels.text_decides,
    "speaker decides": labels.speaker_decides,
    "repeated recordings": copies.repeated_recordings,
    "repeated texts": copies.repeated_texts,
    "shared": sharing.shared_between_parts,
    "faulty recordings": recordings.faulty_recordings,
    "text tells nothing": labels.text_tells_nothing,
    "recurring sentences": sharing.recurring_sentences,
    "one emotion": labels.one_emotion_speakers,
    "scarce": gaps.scarce_emotions,
    "missing": gaps.missing,
    "left out": gaps.left_out,
}
"""Every check; a new one adds a row."""


def audit(corpus: Corpus, split: Split | None = None, *, listen: bool = True) -> list[Finding]:
    """Everything found, leaks first.

    Args:
        corpus: what is examined.
        split: looked at for what its parts share; None: the corpus' own parts, or where it names
            none what a `random` and a `speaker` split would share.
        listen: decode every recording once, for silence, clipping and duplicates.
    """
    evidence = gather(corpus, split, listen=listen)
    findings = [finding for check in AUDITS.values() for finding in check(evidence)]
    worst_first = list(SEVERITIES)
    return sorted(findings, key=lambda finding: worst_first.index(finding.severity))


def gather(corpus: Corpus, split: Split | None = None, *, listen: bool = True) -> Evidence:
    """What the checks look at; see `audit`."""
    measured = measure(corpus) if listen else pl.DataFrame(schema=MEASURED)
    rows = corpus.utterances.join(measured, on="id", how="left", maintain_order="left")
    stretch = pl.col("channel", "start_s", "duration_s").cast(pl.String).fill_null("")
    place = pl.concat_str("audio", stretch, separator="|")
    rows = rows.with_columns(
        length_s=pl.coalesce("heard_s", "duration_s"), sound=pl.coalesce("digest", place)
    )
    return Evidence(corpus, rows, split)
