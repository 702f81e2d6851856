"""`builtin:starter`: a sentence as logits of the seven emotions, learnt from Korean comments.

Weighed counts of letter groups times a table of weights that travels with the package, made by
`tools/make_starter.py`; docs/starter.md is its card.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix, diags

from maeum.emotions import PAPER
from maeum.encoders import Standardize
from maeum.encoders.builtin.groups import LetterGroups

WEIGHTS = Path(__file__).with_suffix(".safetensors")
"""`rarity` (2, HALF_DIM), `weights` (2, HALF_DIM, emotion), `bias` (emotion,)."""

HALF_DIM = 2**16
GROUPS = LetterGroups(syllables=(1, 4), jamo=(3, 6), dim=HALF_DIM, norm=None)


class StarterEncoder:
    """Logits of the paper's seven emotions, in their order.

    Attributes:
        labels: names of the emotions, by place in a vector.

    >>> encoder = StarterEncoder()
    >>> encoder.labels[encoder.encode(["너무 무섭고 불안해요"]).argmax()]
    'Anxious'
    """

    name = "builtin:starter"
    version = "1"
    standardize: Standardize = "each"
    cheap = True
    threaded = False
    at_once = 256
    layers = 1
    labels = PAPER.names

    @property
    def dim(self) -> int:
        """Length of a vector: how many emotions."""
        return len(self.labels)

    @cached_property
    def _learnt(self) -> dict[str, NDArray[np.float32]]:
        return {name: values.astype(np.float32) for name, values in load_file(WEIGHTS).items()}

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(sentence,) -> (sentence, emotion) logits.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        if not sentences:
            return np.zeros((0, self.dim), dtype=np.float32)
        rarity, weights, bias = (self._learnt[name] for name in ("rarity", "weights", "bias"))
        halves = zip(GROUPS.of(sentences), rarity, weights, strict=True)
        logits = sum(weighed(counts, rare) @ table for counts, rare, table in halves)
        return np.asarray(logits + bias, dtype=np.float32)

    def frames(self, sentences: Sequence[str]) -> list[NDArray[np.float32]]:
        """(sentence,) -> (sentence,) of (1, dim): counts have no order."""
        return list(self.encode(sentences)[:, None])


def weighed(counts: csr_matrix, rarity: NDArray[np.float32]) -> csr_matrix:
    """Counts of groups, the first worth more than the next, rare groups more than frequent ones.

    Args:
        counts: (sentence, group).
        rarity: (group,) inverse document frequency.

    Returns:
        (sentence, group), rows of Euclidean length 1, or of zeros.
    """
    found = counts.copy()
    found.data = (1 + np.log(found.data)) * rarity[found.indices]
    lengths = np.sqrt(np.asarray(found.multiply(found).sum(axis=1)).ravel())
    shares = np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return csr_matrix(diags(shares.astype(np.float32)) @ found)
