"""Learning: one run, or one per fold."""

from maeum.inference import Run
from maeum.training.folding import crossval
from maeum.training.single import train

__all__ = ["Run", "crossval", "train"]
