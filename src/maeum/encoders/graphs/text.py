"""Text encoders that are graphs: sentences cleaned, split, numbered and padded in numpy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor
from tokenizers import Tokenizer

from maeum.encoders.graphs.description import Description
from maeum.encoders.graphs.encoder import Given, GraphEncoder
from maeum.encoders.lengths import by_length
from maeum.encoders.pretrained.cleaning import cleaned
from maeum.encoders.pretrained.sentencepieces import SentencePieces
from maeum.encoders.pretrained.tokens import UNREADABLE, Pieces, Tokens
from maeum.errors import EncoderError
from maeum.files import write_json

BATCH_TOKENS = 2048
"""Tokens, with their padding, that are computed at once."""

_TOKENIZER, _PIECES, _NUMBERS = "tokenizer.json", "pieces.model", "pieces.json"
_SETTINGS = ("unknown", "ends", "keep_accents", "lower_case")


class GraphText(GraphEncoder[str]):
    """A pretrained text model as a graph.

    `preparing` in its `encoder.json` says: `cleaning`, done to sentences; `most`, tokens of one;
    `padding`, the number that fills up shorter ones.
    """

    at_once = 64

    def __init__(self, folder: Path, told: Description) -> None:
        super().__init__(folder, told)
        how = told.preparing
        self._cleaning, self._most, self._padding = how["cleaning"], how["most"], how["padding"]
        self._tokens = read_tokens(folder)
        # int8 finds its scale for all that is computed at once: another sentence would change it
        self._together = 0 if told.precision == "int8" else BATCH_TOKENS

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(sentence,) -> (sentence, layers * dim), means over tokens.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        return self._means(sentences)

    def frames(self, sentences: Sequence[str]) -> list[NDArray[np.float32]]:
        """(sentence,) -> (sentence,) of (token, dim).

        Raises:
            EncoderError: all layers are read, for the network to weigh.
            TextError: a sentence is empty or of spaces only.
        """
        return self._over_time(sentences)

    def _given(self, sentences: Sequence[str]) -> Iterator[Given]:
        numbers = self._tokens.numbers(cleaned(sentences, self._cleaning), self._most)
        for places in by_length([len(row) for row in numbers], self._together):
            rows = [numbers[place] for place in places]
            keep = np.arange(max(map(len, rows))) < np.array([len(row) for row in rows])[:, None]
            values = np.full(keep.shape, self._padding, dtype=np.int64)
            values[keep] = np.concatenate(rows)
            yield Given(
                places, self._asked({"values": values, "keep": keep.astype(np.int64)}), keep
            )


def write_tokens(tokens: Tokens, folder: Path) -> None:
    """Write a vocabulary for `read_tokens`."""
    if isinstance(tokens, Pieces):
        tokens.tokenizer.save(str(folder / _TOKENIZER))
        return
    if not isinstance(tokens, SentencePieces):
        raise TypeError(f"no way to write {type(tokens).__name__}")
    (folder / _PIECES).write_bytes(tokens.model.serialized_model_proto())
    settings = {name: getattr(tokens, name) for name in _SETTINGS}
    write_json(folder / _NUMBERS, {**settings, "vocabulary": dict(tokens.vocabulary)})


def read_tokens(folder: Path) -> Tokens:
    """The vocabulary that `write_tokens` wrote.

    Raises:
        EncoderError: it is missing or broken.
    """
    try:
        if (folder / _NUMBERS).is_file():
            stated = json.loads((folder / _NUMBERS).read_text(encoding="utf-8"))
            model = SentencePieceProcessor(model_file=str(folder / _PIECES))
            first, last = stated["ends"]
            return SentencePieces(model, **stated | {"ends": (first, last)})
        described = (folder / _TOKENIZER).read_text(encoding="utf-8")
        return Pieces(_tokenizer(described))
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise EncoderError(
            f"the vocabulary in {folder} cannot be read ({reason}); export the run again"
        ) from error


def _tokenizer(described: str) -> Tokenizer:
    try:
        return Tokenizer.from_str(described)
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(str(error)) from error
