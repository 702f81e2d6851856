"""The network: two vectors in, one emotion out."""

from maeum.model.network import EmotionNetwork, NetworkConfig

__all__ = ["EmotionNetwork", "NetworkConfig"]
