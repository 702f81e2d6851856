"""A sentence as hashed counts of letter groups: of syllables, and of the jamo they are made of.

Korean joins endings to stems, so words repeat badly and pieces of words well. Syllables carry the
stem (기쁘, 기뻐), the letters they are made of (jamo: ㄱㅣㅃㅓ) carry what the endings share.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from maeum.errors import TextError


class LetterGroups:
    """Counts of groups of syllables and of jamo within words, each hashed into so many numbers.

    Nothing is learnt here; the same sentence has the same counts everywhere.

    Args:
        syllables: lengths of groups of syllables that are counted, shortest and longest.
        jamo: the same of jamo.
        dim: length of either half.
        norm: to what each half is scaled: `l2`, to Euclidean length 1, or None.
    """

    def __init__(
        self,
        syllables: tuple[int, int],
        jamo: tuple[int, int],
        dim: int,
        *,
        norm: Literal["l2"] | None,
    ) -> None:
        self._syllables, self._jamo = (
            HashingVectorizer(
                analyzer="char_wb",
                ngram_range=groups,
                n_features=dim,
                alternate_sign=False,
                norm=norm,
                dtype=np.float32,
            )
            for groups in (syllables, jamo)
        )

    def of(self, sentences: Sequence[str]) -> tuple[csr_matrix, csr_matrix]:
        """(sentence,) -> twice (sentence, dim): of syllables, and of jamo.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        for sentence in sentences:
            if not sentence.strip():
                raise TextError(f"the text {sentence!r} is empty; expected at least one letter")
        composed = [unicodedata.normalize("NFC", sentence) for sentence in sentences]
        decomposed = [unicodedata.normalize("NFD", sentence) for sentence in sentences]
        return self._syllables.transform(composed), self._jamo.transform(decomposed)
