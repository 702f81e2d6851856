"""What a network can take over from another one."""

from __future__ import annotations

from maeum.model.shape import SIDES, NetworkShape

_IDENTITY = ("version", "dim", "layers")
"""Of an encoder: what decides its vectors; it may lie elsewhere now, by another name."""


def parts_in_common(new: NetworkShape, old: NetworkShape) -> list[str]:
    """Names of the parts whose weights mean the same in both, in the order they are run in.

    A side, where its encoders and what is done to their vectors are the same; `context`, where
    that holds of all sides; `hidden`, where they are joined alike too; `output`, where the
    emotions are also the same.
    """
    sides = [side for side in SIDES if _side(new, side) == _side(old, side) != ()]
    if not (sides == list(new.cards) == list(old.cards) and _sizes(new) == _sizes(old)):
        return sides
    if new.fusion != old.fusion:
        return [*sides, "context"]
    return [*sides, "context", "hidden", *(["output"] if _names(new) == _names(old) else [])]


def _side(config: NetworkShape, side: str) -> tuple[object, ...]:
    """What decides the vectors of a side; empty where there is none."""
    cards = config.cards.get(side, ())
    encoders = tuple(tuple(card[key] for key in _IDENTITY) for card in cards)
    return (*encoders, config.normalize) if encoders and side == "speech" else encoders


def _sizes(config: NetworkShape) -> tuple[int, int]:
    return config.hidden_size, config.context


def _names(config: NetworkShape) -> list[str]:
    return [emotion["name"] for emotion in config.emotions]
