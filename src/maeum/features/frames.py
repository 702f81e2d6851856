"""Vectors over time, read when they are asked for: they would not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray

from maeum.errors import StoreError
from maeum.features.drawer import Drawer
from maeum.features.sources import Source

Sequences: TypeAlias = list[Float32[ndarray, "time dim"]]
"""One table of vectors over time for each row asked for."""


@runtime_checkable
class FrameTable(Protocol):
    """Vectors over time of one encoder, by row of the tables of `Features`."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def of(self, rows: Int64[ndarray, " row"]) -> Sequences:
        """(row,) -> (row,) of (time, dim); (0, dim) where there is nothing.

        Raises:
            StoreError: they were kept and are no longer there.
            AudioError: they are made when asked for, and the recording is gone.
        """


@dataclass(frozen=True)
class HeldFrames:
    """In memory, where nothing is stored.

    Attributes:
        by_row: row -> (time, dim).
        dim: length of a vector.
    """

    by_row: Mapping[int, Float32[ndarray, "_ _"]]
    dim: int

    def of(self, rows: Int64[ndarray, " row"]) -> Sequences:
        """See `FrameTable`."""
        return [self.by_row.get(row, _nothing(self.dim)) for row in rows.tolist()]


@dataclass(frozen=True)
class StoredFrames:
    """In a drawer of the store, opened for every question: another process may ask it.

    Attributes:
        drawer: where they are kept.
        keys: (row, byte) by which they are found; zeros where there is nothing.
    """

    drawer: Drawer
    keys: UInt8[ndarray, "row 32"]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.drawer.width

    def of(self, rows: Int64[ndarray, " row"]) -> Sequences:
        """See `FrameTable`."""
        keys = [key.tobytes() if key.any() else None for key in self.keys[rows]]
        with self.drawer.opened() as opened:
            found = opened.frames([key for key in keys if key])
        if gone := {key for key in keys if key} - found.keys():
            raise StoreError(
                f"{self.drawer.path} no longer has {len(gone)} of the frames it had; "
                "start again, they are computed again"
            )
        return [found[key] if key else _nothing(self.dim) for key in keys]


@dataclass(frozen=True)
class ComputedFrames:
    """Made when asked for, by an encoder that is quicker than looking them up.

    Attributes:
        encoder: that makes them.
        source: what it is given.
        has: (row,) where there is something.
    """

    encoder: Any
    source: Source
    has: Bool[ndarray, " row"]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.encoder.dim)

    def of(self, rows: Int64[ndarray, " row"]) -> Sequences:
        """See `FrameTable`."""
        there = rows[self.has[rows]].tolist()
        loaded = [self.source.load(row, self.encoder) for row in there]
        made = dict(zip(there, self.encoder.frames(loaded), strict=True))
        return [made.get(row, _nothing(self.dim)) for row in rows.tolist()]


def mean_over_time(frames: Float32[ndarray, "time dim"]) -> Float32[ndarray, " dim"]:
    """What tables hold of vectors over time: their mean, summed in double precision."""
    return frames.mean(axis=0, dtype=np.float64).astype(np.float32)


def _nothing(dim: int) -> Float32[ndarray, "0 dim"]:
    return np.zeros((0, dim), dtype=np.float32)
