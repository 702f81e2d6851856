"""The network in the folder of a run."""

from __future__ import annotations

import json
from inspect import signature
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from maeum.encoders.pretrained.quiet import quietly
from maeum.errors import RunError
from maeum.model import EmotionNetwork, NetworkConfig

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


def network_in(folder: Path, name: str) -> EmotionNetwork:
    """The network; only safetensors are read and no code is run.

    Args:
        folder: of the run.
        name: what the run was asked for by.

    Raises:
        RunError: the files are broken, or hold another model.
    """
    try:
        with quietly():
            loaded: Any = EmotionNetwork.from_pretrained(
                folder, config=_config_in(folder), use_safetensors=True, output_loading_info=True
            )
    except UNREADABLE as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RunError(f"{name} cannot be loaded as a run: {reason}") from error
    network, found = loaded
    if lacking := sorted(found["missing_keys"]):
        raise RunError(f"{name} holds another model or half of one: it lacks {lacking[0]}")
    return network


def _config_in(folder: Path) -> NetworkConfig:
    """What `config.json` says of the network, and nothing else of what transformers would heed.

    Some of that names repositories whose code is run, to compute attention for one.
    """
    stated = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    known = signature(NetworkConfig.__init__).parameters
    return NetworkConfig(**{name: stated[name] for name in known if name in stated})
