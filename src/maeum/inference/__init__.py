"""Using what was trained: recordings and sentences in, emotions out.

Each name is imported when it is first used: what `maeum export` wrote answers without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maeum.lazily import imported_from

_HOMES = {
    "Classifier": "maeum.inference.classifier",
    "EmotionClassifier": "maeum.inference.trained",
    "ExportedClassifier": "maeum.inference.exported",
    "Failure": "maeum.inference.prediction",
    "Prediction": "maeum.inference.prediction",
    "PublishedClassifier": "maeum.inference.published",
    "Query": "maeum.inference.prediction",
    "Run": "maeum.inference.run",
    "classifier_of": "maeum.inference.exported",
}

__all__ = list(_HOMES)

if TYPE_CHECKING:
    from maeum.inference.classifier import Classifier as Classifier
    from maeum.inference.exported import ExportedClassifier as ExportedClassifier
    from maeum.inference.exported import classifier_of as classifier_of
    from maeum.inference.prediction import Failure as Failure
    from maeum.inference.prediction import Prediction as Prediction
    from maeum.inference.prediction import Query as Query
    from maeum.inference.published import PublishedClassifier as PublishedClassifier
    from maeum.inference.run import Run as Run
    from maeum.inference.trained import EmotionClassifier as EmotionClassifier


__getattr__ = imported_from(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(_HOMES)
