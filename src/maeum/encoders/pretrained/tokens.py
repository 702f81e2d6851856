"""Sentences to numbers of tokens, as the files in a model's folder say, never by code of theirs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing

from maeum.encoders.pretrained.sentencepieces import MARKS, sentence_pieces
from maeum.errors import EncoderError

if TYPE_CHECKING:
    from transformers import PretrainedConfig

UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
    ImportError,
)
"""What the tokenizers of transformers and SentencePiece raise at files that are broken, or not
theirs."""


class Tokens(Protocol):
    """The vocabulary of a model, and how sentences are split into it."""

    @property
    def vocabulary(self) -> Mapping[str, int]:
        """All tokens, added ones too, and their numbers, which may have gaps."""

    @property
    def unknown(self) -> int | None:
        """Number of [UNK], for what the vocabulary lacks; None where it lacks nothing."""

    def numbers(self, sentences: Sequence[str], most: int) -> list[list[int]]:
        """(sentence,) of numbers of tokens, with those that mark its ends.

        Args:
            sentences: with composed Hangul.
            most: tokens of a sentence, its ends among them; what is beyond is cut off.
        """


@dataclass(frozen=True)
class Pieces:
    """A vocabulary of the tokenizers library."""

    tokenizer: Tokenizer

    @cached_property
    def vocabulary(self) -> Mapping[str, int]:
        """All tokens, added ones too, and their numbers."""
        return self.tokenizer.get_vocab(with_added_tokens=True)

    @cached_property
    def unknown(self) -> int | None:
        """Number of [UNK]; None for vocabularies of bytes."""
        model = json.loads(self.tokenizer.to_str())["model"]
        token = model.get("unk_token")
        number = model.get("unk_id") if token is None else self.tokenizer.token_to_id(token)
        return None if number is None else int(number)

    def numbers(self, sentences: Sequence[str], most: int) -> list[list[int]]:
        """(sentence,) of numbers of tokens, at most `most` of each sentence.

        One by one: the library's batches start threads, which do not survive a fork.
        """
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(most)
        return [self.tokenizer.encode(sentence).ids for sentence in sentences]


def read_tokens(folder: Path, config: PretrainedConfig) -> Tokens:
    """The vocabulary of the model in a folder.

    A SentencePiece model beside BERT's configuration (KoBERT), which transformers passes over
    without a word, is read as it is. So is `tokenizer.json`: transformers builds BERT's tokenizer
    anew, and lower-casing unless told otherwise.

    Raises:
        EncoderError: a file is broken.
    """
    try:
        stated = _stated(folder)
        kobert = sentence_pieces(folder, str(config.model_type), stated)
        if kobert is not None:
            return kobert
        described = folder / "tokenizer.json"
        if described.is_file():
            return Pieces(_described(described, stated))
        return Pieces(_built(folder, config))
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise EncoderError(
            f"the vocabulary in {folder} cannot be read ({reason}); fetch it again"
        ) from error


def _stated(folder: Path) -> dict[str, Any]:
    """What `tokenizer_config.json` says, if it is there; of tokens with properties their text."""
    path = folder / "tokenizer_config.json"
    stated = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return {
        key: value["content"] if isinstance(value, dict) and "content" in value else value
        for key, value in stated.items()
    }


def _described(path: Path, stated: Mapping[str, Any]) -> Tokenizer:
    """What `tokenizer.json` describes; `tokenizer_config.json` may overrule its lower-casing."""
    described = json.loads(path.read_text(encoding="utf-8"))
    normalizer = described.get("normalizer") or {}
    if normalizer.get("type") == "BertNormalizer" and "do_lower_case" in stated:
        normalizer["lowercase"] = stated["do_lower_case"]
    try:
        tokenizer = Tokenizer.from_str(json.dumps(described))
    except Exception as error:  # the library raises nothing narrower
        raise ValueError(str(error)) from error
    if described.get("post_processor") is None:
        _mark_ends(tokenizer, stated)
    return tokenizer


def _mark_ends(tokenizer: Tokenizer, stated: Mapping[str, Any]) -> None:
    """[CLS] and [SEP] around sentences, where the vocabulary has them and its file forgot."""
    first, last = (str(stated.get(key) or MARKS[key]) for key in ("cls_token", "sep_token"))
    numbers = [(mark, tokenizer.token_to_id(mark)) for mark in (first, last)]
    if all(number is not None for _, number in numbers):
        tokenizer.post_processor = TemplateProcessing(
            single=[first, "$A", last], special_tokens=numbers
        )


def _built(folder: Path, config: PretrainedConfig) -> Tokenizer:
    """What transformers builds of `vocab.txt` and other files; nothing else here needs it."""
    from transformers import AutoTokenizer

    from maeum.encoders.pretrained.quiet import quietly

    with quietly():
        built = AutoTokenizer.from_pretrained(
            str(folder), config=config, trust_remote_code=False, local_files_only=True
        )
    tokenizer: Tokenizer = built.backend_tokenizer
    return tokenizer
