"""A corpus on disk: `manifest.parquet`, `rejected.parquet`, `corpus.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import polars as pl

from maeum.corpus.manifest import REJECTED_SCHEMA, read_manifest, read_table, write_table
from maeum.emotions import EmotionSet
from maeum.errors import CorpusError
from maeum.files import write_json
from maeum.storage import fetched, is_far, keeps, spelled

FILES = ("corpus.json", "manifest.parquet", "rejected.parquet")

FORMAT = 1
"""Raised when a reader of older folders would misread a new one."""

_CARD_KEYS = {"format", "audio_root", "emotions", "reader", "source", "notes", "utterances"}
_IDENTITY = ("id", "audio", "channel", "start_s", "duration_s", "text", "speaker", "emotion")


@dataclass(frozen=True)
class Corpus:
    """Utterances, the emotions they are told apart by, and where their recordings are.

    Attributes:
        utterances: one row per utterance, columns of `manifest.SCHEMA`, in order of id.
        emotions: the emotion set of the column `emotion`.
        audio_root: the folder the column `audio` is relative to; None for text alone.
        reader: which reader made it.
        source: what was read.
        notes: what a person must know who uses it.
        rejected: what was left out, columns of `manifest.REJECTED_SCHEMA`.
        sign: changes when what it was read from would give another corpus; empty: not known.
    """

    utterances: pl.DataFrame
    emotions: EmotionSet
    audio_root: Path | None = None
    reader: str = "own"
    source: str = ""
    notes: tuple[str, ...] = ()
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED_SCHEMA))
    sign: str = ""

    @classmethod
    def open(cls, folder: str | Path) -> Corpus:
        """The corpus kept in a folder.

        Raises:
            CorpusError: the folder holds none, a half-written or a newer one.
            StorageError: it lies elsewhere and cannot be had.
        """
        named, folder = Path(folder), fetched(folder, FILES)
        card = _read_card(folder)
        corpus = cls(
            utterances=read_manifest(folder / "manifest.parquet"),
            emotions=EmotionSet.from_dict(card["emotions"]),
            audio_root=_audio_root(card["audio_root"], named),
            reader=card["reader"],
            source=card["source"],
            notes=tuple(card["notes"]),
            rejected=read_table(folder / "rejected.parquet", REJECTED_SCHEMA),
            sign=card.get("sign", ""),
        )
        known = set(corpus.utterances["emotion"]) <= set(corpus.emotions.names)
        if not known or len(corpus) != card["utterances"]:
            raise CorpusError(
                f"{folder} holds a corpus.json and a manifest.parquet that do not belong together; "
                "import again"
            )
        return corpus

    @keeps("folder")
    def save(self, folder: str | Path) -> None:
        """Write the three files; `corpus.json` last, so that a folder without it is unfinished."""
        folder = Path(folder)
        write_table(self.utterances, folder / "manifest.parquet")
        write_table(self.rejected, folder / "rejected.parquet")
        root = self.audio_root
        card = {
            "format": FORMAT,
            "reader": self.reader,
            "source": self.source,
            "audio_root": None if root is None else spelled(root),
            "emotions": self.emotions.to_dict(),
            "utterances": len(self),
            "rejected": dict(self.rejected["reason"].value_counts().sort("reason").iter_rows()),
            "notes": list(self.notes),
            "fingerprint": self.fingerprint,
            "sign": self.sign,
        }
        write_json(folder / "corpus.json", card)

    def __len__(self) -> int:
        return len(self.utterances)

    @cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change when any utterance's content or label does."""
        table = self.utterances.select(_IDENTITY).sort("id").write_csv()
        return blake2b(table.encode(), digest_size=8).hexdigest()

    @property
    def labels(self) -> Sequence[int]:
        """Class index of each utterance's emotion, in row order."""
        place = {name: index for index, name in enumerate(self.emotions.names)}
        return [place[name] for name in self.utterances["emotion"]]

    def select(self, rows: pl.Series | pl.Expr) -> Corpus:
        """The same corpus with the rows a mask names."""
        return self.with_utterances(self.utterances.filter(rows))

    def with_utterances(self, utterances: pl.DataFrame) -> Corpus:
        """The same corpus with other rows."""
        return replace(self, utterances=utterances)


def _audio_root(stated: str | None, folder: Path) -> Path | None:
    """Where recordings lie, as a corpus in a folder states it."""
    if stated is None:
        return None
    if is_far(stated):
        return Path(stated)
    return Path(os.path.normpath(folder / stated)) if is_far(folder) else folder / stated


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / "corpus.json"
    if folder.is_file():
        raise CorpusError(f"{folder} is a file; expected the folder `maeum import` wrote")
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CorpusError(
            f"{folder} is no corpus (it has no corpus.json); make one with "
            f"`maeum import READER SOURCE --to {folder}`"
        ) from None
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path} cannot be read ({error}); import again") from error
    if not isinstance(card, dict) or "format" not in card:
        raise CorpusError(f"{path} is not what `maeum import` writes; import again")
    if card["format"] != FORMAT:
        raise CorpusError(
            f"{folder} has corpus format {card['format']!r}, this version reads {FORMAT}; "
            "import again"
        )
    if missing := _CARD_KEYS - card.keys():
        raise CorpusError(f"{path} lacks {', '.join(sorted(missing))}; import again")
    return card
