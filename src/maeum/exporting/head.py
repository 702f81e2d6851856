"""The network as a graph, from vectors to probabilities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn

from maeum.encoders.graphs.engines import Format
from maeum.encoders.pretrained.conversion import Input, write_graph
from maeum.inference.exported import HEAD
from maeum.inference.graph_inputs import BEFORE, frames_named
from maeum.inference.makeup import Makeup
from maeum.model import Network

BATCH, MOMENTS = 3, 5
"""Rows, and moments of each, that the network is traced with; the graph takes any number."""


def write_head(network: Network, folder: Path, engine: Format) -> None:
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
    with _plain_attention():
        write_graph(_Chances(network, names), inputs, folder / HEAD, engine)


def _inputs(makeup: Makeup) -> Iterator[Input]:
    """What `graph_inputs.graph_inputs` gives, as examples."""
    shapes = {"": (BATCH,)} | ({BEFORE: (BATCH, makeup.context)} if makeup.context else {})
    for prefix, shape in shapes.items():
        for side, width in makeup.widths.items():
            yield Input(f"{prefix}{side}", torch.randn(*shape, width), (0,))
            yield Input(f"{prefix}has_{side}", _some(shape), (0,))
    for side, place, dim in makeup.frames:
        values, keep = frames_named(side, place)
        yield Input(values, torch.randn(BATCH, MOMENTS, dim), (0, 1))
        yield Input(keep, _some((BATCH, MOMENTS)), (0, 1))


def _some(shape: tuple[int, ...]) -> Tensor:
    """True in all rows but the first."""
    rows = torch.arange(shape[0]) > 0
    return rows.reshape(-1, *[1] * (len(shape) - 1)).expand(shape).contiguous()


class _Chances(nn.Module):
    """Equations (1) to (4), of inputs in a row."""

    def __init__(self, network: Network, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.names = network, names
        self.frames = list(Makeup.of(network.config).frames)

    def forward(self, *values: Tensor) -> Tensor:
        """(batch, emotion), rows summing to 1."""
        given = dict(zip(self.names, values, strict=True))
        now = {name: given[name] for side in self.network.inputs for name in _both(side)}
        before = {name: given[BEFORE + name] for name in now if BEFORE + name in given}
        logits = self.network(**now, context=before, frames=self._frames(given)).logits
        return torch.softmax(logits, dim=1)

    def _frames(self, given: Mapping[str, Tensor]) -> dict[str, list[tuple[Tensor, ...]]]:
        frames: dict[str, list[tuple[Tensor, ...]]] = {}
        for side, place, _ in self.frames:
            pair = tuple(given[name] for name in frames_named(side, place))
            frames.setdefault(side, []).append(pair)
        return frames


def _both(side: str) -> tuple[str, str]:
    return side, f"has_{side}"


@contextmanager
def _plain_attention() -> Iterator[None]:
    """Attention in operations that graphs have, not in torch's own quick one."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)
