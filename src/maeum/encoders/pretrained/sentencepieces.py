"""KoBERT's vocabulary: a SentencePiece model beside BERT's configuration, driven directly.

Two layouts are in use. In SKT's (`spiece.model`) the pieces are numbered by the model itself, in
monologg's (`tokenizer_78b3253a26.model`) by the lines of `vocab.txt`. Both come with code of their
own, which is not run.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sentencepiece import SentencePieceProcessor

SPACE = "▁"
"""Stands for the space before a word."""

MARKS = {"unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
"""For what the vocabulary lacks, before and after a sentence; `tokenizer_config.json` may have
other names."""

READ_BY_TRANSFORMERS = (
    "albert",
    "camembert",
    "deberta-v2",
    "rembert",
    "xlm-roberta",
    "xlm-roberta-xl",
)
"""Kinds of models that have SentencePiece tokenizers in transformers, with ways of their own."""


@dataclass(frozen=True)
class SentencePieces:
    """Pieces between [CLS] and [SEP], as KoBERT was trained with them.

    Attributes:
        model: splits sentences.
        vocabulary: number of each piece.
        unknown: number for what the vocabulary lacks.
        ends: numbers before and after a sentence.
        keep_accents: é does not become e.
        lower_case: A becomes a.
    """

    model: SentencePieceProcessor
    vocabulary: Mapping[str, int]
    unknown: int
    ends: tuple[int, int]
    keep_accents: bool
    lower_case: bool

    def numbers(self, sentences: Sequence[str], most: int) -> list[list[int]]:
        """(sentence,) of numbers of tokens, at most `most` of each sentence."""
        first, last = self.ends
        return [[first, *self._inner(sentence)[: most - 2], last] for sentence in sentences]

    def _inner(self, sentence: str) -> list[int]:
        pieces = self.model.encode(self._plain(sentence), out_type=str)
        split = (part for piece in pieces for part in self._without_comma(piece))
        return [self.vocabulary.get(piece, self.unknown) for piece in split]

    def _plain(self, sentence: str) -> str:
        """With one kind of quotation mark, and accents only where they were trained with."""
        quoted = sentence.replace("``", '"').replace("''", '"')
        signs: Iterable[str] = unicodedata.normalize("NFKD", quoted)
        if not self.keep_accents:
            signs = (sign for sign in signs if not unicodedata.combining(sign))
        plain = "".join(signs)
        return plain.lower() if self.lower_case else plain

    def _without_comma(self, piece: str) -> list[str]:
        """A number's comma is a token of its own, as in XLNet's tokenizer, from which KoBERT's is.

        The number before it is split again and stands where it stood: after a space or not.
        """
        if not (len(piece) > 1 and piece[-1] == "," and piece[-2].isdigit()):
            return [piece]
        head, *tail = self.model.encode(piece[:-1].replace(SPACE, ""), out_type=str)
        if not piece.startswith(SPACE):
            head = head.removeprefix(SPACE)
        return [*filter(None, [head]), *tail, ","]


def sentence_pieces(folder: Path, kind: str, stated: Mapping[str, Any]) -> SentencePieces | None:
    """The pieces of a model in one of KoBERT's layouts; None: it has another vocabulary.

    Args:
        folder: of the model.
        kind: its `model_type`.
        stated: in `tokenizer_config.json`.
    """
    path = min(folder.glob("*.model"), default=None)
    if path is None or kind in READ_BY_TRANSFORMERS:
        return None
    model = SentencePieceProcessor(model_file=str(path))
    by_piece = _numbered(model, folder / "vocab.txt")
    marks = [str(stated.get(key) or mark) for key, mark in MARKS.items()]
    if not all(mark in by_piece for mark in marks):
        return None
    unknown, first, last = (by_piece[mark] for mark in marks)
    return SentencePieces(
        model,
        by_piece,
        unknown,
        (first, last),
        keep_accents=bool(stated.get("keep_accents")),
        lower_case=bool(stated.get("do_lower_case")),
    )


def _numbered(model: SentencePieceProcessor, listed: Path) -> dict[str, int]:
    if listed.is_file():
        pieces = listed.read_text(encoding="utf-8").rstrip("\n").split("\n")
    else:
        pieces = [model.id_to_piece(number) for number in range(model.get_piece_size())]
    return {piece.strip(): number for number, piece in enumerate(pieces)}
