"""What all towers share when they answer: which layers, which batches, without learning."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from maeum.encoders.pretrained.tower import Tower
from maeum.errors import EncoderError


@contextmanager
def answering(tower: Tower) -> Iterator[None]:
    """Without dropout, masking and gradients; as it was before afterwards.

    Not in torch's inference mode: what models remember of it cannot be trained with later.
    """
    learning = tower.training
    tower.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        tower.train(learning)


def batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Places of what is computed together: of similar length, padded to `most` in all.

    Args:
        lengths: (item,) of clips in samples, of sentences in tokens.
        most: of a batch with its padding; an item longer than that is alone.

    >>> list(batches([4, 1, 2, 9], most=6))
    [[1, 2], [0], [3]]
    """
    together: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: lengths[place]):
        if together and (len(together) + 1) * lengths[place] > most:
            yield together
            together = []
        together.append(place)
    if together:
        yield together


def picked_layers(layers: str, depth: int, name: str) -> tuple[int, ...]:
    """Numbers of the layers wanted of a model with `depth` layers; 0 is what enters the first.

    Raises:
        EncoderError: there is no such layer.

    >>> [picked_layers(layers, 3, "tiny") for layers in ("last", "1", "weighted")]
    [(3,), (1,), (0, 1, 2, 3)]
    """
    if layers == "weighted":
        return tuple(range(depth + 1))
    if layers == "last":
        return (depth,)
    if not layers.isdecimal() or int(layers) > depth:
        raise EncoderError(
            f"layer {layers} of {name} was asked for; "
            f"expected a number from 0 to {depth}, last, or weighted"
        )
    return (int(layers),)
