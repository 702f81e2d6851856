"""Features as batches: sliced at once, not row by row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from maeum.features import Features
from maeum.inference.classifier import tensors


class FeatureDataset(Dataset[dict[str, Tensor]]):
    """Features with their labels.

    Args:
        features: of the utterances, in order.
        labels: (utterance,) class indices.
        sides: `speech`, `text` or both, as the network has them.
    """

    def __init__(self, features: Features, labels: Sequence[int], sides: Sequence[str]) -> None:
        self._columns = tensors(features, sides) | {"labels": torch.tensor(labels)}

    def __len__(self) -> int:
        return len(self._columns["labels"])

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {name: column[index] for name, column in self._columns.items()}

    def __getitems__(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """A whole batch; torch's loader calls this where it exists."""
        rows = torch.tensor(indices)
        return {name: column[rows] for name, column in self._columns.items()}


def as_it_is(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """The collation of batches that are batches already."""
    return batch
