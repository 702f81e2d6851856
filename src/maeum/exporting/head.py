"""The network as a graph, from vectors to probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from maeum.encoders.graphs.engines import Engine
from maeum.encoders.pretrained.conversion import Input, write_graph
from maeum.errors import RunError
from maeum.inference.exported import HEAD
from maeum.inference.makeup import Makeup
from maeum.model import EmotionNetwork

BATCH = 3
"""Rows of the example the network is traced with; the graph takes any number."""


def refuse_frames(makeup: Makeup) -> None:
    """Raise where a network looks at vectors over time, which graphs are not handed.

    Raises:
        RunError: it does.
    """
    if makeup.fusion == "cross":
        raise RunError(
            "a run with fusion=cross cannot be exported, because its network looks at vectors "
            "over time; train with --fusion concat, late or gated to export"
        )


def write_head(network: EmotionNetwork, folder: Path, engine: Engine) -> None:
    """Write the network as a graph in float32; it is small.

    Args:
        network: trained.
        folder: to write to.
        engine: that will compute it.

    Raises:
        EncoderError: no graph can be made of it.
    """
    inputs = [*_inputs(Makeup.of(network.config))]
    names = [one.name for one in inputs]
    write_graph(_Chances(network, names), inputs, folder / HEAD, engine)


def _inputs(makeup: Makeup) -> Iterator[Input]:
    """`speech`, `has_speech`, `text`, `has_text`, and the same of turns before as `context_…`."""
    shapes = {"": (BATCH,)} | ({"context_": (BATCH, makeup.context)} if makeup.context else {})
    for prefix, shape in shapes.items():
        for side, width in makeup.widths.items():
            there = torch.arange(shape[0]) > 0
            yield Input(f"{prefix}{side}", torch.randn(*shape, width), (0,))
            has = there if len(shape) == 1 else there[:, None].repeat(1, shape[1])
            yield Input(f"{prefix}has_{side}", has, (0,))


class _Chances(nn.Module):
    """Equations (1) to (4), of inputs in a row."""

    def __init__(self, network: EmotionNetwork, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.names = network, names

    def forward(self, *values: Tensor) -> Tensor:
        """(batch, emotion), rows summing to 1."""
        given: Mapping[str, Tensor] = dict(zip(self.names, values, strict=True))
        before = {
            name.removeprefix("context_"): value
            for name, value in given.items()
            if name.startswith("context_")
        }
        now = {name: value for name, value in given.items() if not name.startswith("context_")}
        logits = self.network(**now, context=before or None).logits
        return torch.softmax(logits, dim=1)
