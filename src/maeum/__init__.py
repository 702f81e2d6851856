"""maeum (마음): emotions from a little speech and text, Korean first, honestly measured.

The names below are the public Python interface; each is imported when first used, so that
`import maeum` is quick and loads no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maeum.lazily import imported_from

__version__ = "0.1.0"

_HOMES = {
    "Corpus": "maeum.corpus",
    "EmotionClassifier": "maeum.inference",
    "EmotionSet": "maeum.emotions",
    "MaeumError": "maeum.errors",
    "Prediction": "maeum.inference",
    "Run": "maeum.training",
    "Settings": "maeum.config",
    "crossval": "maeum.training",
    "evaluate": "maeum.evaluation",
    "train": "maeum.training",
}

__all__ = [*_HOMES, "__version__"]

if TYPE_CHECKING:
    from maeum.config import Settings as Settings
    from maeum.corpus import Corpus as Corpus
    from maeum.emotions import EmotionSet as EmotionSet
    from maeum.errors import MaeumError as MaeumError
    from maeum.evaluation import evaluate as evaluate
    from maeum.inference import EmotionClassifier as EmotionClassifier
    from maeum.inference import Prediction as Prediction
    from maeum.training import Run as Run
    from maeum.training import crossval as crossval
    from maeum.training import train as train


__getattr__ = imported_from(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(__all__)
