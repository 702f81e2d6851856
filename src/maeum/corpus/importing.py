"""From a corpus as people hold it to a manifest, piece by piece, so that it can be stopped.

Each piece that is through is kept in a hidden folder of the corpus until all are; an import that
was killed finds them again. One that finds nothing changed leaves the corpus as it is.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from maeum.corpus.checking import Check, Tables
from maeum.corpus.corpus import Corpus
from maeum.corpus.manifest import (
    REJECTED_SCHEMA,
    SCHEMA,
    read_manifest,
    read_table,
    write_table,
)
from maeum.corpus.readers import AUTO, READERS, Reader, settled
from maeum.corpus.readers.pieces import Piece, signed
from maeum.corpus.readers.table import LOADERS
from maeum.corpus.text import script_ids
from maeum.emotions import EmotionSet
from maeum.errors import CorpusError
from maeum.progress import bar
from maeum.storage import address_of, fetched, is_far, keeps, spelled

logger = logging.getLogger(__name__)

FORMAT = 1
"""Raised when the same items would become other rows."""

PIECES = ".importing"
"""Folder of pieces that are through, while others are not."""


@keeps("to")
def import_corpus(
    reader: str,
    source: str | Path,
    to: str | Path | None = None,
    *,
    emotions: EmotionSet | None = None,
    audio_root: str | Path | None = None,
    **options: object,
) -> Corpus:
    """Read a corpus as people hold it, and keep it as a manifest.

    Args:
        reader: a key of `readers.READERS`, or `auto` for the one that recognises the source.
        source: the tree or table; a table may lie elsewhere.
        to: folder to write; None keeps the corpus in memory. An import interrupted there goes on.
        emotions: the emotions to tell apart; None: the reader's, or those that occur.
        audio_root: the folder recordings are relative to; None: the source, or a table's folder.
        options: the reader's own (`set="emotional"`, `columns={"text": "문장"}`).

    Raises:
        CorpusError: unknown reader or option, unreadable source, nothing usable in it, or `to`
            holds other files.
    """
    root = _audio_root(Path(source), audio_root)
    named, source = str(source), _at_hand(Path(source))
    reader = settled(reader, source)
    chosen = _reader(reader, options)
    folder = None if to is None else Path(to)
    if folder is not None:
        _refuse_foreign_folder(folder)
    if not source.exists():
        raise CorpusError(f"{source} does not exist; expected the tree or table to import")
    pieces = chosen.pieces(source, options)
    check = Check(root, emotions or chosen.emotions)
    common = (FORMAT, reader, spelled(root), emotions and emotions.to_dict())
    sign = _sign_of_all(pieces, common)
    if folder is not None and sign and (same := _unchanged(folder, sign)):
        logger.info("nothing changed since %s was imported: %s stays as it is", source, folder)
        return same
    kept_in = None if folder is None else folder / PIECES
    tables = _each_id_once(_gathered(pieces, check, common, kept_in))
    corpus = _corpus(tables, reader, chosen, named, root, emotions, sign)
    if folder is not None:
        corpus.save(folder)
        _tidy(folder)
    return corpus


def _tidy(folder: Path) -> None:
    """Remove what an unfinished import needs, and what killed ones left half written."""
    shutil.rmtree(folder / PIECES, ignore_errors=True)
    for name in ("manifest.parquet", "rejected.parquet", "corpus.json"):
        for half in folder.glob(f".{name}.*"):
            half.unlink(missing_ok=True)


def _reader(name: str, options: Mapping[str, object]) -> Reader:
    if name not in READERS:
        raise CorpusError(f"unknown reader {name!r}; expected {', '.join((*READERS, AUTO))}")
    reader = READERS[name]
    for option in options:
        if option not in reader.options:
            known = ", ".join(f"--{option}" for option in reader.options) or "none"
            raise CorpusError(f"reader {name} takes no option --{option}; it takes {known}")
    return reader


def _audio_root(source: Path, named: str | Path | None) -> Path:
    if named is not None:
        return Path(named)
    return source.parent if source.is_file() or is_far(source) else source


def _at_hand(source: Path) -> Path:
    """The source, or a copy here of a table elsewhere."""
    if not is_far(source):
        return source
    if source.suffix.lower() not in LOADERS:
        raise CorpusError(
            f"{address_of(source)} is no table; trees are read from a disk: copy it here, or "
            f"import a table of its recordings ({', '.join(LOADERS)})"
        )
    return fetched(source.parent, (source.name,)) / source.name


def _refuse_foreign_folder(folder: Path) -> None:
    if folder.is_file():
        raise CorpusError(f"{folder} is a file; --to expects a folder")
    ours = ("corpus.json", "manifest.parquet", PIECES)
    if folder.is_dir() and any(folder.iterdir()) and not any((folder / f).exists() for f in ours):
        raise CorpusError(f"{folder} holds other files; --to expects a new folder or a corpus")


def _sign_of_all(pieces: Sequence[Piece], common: tuple[object, ...]) -> str:
    """Changes when anything that is read would; empty where that cannot be told."""
    signs = [piece.sign for piece in pieces]
    return signed(common, signs) if signs and all(signs) else ""


def _unchanged(folder: Path, sign: str) -> Corpus | None:
    """The corpus in the folder, if it was made of the same files in the same way."""
    try:
        corpus = Corpus.open(folder)
    except CorpusError:
        return None  # there is none yet, or it is made anew
    return corpus if corpus.sign == sign else None


def _gathered(
    pieces: Sequence[Piece], check: Check, common: tuple[object, ...], kept_in: Path | None
) -> Tables:
    """What came of all pieces; of those that were through before, what was kept of them."""
    parts: list[Tables] = []
    done = found = 0
    with bar(total=sum(piece.count for piece in pieces), label="importing") as show:
        for piece in pieces:
            home = kept_in / signed(common, piece.sign) if kept_in and piece.sign else None
            part = None if home is None else _found_again(home)
            found += part is not None
            parts.append(part or _made(piece, check, home))
            done += piece.count
            show(done, f"{found:,} pieces found again" if found else "")
    if found:
        logger.info("went on: %d of %d pieces had been read before", found, len(pieces))
    return Tables(
        pl.concat([pl.DataFrame(schema=SCHEMA), *(part.utterances for part in parts)]),
        pl.concat([pl.DataFrame(schema=REJECTED_SCHEMA), *(part.rejected for part in parts)]),
    )


def _made(piece: Piece, check: Check, home: Path | None) -> Tables:
    tables = check.tables(piece.read())
    if home is not None:
        write_table(tables.rejected, _rejected_of(home))
        write_table(tables.utterances, _utterances_of(home))  # last: the piece is through
    return tables


def _found_again(home: Path) -> Tables | None:
    if not _utterances_of(home).is_file():
        return None
    try:
        return Tables(
            read_manifest(_utterances_of(home)), read_table(_rejected_of(home), REJECTED_SCHEMA)
        )
    except CorpusError as error:
        logger.warning("%s; the piece is read anew", error)
        return None


def _utterances_of(home: Path) -> Path:
    return home.with_suffix(".parquet")


def _rejected_of(home: Path) -> Path:
    return home.with_suffix(".rejected.parquet")


def _each_id_once(tables: Tables) -> Tables:
    """The tables with a second utterance of the same id rejected."""
    first = tables.utterances["id"].is_first_distinct()
    again = tables.utterances.filter(~first).select(
        "id",
        "source",
        reason=pl.lit("id stands twice"),
        detail=pl.format("{}: {} stands twice", pl.col("source").fill_null("?"), "id"),
    )
    left_out = pl.concat([tables.rejected, again.select(REJECTED_SCHEMA.names())])
    return Tables(tables.utterances.filter(first), left_out)


def _corpus(
    tables: Tables,
    name: str,
    reader: Reader,
    source: str,
    root: Path,
    emotions: EmotionSet | None,
    sign: str,
) -> Corpus:
    table, rejected = tables
    if table.is_empty():
        raise CorpusError(f"{source} gave no usable utterance{_first_reason(rejected)}")
    if table["emotion"].n_unique() < 2 and not rejected.is_empty():
        raise CorpusError(
            f"{source} gave one emotion alone ({table['emotion'][0]}), a corpus has two at least; "
            f"import the others with it{_first_reason(rejected)}"
        )
    table = table.sort("id")
    table = table.with_columns(pl.Series("script", script_ids(table["text"].to_list()), pl.String))
    return Corpus(
        utterances=table,
        emotions=emotions or reader.emotions or EmotionSet.present_in(table["emotion"].unique()),
        audio_root=root if table["audio"].count() else None,
        reader=name,
        source=source,
        notes=(*reader.notes, *(note for tell in reader.remarks for note in tell(table))),
        rejected=rejected,
        sign=sign,
    )


def _first_reason(rejected: pl.DataFrame) -> str:
    if rejected.is_empty():
        return ": it holds none at all"
    return f": {len(rejected)} rejected, the first because {rejected['detail'][0]}"
