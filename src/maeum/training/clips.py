"""The recordings and sentences of a corpus, opened when a batch asks for them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.corpus import Corpus
from maeum.encoders import Encoder, SpeechEncoder
from maeum.errors import AudioError
from maeum.features.hearing import Stretch, listen, stretches
from maeum.progress import track


@dataclass(frozen=True)
class Clips:
    """What encoders that learn are given, epoch after epoch.

    Attributes:
        corpus: of the utterances, in order.
        equal_loudness: bring every recording to one loudness.
    """

    corpus: Corpus
    equal_loudness: bool = False

    def of(self, side: str, places: Iterable[int], encoder: Encoder) -> list[Any]:
        """Waves at the encoder's rate, or sentences, of the utterances at some places.

        Raises:
            AudioError: a recording was there before and cannot be used now.
        """
        chosen = [int(place) for place in places]
        if not isinstance(encoder, SpeechEncoder) or side != "speech":
            return list(self.corpus.utterances["text"][chosen])
        return [self._wave(place, encoder.rate_hz) for place in chosen]

    def _wave(self, place: int, rate_hz: int) -> NDArray[np.float32]:
        clip = stretches(self.corpus)[place]
        assert clip is not None  # noqa: S101 - only utterances that have a recording are asked for
        return listen(clip[0], rate_hz, clip[1], equal_loudness=self.equal_loudness)


def usable_recordings(corpus: Corpus, rate_hz: int) -> tuple[NDArray[np.bool_], dict[str, str]]:
    """Which recordings can be heard, and id -> sentence for those that cannot.

    Every one is decoded once: better before the first step than in the middle of the night.
    """
    rows = stretches(corpus)
    heard, failures = np.zeros(len(rows), dtype=bool), {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = pool.map(lambda row: _failure(row, rate_hz), rows)
        for place, found in enumerate(track(outcomes, total=len(rows), label="hearing")):
            heard[place] = rows[place] is not None and found is None
            if found is not None:
                failures[corpus.utterances["id"][place]] = found
    return heard, failures


def _failure(row: tuple[Path, Stretch] | None, rate_hz: int) -> str | None:
    if row is None:
        return None
    try:
        listen(row[0], rate_hz, row[1])
    except AudioError as error:
        return str(error)
    return None
