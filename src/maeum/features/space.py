"""How much disk the vectors of a corpus will take, before any is made."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from maeum.cache import VARIABLE
from maeum.corpus import Corpus
from maeum.encoders import Encoder, Reading, SpeechEncoder, TextEncoder
from maeum.errors import StoreError
from maeum.features.drawer import ITEM_BYTES, Drawer
from maeum.features.extract import sources_of, with_drawers
from maeum.features.sources import UNUSABLE, Source
from maeum.features.store import Store
from maeum.features.tables import in_parts

KEPT_PER_BYTE = 1.2
"""What the disk gives for a byte of vectors: measured 1.14 to 1.18, keys and pages included."""

PROBED = 32
"""Sentences that tell how many tokens the others have."""


def needed_bytes(
    corpus: Corpus,
    *,
    speech: Sequence[SpeechEncoder] = (),
    text: Sequence[TextEncoder] = (),
    equal_loudness: bool = False,
    store: Store,
    frames: bool = False,
    reading: Reading | None = None,
) -> int:
    """What `keep` will add to the store, rather too much than too little.

    Frames are counted from the durations the corpus states and from a few sentences. What is in
    the store already does not count, as far as the recordings were read before. The arguments are
    those of `keep`, and how pretrained encoders cut recordings.
    """
    total = 0.0
    cut_s = (reading or Reading()).cut_s
    with sources_of(corpus, speech, text, equal_loudness, store) as sources:
        for source, encoder, drawer in with_drawers(sources, store, over_time=frames):
            steps = mean_steps(corpus, source, encoder, cut_s) if frames else 0.0
            values = drawer.width + steps * drawer.dim
            total += _missing(source, drawer) * values * ITEM_BYTES
    return round(total * KEPT_PER_BYTE)


def ensure_room(store: Store, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        StoreError: it has less room than needed.
    """
    free = shutil.disk_usage(_nearest_folder(store)).free
    if needed > free:
        raise StoreError(
            f"the vectors take about {spoken(needed)}, and the disk of {store.folder} has "
            f"{spoken(free)} left; make room, or name a folder on another disk in {VARIABLE}"
        )


def spoken(size: int) -> str:
    """A size in bytes as one says it.

    >>> [spoken(size) for size in (0, 2_100, 1_857_000_000)]
    ['0 B', '2.1 kB', '1.9 GB']
    """
    value, unit = float(size), "B"
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def mean_steps(corpus: Corpus, source: Source, encoder: Encoder, cut_s: float) -> float:
    """How many vectors over time an encoder makes of a recording or a sentence on average."""
    if source.side == "text":
        return _mean_tokens(source, encoder)
    lengths_s = corpus.utterances["duration_s"].drop_nulls().to_numpy()
    mean_s = float(np.minimum(lengths_s, cut_s).mean()) if len(lengths_s) else cut_s
    one, two = (_steps_in(encoder, seconds) for seconds in (1, 2))
    return max(1.0, one + (two - one) * (mean_s - 1))


def _steps_in(encoder: Any, seconds: int) -> int:  # noqa: ANN401 - a speech encoder
    """Vectors over time in so many seconds of noise."""
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, seconds * encoder.rate_hz)
    return len(encoder.frames([noise.astype(np.float32)])[0])


def _mean_tokens(source: Source, encoder: Any) -> float:  # noqa: ANN401 - a text encoder
    rows = source.rows[:: max(1, len(source.rows) // PROBED)][:PROBED].tolist()
    counts: list[int] = []
    for row in rows:
        with suppress(*UNUSABLE):
            counts += map(len, encoder.frames([source.load(row, encoder)]))
    return sum(counts) / max(1, len(counts))


def _missing(source: Source, drawer: Drawer) -> int:
    """Utterances whose vectors are not known to be in a drawer."""
    if not drawer.path.is_file():
        return len(source.rows)
    with drawer.opened() as opened:
        found = 0
        for rows in in_parts(source.rows):
            keys = source.known_keys(rows)
            stored = opened.stored([key for key in keys if key])
            found += sum(key in stored for key in keys)
    return len(source.rows) - found


def _nearest_folder(store: Store) -> str:
    """The store's folder, or the one it will be made in."""
    places = (store.folder.absolute(), *store.folder.absolute().parents)
    return str(next(place for place in places if place.is_dir()))
