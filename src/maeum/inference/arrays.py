"""Features as the arguments of a network, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.features import Features

Places = NDArray[np.int64]
"""Which utterances of the features, by their place."""


def network_arrays(
    features: Features, sides: Sequence[str], *, frames: bool, context: int, places: Places
) -> dict[str, Any]:
    """The arguments of `EmotionNetwork.forward` for some utterances, as far as there are any.

    Args:
        features: from the encoders of the network, normalised as it wants them.
        sides: of the network.
        frames: whether it looks at vectors over time.
        context: how many previous utterances it looks at.
        places: (batch,) of the utterances.
    """
    rows = features.rows[places]
    sides = [side for side in sides if side in features.tables]
    inputs: dict[str, Any] = {}
    for side in sides:
        inputs[side] = features.tables[side][rows]
        inputs[f"has_{side}"] = features.present(side, places)
    if frames:
        kept = [side for side in sides if side in features.frames]
        inputs["frames"] = {side: _frames(features, side, rows) for side in kept}
    if context:
        inputs["context"] = _context(features, sides, features.context[places])
    return inputs


def _frames(features: Features, side: str, rows: Places) -> list[tuple[NDArray[Any], ...]]:
    """Per encoder of the side (batch, time, dim) and what of it is no padding."""
    return [padded(table.of(rows)) for table in features.frames[side]]


def padded(sequences: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Sequences of (time, …) as one (batch, time, …), and (batch, time) where they are.

    >>> values, keep = padded([np.ones(3), np.ones(1)])
    >>> values.tolist(), keep.tolist()
    ([[1.0, 1.0, 1.0], [1.0, 0.0, 0.0]], [[True, True, True], [True, False, False]])
    """
    lengths = np.array([len(one) for one in sequences])
    keep = np.arange(lengths.max()) < lengths[:, None]
    values = np.zeros((*keep.shape, *sequences[0].shape[1:]), dtype=sequences[0].dtype)
    values[keep] = np.concatenate(sequences)
    return values, keep


def _context(features: Features, sides: Sequence[str], rows: Places) -> dict[str, NDArray[Any]]:
    """The previous utterances, (batch, turn, …); -1 stands for none."""
    there = rows >= 0
    context = {}
    for side in sides:
        context[side] = features.tables[side][np.where(there, rows, 0)]
        context[f"has_{side}"] = features.has[side][np.where(there, rows, 0)] & there
    return context
