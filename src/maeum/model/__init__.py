"""The network: speech and text as vectors in, one emotion out."""

from maeum.model.config import NetworkConfig
from maeum.model.network import EmotionNetwork
from maeum.model.whole import WholeNetwork

__all__ = ["EmotionNetwork", "NetworkConfig", "WholeNetwork"]
