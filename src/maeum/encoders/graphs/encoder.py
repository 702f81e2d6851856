"""What encoders of recordings and of sentences that are graphs have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Generic, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from maeum.encoders import Standardize
from maeum.encoders.graphs.description import Description, read_description
from maeum.engine import Engine
from maeum.errors import EncoderError

Item = TypeVar("Item")
"""A wave or a sentence."""


class Given(NamedTuple):
    """What a graph gives of some items.

    Attributes:
        places: of the items.
        values: (item, layer, time, dim).
        keep: (item, time), False where there is padding only.
    """

    places: list[int]
    values: NDArray[np.float32]
    keep: NDArray[np.bool_]


class GraphEncoder(ABC, Generic[Item]):
    """A pretrained encoder as a graph; computes without torch.

    Args:
        folder: of the graph, with `encoder.json`.
        told: what that says.

    Attributes:
        name: as it was typed in training.
        version: changes with the graph and the precision.
        exact_version: of the encoder in float32; for an exported one that of the graph.
        engine: that computes it.
    """

    cheap = False

    def __init__(self, folder: Path, told: Description) -> None:
        self.name, self.version, self.exact_version = told.name, told.version, told.version
        self.engine = Engine(told.engine, told.precision)
        self.standardize: Standardize = told.standardize
        self._told, self._graph = told, told.graph_in(folder)

    @classmethod
    def open(cls, folder: str | Path) -> Self:
        """The encoder in a folder.

        Raises:
            EncoderError: the folder holds none, or a broken one.
            SettingsError: what computes it is not installed.
        """
        folder = Path(folder)
        return cls(folder, read_description(folder))

    @property
    def dim(self) -> int:
        """Length of one layer's vector."""
        return self._told.dim

    @property
    def layers(self) -> int:
        """How many layers' vectors stand one after another in what `encode` gives."""
        return self._told.layers

    @property
    def threaded(self) -> bool:
        """Whether `encode` gains from being called by several threads at once."""
        return False

    @abstractmethod
    def _given(self, items: Sequence[Item]) -> Iterator[Given]:
        """What the graph gives of some items, until all had their turn."""

    def _asked(self, inputs: dict[str, NDArray[Any]]) -> NDArray[np.float32]:
        try:
            return self._graph(inputs)
        except Exception as error:  # the libraries raise nothing narrower
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise EncoderError(
                f"{self.name} fails at what it is given ({reason}); export the run again"
            ) from error

    def _means(self, items: Sequence[Item]) -> NDArray[np.float32]:
        """(item,) -> (item, layers * dim), means over time."""
        vectors = np.empty((len(items), self.layers, self.dim), dtype=np.float32)
        for places, values, keep in self._given(items):
            for place, layers, there in zip(places, values, keep, strict=True):
                vectors[place] = layers[:, there].mean(axis=1)
        return vectors.reshape(len(items), self.layers * self.dim)

    def _over_time(self, items: Sequence[Item]) -> list[NDArray[np.float32]]:
        """(item,) -> (item,) of (time, dim), of one layer; raises where all are read."""
        if self.layers != 1:
            raise EncoderError(
                f"frames of {self.name} were asked for with all its layers; frames need one layer: "
                "choose layers=last or the number of one"
            )
        found = {
            place: layers[0, there]
            for places, values, keep in self._given(items)
            for place, layers, there in zip(places, values, keep, strict=True)
        }
        return [found[place] for place in range(len(items))]
