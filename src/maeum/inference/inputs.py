"""Features as the arguments of the network's `forward`."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from maeum.features import Features
from maeum.model import Network

Places = NDArray[np.int64]
"""Which utterances of the features, by their place."""


def network_inputs(features: Features, network: Network, places: Places) -> dict[str, Any]:
    """The arguments of `forward` for some utterances, as far as the network has the sides.

    Args:
        features: from the encoders of the network, normalised as it wants them.
        network: decides whether frames and context are wanted.
        places: (batch,) of the utterances.
    """
    rows = features.rows[places]
    sides = [side for side in network.inputs if side in features.tables]
    inputs: dict[str, Any] = {}
    for side in sides:
        inputs[side] = torch.from_numpy(features.tables[side][rows])
        inputs[f"has_{side}"] = torch.from_numpy(features.present(side, places))
    if network.config.fusion == "cross":
        kept = [side for side in sides if side in features.frames]
        inputs["frames"] = {side: _frames(features, side, rows) for side in kept}
    if network.config.context:
        inputs["context"] = _context(features, sides, features.context[places])
    return inputs


def _frames(features: Features, side: str, rows: Places) -> list[tuple[Tensor, Tensor]]:
    """Per encoder of the side (batch, time, dim) and what of it is no padding."""
    return [_padded(table.of(rows)) for table in features.frames[side]]


def _padded(sequences: list[NDArray[np.float32]]) -> tuple[Tensor, Tensor]:
    values = pad_sequence([torch.tensor(frames) for frames in sequences], batch_first=True)
    lengths = torch.tensor([len(frames) for frames in sequences])
    return values, torch.arange(values.shape[1]) < lengths[:, None]


def _context(features: Features, sides: list[str], rows: Places) -> dict[str, Tensor]:
    """The previous utterances, (batch, turn, …); -1 stands for none."""
    there = rows >= 0
    context = {}
    for side in sides:
        context[side] = torch.from_numpy(features.tables[side][np.where(there, rows, 0)])
        present = features.has[side][np.where(there, rows, 0)] & there
        context[f"has_{side}"] = torch.from_numpy(present)
    return context
