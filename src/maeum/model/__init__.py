"""The network: speech and text as vectors in, one emotion out.

Each name is imported when it is first used: answering takes torch alone, which starts in a third of
the time that transformers takes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

_HOMES = {
    "EmotionNetwork": "maeum.model.pretrained",
    "Network": "maeum.model.network",
    "NetworkConfig": "maeum.model.config",
    "NetworkShape": "maeum.model.shape",
    "WholeNetwork": "maeum.model.whole",
}

__all__ = list(_HOMES)

if TYPE_CHECKING:
    from maeum.model.config import NetworkConfig as NetworkConfig
    from maeum.model.network import Network as Network
    from maeum.model.pretrained import EmotionNetwork as EmotionNetwork
    from maeum.model.shape import NetworkShape as NetworkShape
    from maeum.model.whole import WholeNetwork as WholeNetwork


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'maeum.model' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
