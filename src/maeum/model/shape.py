"""What a network is made of, without a library that knows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any, TypeAlias, get_args

from maeum.config import Fusion
from maeum.errors import SettingsError

SIDES = ("speech", "text")
"""The two halves of x, in order."""

Card: TypeAlias = Mapping[str, Any]
"""What `encoders.card` gives: name, version, dim, layers, standardize; more may stand in it. `kept`
says that the encoder learns with the network, and where its run keeps it."""


class NetworkShape:
    """Encoders, sizes and labels of a network.

    Args:
        emotions: what `EmotionSet.to_dict` gives, in class order.
        speech: what `encoders.card` gives of each speech encoder, in order; none: no speech.
        text: the same for text.
        hidden_size: width of h.
        dropout: share of h left out in training.
        modality_dropout: share of pairs trained with one half hidden.
        class_weights: (emotion,) weights in the loss; None: all 1.
        label_smoothing: mass moved off the true emotion.
        normalize: what was done to the speech features (`config.Normalization`).
        fusion: how speech and text are joined, a key of `fusion.FUSIONS`.
        context: previous utterances of the dialogue looked at; 0: none.
        temperatures: what an answer rests on (`speech`, `text`, `both`) -> by what its logits are
            divided to make its probabilities honest; 1 where none stands. `Network` itself does
            not look at them: the room `inference` does, for every engine.

    Raises:
        SettingsError: the fusion is unknown or does not go with the encoders.
    """

    def __init__(
        self,
        emotions: Sequence[dict[str, str]] = (),
        speech: Sequence[Card] = (),
        text: Sequence[Card] = (),
        hidden_size: int = 128,
        dropout: float = 0.5,
        modality_dropout: float = 0.2,
        class_weights: Sequence[float] | None = None,
        label_smoothing: float = 0.0,
        normalize: str = "none",
        fusion: str = "concat",
        context: int = 0,
        temperatures: Mapping[str, float] | None = None,
    ) -> None:
        self.emotions = list(emotions)
        self.speech = [dict(card) for card in speech]
        self.text = [dict(card) for card in text]
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.modality_dropout = modality_dropout
        self.class_weights = None if class_weights is None else list(class_weights)
        self.label_smoothing = label_smoothing
        self.normalize = normalize
        self.fusion = fusion
        self.context = context
        self.temperatures = dict(temperatures or {})
        _check_fusion(fusion, self.cards)

    def to_arguments(self) -> dict[str, Any]:
        """What makes an equal one, by name."""
        return {name: getattr(self, name) for name in signature(NetworkShape).parameters}

    @property
    def cards(self) -> dict[str, list[dict[str, Any]]]:
        """Side -> its encoders' cards, in order, for the sides the network has."""
        both = {"speech": self.speech, "text": self.text}
        return {side: cards for side, cards in both.items() if cards}

    @property
    def dims(self) -> dict[str, int]:
        """Side -> length of its part of x: one layer of each encoder."""
        return {side: sum(card["dim"] for card in cards) for side, cards in self.cards.items()}

    @property
    def context_size(self) -> int:
        """Length of c; 0 without context."""
        return self.hidden_size if self.context else 0


def _check_fusion(fusion: str, cards: Mapping[str, Sequence[Card]]) -> None:
    known = get_args(Fusion)
    if fusion not in known:
        raise SettingsError(f"unknown fusion {fusion!r}; known: {', '.join(known)}")
    if fusion != "concat" and len(cards) < len(SIDES):
        only = " or ".join(cards) or "neither"
        raise SettingsError(
            f"fusion={fusion} joins speech and text, and {only} is all this network takes; "
            "leave fusion at concat"
        )
    if fusion == "cross" and (many := _of_many_layers(cards)):
        raise SettingsError(
            f"fusion=cross looks at frames, which are of one layer, but {many[0]} was asked for "
            "several; use layers=last or the number of one"
        )


def _of_many_layers(cards: Mapping[str, Sequence[Card]]) -> list[str]:
    return [card["name"] for side in cards.values() for card in side if card["layers"] > 1]
