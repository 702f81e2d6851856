"""What a classifier must know of its network, whatever computes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from maeum.emotions import EmotionSet
from maeum.inference.temperatures import refuse_odd


@dataclass(frozen=True)
class Makeup:
    """What a network takes and what it tells apart.

    Attributes:
        emotions: in class order.
        cards: side -> what `encoders.card` gives of each of its encoders, in order; sides that
            the network lacks have no entry.
        normalize: what is done to recordings or their features; see `config.Normalization`.
        fusion: how speech and text are joined.
        context: previous utterances of the dialogue looked at.
        temperatures: what an answer rests on (`speech`, `text`, `both`) -> by what its logits are
            divided; 1 where none stands.

    Raises:
        RunError: a temperature cannot be used.
    """

    emotions: EmotionSet
    cards: Mapping[str, Sequence[Mapping[str, Any]]]
    normalize: str
    fusion: str
    context: int
    temperatures: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        refuse_odd(self.temperatures)

    @classmethod
    def of(cls, config: Any) -> Makeup:  # noqa: ANN401 - a NetworkConfig, whose room knows torch
        """That of a network, by its `NetworkConfig`."""
        emotions = EmotionSet.from_dict(config.emotions)
        return cls(
            emotions,
            config.cards,
            config.normalize,
            config.fusion,
            config.context,
            config.temperatures,
        )

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> Makeup:
        """What `to_dict` gave, also before there were temperatures.

        Raises:
            KeyError: something is missing.
            RunError: a temperature cannot be used.
        """
        emotions = EmotionSet.from_dict(stated["emotions"])
        cards, normalize, fusion, context = (
            stated[name] for name in ("encoders", "normalize", "fusion", "context")
        )
        temperatures = dict(stated.get("temperatures", {}))
        return cls(emotions, cards, normalize, fusion, context, temperatures)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "emotions": self.emotions.to_dict(),
            "encoders": {
                side: [dict(card) for card in cards] for side, cards in self.cards.items()
            },
            "normalize": self.normalize,
            "fusion": self.fusion,
            "context": self.context,
            "temperatures": dict(self.temperatures),
        }

    @property
    def widths(self) -> dict[str, int]:
        """Side -> length of its vectors: encoder after encoder, each layer after layer."""
        return {
            side: sum(card["layers"] * card["dim"] for card in cards)
            for side, cards in self.cards.items()
        }

    @property
    def frames(self) -> list[tuple[str, int, int]]:
        """Side, place and dim of each encoder whose vectors over time are looked at."""
        if self.fusion != "cross":
            return []
        return [
            (side, place, card["dim"])
            for side, cards in self.cards.items()
            for place, card in enumerate(cards)
        ]
