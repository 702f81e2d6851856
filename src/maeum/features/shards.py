"""Vectors on their way into a drawer: what one process made of a piece of a corpus, in a file.

A process on another machine cannot write to the SQLite file of a drawer. It writes shards, Parquet
files with a row per vector, and whoever has the drawer takes them in and removes them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float32
from numpy import ndarray

from maeum.corpus.manifest import write_table
from maeum.features.digests import Known
from maeum.features.drawer import Drawer, OpenDrawer

logger = logging.getLogger(__name__)

SCHEMA = pl.Schema({"key": pl.Binary, "vector": pl.Binary, "frames": pl.Binary})


@dataclass
class Shard:
    """What is made of a piece of a corpus; stands in for an open drawer while it is.

    Attributes:
        drawer: it is on its way to, whose vectors are found where this machine sees the file.
    """

    drawer: Drawer
    _rows: list[tuple[bytes, bytes, bytes | None]] = field(default_factory=list)

    def stored(self, keys: Sequence[bytes]) -> set[bytes]:
        """Which of the keys are in the drawer already."""
        if not self.drawer.path.is_file():
            return set()
        with self.drawer.opened() as opened:
            return opened.stored(keys)

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Float32[ndarray, " width"]]:
        """The vectors that are in the drawer already, by key."""
        if not self.drawer.path.is_file():
            return {}
        with self.drawer.opened() as opened:
            return opened.vectors(keys)

    def put(
        self,
        key: bytes,
        vector: Float32[ndarray, " width"],
        frames: Float32[ndarray, "time dim"] | None = None,
    ) -> None:
        """Hold a vector until the shard is written."""
        self._rows.append((key, vector.tobytes(), None if frames is None else frames.tobytes()))

    def commit(self) -> None:
        """Nothing of a shard is kept before all of it is there."""

    def write(self, folder: Path) -> str:
        """Write it under a name its keys decide, so that doing a piece again adds nothing.

        Returns:
            The file's name; empty where there is nothing to write.
        """
        if not self._rows:
            return ""
        keys = sorted(key for key, *_ in self._rows)
        name = f"{blake2b(b''.join(keys), digest_size=12).hexdigest()}.parquet"
        write_table(pl.DataFrame(self._rows, schema=SCHEMA, orient="row"), folder / name)
        return name


@dataclass
class Heard:
    """Hashes of recordings as a process reads them, for whoever keeps the table of them."""

    found: dict[Path, Known] = field(default_factory=dict)

    def before(self, paths: Sequence[Path]) -> dict[Path, Known]:
        """Nothing is known from before."""
        return {}

    def put(self, found: Mapping[Path, Known]) -> None:
        """Hold what was read."""
        self.found |= found


def folder_of(drawer: Drawer) -> Path:
    """Where shards on their way to a drawer lie."""
    return drawer.path.with_name(f"{drawer.path.name}.shards")


def take_in(path: Path, drawer: OpenDrawer) -> int:
    """Put the vectors of a shard into its drawer, and remove it.

    A shard that cannot be read is removed too: what it held is made again.

    Returns:
        How many there were.
    """
    count = copy_in(path, drawer)
    path.unlink(missing_ok=True)
    return count


def copy_in(path: Path, drawer: OpenDrawer) -> int:
    """Put the vectors of a shard into its drawer; how many there were, 0 if it is broken."""
    try:
        rows = pl.read_parquet(path).select(SCHEMA.names()).cast(SCHEMA)
    except (OSError, pl.exceptions.PolarsError) as error:
        logger.warning("%s cannot be read and is made again (%s)", path, str(error).split("\n")[0])
        rows = pl.DataFrame(schema=SCHEMA)
    for key, vector, frames in rows.iter_rows():
        over_time = None if frames is None else _numbers(frames).reshape(-1, drawer.drawer.dim)
        drawer.put(key, _numbers(vector), over_time)
    drawer.commit()
    return len(rows)


def take_in_left_over(drawer: OpenDrawer) -> int:
    """Put in what a stopped job left; how many vectors that were."""
    folder = folder_of(drawer.drawer)
    return sum(take_in(path, drawer) for path in sorted(folder.glob("*.parquet")))


def _numbers(blob: bytes) -> Float32[ndarray, " _"]:
    return np.frombuffer(blob, np.float32)
