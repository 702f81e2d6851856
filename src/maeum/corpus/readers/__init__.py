"""Readers: one corpus, one file. A reader says what a tree or table says and measures nothing.

To add one, write a module with `read(source, **options)` that yields `Utterance` and `Rejection`,
and give it a row in `READERS`. One for corpora so large that an import must be stopped and go on
gives `survey` instead, which says what is there in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from maeum.ahead import batches
from maeum.corpus.readers import aihub466, emotiontts, table
from maeum.corpus.readers.pieces import Item, Piece
from maeum.emotions import PAPER, SETS, EmotionSet

Read = Callable[..., Iterator[Item]]
Survey = Callable[..., Sequence[Piece]]
Remark = Callable[[pl.DataFrame], Iterable[str]]

TOGETHER = 1024
"""Items of a piece, of readers that do not say what is there before they read it."""


@dataclass(frozen=True)
class Reader:
    """How one kind of corpus is read.

    Attributes:
        read: `read(source, **options)`, one item per utterance met.
        options: names of the options `read` takes.
        emotions: the emotions of the corpus; None: those that occur.
        notes: what a person must know who imports it.
        remarks: what is to be said of the rows that came of it.
        survey: `survey(source, **options)`, what is there in pieces; None: all of it is read at
            once.
    """

    read: Read
    options: tuple[str, ...] = ()
    emotions: EmotionSet | None = None
    notes: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    survey: Survey | None = None

    def pieces(self, source: Path, options: Mapping[str, object]) -> Sequence[Piece]:
        """What is there, in pieces; options as `read` takes them."""
        if self.survey is not None:
            return self.survey(source, **options)
        every = batches(self.read(source, **options), TOGETHER)
        return [Piece(len(some), partial(iter, some)) for some in every]


READERS: dict[str, Reader] = {
    "aihub466": Reader(
        aihub466.read,
        options=("style_only", "zips"),
        emotions=PAPER,
        remarks=(aihub466.disagreements,),
        survey=aihub466.survey,
    ),
    "emotiontts": Reader(
        emotiontts.read,
        options=("set", "voices"),
        emotions=SETS["emotiontts"],
        notes=(emotiontts.SWAPPED, emotiontts.SAME_PERSON_NOTE),
    ),
    "table": Reader(table.read, options=("columns",)),
}
"""Readers by the name they have on the command line."""
