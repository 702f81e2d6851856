"""Drawers of the store: the vectors of one encoder, by what they were made from."""

from __future__ import annotations

import json
import os
import re
import time
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from maeum.encoders import Encoder
from maeum.errors import StoreError
from maeum.features.database import Database, database
from maeum.features.hearing import HEARING, Stretch

FORMAT = 1
"""Raised when drawers are laid out otherwise; older ones are listed, but not opened."""

SUFFIX = ".sqlite"
"""Ending of the files of drawers."""

COMMIT_EVERY_S, COMMIT_EVERY_BYTES = 2.0, 2**25
"""What a killed process loses at most."""

ITEM_BYTES = np.dtype(np.float32).itemsize


def clip_key(content: bytes, stretch: Stretch, *, equal_loudness: bool) -> bytes:
    """32 bytes: what was heard.

    Args:
        content: hash of the recording's file.
        stretch: the part of it.
        equal_loudness: whether it was brought to one loudness.
    """
    part = (stretch.channel, stretch.start_s, stretch.duration_s, equal_loudness, HEARING)
    return sha256(content + json.dumps(part).encode()).digest()


def sentence_key(sentence: str) -> bytes:
    """32 bytes: what was read, however its Hangul was composed.

    >>> sentence_key("마음") == sentence_key(unicodedata.normalize("NFD", "마음"))
    True
    """
    composed = unicodedata.normalize("NFC", sentence)
    return sha256(composed.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Drawer:
    """The file of one encoder, version and kind.

    Attributes:
        path: of the file; made when it is first opened.
        width: length of its vectors.
        dim: length of its frames' vectors.
        card: what it says of itself.
    """

    path: Path
    width: int
    dim: int
    card: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path, encoder: Encoder, *, frames: bool) -> Drawer:
        """The drawer of an encoder.

        The folder of a pretrained encoder may be typed in many ways and its version tells its
        weights, so only the last part of its name counts.
        """
        layers = 1 if frames else encoder.layers
        card = {
            "name": encoder.name,
            "version": encoder.version,
            "kind": "frames" if frames else "means",
            "layers": layers,
            "dim": encoder.dim,
            "format": FORMAT,
        }
        last = re.split(r"[/\\]", encoder.name.rstrip("/\\"))[-1]
        digest = sha256(json.dumps(card | {"name": last}).encode()).hexdigest()[:12]
        parts = (_safe(last), _safe(encoder.version), card["kind"], digest)
        return cls(
            path=folder / f"{'.'.join(map(str, parts))}{SUFFIX}",
            width=layers * encoder.dim,
            dim=encoder.dim,
            card=card,
        )

    @contextmanager
    def opened(self) -> Iterator[OpenDrawer]:
        """The drawer, open; what was put is committed when the block ends, well or not.

        Raises:
            StoreError: the file is broken; the message says which to delete.
            OSError: it cannot be written to, or the disk is full; what was committed stays.
        """
        with database(self.path, self._schema, FORMAT) as tables:
            with suppress(OSError):  # a file of someone else's
                os.utime(self.path)
            opened = OpenDrawer(self, tables)
            try:
                yield opened
            finally:
                opened.commit()

    @property
    def _schema(self) -> tuple[str, ...]:
        card = json.dumps(self.card, ensure_ascii=False).replace("'", "''")
        return (
            "CREATE TABLE IF NOT EXISTS entries ("
            "id INTEGER PRIMARY KEY, "
            "key BLOB NOT NULL UNIQUE CHECK (length(key) = 32), "
            f"vector BLOB NOT NULL CHECK (length(vector) = {self.width * ITEM_BYTES}), "
            "frames BLOB)",
            "CREATE TABLE IF NOT EXISTS card (value TEXT NOT NULL)",
            f"INSERT INTO card SELECT '{card}' WHERE NOT EXISTS (SELECT * FROM card)",  # noqa: S608 - our own words
        )


