"""Features as the arguments of the network's `forward`."""

from __future__ import annotations

from typing import Any

import torch

from maeum.features import Features
from maeum.inference.arrays import Places, network_arrays
from maeum.model import Network


def network_inputs(features: Features, network: Network, places: Places) -> dict[str, Any]:
    """The arguments of `forward` for some utterances, as far as the network has the sides.

    Args:
        features: from the encoders of the network, normalised as it wants them.
        network: decides whether frames and context are wanted.
        places: (batch,) of the utterances.
    """
    frames, context = network.config.fusion == "cross", network.config.context
    arrays = network_arrays(
        features, list(network.inputs), frames=frames, context=context, places=places
    )
    return {name: _tensors(value) for name, value in arrays.items()}


def _tensors(value: Any) -> Any:  # noqa: ANN401 - arrays, however they are nested
    """The same with tensors for arrays."""
    if isinstance(value, dict):
        return {name: _tensors(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_tensors(one) for one in value)
    return torch.from_numpy(value)
