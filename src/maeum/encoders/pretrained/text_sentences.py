"""Sentences as pretrained models want them: composed, cleaned, cut, as numbers, padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from maeum.encoders.pretrained.cleaning import Cleaning, cleaned
from maeum.encoders.pretrained.tokens import Tokens


@dataclass(frozen=True)
class SentenceInputs:
    """How sentences become the input of a model.

    Attributes:
        tokens: the model's vocabulary.
        cleaning: done before.
        most: tokens of a sentence; what is beyond is cut off.
        padding: number that fills up shorter sentences.
    """

    tokens: Tokens
    cleaning: Cleaning
    most: int
    padding: int

    def numbers(self, sentences: Sequence[str]) -> list[Tensor]:
        """(sentence,) of (token,), numbers of tokens.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        ready = cleaned(sentences, self.cleaning)
        return [torch.tensor(numbers) for numbers in self.tokens.numbers(ready, self.most)]

    def padded(self, numbers: Sequence[Tensor]) -> dict[str, Tensor]:
        """`values`: (sentence, token), and `keep`: False where there is padding only."""
        keep = [torch.ones(len(row), dtype=torch.bool) for row in numbers]
        return {
            "values": pad_sequence(list(numbers), True, self.padding),
            "keep": pad_sequence(keep, True, False),
        }
