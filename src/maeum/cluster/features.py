"""The vectors of a corpus, made by processes of a cluster and kept in the store."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from maeum.cluster.sizing import PIECE
from maeum.cluster.streams import Share, streamed
from maeum.corpus import Corpus
from maeum.encoders import (
    Encoder,
    Reading,
    SpeechEncoder,
    TextEncoder,
    findable,
    speech_encoders,
    text_encoders,
)
from maeum.engine import BUILTIN, Engine
from maeum.errors import JobError
from maeum.features import Count, Kept, Store
from maeum.features.database import bytes_of
from maeum.features.digests import Known, Sign
from maeum.features.drawer import Drawer, OpenDrawer
from maeum.features.encoding import LABELS, Pass
from maeum.features.extract import REFUSED, sources_of, with_drawers
from maeum.features.shards import Heard, Shard, folder_of, take_in, take_in_left_over
from maeum.features.sources import Recordings, Sentences, Source
from maeum.features.tables import in_parts
from maeum.progress import Show, bar

logger = logging.getLogger(__name__)

COLUMNS = {"speech": ("audio", "channel", "start_s", "duration_s"), "text": ("text",)}
"""What a process must know of an utterance, by side."""


@dataclass(frozen=True)
class Job:
    """What a process must know to encode pieces of a corpus.

    Attributes:
        side: that is encoded.
        encoder: its name.
        reading: how it reads, if it is pretrained.
        engine: that computes it, likewise.
        corpus: without its utterances.
        equal_loudness: bring every recording to one loudness.
        frames: whether vectors over time are kept too.
        drawer: where the vectors are to go.
    """

    side: str
    encoder: str
    reading: Reading
    engine: Engine | None
    corpus: Corpus
    equal_loudness: bool
    frames: bool
    drawer: Drawer


def keep_on_ray(
    corpus: Corpus,
    *,
    speech: Sequence[SpeechEncoder] = (),
    text: Sequence[TextEncoder] = (),
    equal_loudness: bool = False,
    store: Store,
    frames: bool = False,
    reading: Reading | None = None,
    engine: Engine | None = None,
) -> Kept:
    """Encode what the store lacks of a corpus, as `features.keep` does, in a connected cluster.

    Processes write shards beside the drawer, in a folder they all must see; here they are taken
    in. Stopped at any moment it goes on with what is there, shards included.

    Args:
        corpus: what to encode.
        speech: encoders of recordings.
        text: of sentences.
        equal_loudness: bring every recording to one loudness first.
        store: where to look and to keep.
        frames: keep vectors over time too.
        reading: of pretrained encoders.
        engine: that computes them.

    Raises:
        MaeumError: as `keep` does.
        JobError: the cluster was lost.
    """
    counts: dict[str, Count] = {}
    sizes: dict[str, int] = {}
    failures: dict[int, str] = {}
    with sources_of(corpus, speech, text, equal_loudness, store) as sources:
        for source, encoder, drawer in with_drawers(sources, store, over_time=frames):
            job = Job(
                source.side,
                findable(encoder.name),
                reading or Reading(),
                engine,
                _hollow(corpus),
                equal_loudness,
                frames,
                replace(drawer, path=drawer.path.absolute()),
            )
            done = _Passed(corpus, source, encoder, store)
            counts[encoder.name] = done.run(job)
            sizes[encoder.name] = bytes_of(drawer.path)
            failures = done.failures | failures
    ids = corpus.utterances["id"]
    return Kept(counts, sizes, {ids[row]: failures[row] for row in sorted(failures)})


class _Passed:
    """One encoder's way through one side of a corpus, in pieces."""

    def __init__(self, corpus: Corpus, source: Source, encoder: Encoder, store: Store) -> None:
        self._corpus, self._source, self._encoder, self._store = corpus, source, encoder, store
        self._found = self._encoded = 0
        self.failures: dict[int, str] = {}

    def run(self, job: Job) -> Count:
        """Encode what is missing, and take in what comes of it."""
        label = f"{LABELS[self._source.side]}: {self._encoder.name}"
        share = Share.of_model(large=not self._encoder.name.startswith(BUILTIN))
        total = len(self._source.rows)
        with job.drawer.opened() as opened, bar(total=total, label=label) as show:
            take_in_left_over(opened)
            missing = self._missing(opened)
            self._found = total - len(missing)
            self._tell(show)
            pieces = list(self._pieces(missing))
            for row in streamed(pieces, Encoding, job, share):
                self._take_in(row, opened)
                self._tell(show)
        shutil.rmtree(folder_of(job.drawer), ignore_errors=True)  # what killed processes left
        return self._told()

    def _missing(self, opened: OpenDrawer) -> NDArray[np.int64]:
        """Rows whose vectors are not known to be in the drawer."""
        lacking = [np.zeros(0, dtype=np.int64)]
        for rows in in_parts(self._source.rows):
            keys = self._source.known_keys(rows)
            stored = opened.stored([key for key in keys if key])
            lacking.append(rows[[key not in stored for key in keys]])
        return np.concatenate(lacking)

    def _pieces(self, rows: NDArray[np.int64]) -> Iterator[pa.Table]:
        columns = COLUMNS[self._source.side]
        table = self._corpus.utterances.select(*columns).with_row_index("row")
        return (table[part].to_arrow() for part in in_parts(rows, PIECE))

    def _take_in(self, row: dict[str, Any], opened: OpenDrawer) -> None:
        """What came of a piece: its shard, its failures, and hashes of recordings it read."""
        if row["shard"]:
            shard = folder_of(opened.drawer) / row["shard"]
            if not shard.is_file():
                raise JobError(
                    f"a process of the cluster wrote {shard}, which is not there on this machine; "
                    "see `maeum cluster check`, and name a folder all machines see in MAEUM_CACHE"
                )
            take_in(shard, opened)
        self._found += row["found"]
        self._encoded += row["encoded"]
        self.failures |= dict(zip(row["failed"], row["why"], strict=True))
        read = zip(row["paths"], row["signs"], row["digests"], strict=True)
        with self._store.digests.opened() as digests:
            digests.put({Path(path): Known(Sign(*sign), digest) for path, sign, digest in read})

    def _tell(self, show: Show) -> None:
        done = self._found + self._encoded + len(self.failures)
        show(done, f"{self._found:,} found")

    def _told(self) -> Count:
        logger.info(
            "features: %s found, %s encoded by %s",
            f"{self._found:,}",
            f"{self._encoded:,}",
            self._encoder.name,
        )
        if self.failures:
            first = self.failures[min(self.failures)]
            logger.warning(REFUSED[self._source.side], len(self.failures), len(self._corpus), first)
        return Count(self._found, self._encoded, len(self.failures))


