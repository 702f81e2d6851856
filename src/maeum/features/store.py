"""The store: vectors computed once, found again by content, shared by every run and command.

    store = usual_store()                       # below $MAEUM_CACHE or the user's cache folder
    with store.drawer(encoder).opened() as drawer:
        drawer.put(key, vector)
        drawer.vectors([key])                   # {key: vector}, once committed

A drawer is a SQLite file of one encoder, version and kind (means, or frames). A key is a hash of
what was encoded: `drawer.clip_key`, `drawer.sentence_key`. `contents` lists drawers, `prune`
deletes them.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from maeum.cache import VARIABLE, cache_folder
from maeum.encoders import Encoder
from maeum.errors import StoreError
from maeum.features.database import blamed_on, bytes_of, remove
from maeum.features.digests import Digests
from maeum.features.drawer import SUFFIX, Drawer

logger = logging.getLogger(__name__)

DAY_S = 24 * 3600


@dataclass(frozen=True)
class Contents:
    """What a drawer holds, for a person who wonders where the disk went.

    Attributes:
        path: its file.
        encoder: its name, as first typed; the file's where that does not say.
        version: of the encoder.
        kind: `means`, `frames`, `broken`, or `empty` where a process was killed as it began.
        vectors: how many.
        size_bytes: on the disk.
        used_s: when it was last opened, in seconds since 1970.
    """

    path: Path
    encoder: str
    version: str
    kind: str
    vectors: int
    size_bytes: int
    used_s: float


@dataclass(frozen=True)
class Store:
    """A folder of drawers.

    Attributes:
        folder: made when something is kept.
    """

    folder: Path

    def drawer(self, encoder: Encoder, *, frames: bool = False) -> Drawer:
        """Where the vectors of an encoder are kept: means over time alone, or with frames."""
        return Drawer.of(self.folder, encoder, frames=frames)

    @property
    def digests(self) -> Digests:
        """Hashes of recordings that have been read before."""
        return Digests(self.folder / "recordings.db")

    def contents(self) -> list[Contents]:
        """What every drawer holds, the one used last first."""
        found = [_contents(path) for path in self.folder.glob(f"*{SUFFIX}")]
        return sorted(found, key=lambda one: (-one.used_s, one.encoder))

    def prune(self, *, encoder: str | None = None, unused_days: float = 0.0) -> list[Contents]:
        """Delete drawers; those that a process has open stay.

        Args:
            encoder: name; None: of any.
            unused_days: only those not opened for so long.

        Returns:
            What was deleted.
        """
        latest_s = time.time() - unused_days * DAY_S
        chosen = [
            one
            for one in self.contents()
            if encoder in (None, one.encoder) and one.used_s <= latest_s
        ]
        return [one for one in chosen if _removed(one.path)]


def usual_store() -> Store | None:
    """The store in the cache folder; None, and a warning, where that cannot be written to."""
    folder = cache_folder() / "features"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = "" if os.access(folder, os.W_OK) else "no right to write there"
    except OSError as error:
        reason = str(error.strerror)
    if not reason:
        return Store(folder)
    logger.warning(
        "vectors are not kept, so they are computed again next time: %s cannot be written to (%s); "
        "name another folder in %s",
        folder,
        reason,
        VARIABLE,
    )
    return None


def _removed(path: Path) -> bool:
    done = remove(path)
    if not done:
        logger.warning("%s is in use and stays", path)
    return done


def _contents(path: Path) -> Contents:
    used_s, size = path.stat().st_mtime, bytes_of(path)
    try:
        with blamed_on(path):
            card, count = _card_and_count(path)
    except (StoreError, OSError):
        card, count = {"kind": "broken"}, 0
    return Contents(
        path=path,
        encoder=card.get("name", path.name),
        version=card.get("version", ""),
        kind=card.get("kind", "empty"),
        vectors=count,
        size_bytes=size,
        used_s=used_s,
    )


def _card_and_count(path: Path) -> tuple[dict[str, str], int]:
    address = f"{path.resolve().as_uri()}?mode=rw"
    with closing(sqlite3.connect(address, uri=True)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "card" not in tables:
            return {}, 0
        (card,) = connection.execute("SELECT value FROM card").fetchone()
        (count,) = connection.execute("SELECT count(*) FROM entries").fetchone()
    return json.loads(card), int(count)
