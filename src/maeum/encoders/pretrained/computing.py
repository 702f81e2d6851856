"""What all towers share when they answer: where, which layers, which batches, without learning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock

import torch
from torch import Tensor

from maeum.encoders.lengths import by_length as by_length
from maeum.encoders.pretrained.exactness import exact_convolutions
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.tower import Tower
from maeum.errors import EncoderError

_MOVING = Lock()


def usual_device() -> torch.device:
    """Where towers answer that nobody has put on an accelerator: on one all the same, if any."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def answering_device(tower: Tower) -> torch.device:
    """Where a tower answers, though it may lie elsewhere until it does."""
    lies = _lies_on(tower)
    return usual_device() if lies.type == "cpu" else lies


@contextmanager
def answering(tower: Tower) -> Iterator[None]:
    """Where it answers, without dropout, masking, gradients and rounding to TensorFloat-32.

    Afterwards it is as it was before, but for the place: it stays there for the next answer.

    Not in torch's inference mode: what models remember of it cannot be trained with later.
    """
    _move(tower)
    learning = tower.training
    tower.eval()
    try:
        with torch.no_grad(), _exact(tower):
            yield
    finally:
        tower.train(learning)


def _exact(tower: Tower) -> AbstractContextManager[None]:
    return exact_convolutions() if _lies_on(tower).type == "cuda" else nullcontext()


def answer(tower: Tower, inputs: Mapping[str, Tensor]) -> Frames:
    """What a tower gives, in float32 whatever it computes in; inputs may lie elsewhere."""
    device = _lies_on(tower)
    given = {name: values.to(device) for name, values in inputs.items()}
    for name, values in given.items():
        if values.is_floating_point():
            given[name] = values.to(tower.input_dtype)
    frames: Frames = tower(**given)
    return Frames(frames.values.float(), frames.keep)


def _lies_on(tower: Tower) -> torch.device:
    return next(tower.parameters()).device


def _move(tower: Tower) -> None:
    """Move a tower to where it answers, if it lies elsewhere; several threads may want that."""
    with _MOVING:
        device = answering_device(tower)
        if _lies_on(tower) != device:
            try:
                tower.to(device)
            except RuntimeError:  # half of it may be there
                tower.to("cpu")
                raise


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
