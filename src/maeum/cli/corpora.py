"""import, stats, audit, split: making a corpus and looking at it before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say, table
from maeum.cli.options import takes_words
from maeum.config import Protocol

if TYPE_CHECKING:
    from maeum.corpus import Corpus
    from maeum.corpus.splits import Split

CorpusFolder = Annotated[Path, typer.Argument(metavar="CORPUS", help="Folder of a corpus.")]

READERS_HELP = (
    "auto (the one that recognises the source), aihub466, emotiontts, aihub263, aihub86, kemdy19, "
    "kemdy20, or table (csv, tsv, jsonl, xlsx, parquet)."
)

READER_OPTIONS = {
    "style_only": "aihub466: leave-out or neutral, of a style without an emotion. "
    "[default: leave-out]",
    "zips": "aihub466: yes or no, whether zips are read too. [default: yes]",
    "set": "emotiontts: emotional, plain or both. [default: both]",
    "voices": "emotiontts: published (one per folder) or merged. [default: published]",
    "label": "aihub263: majority (of the raters) or situation (상황). [default: majority]",
    "ties": "Even raters: reject; situation (aihub263); first (kemdy19, kemdy20). "
    "[default: reject]",
    "sentences": "aihub86: all, first or joined, of a dialogue. [default: all]",
}
"""Options that one reader or another takes, each a word."""


@takes_words(READER_OPTIONS)
def import_(
    reader: Annotated[str, typer.Argument(metavar="READER", help=READERS_HELP)],
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="The tree or table to read.")],
    to: Annotated[Path, typer.Option("--to", help="Folder of the corpus to write.")],
    column: Annotated[
        list[str] | None,
        typer.Option("--column", help="table: FIELD=COLUMN, as text=문장. May be repeated."),
    ] = None,
    emotions: Annotated[
        str | None,
        typer.Option(help="A set (paper) or emotions of your own: happy,sad,calm:평온."),
    ] = None,
    audio_root: Annotated[
        Path | None, typer.Option(help="Folder the recordings are relative to.")
    ] = None,
    json_: JsonFlag = False,
    **words: str | None,
) -> None:
    """Read a corpus as people hold it, and keep it as a manifest.

    **Examples**

    `maeum import emotiontts emotiontts_open_db --to corpora/ko --set emotional`

    `maeum import auto KEMDy20_v1_1 --to corpora/kemdy20`

    `maeum import table calls.csv --to corpora/calls --column audio=clip --column emotion=mood`
    """
    from maeum.corpus import import_corpus
    from maeum.emotions import emotion_set

    given: dict[str, Any] = {**words, "columns": _pairs(column)}
    corpus = import_corpus(
        reader,
        source,
        to,
        emotions=None if emotions is None else emotion_set(emotions),
        audio_root=audio_root,
        **{name: value for name, value in given.items() if value},
    )
    rejected = dict(corpus.rejected["reason"].value_counts().sort("reason").iter_rows())
    if json_:
        answer_json({"utterances": len(corpus), "rejected": rejected, "notes": list(corpus.notes)})
    else:
        _print_import(corpus, rejected, to)


def _print_import(corpus: Corpus, rejected: dict[str, int], to: Path) -> None:
    heard, read = (corpus.utterances[column].count() for column in ("audio", "text"))
    answer(
        f"{len(corpus):,} utterances of {len(corpus.emotions)} emotions in {to}: "
        f"{heard:,} with a recording, {read:,} with text"
    )
    if not heard and corpus.reader == "table":
        say("note: no recordings; if a column names them, say so: --column audio=COLUMN")
    first = dict(corpus.rejected.select("reason", "detail").reverse().iter_rows())
    for reason, count in rejected.items():
        answer(f"left out, {reason}: {count:,}, the first: {first[reason]}")
    for note in corpus.notes:
        say(f"note: {note}")


def stats(corpus: CorpusFolder, json_: JsonFlag = False) -> None:
    """Count what a corpus holds: emotions, speakers, sentences, hours.

    **Example** `maeum stats corpora/ko`
    """
    from maeum.corpus import Corpus
    from maeum.corpus.stats import stats as count
    from maeum.corpus.stats import tables

    found = count(Corpus.open(corpus))
    if json_:
        answer_json(found)
        return
    for drawn in tables(found):
        table(drawn.title, drawn.columns, drawn.rows)


def audit(
    corpus: CorpusFolder,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when a leak or fault is found.")
    ] = False,
    listen: Annotated[
        bool, typer.Option("--listen/--no-listen", help="Decode every recording.")
    ] = True,
    json_: JsonFlag = False,
) -> None:
    """Find what would make a number lie: leaks, duplicates, broken recordings, conflicting labels.

    **Example** `maeum audit corpora/ko --strict`
    """
    from maeum.corpus import Corpus
    from maeum.corpus.audit import audit as find

    findings = find(Corpus.open(corpus), listen=listen)
    if json_:
        answer_json({"findings": [finding.to_dict() for finding in findings]})
    else:
        for finding in findings:
            answer(f"{finding.severity}: {finding.title}")
            answer(f"      e.g. {finding.example}")
            answer(f"      {finding.advice}")
        answer(f"{len(findings)} findings" if findings else "nothing found")
    if strict and any(finding.severity != "note" for finding in findings):
        raise typer.Exit(1)


def split(
    corpus: CorpusFolder,
    by: Annotated[
        Protocol | None,
        typer.Option(help="What train and test must not share. [default: auto, or the file's]"),
    ] = None,
    split_seed: Annotated[
        int | None, typer.Option(min=0, help="Fixes the split. [default: 0, or the file's]")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the split as hashed ids, for others to check."),
    ] = None,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Compare with a saved split; exit with 1 if it differs."),
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """Show how a corpus would be parted, and whether somebody else has the same parts.

    Two people hold the same split when one saves it and the other's --check agrees; the file has
    hashes of ids and nothing else of the corpus.

    **Examples**

    `maeum split corpora/ko --by speaker --save speaker.json`

    `maeum split corpora/ko --check speaker.json`
    """
    from maeum.corpus import Corpus
    from maeum.corpus.split_files import agreement, read_split, save_split
    from maeum.corpus.splits import split as draw

    opened = Corpus.open(corpus)
    saved = None if check is None else read_split(check)
    protocol: Protocol = by or (saved.protocol if saved else "auto")
    seed = split_seed if split_seed is not None else (saved.seed if saved else 0)
    drawn = draw(opened.utterances, protocol, seed=seed)
    if save is not None:
        if save.is_dir():
            raise typer.BadParameter(f"{save} is a folder; name a file", param_hint="--save")
        save_split(drawn, save)
        say(f"the split is kept in {save}: hashed ids and their parts, nothing else of the corpus")
    if saved is None:
        answer_json(drawn.to_dict()) if json_ else _print_split(opened, drawn)
        return
    found = agreement(drawn, saved)
    answer_json(found.to_dict()) if json_ else answer(str(found))
    if not found.same:
        raise typer.Exit(1)


def _print_split(corpus: Corpus, drawn: Split) -> None:
    from maeum.corpus.splits import MEANING, PARTS, SET_ASIDE

    answer(f"{drawn.protocol}: {MEANING[drawn.protocol]}")
    rows = corpus.utterances.join(drawn.parts, on="id", suffix="_drawn")
    counted = rows.group_by("part_drawn", "emotion").len()
    counts = {(part, emotion): count for part, emotion, count in counted.iter_rows()}
    parts = [part for part in (*PARTS, SET_ASIDE) if part in drawn.counts]
    table(
        f"Utterances by part (fingerprint {drawn.fingerprint})",
        ("emotion", *parts),
        [(e.label, *(counts.get((p, e.name), 0) for p in parts)) for e in corpus.emotions.emotions],
    )


def _pairs(entries: list[str] | None) -> dict[str, str]:
    """FIELD=COLUMN entries as a mapping."""
    pairs = {}
    for entry in entries or []:
        field, sign, column = entry.partition("=")
        if not sign or not field or not column:
            raise typer.BadParameter(
                f"{entry!r} is no FIELD=COLUMN, as text=문장", param_hint="--column"
            )
        pairs[field.strip()] = column.strip()
    return pairs
