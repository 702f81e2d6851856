"""Using what was trained: recordings and sentences in, emotions out."""

from maeum.inference.classifier import EmotionClassifier
from maeum.inference.prediction import Failure, Prediction, Query
from maeum.inference.run import Run

__all__ = ["EmotionClassifier", "Failure", "Prediction", "Query", "Run"]
