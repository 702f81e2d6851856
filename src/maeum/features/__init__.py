"""From encoders to one vector per utterance."""

from maeum.features.extract import Features, extract, recipe

__all__ = ["Features", "extract", "recipe"]
