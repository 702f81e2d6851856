"""What encoders made of single queries, laid out as the features of a corpus are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from maeum.features import Features
from maeum.features.frames import FrameTable, HeldFrames

Vector = NDArray[np.float32]


@dataclass
class Encoded:
    """One query; a side it lacks has no entry.

    Attributes:
        vectors: side -> (width,).
        frames: side -> per encoder (time, dim); empty for networks that read none.
    """

    vectors: dict[str, Vector] = field(default_factory=dict)
    frames: dict[str, tuple[Vector, ...]] = field(default_factory=dict)


def features_of(encoded: Sequence[Encoded], widths: Mapping[str, int], turns: int) -> Features:
    """The queries as utterances 0, 1, 2, … that belong to no dialogue.

    Args:
        encoded: the queries.
        widths: side -> length of its vector, for the sides of the network.
        turns: how many previous utterances the network looks at; here there is none.
    """
    nothing = {side: np.zeros(width, dtype=np.float32) for side, width in widths.items()}
    return Features(
        ids=tuple(str(place) for place in range(len(encoded))),
        tables={
            side: np.stack([one.vectors.get(side, nothing[side]) for one in encoded])
            for side in widths
        },
        has={side: np.array([side in one.vectors for one in encoded]) for side in widths},
        rows=np.arange(len(encoded)),
        context=np.full((len(encoded), turns), -1),
        frames={side: held for side in widths if (held := _held(encoded, side))},
    )


def _held(encoded: Sequence[Encoded], side: str) -> tuple[FrameTable, ...]:
    """Per encoder of the side, the frames of the queries that have it."""
    own = {row: one.frames[side] for row, one in enumerate(encoded) if side in one.frames}
    if not own:
        return ()
    of_each = zip(*own.values(), strict=True)
    return tuple(
        HeldFrames(dict(zip(own, frames, strict=True)), frames[0].shape[1]) for frames in of_each
    )
