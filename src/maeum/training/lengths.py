"""Batches of similar length: what is padded is computed for nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int64
from numpy import ndarray
from torch.utils.data import Sampler
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

POOL_BATCHES = 32
"""Batches that are sorted together at most: a batch then spans 3 % of the lengths there are, and of
8 clips between 0.8 and 8 s a fiftieth is padding instead of two fifths."""

POOLS = 4
"""Pools of an epoch at least, so that small corpora are not parted the same way each time."""


class SimilarLengths(Sampler[int]):
    """An order of utterances in which those of a batch are of similar length.

    Utterances are shuffled, parted into pools, sorted within a pool and cut into batches, and the
    batches are shuffled: long ones come at any time. What is left over comes last.

    Args:
        lengths: of the utterances, in any one unit.
        batch_size: utterances of a step, all pieces of all processes.
        seed: of the run.

    Attributes:
        epoch: which order is given; the same for the same seed and epoch, whatever came before.

    >>> order = SimilarLengths(np.arange(48.0) % 6, batch_size=4, seed=0)
    >>> sorted(order) == list(range(48))
    True
    """

    def __init__(
        self, lengths: Float[ndarray, " utterance"], *, batch_size: int, seed: int
    ) -> None:
        self._lengths, self._batch_size, self._seed = lengths, batch_size, seed
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self.epoch])
        size = self._batch_size
        shuffled = rng.permutation(len(self._lengths))
        whole = len(shuffled) - len(shuffled) % size
        batches = self._sorted_in_pools(shuffled[:whole]).reshape(-1, size)
        order = [*rng.permutation(batches).flat, *shuffled[whole:]]
        return iter([int(place) for place in order])

    def _sorted_in_pools(
        self, places: Int64[ndarray, " utterance"]
    ) -> Int64[ndarray, " utterance"]:
        """The same places, each pool of batches in order of length."""
        batches = len(places) // self._batch_size
        pool = max(1, min(POOL_BATCHES, batches // POOLS)) * self._batch_size
        parts = [places[start : start + pool] for start in range(0, len(places), pool)]
        ordered = [part[np.argsort(self._lengths[part], kind="stable")] for part in parts]
        return np.concatenate([places[:0], *ordered])


class LongestFirst(Sampler[int]):
    """The same order always, for what nothing is learnt from.

    >>> list(LongestFirst(np.array([1.0, 3.0, 2.0])))
    [1, 2, 0]
    """

    def __init__(self, lengths: Float[ndarray, " utterance"]) -> None:
        self._order = np.argsort(-lengths, kind="stable").tolist()

    def __len__(self) -> int:
        return len(self._order)

    def __iter__(self) -> Iterator[int]:
        return iter(self._order)


class AnotherOrderEachEpoch(TrainerCallback):
    """Tells the order which epoch begins; a resumed run begins where it was."""

    def __init__(self, order: SimilarLengths) -> None:
        self._order = order

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """It begins."""
        self._order.epoch = int(state.epoch or 0)
