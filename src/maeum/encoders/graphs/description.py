"""`encoder.json`: what an encoder that is a graph says of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, get_args

from maeum.encoders import Reading, Standardize
from maeum.encoders.graphs.engines import Format, Graph, Precision, open_graph
from maeum.errors import EncoderError
from maeum.files import write_json

FORMAT = 1
"""Raised when a reader of older folders would misread a new one."""

CARD = "encoder.json"

GRAPH = "graph"
"""Name of the files of the graph, without ending."""


@dataclass(frozen=True)
class Description:
    """What is known of an encoder beside its graph.

    Attributes:
        side: speech or text.
        name: as it was typed in training.
        version: changes when the vectors do.
        dim: length of one layer's vector.
        layers: how many layers' vectors it gives.
        standardize: how a network scales the vectors.
        reading: how the model was read, where that is known.
        engine: what computes the graph.
        precision: in what.
        preparing: what is done to recordings or sentences before; see `speech` and `text`.
    """

    side: str
    name: str
    version: str
    dim: int
    layers: int
    standardize: Standardize
    reading: Reading | None
    engine: Format
    precision: Precision
    preparing: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write `encoder.json`."""
        write_json(folder / CARD, {"format": FORMAT, **asdict(self)})

    def graph_in(self, folder: Path) -> Graph:
        """The graph beside it, ready.

        Raises:
            SettingsError: the engine is not installed.
            EncoderError: the files are missing or broken.
        """
        return open_graph(folder, GRAPH, self.engine, self.precision)


def read_description(folder: Path) -> Description:
    """What `encoder.json` in a folder says.

    Raises:
        EncoderError: it is missing, broken, or of another version of maeum.
    """
    path = folder / CARD
    try:
        stated = json.loads(path.read_text(encoding="utf-8"))
        if stated.pop("format") != FORMAT:
            raise ValueError(f"this version reads format {FORMAT}")
        reading = stated["reading"]
        if reading is not None:
            stated["reading"] = Reading(**reading)
        found = Description(**stated)
        if found.engine not in get_args(Format) or found.precision not in get_args(Precision):
            raise ValueError(f"unknown: {found.engine}, {found.precision}")
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EncoderError(
            f"{path} does not describe an encoder ({error}); export the run again"
        ) from error
    return found
