"""The network in the folder of a run."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from maeum.errors import RunError
from maeum.model import Network, NetworkShape

UNREADABLE = (
    AttributeError,
    KeyError,
    OSError,
    RuntimeError,
    SafetensorError,
    TypeError,
    ValueError,
)
"""What is raised where the files of a run are broken, or make no network."""


def network_in(folder: Path, name: str) -> Network:
    """The network; only safetensors are read and no code is run.

    Args:
        folder: of the run.
        name: what the run was asked for by.

    Raises:
        RunError: the files are broken, or hold another model.
    """
    try:
        network = Network(_shape_in(folder))
        weights = load_file(folder / "model.safetensors")
        found = network.load_state_dict(weights, strict=False)
    except UNREADABLE as error:
        reason = " ".join(str(error).split()[:40]) or type(error).__name__
        raise RunError(f"{name} cannot be loaded as a run: {reason}") from error
    if lacking := sorted(found.missing_keys):
        raise RunError(f"{name} holds another model or half of one: it lacks {lacking[0]}")
    return network


def _shape_in(folder: Path) -> NetworkShape:
    """What `config.json` says of the network, and nothing else of what stands there."""
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    known = signature(NetworkShape).parameters
    return NetworkShape(**{name: stated[name] for name in known if name in stated})
