"""From a reader's items to a corpus: labels checked, recordings measured, sentences identified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TypeAlias

import polars as pl

from maeum.ahead import THREADS, ahead, workers
from maeum.corpus.audio import AudioHeader, read_header
from maeum.corpus.corpus import Corpus
from maeum.corpus.manifest import Rejection, Utterance, rejection_table, utterance_table
from maeum.corpus.readers import AUTO, READERS, Reader, settled
from maeum.corpus.text import clean, script_ids
from maeum.emotions import CATALOGUE, Emotion, EmotionSet, known_emotion
from maeum.errors import AudioError, CorpusError, EmotionError
from maeum.progress import track

Item: TypeAlias = Utterance | Rejection


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
        source: the tree or table.
        to: folder to write; None keeps the corpus in memory.
        emotions: the emotions to tell apart; None: the reader's, or those that occur.
        audio_root: the folder recordings are relative to; None: the source, or a table's folder.
        options: the reader's own (`set="emotional"`, `columns={"text": "문장"}`).

    Raises:
        CorpusError: unknown reader or option, unreadable source, nothing usable in it, or `to`
            holds other files.
    """
    reader = settled(reader, Path(source))
    chosen = _reader(reader, options)
    source, root = Path(source), _audio_root(Path(source), audio_root)
    if to is not None:
        _refuse_foreign_folder(Path(to))
    if not source.exists():
        raise CorpusError(f"{source} does not exist; expected the tree or table to import")
    items = list(chosen.read(source, **options))
    items = _with_known_emotions(items, emotions or chosen.emotions)
    items = _each_id_once(items)
    items = list(track(_measured(items, root), total=len(items), label="reading headers"))
    corpus = _corpus(items, reader, chosen, source, root, emotions)
    if to is not None:
        corpus.save(to)
    return corpus


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
    return source.parent if source.is_file() else source


def _refuse_foreign_folder(folder: Path) -> None:
    if folder.is_file():
        raise CorpusError(f"{folder} is a file; --to expects a folder")
    ours = ("corpus.json", "manifest.parquet")
    if folder.is_dir() and any(folder.iterdir()) and not any((folder / f).exists() for f in ours):
        raise CorpusError(f"{folder} holds other files; --to expects a new folder or a corpus")


def _with_known_emotions(items: Iterable[Item], emotions: EmotionSet | None) -> list[Item]:
    return [
        _with_known_emotion(item, emotions) if isinstance(item, Utterance) else item
        for item in items
    ]


def _with_known_emotion(utterance: Utterance, emotions: EmotionSet | None) -> Item:
    """The utterance with the emotion's own name, or a rejection when no such emotion is known."""
    try:
        known = emotions.parse(utterance.emotion) if emotions else _catalogued(utterance.emotion)
    except EmotionError as error:
        return _rejected(utterance, "unknown emotion", f"{utterance.source}: {error}")
    return replace(utterance, emotion=known.name)


def _catalogued(spelling: str) -> Emotion:
    emotion = known_emotion(spelling)
    if emotion is None:
        raise EmotionError(
            f"unknown emotion {spelling!r}{_meant(spelling)}; name the emotions of the corpus, "
            "as --emotions happy,sad,calm:평온"
        )
    return emotion


def _meant(spelling: str) -> str:
    """The known spelling nearest to one that is not, as a question; nothing where none is near."""
    known = [name for emotion in CATALOGUE for name in (*emotion.spellings, emotion.korean)]
    near = get_close_matches(spelling.strip().lower(), known, n=1, cutoff=0.5)
    return f" (is it {near[0]}?)" if near else ""


def _each_id_once(items: Iterable[Item]) -> list[Item]:
    """The items with a second utterance of the same id rejected."""
    seen: set[str] = set()
    kept: list[Item] = []
    for item in items:
        if isinstance(item, Utterance) and item.id in seen:
            detail = f"{item.source}: {item.id} stands twice"
            kept.append(_rejected(item, "id stands twice", detail))
            continue
        seen.add(item.id)
        kept.append(item)
    return kept


def _measured(items: Iterable[Item], root: Path) -> Iterable[Item]:
    """The items in order, each utterance with its recording's length and rate; headers only."""
    with workers() as pool:
        yield from ahead(pool, partial(_measure, root=root), items, 64 * THREADS)


def _measure(item: Item, root: Path) -> Item:
    if isinstance(item, Rejection):
        return item
    utterance = replace(item, text=clean(item.text))
    if utterance.audio is None:
        return utterance if utterance.text else _without_content(utterance)
    path = root / utterance.audio
    if not path.is_file():
        return _rejected(utterance, "recording missing", f"{path} does not exist")
    try:
        header = read_header(path)
    except AudioError as error:
        return _rejected(utterance, "recording unreadable", str(error))
    start_s = utterance.start_s if utterance.duration_s is None else utterance.start_s or 0.0
    left_s = header.duration_s - (start_s or 0.0)
    length_s = min(utterance.duration_s or left_s, left_s)
    if length_s <= 0 or (start_s or 0.0) < 0:
        return _rejected(utterance, "recording empty", _empty_stretch(path, header, utterance))
    return replace(utterance, start_s=start_s, duration_s=length_s, sample_rate_hz=header.rate_hz)


def _empty_stretch(path: Path, header: AudioHeader, utterance: Utterance) -> str:
    asked = f"from {utterance.start_s or 0.0:g} s on"
    if utterance.duration_s is not None:
        asked += f" for {utterance.duration_s:g} s"
    return f"{path} lasts {header.duration_s:.2f} s; {asked} it holds no sound"


def _without_content(utterance: Utterance) -> Rejection:
    return _rejected(utterance, "neither recording nor text", f"{utterance.source} has neither")


def _rejected(utterance: Utterance, reason: str, detail: str) -> Rejection:
    return Rejection(utterance.id, reason, detail, utterance.source)


def _corpus(
    items: Iterable[Item],
    name: str,
    reader: Reader,
    source: Path,
    root: Path,
    emotions: EmotionSet | None,
) -> Corpus:
    kept = [item for item in items if isinstance(item, Utterance)]
    rejected = rejection_table(item for item in items if isinstance(item, Rejection))
    if not kept:
        raise CorpusError(f"{source} gave no usable utterance{_first_reason(rejected)}")
    if len({item.emotion for item in kept}) < 2 and not rejected.is_empty():
        raise CorpusError(f"{source} gave one emotion alone{_first_reason(rejected)}")
    table = utterance_table(kept)
    table = table.with_columns(pl.Series("script", script_ids(table["text"].to_list()), pl.String))
    return Corpus(
        utterances=table,
        emotions=emotions or reader.emotions or EmotionSet.present_in(table["emotion"]),
        audio_root=root if table["audio"].count() else None,
        reader=name,
        source=str(source),
        notes=reader.notes,
        rejected=rejected,
    )


def _first_reason(rejected: pl.DataFrame) -> str:
    if rejected.is_empty():
        return ": it holds none at all"
    return f": {len(rejected)} rejected, the first because {rejected['detail'][0]}"
