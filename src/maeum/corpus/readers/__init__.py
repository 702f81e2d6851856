"""Readers: one corpus, one module. A reader says what a tree or table says and measures nothing.

AI-Hub 466 has four: `aihub466` on its names, files and pairs.

To add one, write a module with `read(source, **options)` that yields `Utterance` and `Rejection`,
and give it a row in `READERS`. One for corpora so large that an import must be stopped and go on
gives `survey` instead, which says what is there in pieces.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from maeum.ahead import batches
from maeum.corpus.readers import aihub86, aihub263, aihub466, emotiontts, kemdy, table
from maeum.corpus.readers.pieces import Item, Piece
from maeum.corpus.readers.trees import glance, names_at
from maeum.emotions import PAPER, SETS, EmotionSet
from maeum.errors import CorpusError

logger = logging.getLogger(__name__)

Read = Callable[..., Iterator[Item]]
Survey = Callable[..., Sequence[Piece]]
Remark = Callable[[pl.DataFrame], Iterable[str]]
Recognise = Callable[[Path], str | None]

TOGETHER = 1024
"""Items of a piece, of readers that do not say what is there before they read it."""

AUTO = "auto"
"""The name that stands for whichever reader recognises the source."""


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
        recognise: a quick look at a source: why it seems to be this corpus, in words, or None;
            without one the reader is never guessed.
    """

    read: Read
    options: tuple[str, ...] = ()
    emotions: EmotionSet | None = None
    notes: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()
    survey: Survey | None = None
    recognise: Recognise | None = None

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
        recognise=lambda source: aihub466.recognise(names_at(source)),
    ),
    "emotiontts": Reader(
        emotiontts.read,
        options=("set", "voices"),
        emotions=SETS["emotiontts"],
        notes=(emotiontts.SWAPPED, emotiontts.SAME_PERSON_NOTE),
        recognise=emotiontts.recognise,
    ),
    "aihub263": Reader(
        aihub263.read,
        options=("label", "ties"),
        emotions=SETS["aihub263"],
        notes=(aihub263.NO_SPEAKERS,),
        recognise=aihub263.recognise,
    ),
    "aihub86": Reader(
        aihub86.read,
        options=("sentences",),
        emotions=SETS["aihub86"],
        notes=(aihub86.LABEL_OF_DIALOGUE,),
        recognise=aihub86.recognise,
    ),
    "kemdy19": Reader(
        kemdy.read_2019,
        options=("ties",),
        emotions=SETS["kemdy"],
        notes=(kemdy.REPEATED_SCRIPTS, kemdy.VOICES_BY_SESSION),
        recognise=kemdy.recognise_2019,
    ),
    "kemdy20": Reader(
        kemdy.read_2020,
        options=("ties",),
        emotions=SETS["kemdy"],
        recognise=kemdy.recognise_2020,
    ),
    "table": Reader(table.read, options=("columns",), recognise=table.recognise),
}
"""Readers by the name they have on the command line."""


def settled(name: str, source: Path) -> str:
    """The reader that is meant: the one named, or for `auto` the one that recognises the source.

    Raises:
        CorpusError: for `auto`, the source does not exist, or no reader or several recognise it.
    """
    if name != AUTO:
        return name
    if not source.exists():
        raise CorpusError(f"{source} does not exist; expected the tree or table to import")
    reasons = {
        name: reason
        for name, reader in READERS.items()
        if reader.recognise and (reason := reader.recognise(source))
    }
    if len(reasons) != 1:
        raise CorpusError(_undecided(source, reasons))
    [(found, reason)] = reasons.items()
    logger.info("read as %s: %s", found, reason)
    return found


def _undecided(source: Path, reasons: dict[str, str]) -> str:
    if not reasons:
        return (
            f"no reader recognises {source}; name the one you mean ({', '.join(READERS)}), as "
            f"`maeum import table {_table_in(source) or 'TABLE.csv'} --to CORPUS`"
        )
    claims = " and ".join(f"as {name} ({reason})" for name, reason in reasons.items())
    return (
        f"{source} can be read {claims}; name the one you mean, as "
        f"`maeum import {next(iter(reasons))} {source} --to CORPUS`"
    )


def _table_in(source: Path) -> Path | None:
    """The table a person may mean: the source itself, or the first one in it that could be read."""
    if source.is_file():
        return source if source.suffix.lower() in table.LOADERS else None
    return next((path for path in glance(source) if table.recognise(path)), None)
