"""Pretrained text encoders: BERT, ELECTRA, RoBERTa and their like, KoBERT among them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from maeum.encoders import Reading
from maeum.encoders.pretrained import cleaning
from maeum.encoders.pretrained.computing import answer, by_length
from maeum.encoders.pretrained.encoder import Pretrained
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.loading import read_config, read_weights
from maeum.encoders.pretrained.places import files_that_matter, find, weights_in
from maeum.encoders.pretrained.probe import refuse_without_korean
from maeum.encoders.pretrained.text_sentences import SentenceInputs
from maeum.encoders.pretrained.text_tower import (
    TextTower,
    encoder_class,
    most_tokens,
    without_pooler,
)
from maeum.encoders.pretrained.tokens import Tokens, read_tokens
from maeum.errors import EncoderError

CODE = "text 1"
"""Counts up when this code gives other vectors from the same weights."""

BATCH_TOKENS = 2048
"""Tokens, with their padding, that are computed at once: short sentences gain twofold from it."""


class PretrainedText(Pretrained[str, TextTower]):
    """A pretrained model as a text encoder.

    A sentence gives the same vectors alone and among others. It is cut at `Reading.max_tokens`, and
    at what the model has positions for. Computed is on an accelerator if there is one.

    Attributes:
        name: as typed.
        version: changes with weights, vocabulary, reading, cleaning and this code; not while
            tuning.
        tower: the model.
    """

    at_once = 64

    def __init__(
        self, name: str, reading: Reading, folder: Path, tower: TextTower, inputs: SentenceInputs
    ) -> None:
        self._inputs = inputs
        super().__init__(name, reading, folder, tower)

    @classmethod
    def load(cls, name: str, reading: Reading) -> PretrainedText:
        """The encoder of that name on the model hub, or in that folder.

        Raises:
            EncoderError: it cannot be found or read, is no text encoder, cannot read Korean, lacks
                weights or the layer asked for.
        """
        folder = find(name, "text")
        config = read_config(folder)
        model_class = encoder_class(config, name)
        tokens = read_tokens(folder, config)
        refuse_without_korean(tokens, folder)
        model = read_weights(model_class, folder, config, **without_pooler(model_class))
        _refuse_strange_tokens(tokens, model, folder)
        cleaned = cleaning.cleaning_for(name, folder)
        inputs = SentenceInputs(tokens, cleaned, _most(model, reading), config.pad_token_id or 0)
        return cls(name, reading, folder, TextTower(model, reading.layers, name), inputs)

    @property
    def inputs(self) -> SentenceInputs:
        """How sentences are prepared for the tower."""
        return self._inputs

    def prepare(self, batch: Sequence[str]) -> dict[str, Tensor]:
        """Sentences as the inputs of `tower`, padded to the longest.

        Raises:
            TextError: a sentence is empty or of spaces only.
        """
        return self._inputs.padded(self._inputs.numbers(batch))

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

    def _given(self, sentences: Sequence[str]) -> Iterator[tuple[list[int], Frames]]:
        """Places of some sentences and what the tower gives of them, until all had their turn."""
        numbers = self._inputs.numbers(sentences)
        for places in by_length([len(row) for row in numbers], BATCH_TOKENS):
            yield places, answer(self.tower, self._inputs.padded([numbers[at] for at in places]))

    def _salt(self, reading: Reading) -> tuple[str, ...]:
        most = _most(self.tower.model, reading)
        return CODE, reading.layers, str(most), self._inputs.cleaning

    def _write_beside_weights(self, folder: Path) -> None:
        model: Any = self.tower.model
        setattr(model.config, cleaning.KEY, self._inputs.cleaning)
        model.config.save_pretrained(folder)
        for name in _vocabulary_in(self._folder):
            shutil.copyfile(self._folder / name, folder / name)


def _most(model: nn.Module, reading: Reading) -> int:
    """Tokens of a sentence: as many as are wanted and the model has positions for."""
    return min(reading.max_tokens, most_tokens(model) or reading.max_tokens)


def _vocabulary_in(folder: Path) -> list[str]:
    """Names of the files that split sentences."""
    names = [path.name for path in folder.iterdir()]
    others = {"config.json", *weights_in(names)}
    return [name for name in files_that_matter(names) if name not in others]


def _refuse_strange_tokens(tokens: Tokens, model: nn.Module, folder: Path) -> None:
    """Raise where a vocabulary has tokens, or marks ends, that the model has no vectors for."""
    known = int(model.get_input_embeddings().num_embeddings)  # type: ignore[operator]
    (ends,) = tokens.numbers([""], most=known)
    largest = max([*tokens.vocabulary.values(), *ends])
    if largest >= known:
        raise EncoderError(
            f"the vocabulary in {folder} has tokens numbered up to {largest}, its model has "
            f"vectors for 0 to {known - 1}; it is another model's: fetch it again"
        )
