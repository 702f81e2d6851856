"""Classifiers that are one encoder, whose vectors are logits already; `builtin:starter` is one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from maeum.emotions import PAPER, EmotionSet
from maeum.encoders import Encoder, card, text_encoders
from maeum.engine import Engine
from maeum.errors import RunError
from maeum.features import Features
from maeum.inference.classifier import Classifier
from maeum.inference.makeup import Makeup

BUILTIN_CLASSIFIERS = ("builtin:starter",)
"""Those that travel with the package, of the paper's emotions; each is a text encoder too."""


class LogitsClassifier(Classifier):
    """Answers as its encoder does.

    Attributes:
        encoder: whose vectors are logits, in the order of the emotions.
    """

    def __init__(self, encoder: Encoder, side: str, emotions: EmotionSet) -> None:
        """An encoder of a side, `speech` or `text`, and what its vectors are logits of."""
        self.encoder, self._side = encoder, side
        cards = {side: [card(encoder)]}
        super().__init__(Makeup(emotions, cards, normalize="none", fusion="concat", context=0))

    def _encoders(self, side: str) -> tuple[Any, ...]:
        return (self.encoder,) if side == self._side else ()

    def _chances(self, features: Features, places: NDArray[np.int64]) -> NDArray[np.float32]:
        logits = features.tables[self._side][features.rows[places]]
        return softmax(logits.astype(np.float64), axis=1).astype(np.float32)

    @property
    def usual_spread(self) -> NDArray[np.float32]:
        """None: voices are not compared.

        Raises:
            RunError: always.
        """
        raise RunError(f"{self.encoder.name} compares no voices")


def builtin_classifier(name: str, *, engine: Engine | None = None) -> LogitsClassifier:
    """A classifier that travels with the package.

    Args:
        name: of `BUILTIN_CLASSIFIERS`.
        engine: None; it has nothing that another could compute.

    Raises:
        RunError: there is none of that name, or an engine is named that it does not know.

    >>> builtin_classifier("builtin:starter")(text="너무 무섭고 불안해요").emotion
    'Anxious'
    """
    if name not in BUILTIN_CLASSIFIERS:
        raise RunError(
            f"no classifier {name!r} is built in; there is {', '.join(BUILTIN_CLASSIFIERS)}"
        )
    if engine is not None and engine.name != "torch":
        raise RunError(f"{name} is computed in one way only; leave out --engine {engine.name}")
    (encoder,) = text_encoders(name)
    return LogitsClassifier(encoder, "text", PAPER)
