"""Vectors handed on between machines that have a folder in common, here or at an address.

The folder has one for each drawer, with shards in it, `NAME.parquet`. Beside each lie its keys, 32
bytes each, in `NAME.keys`, written after it: what to take is known before vectors are read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from maeum.corpus import Corpus
from maeum.encoders import SpeechEncoder, TextEncoder
from maeum.features.drawer import OpenDrawer
from maeum.features.extract import sources_of, with_drawers
from maeum.features.shards import Shard, copy_in
from maeum.features.store import Store
from maeum.features.tables import in_parts
from maeum.storage import fetched, send

logger = logging.getLogger(__name__)

KEY_BYTES = 32
AT_ONCE = 512
"""Vectors in a shard: 50 MB where all layers of a large encoder are kept."""


@contextmanager
def sharing(
    folder: Path | None,
    corpus: Corpus,
    *,
    speech: Sequence[SpeechEncoder] = (),
    text: Sequence[TextEncoder] = (),
    equal_loudness: bool = False,
    store: Store,
    frames: bool = False,
) -> Iterator[None]:
    """A block before which the store takes what a folder has, and after which it gives what it has.

    What is given is of the corpus alone. Where the block fails what was made before is given.

    Args:
        folder: that others see too, far or not; None: nothing is taken or given.
        corpus: whose vectors are given.
        speech: encoders of recordings.
        text: of sentences.
        equal_loudness: as for `keep`.
        store: that takes and gives.
        frames: hand on vectors over time too.

    Raises:
        StorageError: the folder is elsewhere and does not answer.
    """
    if folder is None:
        yield
        return
    with sources_of(corpus, speech, text, equal_loudness, store) as sources:
        drawers = list(with_drawers(sources, store, over_time=frames))
        for _, encoder, drawer in drawers:
            with drawer.opened() as opened:
                taken = take(folder, opened)
            logger.info("shared: %s taken of %s", f"{taken:,}", encoder.name)
        try:
            yield
        finally:
            for source, encoder, drawer in drawers:
                with drawer.opened() as opened:
                    keys = [
                        key for rows in in_parts(source.rows) for key in source.known_keys(rows)
                    ]
                    given = give(folder, opened, [key for key in keys if key])
                logger.info("shared: %s given of %s", f"{given:,}", encoder.name)


def take(folder: Path, drawer: OpenDrawer) -> int:
    """Put into a drawer what a folder has and it lacks; how many vectors were looked at."""
    home = _home(folder, drawer)
    count = 0
    for name, keys in _listed(home).items():
        if len(drawer.stored(keys)) < len(keys):
            shard = f"{name}.parquet"
            count += copy_in(fetched(home, (shard,)) / shard, drawer)
    return count


def give(folder: Path, drawer: OpenDrawer, keys: Sequence[bytes]) -> int:
    """Put into a folder what it lacks of some of a drawer's vectors; how many."""
    home = _home(folder, drawer)
    there = {key for some in _listed(home).values() for key in some}
    lacking = sorted(drawer.stored([key for key in dict.fromkeys(keys) if key not in there]))
    with TemporaryDirectory() as aside:
        for start in range(0, len(lacking), AT_ONCE):
            some = lacking[start : start + AT_ONCE]
            shard = Path(aside, _shard(drawer, some).write(Path(aside)))
            send(shard, home)
            shard.with_suffix(".keys").write_bytes(b"".join(some))
            send(shard.with_suffix(".keys"), home)
            shard.unlink()
    return len(lacking)


def _shard(drawer: OpenDrawer, keys: Sequence[bytes]) -> Shard:
    shard = Shard(drawer.drawer)
    over_time = drawer.frames(keys) if drawer.drawer.card["kind"] == "frames" else {}
    for key, vector in drawer.vectors(keys).items():
        shard.put(key, vector, over_time.get(key))
    return shard


def _listed(home: Path) -> dict[str, list[bytes]]:
    """Name of a shard -> what it holds."""
    here = fetched(home, ("*.keys",), may_lack=True)
    found = {}
    for path in sorted(here.glob("*.keys")):
        held = path.read_bytes()
        whole = range(0, len(held) - KEY_BYTES + 1, KEY_BYTES)
        found[path.stem] = [held[start : start + KEY_BYTES] for start in whole]
    return found


def _home(folder: Path, drawer: OpenDrawer) -> Path:
    return folder / drawer.drawer.path.stem
