"""`builtin:letters`: a sentence as hashed counts of letter groups.

Korean joins endings to stems, so words repeat badly and pieces of words well. Syllables carry the
stem (기쁘, 기뻐), the letters they are made of (jamo: ㄱㅣㅃㅓ) carry what the endings share.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer

from maeum.encoders import Standardize
from maeum.errors import TextError

SYLLABLE_DIM, JAMO_DIM = 2048, 2048
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
        self._syllables = _counter(SYLLABLE_GROUPS, SYLLABLE_DIM)
        self._jamo = _counter(JAMO_GROUPS, JAMO_DIM)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return SYLLABLE_DIM + JAMO_DIM

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(sentence,) -> (sentence, dim), each half of Euclidean length 1.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        if not sentences:
            return np.zeros((0, self.dim), dtype=np.float32)
        for sentence in sentences:
            if not sentence.strip():
                raise TextError(f"the text {sentence!r} is empty; expected at least one letter")
        composed = [unicodedata.normalize("NFC", sentence) for sentence in sentences]
        decomposed = [unicodedata.normalize("NFD", sentence) for sentence in sentences]
        halves = (
            self._syllables.transform(composed).toarray(),
            self._jamo.transform(decomposed).toarray(),
        )
        return np.concatenate(halves, axis=1)

    def frames(self, sentences: Sequence[str]) -> list[NDArray[np.float32]]:
        """(sentence,) -> (sentence,) of (1, dim): counts have no order."""
        return list(self.encode(sentences)[:, None])


def _counter(groups: tuple[int, int], dim: int) -> HashingVectorizer:
    return HashingVectorizer(
        analyzer="char_wb",
        ngram_range=groups,
        n_features=dim,
        alternate_sign=False,
        norm="l2",
        dtype=np.float32,
    )