class Encoding:
    """An encoder in a process of a cluster, called with pieces of a corpus."""

    def __init__(self, job: Job) -> None:
        find: Any = {"speech": speech_encoders, "text": text_encoders}[job.side]
        (self._encoder,) = find(job.encoder, job.reading, job.engine)
        self._job = job

    def __call__(self, piece: pa.Table) -> pa.Table:
        """Encode a piece and write its shard; a row that says what came of it."""
        job, rows = self._job, pl.DataFrame(pl.from_arrow(piece))
        shard, read = Shard(job.drawer), Heard()
        done = Pass(self._source(rows, read), self._encoder, job.frames, shard)
        found, encoded, _ = done.run()
        return pa.Table.from_pylist(
            [
                {
                    "shard": shard.write(folder_of(job.drawer)),
                    "found": found,
                    "encoded": encoded,
                    "failed": [int(rows["row"][row]) for row in done.failures],
                    "why": list(done.failures.values()),
                    "paths": [str(path) for path in read.found],
                    "signs": [list(one.sign) for one in read.found.values()],
                    "digests": [one.digest for one in read.found.values()],
                }
            ],
            schema=CAME,
        )

    def _source(self, rows: pl.DataFrame, read: Heard) -> Source:
        corpus = self._job.corpus.with_utterances(rows)
        if self._job.side == "text":
            return Sentences(corpus)
        return Recordings(corpus, equal_loudness=self._job.equal_loudness, digests=read)


def _hollow(corpus: Corpus) -> Corpus:
    """The corpus without its utterances, small enough for every process."""
    return replace(corpus, utterances=corpus.utterances.clear(), rejected=corpus.rejected.clear())


CAME = pa.schema(
    {
        "shard": pa.string(),
        "found": pa.int64(),
        "encoded": pa.int64(),
        "failed": pa.list_(pa.int64()),
        "why": pa.list_(pa.string()),
        "paths": pa.list_(pa.string()),
        "signs": pa.list_(pa.list_(pa.int64())),
        "digests": pa.list_(pa.binary()),
    }
)
"""What a piece gives."""
