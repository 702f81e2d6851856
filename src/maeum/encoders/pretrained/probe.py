"""Whether a vocabulary reads Korean: tried on everyday sentences before a model is believed.

A tokenizer that lower-cases takes Hangul apart, and every word becomes [UNK]; one whose vocabulary
is missing does the same; an English one of bytes makes three tokens of a syllable. None of them
says a word, and all sentences get nearly the same vector.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from pathlib import Path

from maeum.encoders.pretrained.sentencepieces import SPACE
from maeum.encoders.pretrained.tokens import Tokens
from maeum.errors import EncoderError

SENTENCES = (
    "오늘 아침에 비가 많이 와서 학교에 늦었어요.",
    "정말 고마워, 덕분에 기분이 훨씬 나아졌어.",
    "너 지금 나한테 그렇게 말하는 거야?",
    "내일은 친구랑 같이 영화 보러 가기로 했어.",
    "어제부터 머리가 아프고 잠이 안 와서 너무 힘들어요.",
    "괜찮아, 누구나 실수할 수 있는 거지.",
)

MOST_UNKNOWN = 0.25
"""Share of words with [UNK]. A Korean vocabulary of 54,000 pieces leaves none here, and all of them
when it lower-cases, as an English one does; multilingual ones lack a word now and then."""

MOST_PIECES_PER_SYLLABLE = 1.5
"""In words that are read. That vocabulary gives 0.7 with the punctuation, one of syllables alone
1.1; letters of syllables come to 2.4, bytes to 3.1."""

FEWEST_TOKENS = 100
"""A vocabulary of fewer is none: transformers makes up five tokens where files are missing."""

_SYLLABLE = re.compile("[가-힣]")

_ADVICE: tuple[tuple[Callable[[Collection[str]], bool], str], ...] = (
    (
        lambda vocabulary: len(vocabulary) < FEWEST_TOKENS,
        "it has next to no tokens: put the model's vocab.txt, tokenizer.json or SentencePiece "
        "model beside config.json",
    ),
    (
        lambda vocabulary: not any(map(_SYLLABLE.search, vocabulary)),
        "it knows no Hangul: take a Korean or a multilingual model",
    ),
    (
        lambda vocabulary: any(token.startswith(SPACE) for token in vocabulary),
        "its tokens are SentencePiece's: put the SentencePiece model beside config.json",
    ),
    (
        lambda _: True,
        'it knows Hangul but takes it apart, as lower-casing does: write "do_lower_case": false '
        "into its tokenizer_config.json",
    ),
)
"""What to do about a vocabulary that cannot read Korean; the first that fits."""


def refuse_without_korean(tokens: Tokens, folder: Path) -> None:
    """Raise where a vocabulary cannot read Korean.

    Raises:
        EncoderError: what was seen, and what to do.
    """
    words = " ".join(SENTENCES).split()
    nothing, *rows = tokens.numbers(["", *words], most=512)
    pieces = {
        word: [number for number in row if number not in nothing]  # without the ends
        for word, row in zip(words, rows, strict=True)
    }
    read = {word: row for word, row in pieces.items() if tokens.unknown not in row}
    unknown = 1 - len(read) / len(pieces)
    per_syllable = sum(map(len, read.values())) / max(1, len(_SYLLABLE.findall("".join(read))))
    if unknown > MOST_UNKNOWN:
        seen = f"{unknown:.0%} of everyday words are or hold [UNK]"
    elif per_syllable > MOST_PIECES_PER_SYLLABLE:
        seen = f"it takes words apart into {per_syllable:.1f} pieces a syllable"
    else:
        return
    raise EncoderError(f"the vocabulary in {folder} cannot read Korean: {seen}; {_advice(tokens)}")


def _advice(tokens: Tokens) -> str:
    return next(advice for fits, advice in _ADVICE if fits(tokens.vocabulary))
