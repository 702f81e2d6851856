"""The network: speech and text as vectors in, one emotion out.

Each name is imported when it is first used: answering takes torch alone, which starts in a third of
the time that transformers takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maeum.lazily import imported_from

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


__getattr__ = imported_from(__name__, _HOMES)
