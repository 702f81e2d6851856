"""Every recording heard once: what only its samples can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_type_hints

import polars as pl

from maeum.ahead import THREADS, ahead, workers
from maeum.corpus.audio import clipped_share, content_digest, level_dbfs, load, read_header
from maeum.corpus.corpus import Corpus
from maeum.errors import AudioError
from maeum.progress import track


@dataclass(frozen=True)
class Measurement:
    """What listening to one utterance tells; all but id and fault null where it cannot be read.

    Attributes:
        id: of the utterance.
        heard_s: seconds decoded.
        level_dbfs: root mean square, 0 at full scale.
        clipped_share: of the samples at full scale, in [0, 1].
        digest: equal where the samples are.
        fault: why it cannot be read.
    """

    id: str
    heard_s: float | None = None
    level_dbfs: float | None = None
    clipped_share: float | None = None
    digest: str | None = None
    fault: str | None = None


MEASURED = pl.Schema(get_type_hints(Measurement))
"""The fields of `Measurement` as columns."""


def measure(corpus: Corpus) -> pl.DataFrame:
    """Listen to every recording; one row per utterance with one, columns of `MEASURED`."""
    wanted = corpus.utterances.drop_nulls("audio").select(
        "id", "audio", "channel", "start_s", "duration_s", "sample_rate_hz"
    )
    listen = partial(_measure, root=corpus.audio_root or Path())
    with workers() as pool:
        measured = ahead(pool, listen, wanted.iter_rows(named=True), 4 * THREADS)
        heard = [vars(one) for one in track(measured, total=len(wanted), label="listening")]
    return pl.DataFrame(heard, schema=MEASURED)


def _measure(utterance: Mapping[str, Any], root: Path) -> Measurement:
    """One decode, at the rate of the recording; a recording without a start is heard to its end."""
    path, start_s = root / utterance["audio"], utterance["start_s"]
    try:
        rate_hz = utterance["sample_rate_hz"] or read_header(path).rate_hz
        wave = load(
            path,
            rate_hz=rate_hz,
            channel=utterance["channel"],
            start_s=start_s or 0.0,
            duration_s=None if start_s is None else utterance["duration_s"],
        )
    except AudioError as error:
        return Measurement(utterance["id"], fault=str(error))
    return Measurement(
        id=utterance["id"],
        heard_s=len(wave) / rate_hz,
        level_dbfs=level_dbfs(wave),
        clipped_share=clipped_share(wave),
        digest=content_digest(wave),
    )
