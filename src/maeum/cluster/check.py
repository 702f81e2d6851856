"""What a cluster offers, and what is missing, in words."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from maeum.cache import cache_folder

WAIT_S = 60.0
"""How long a node may take to answer."""


@dataclass(frozen=True)
class Node:
    """One machine of a cluster.

    Attributes:
        name: of the machine.
        cpus, gpus: that it offers.
        memory_gb: that tasks may take.
        maeum: version installed there; empty: none.
        python: version there.
        shares: whether it sees the cache folder of this machine.
        problem: why it did not answer.
    """

    name: str
    cpus: int
    gpus: int
    memory_gb: float
    maeum: str = ""
    python: str = ""
    shares: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Offer:
    """What a cluster offers.

    Attributes:
        nodes: its machines.
        cache: the folder that was looked for on all of them.
        here: versions of maeum and Python on this machine.
    """

    nodes: Sequence[Node]
    cache: str
    here: tuple[str, str]

    @property
    def missing(self) -> list[str]:
        """What is missing, in sentences."""
        found = [f"{node.name} does not answer: {node.problem}" for node in self._silent]
        for node in self._answering:
            if not node.maeum:
                found.append(
                    f"{node.name} has no maeum; install it there: pip install 'maeum[ray]'"
                )
            elif (node.maeum, node.python) != self.here:
                found.append(
                    f"{node.name} has maeum {node.maeum} on Python {node.python}, here are "
                    f"{self.here[0]} and {self.here[1]}; use the same on all"
                )
            if not node.shares:
                found.append(
                    f"{node.name} does not see {self.cache}; name a folder that all machines see "
                    "in MAEUM_CACHE, and keep corpora and runs on such a disk"
                )
        if not sum(node.gpus for node in self.nodes):
            found.append("no node has an accelerator; pretrained encoders run on processors")
        return found

    @property
    def usable(self) -> bool:
        """Whether jobs can run: every node answers, has this maeum, and shares the storage."""
        return all(node.shares and (node.maeum, node.python) == self.here for node in self.nodes)

    @property
    def _silent(self) -> list[Node]:
        return [node for node in self.nodes if node.problem]

    @property
    def _answering(self) -> list[Node]:
        return [node for node in self.nodes if not node.problem]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "nodes": [asdict(node) for node in self.nodes],
            "shared": self.cache,
            "usable": self.usable,
            "missing": self.missing,
        }


def offered() -> Offer:
    """Ask every node of the connected cluster."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from maeum import __version__

    folder = cache_folder().absolute()
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / f".seen-{uuid.uuid4().hex}"
    token.touch()
    try:
        alive = [node for node in ray.nodes() if node["Alive"]]
        ask = ray.remote(num_cpus=0, max_retries=0)(_answer)
        asked = [
            ask.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(str(token))
            for node in alive
        ]
        ray.wait(asked, num_returns=len(asked), timeout=WAIT_S)
        nodes = [_node(node, one) for node, one in zip(alive, asked, strict=True)]
    finally:
        token.unlink()
    return Offer(nodes, str(folder), (__version__, platform.python_version()))


def _answer(token: str) -> dict[str, Any]:
    """What a node says of itself."""
    try:
        from maeum import __version__ as version
    except ImportError:
        version = ""
    return {
        "maeum": version,
        "python": platform.python_version(),
        "shares": Path(token).is_file(),
    }


def _node(known: dict[str, Any], asked: Any) -> Node:  # noqa: ANN401 - a reference
    import ray
    from ray.exceptions import GetTimeoutError, RayError

    there = known["Resources"]
    told: dict[str, Any]
    try:
        told = ray.get(asked, timeout=0.1)
    except GetTimeoutError:
        told = {"problem": f"nothing came back in {WAIT_S:g} s"}
    except RayError as error:
        told = {"problem": str(error).strip().splitlines()[-1]}
    return Node(
        name=known.get("NodeManagerHostname") or known["NodeManagerAddress"],
        cpus=int(there.get("CPU", 0)),
        gpus=int(there.get("GPU", 0)),
        memory_gb=round(there.get("memory", 0) / 1e9, 1),
        **told,
    )
