"""The recordings and sentences of a corpus, opened when a batch asks for them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from maeum.ahead import THREADS, ahead, workers
from maeum.corpus import Corpus
from maeum.encoders import Encoder, SpeechEncoder
from maeum.errors import AudioError
from maeum.features import Clip, listen, stretches
from maeum.progress import track

LETTERS_PER_S = 5.0
"""Syllables of Korean spoken at an easy pace."""

LEAST = 0.01
"""Of a sentence's length beside that of its recording: it decides between equal recordings."""


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
        if side == "text":
            return list(self.corpus.utterances["text"][chosen])
        rate_hz = cast(SpeechEncoder, encoder).rate_hz
        return [self._wave(place, rate_hz) for place in chosen]

    def lengths(self, sides: Collection[str]) -> NDArray[np.float64]:
        """(utterance,) seconds of what encoders of some sides are given.

        Speech is what takes time; a sentence counts as if its letters were spoken, a little where
        there is speech to go by.
        """
        rows = self.corpus.utterances
        letters = rows["text"].str.len_chars().fill_null(0).to_numpy() / LETTERS_PER_S
        if "speech" not in sides:
            return letters
        spoken = rows["duration_s"].fill_null(0.0).to_numpy()
        return spoken + (LEAST if "text" in sides else 0.0) * letters

    def _wave(self, place: int, rate_hz: int) -> NDArray[np.float32]:
        clip = self._stretches[place]
        assert clip is not None  # noqa: S101 - only utterances that have a recording are asked for
        return listen(clip[0], rate_hz, clip[1], equal_loudness=self.equal_loudness)

    @cached_property
    def _stretches(self) -> Sequence[Clip | None]:
        return stretches(self.corpus)


def usable_recordings(corpus: Corpus, rate_hz: int) -> tuple[NDArray[np.bool_], dict[str, str]]:
    """Which recordings can be heard, and id -> sentence for those that cannot.

    Every one is decoded once: better before the first step than in the middle of the night.
    """
    ids, failures = corpus.utterances["id"], {}
    heard = corpus.utterances["audio"].is_not_null().to_numpy().copy()
    with workers() as pool:
        reasons = ahead(pool, partial(_failure, rate_hz), stretches(corpus), 4 * THREADS)
        for place, reason in enumerate(track(reasons, total=len(ids), label="hearing")):
            if reason is not None:
                heard[place], failures[ids[place]] = False, reason
    return heard, failures


def _failure(rate_hz: int, clip: Clip | None) -> str | None:
    if clip is None:
        return None
    try:
        listen(clip[0], rate_hz, clip[1])
    except AudioError as error:
        return str(error)
    return None
