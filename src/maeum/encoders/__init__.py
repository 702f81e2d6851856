"""Encoders: a recording or a sentence becomes numbers.

`speech_encoder(name)` and `text_encoder(name)` find one; `maeum.encoders.builtin` holds those that
need no download.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Literal, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from maeum.errors import EncoderError

Standardize = Literal["each", "together"]
"""How the network scales a vector: `each` dimension to spread 1, or all of them `together`, which
keeps dimensions that are nearly always zero from being blown up."""


@runtime_checkable
class Encoder(Protocol):
    """What every encoder tells of itself.

    Attributes:
        name: as typed.
        version: changes when the vectors do; a run trained with another one is refused.
        standardize: how the network scales the vectors.
    """

    name: str
    version: str
    standardize: Standardize

    @property
    def dim(self) -> int:
        """Length of a vector."""


@runtime_checkable
class SpeechEncoder(Encoder, Protocol):
    """Recordings to vectors.

    Attributes:
        rate_hz: sample rate `encode` expects.
    """

    rate_hz: int

    def encode(self, waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(clip,) of (sample,) in [-1, 1] at `rate_hz` -> (clip, dim)."""


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """Sentences to vectors."""

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(sentence,) -> (sentence, dim)."""


BUILTIN_SPEECH = {"builtin:acoustic": "maeum.encoders.builtin.acoustic:AcousticEncoder"}
BUILTIN_TEXT = {"builtin:letters": "maeum.encoders.builtin.letters:LettersEncoder"}


def speech_encoder(name: str) -> SpeechEncoder:
    """The speech encoder of that name.

    Raises:
        EncoderError: there is none.
    """
    return cast(SpeechEncoder, _made(name, BUILTIN_SPEECH, "speech"))


def text_encoder(name: str) -> TextEncoder:
    """The text encoder of that name.

    Raises:
        EncoderError: there is none.
    """
    return cast(TextEncoder, _made(name, BUILTIN_TEXT, "text"))


def _made(name: str, known: dict[str, str], kind: str) -> object:
    if name not in known:
        raise EncoderError(
            f"no {kind} encoder {name!r}; this version has {', '.join(known)} "
            "(pretrained encoders are not part of it)"
        )
    module, _, attribute = known[name].partition(":")
    return getattr(import_module(module), attribute)()
