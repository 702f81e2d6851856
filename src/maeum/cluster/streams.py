"""Pieces of a corpus, streamed through processes that hold a model once each, on Ray Data."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from maeum.cluster.connection import own_words
from maeum.machine import VARIABLE

CPUS_PER_MODEL = 4
"""Processors that share one copy of a large model."""


@dataclass(frozen=True)
class Share:
    """What of a cluster each of the processes takes.

    Attributes:
        cpus: processors.
        gpus: accelerators.
        processes: how many there are at the most.
    """

    cpus: int
    gpus: float
    processes: int

    @classmethod
    def of_model(cls, *, large: bool) -> Share:
        """As much as a model needs, of what the cluster has.

        Args:
            large: one that uses an accelerator, or else several processors.
        """
        import ray

        there = ray.cluster_resources()
        cpus, gpus = int(there.get("CPU", 1)), int(there.get("GPU", 0))
        if large and gpus:
            return cls(cpus=max(1, min(CPUS_PER_MODEL, cpus // gpus)), gpus=1, processes=gpus)
        each = min(CPUS_PER_MODEL, cpus) if large else 1
        return cls(cpus=each, gpus=0, processes=max(1, cpus // each))


def streamed(
    pieces: Sequence[Any], worker: type, given: object, share: Share
) -> Iterator[dict[str, Any]]:
    """Rows that come of the pieces, in any order, as they come.

    A process that is lost is started anew and its pieces are done again.

    Args:
        pieces: Arrow tables.
        worker: made with `given` in each process; called with a piece it gives an Arrow table.
        given: all that a process must know.
        share: what each process takes.

    Raises:
        MaeumError: as a process raised it.
        JobError: the cluster was lost.
    """
    import ray

    if not pieces:
        return
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    with own_words():
        made = ray.data.from_arrow(list(pieces)).map_batches(
            worker,
            batch_size=None,
            batch_format="pyarrow",
            fn_constructor_args=(given,),
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=share.processes),
            num_cpus=share.cpus,
            num_gpus=share.gpus or None,
            runtime_env={"env_vars": {VARIABLE: str(share.cpus)}},
        )
        yield from made.iter_rows()
