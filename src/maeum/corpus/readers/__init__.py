"""Readers: one corpus, one file. A reader says what a tree or table says and measures nothing.

To add one, write a module with `read(source, **options)` that yields `Utterance` and `Rejection`,
and give it a row in `READERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers import emotiontts, table
from maeum.emotions import SETS, EmotionSet

Read = Callable[..., Iterator[Utterance | Rejection]]


@dataclass(frozen=True)
class Reader:
    """How one kind of corpus is read.

    Attributes:
        read: `read(source, **options)`, one item per utterance met.
        options: names of the options `read` takes.
        emotions: the emotions of the corpus; None: those that occur.
        notes: what a person must know who imports it.
    """

    read: Read
    options: tuple[str, ...] = ()
    emotions: EmotionSet | None = None
    notes: tuple[str, ...] = ()


READERS: dict[str, Reader] = {
    "emotiontts": Reader(
        emotiontts.read,
        options=("set", "voices"),
        emotions=SETS["emotiontts"],
        notes=(emotiontts.SWAPPED, emotiontts.SAME_PERSON_NOTE),
    ),
    "table": Reader(table.read, options=("columns",)),
}
"""Readers by the name they have on the command line."""
