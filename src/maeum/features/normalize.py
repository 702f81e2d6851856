"""Normalisation per voice: how this person differs from themselves, not from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from maeum.errors import CorpusError
from maeum.features.extract import Features

SHRINKAGE = 2.0
"""The pooled spread weighs as much as this many recordings of the voice: two takes alone say
little of how a voice varies."""

SMALLEST_SPREAD = 1e-6
"""A dimension that never changes is left at zero."""


@dataclass(frozen=True)
class Voice:
    """Mean and spread of the vectors of one voice, each (dim,); labels are not needed."""

    mean: Float32[ndarray, " dim"]
    spread: Float32[ndarray, " dim"]

    def normalize(self, vectors: Float32[ndarray, "clip dim"]) -> Float32[ndarray, "clip dim"]:
        """The vectors as distances from this voice's mean, in units of its spread."""
        return ((vectors - self.mean) / self.spread).astype(np.float32)


def voice_of(
    vectors: Float32[ndarray, "clip dim"], usual_spread: Float32[ndarray, " dim"]
) -> Voice:
    """The voice heard in some recordings.

    Args:
        vectors: recordings of one person.
        usual_spread: spread within a voice, from the training corpus.
    """
    count = len(vectors)
    variance = (count * vectors.var(axis=0) + SHRINKAGE * usual_spread**2) / (count + SHRINKAGE)
    spread = np.maximum(np.sqrt(variance), SMALLEST_SPREAD)
    return Voice(vectors.mean(axis=0).astype(np.float32), spread.astype(np.float32))


def usual_spread(
    vectors: Float32[ndarray, "clip dim"], speakers: Sequence[str]
) -> Float32[ndarray, " dim"]:
    """Spread within a voice, pooled over the voices of a corpus."""
    names = np.array(speakers)
    centred = [vectors[names == name] - vectors[names == name].mean(0) for name in set(speakers)]
    variance = np.concatenate(centred).var(axis=0)
    return np.maximum(np.sqrt(variance), SMALLEST_SPREAD).astype(np.float32)


def with_known_voices(
    features: Features, speakers: Sequence[str | None], usual_spread: Float32[ndarray, " dim"]
) -> Features:
    """Features whose speech vectors are normalised with the voice each belongs to.

    Args:
        features: of whole voices; their speech must not be None.
        speakers: who says each utterance.
        usual_spread: spread within a voice, from the training part.

    Raises:
        CorpusError: a recording names no speaker.
    """
    assert features.speech is not None  # noqa: S101 - for the type checker
    names = np.array(speakers, dtype=object)
    if any(names[features.has_speech] == None):  # noqa: E711 - element by element
        raise CorpusError("a recording names no speaker; normalize=speaker needs one for each")
    normalized = np.zeros_like(features.speech)
    for name in set(names[features.has_speech]):
        own = features.has_speech & (names == name)
        vectors = features.speech[own]
        normalized[own] = voice_of(vectors, usual_spread).normalize(vectors)
    return replace(features, speech=normalized)
