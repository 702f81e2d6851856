"""What a network learns from, in batches: features, or recordings and sentences themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset

from maeum.encoders import Tunable, side_of
from maeum.features import Features
from maeum.inference.inputs import network_inputs
from maeum.model import Network
from maeum.training.clips import Clips

Batch: TypeAlias = dict[str, Any]
"""Arguments of `forward`, labels among them."""


class FeatureDataset(Dataset[Batch]):
    """Features with their labels, sliced a batch at a time.

    Args:
        features: of the utterances, in order.
        labels: (utterance,) class indices.
        network: that will learn from them.
    """

    def __init__(self, features: Features, labels: Sequence[int], network: Network) -> None:
        self._features, self._network = features, network
        self._labels = torch.tensor(labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A whole batch; torch's loader calls this where it exists."""
        places = np.array(indices, dtype=np.int64)
        inputs = network_inputs(self._features, self._network, places)
        return inputs | {"labels": self._labels[places]}


def as_it_is(batch: Batch) -> Batch:
    """The collation of batches that are batches already."""
    return batch


@dataclass(frozen=True)
class ClipDataset(Dataset[Batch]):
    """Recordings and sentences with their labels, opened and prepared a batch at a time.

    Attributes:
        clips: of the utterances, in order.
        features: of the same utterances, by the encoders that are not tuned; says who has what.
        labels: (utterance,) class indices.
        tuned: `speech-0`, … -> encoder.
    """

    clips: Clips
    features: Features
    labels: Sequence[int]
    tuned: Mapping[str, Tunable]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> NDArray[np.float64]:
        """(utterance,) how much the tuned encoders have of each; see `Clips.lengths`."""
        return self.clips.lengths({side_of(key) for key in self.tuned})

    def __getitems__(self, indices: Sequence[int]) -> Batch:
        """A whole batch, as `model.whole.WholeNetwork` takes it."""
        places = np.array(indices, dtype=np.int64)
        batch: Batch = {"inputs": self._inputs(places)}
        for side in {side_of(key) for key in self.tuned} | self.features.tables.keys():
            if side in self.features.tables:
                table = self.features.tables[side]
                batch[side] = torch.from_numpy(table[self.features.rows[places]])
            batch[f"has_{side}"] = torch.from_numpy(self.features.present(side, places))
        return batch | {"labels": torch.tensor([self.labels[place] for place in places])}

    def _inputs(self, places: NDArray[np.int64]) -> dict[str, Any]:
        """What each tuned encoder is given: the rows of the batch that have its side."""
        inputs = {}
        for key, encoder in self.tuned.items():
            side = side_of(key)
            own = places[self.features.present(side, places)]
            if len(own):
                inputs[key] = encoder.prepare(self.clips.of(side, own, encoder))
        return inputs
