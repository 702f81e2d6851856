"""From encoders to one vector per utterance."""

from maeum.features.extract import Features, extract

__all__ = ["Features", "extract"]
