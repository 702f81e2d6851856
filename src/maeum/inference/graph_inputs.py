"""Features as the inputs of the network's graph: all of them by name, of absent sides too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.features import Features
from maeum.inference.arrays import Places, network_arrays
from maeum.inference.makeup import Makeup

BEFORE = "context_"
"""Begins the names of inputs that are of previous turns."""


def frames_named(side: str, place: int) -> tuple[str, str]:
    """Names of the inputs that take vectors over time of an encoder, and which are no padding.

    >>> frames_named("speech", 0)
    ('frames_speech_0', 'keep_speech_0')
    """
    return f"frames_{side}_{place}", f"keep_{side}_{place}"


def graph_inputs(features: Features, makeup: Makeup, places: Places) -> dict[str, NDArray[Any]]:
    """The inputs of the graph for some utterances.

    Args:
        features: from the encoders of the network, normalised as it wants them.
        makeup: of the network.
        places: (batch,) of the utterances.
    """
    given = network_arrays(
        features,
        list(makeup.cards),
        frames=makeup.fusion == "cross",
        context=makeup.context,
        places=places,
    )
    inputs = _vectors(given, makeup, "", (len(places),))
    if makeup.context:
        inputs |= _vectors(given["context"], makeup, BEFORE, (len(places), makeup.context))
    frames = given.get("frames", {})
    for side, place, dim in makeup.frames:
        values, keep = frames[side][place] if side in frames else _nothing(len(places), dim)
        inputs |= dict(zip(frames_named(side, place), (values, keep), strict=True))
    return inputs


def _vectors(
    given: Mapping[str, Any], makeup: Makeup, prefix: str, shape: tuple[int, ...]
) -> dict[str, NDArray[Any]]:
    """Vectors of each side and which are there; of a side not given zeros, and nowhere."""
    inputs: dict[str, NDArray[Any]] = {}
    for side, width in makeup.widths.items():
        there = side in given
        inputs[f"{prefix}{side}"] = (
            given[side] if there else np.zeros((*shape, width), dtype=np.float32)
        )
        inputs[f"{prefix}has_{side}"] = (
            given[f"has_{side}"] if there else np.zeros(shape, dtype=np.bool_)
        )
    return inputs


def _nothing(batch: int, dim: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """One moment, which is padding."""
    return np.zeros((batch, 1, dim), dtype=np.float32), np.zeros((batch, 1), dtype=np.bool_)