def _safe(name: str) -> str:
    """A name as part of a file's name.

    >>> _safe("builtin:acoustic")
    'builtin-acoustic'
    """
    return re.sub(r"[^\w-]+", "-", name, flags=re.ASCII).strip("-")[:60]


@runtime_checkable
class Keeping(Protocol):
    """Where vectors are looked up and kept while a corpus is gone through."""

    def stored(self, keys: Sequence[bytes]) -> set[bytes]:
        """Which of the keys are there."""

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Float32[ndarray, " width"]]:
        """The vectors that are there, by key."""

    def put(
        self,
        key: bytes,
        vector: Float32[ndarray, " width"],
        frames: Float32[ndarray, "time dim"] | None = None,
    ) -> None:
        """Keep a vector."""

    def commit(self) -> None:
        """See that what was put stays."""


class OpenDrawer:
    """A drawer while it is open, in one thread."""

    def __init__(self, drawer: Drawer, tables: Database) -> None:
        self.drawer = drawer
        self._tables = tables
        self._waiting: list[tuple[bytes, bytes, bytes | None]] = []
        self._bytes_waiting, self._committed_s = 0, time.monotonic()

    def stored(self, keys: Sequence[bytes]) -> set[bytes]:
        """Which of the keys have been committed."""
        return {key for (key,) in self._tables.rows("key", "entries", "key", keys)}

    def vectors(self, keys: Sequence[bytes]) -> dict[bytes, Float32[ndarray, " width"]]:
        """The vectors that have been committed, by key."""
        found = self._tables.rows("key, vector", "entries", "key", keys)
        return {key: self._numbers(blob, (self.drawer.width,)) for key, blob in found}

    def frames(self, keys: Sequence[bytes]) -> dict[bytes, Float32[ndarray, "time dim"]]:
        """The vectors over time that have been committed, by key."""
        found = self._tables.rows("key, frames", "entries", "key", keys)
        return {key: self._numbers(blob, (-1, self.drawer.dim)) for key, blob in found}

    def put(
        self,
        key: bytes,
        vector: Float32[ndarray, " width"],
        frames: Float32[ndarray, "time dim"] | None = None,
    ) -> None:
        """Keep a vector; it is found by others from the next commit on, every few seconds.

        Raises:
            StoreError: it has another length than the encoder's, or values that are not finite.
        """
        self._refuse_what_does_not_fit(vector, frames)
        entry = key, vector.tobytes(), None if frames is None else frames.tobytes()
        self._waiting.append(entry)
        self._bytes_waiting += sum(len(part) for part in entry if part)
        waited_s = time.monotonic() - self._committed_s
        if waited_s > COMMIT_EVERY_S or self._bytes_waiting > COMMIT_EVERY_BYTES:
            self.commit()

    def commit(self) -> None:
        """Write what was put; another process sees all of it or nothing."""
        waiting, self._waiting, self._bytes_waiting = self._waiting, [], 0
        if waiting:
            self._tables.write(
                "INSERT OR IGNORE INTO entries (key, vector, frames) VALUES (?, ?, ?)", waiting
            )
        self._committed_s = time.monotonic()

    def _numbers(self, blob: bytes, shape: tuple[int, ...]) -> Float32[ndarray, "*shape"]:
        try:
            return np.frombuffer(blob, np.float32).reshape(shape)
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"{self.drawer.path} is broken (a vector of another length, or none); "
                "delete this file, what it held is computed again"
            ) from error

    def _refuse_what_does_not_fit(
        self, vector: Float32[ndarray, " _"], frames: Float32[ndarray, "_ _"] | None
    ) -> None:
        over_time = np.zeros((0, self.drawer.dim)) if frames is None else frames
        if (len(vector), over_time.shape[1]) != (self.drawer.width, self.drawer.dim):
            raise StoreError(
                f"a vector of length {len(vector)} was to be kept in {self.drawer.path}, "
                f"whose vectors have length {self.drawer.width}; "
                "an encoder that changes its vectors needs another version"
            )
        if not (np.isfinite(vector).all() and np.isfinite(over_time).all()):
            raise StoreError("a vector with values that are not finite is not kept")
