"""What is wrong with single recordings, as told by their headers and by listening."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from maeum.corpus.audio import SILENCE_DBFS
from maeum.corpus.audit.findings import Evidence, Finding, Severity, counted

CLIPPED_SHARE = 0.001
SHORT_S, LONG_S = 0.4, 30.0
TELEPHONE_HZ = 8_000
LENGTH_TOLERANCE_S = 0.1
"""How far a length may be off, as codecs round to whole packets."""


@dataclass(frozen=True)
class RecordingFault:
    """What can be wrong with a recording.

    Attributes:
        severity: of the finding.
        found: whether a row has it.
        worst: sorts the worst first.
        says: what such recordings do.
        example: filled from the worst row.
        advice: what to do.
    """

    severity: Severity
    found: pl.Expr
    worst: pl.Expr
    says: str
    example: str
    advice: str


_OFF_S = (pl.col("heard_s") - pl.col("duration_s")).abs()
_USUAL_HZ = pl.col("sample_rate_hz").drop_nulls().mode().max()

RECORDING_FAULTS = {
    "unreadable recordings": RecordingFault(
        "fault",
        found=pl.col("fault").is_not_null(),
        worst=pl.col("id"),
        says="cannot be decoded",
        example="{fault}",
        advice="copy or export them again, then import again; those still broken are left out",
    ),
    "silence": RecordingFault(
        "fault",
        found=pl.col("level_dbfs") < SILENCE_DBFS,
        worst=pl.col("level_dbfs"),
        says=f"are silent, under {SILENCE_DBFS:.0f} dBFS",
        example="{id} ({level_dbfs:.0f} dBFS)",
        advice="leave them out, or choose another channel",
    ),
    "clipping": RecordingFault(
        "note",
        found=pl.col("clipped_share") > CLIPPED_SHARE,
        worst=-pl.col("clipped_share"),
        says=f"have more than {CLIPPED_SHARE:.1%} of their samples at full scale",
        example="{id} ({clipped_share:.1%} of the samples)",
        advice="see that clipping does not go with one emotion; record with less gain",
    ),
    "length disagrees": RecordingFault(
        "fault",
        found=_OFF_S > LENGTH_TOLERANCE_S,
        worst=-_OFF_S,
        says=f"last longer or shorter than stated, by more than {LENGTH_TOLERANCE_S:g} s",
        example="{id} ({duration_s:.2f} s stated, {heard_s:.2f} s heard)",
        advice="copy them again; they were cut off, or changed since the import",
    ),
    "very short": RecordingFault(
        "note",
        found=pl.col("length_s") < SHORT_S,
        worst=pl.col("length_s"),
        says=f"last less than {SHORT_S:g} s",
        example="{id} ({length_s:.2f} s)",
        advice="listen whether a word is left; train on the longest first where it is not",
    ),
    "very long": RecordingFault(
        "note",
        found=pl.col("length_s") > LONG_S,
        worst=-pl.col("length_s"),
        says=f"last more than {LONG_S:g} s",
        example="{id} ({length_s:.1f} s)",
        advice="cut them into utterances; one emotion rarely lasts so long, and memory may not "
        "suffice",
    ),
    "telephone quality": RecordingFault(
        "note",
        found=pl.col("sample_rate_hz") <= TELEPHONE_HZ,
        worst=pl.col("sample_rate_hz"),
        says=f"were recorded at {TELEPHONE_HZ:,} Hz or less",
        example="{id} ({sample_rate_hz:,} Hz)",
        advice="test on recordings of the same kind as those the model will hear",
    ),
    "wrong rates": RecordingFault(
        "note",
        found=pl.col("sample_rate_hz") != _USUAL_HZ,
        worst=pl.col("sample_rate_hz"),
        says="are at another rate than most",
        example="{id} ({sample_rate_hz:,} Hz)",
        advice="see that a rate does not go with one emotion; all are resampled to one",
    ),
}
"""By kind; a new one adds a row. How high a rate lets a voice reach can tell the emotion."""


def faulty_recordings(evidence: Evidence) -> Iterator[Finding]:
    """Every row of `RECORDING_FAULTS` that some recording has."""
    recorded = evidence.rows.drop_nulls("audio")
    for kind, fault in RECORDING_FAULTS.items():
        found = recorded.filter(fault.found).sort(fault.worst, "id")
        if size := len(found):
            says, of = f"recordings {fault.says}", len(recorded)
            example = fault.example.format(**found.row(0, named=True))
            yield counted(kind, fault.severity, size, of, says, example, fault.advice)
