"""`builtin:letters`: a sentence as hashed counts of letter groups; see `groups`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from maeum.encoders import Standardize
from maeum.encoders.builtin.groups import LetterGroups

HALF_DIM = 2048
SYLLABLE_GROUPS, JAMO_GROUPS = (1, 3), (3, 6)
"""Lengths of the groups that are counted, shortest and longest."""


class LettersEncoder:
    """Hashed counts of groups of 1-3 syllables and of 3-6 jamo, each half of length 1.

    Nothing is learnt here; the same sentence has the same vector everywhere.

    >>> LettersEncoder().encode(["정말 기뻐"]).shape
    (1, 4096)
    """

    name = "builtin:letters"
    version = "1"
    standardize: Standardize = "together"
    cheap = True
    threaded = False
    at_once = 256
    layers = 1

    def __init__(self) -> None:
        self._groups = LetterGroups(SYLLABLE_GROUPS, JAMO_GROUPS, HALF_DIM, norm="l2")

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return 2 * HALF_DIM

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(sentence,) -> (sentence, dim), each half of Euclidean length 1.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        if not sentences:
            return np.zeros((0, self.dim), dtype=np.float32)
        return np.concatenate([half.toarray() for half in self._groups.of(sentences)], axis=1)

    def frames(self, sentences: Sequence[str]) -> list[NDArray[np.float32]]:
        """(sentence,) -> (sentence,) of (1, dim): counts have no order."""
        return list(self.encode(sentences)[:, None])
