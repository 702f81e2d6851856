"""cluster check: what a Ray cluster offers."""

from __future__ import annotations

from typing import Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, table
from maeum.cli.options import on_cluster


def check(
    on: Annotated[
        str, typer.Option("--on", metavar="ray|ray://HOST", help="The cluster to look at.")
    ] = "ray",
    json_: JsonFlag = False,
) -> None:
    """Say what a cluster offers and what is missing.

    Without an address it looks at the cluster that RAY_ADDRESS names or that runs on this machine,
    and else at what `--on ray` would start here. Exits with 1 where jobs cannot run.

    **Examples**

    `maeum cluster check`

    `maeum cluster check --on ray://head:10001`
    """
    from maeum.errors import SettingsError

    with on_cluster(on) as there:
        if not there:
            raise SettingsError("--on local is no cluster; expected ray, or ray://HOST")
        from maeum.cluster.check import offered

        offer = offered()
    if json_:
        answer_json(offer.to_dict())
    else:
        rows = [
            (
                node.name,
                node.cpus,
                node.gpus,
                node.memory_gb,
                node.maeum or "none",
                "yes" if node.shares else "no",
            )
            for node in offer.nodes
        ]
        columns = ("node", "processors", "accelerators", "memory, GB", "maeum", "sees the cache")
        table("Ray cluster", columns, rows)
        for sentence in offer.missing:
            answer(f"- {sentence}")
        answer(
            "jobs can run here" if offer.usable else "jobs cannot run here before that is mended"
        )
    if not offer.usable:
        raise typer.Exit(1)
