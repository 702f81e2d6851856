"""Predictions for many utterances, made by processes of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import polars as pl
import pyarrow as pa

from maeum.cluster.streams import Share, streamed
from maeum.inference.bulk import Answering, Bulk, Piece, Predictions


@dataclass(frozen=True)
class Job:
    """What a process must know to answer pieces.

    Attributes:
        bulk: what is asked of which run.
        to: where answers are kept; all of the cluster sees it.
    """

    bulk: Bulk
    to: Predictions


class Answers:
    """A run in a process of a cluster, called with pieces."""

    def __init__(self, job: Job) -> None:
        self._answering = Answering(job.bulk, job.to)

    def __call__(self, piece: pa.Table) -> pa.Table:
        """Answer a piece and keep it; a row that says how it went."""
        rows = pl.DataFrame(pl.from_arrow(piece))
        number = int(rows["number"][0])
        failed = self._answering(Piece(number, rows.drop("number")))
        return pa.table({"answered": [len(rows)], "failed": [failed]})


def predict_on_ray(
    bulk: Bulk, to: Predictions, pieces: Iterable[Piece], told: Callable[[int, int], object]
) -> None:
    """Answer pieces in a connected cluster; each is kept as it is done.

    Args:
        bulk: what is asked of which run.
        to: where answers are kept; all of the cluster sees it.
        pieces: that lack answers.
        told: how many utterances were answered now, and how many of them failed.

    Raises:
        MaeumError: as a process raised it.
        JobError: the cluster was lost.
    """
    tables = [piece.rows.with_columns(number=pl.lit(piece.number)).to_arrow() for piece in pieces]
    for row in streamed(tables, Answers, Job(bulk, to), Share.of_model(large=True)):
        told(row["answered"], row["failed"])
