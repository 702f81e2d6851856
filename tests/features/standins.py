"""Encoders one can compute by hand and count, and work for processes that are killed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from maeum.corpus import Corpus
from maeum.errors import TextError
from maeum.features import Store, drawer, extract


class Loudness:
    """A speech encoder one can compute by hand: loudness, length, first sample.

    Its frames are the same of every tenth of a second. Every recording it is given is counted.
    """

    standardize, rate_hz, cheap = "each", 16_000, False

    def __init__(
        self,
        name: str = "test:loudness",
        version: str = "1",
        *,
        threaded: bool = False,
        at_once: int = 16,
        layers: int = 1,
        pause_s: float = 0.0,
    ) -> None:
        self.name, self.version, self.threaded, self.layers = name, version, threaded, layers
        self.at_once, self.pause_s, self.given = at_once, pause_s, 0
        self.batches: list[int] = []

    @property
    def dim(self) -> int:
        """Three numbers."""
        return 3

    def encode(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """Layer after layer, each the first one times its number."""
        self._count(waves)
        time.sleep(self.pause_s * len(waves))
        rows = np.array([_sizes(wave) for wave in waves], dtype=np.float32).reshape(-1, 3)
        return np.concatenate([rows * (layer + 1) for layer in range(self.layers)], axis=1)

    def frames(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Of every 1,600 samples that are whole."""
        self._count(waves)
        return [
            np.array([_sizes(part) for part in wave[: len(wave) // 1600 * 1600].reshape(-1, 1600)])
            for wave in waves
        ]

    def _count(self, waves: Sequence[np.ndarray]) -> None:
        self.given += len(waves)
        self.batches.append(len(waves))


def _sizes(wave: np.ndarray) -> np.ndarray:
    return np.array([np.sqrt(np.mean(wave**2)), len(wave), wave[0]], dtype=np.float32)


class Lengths:
    """A text encoder one can compute by hand: letters and words; a frame per letter."""

    standardize, dim, layers, threaded, at_once = "each", 2, 1, False, 16

    def __init__(self, *, cheap: bool = False) -> None:
        self.name, self.version, self.cheap, self.given = "test:lengths", "1", cheap, 0

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """Letters, words."""
        self._count(sentences)
        rows = [(len(text), len(text.split())) for text in sentences]
        return np.array(rows, dtype=np.float32).reshape(-1, 2)

    def frames(self, sentences: Sequence[str]) -> list[np.ndarray]:
        """The code of every letter, and where it stands."""
        self._count(sentences)
        return [
            np.array([(ord(letter), place) for place, letter in enumerate(text)], dtype=np.float32)
            for text in sentences
        ]

    def _count(self, sentences: Sequence[str]) -> None:
        if not all(text.strip() for text in sentences):
            raise TextError("a sentence is empty")
        self.given += len(sentences)


def encode_slowly(corpus: Corpus, folder: Path) -> None:
    """Encode a corpus into the store of a folder, a recording every 5 ms, each committed."""
    drawer.COMMIT_EVERY_S = 0.0
    extract(corpus, speech=[Loudness(pause_s=0.005)], store=Store(folder))
