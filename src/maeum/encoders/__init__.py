"""Encoders: a recording or a sentence becomes numbers.

`speech_encoders(names)` and `text_encoders(names)` find them: built-in ones that need no download
(`builtin`), and any pretrained one by its name on the model hub or its folder (`pretrained`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from maeum.engine import PACKAGED, Engine, is_pretrained
from maeum.errors import EncoderError

if TYPE_CHECKING:
    from torch import Tensor

    from maeum.encoders.pretrained.lora import Base
    from maeum.encoders.pretrained.tower import Tower

Standardize = Literal["each", "together"]
"""How the network scales a vector: `each` dimension to spread 1, or all of them `together`, which
keeps dimensions that are nearly always zero from being blown up."""

JOIN = "+"
"""Between the names of encoders whose vectors are put side by side."""


@dataclass(frozen=True)
class Reading:
    """How pretrained encoders are read; built-in ones have nothing to choose.

    Attributes:
        layers: `last`, the number of one (0: what enters the first), or `weighted`: all of them,
            for the network to learn a weighted sum.
        cut_s: recordings are cut after this many seconds.
        max_tokens: sentences are cut after this many tokens.
    """

    layers: str = "last"
    cut_s: float = 15.0
    max_tokens: int = 128


@runtime_checkable
class Encoder(Protocol):
    """What every encoder tells of itself.

    Attributes:
        name: as typed.
        standardize: how the network scales the vectors.
        cheap: whether encoding again is quicker than looking the vector up.
    """

    name: str
    standardize: Standardize
    cheap: bool

    @property
    def version(self) -> str:
        """Changes when the vectors do; a run trained with another one is refused."""

    @property
    def threaded(self) -> bool:
        """Whether `encode` gains from being called by several threads at once."""

    @property
    def dim(self) -> int:
        """Length of one layer's vector."""

    @property
    def layers(self) -> int:
        """How many layers' vectors stand one after another in what `encode` gives."""

    @property
    def at_once(self) -> int:
        """How many items `encode` is best given at once; also what a kill can cost."""


@runtime_checkable
class SpeechEncoder(Encoder, Protocol):
    """Recordings to vectors.

    Attributes:
        rate_hz: sample rate expected.
    """

    rate_hz: int

    def encode(self, waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(clip,) of (sample,) in [-1, 1] at `rate_hz` -> (clip, layers * dim), means over time."""

    def frames(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """(clip,) of (sample,) -> (clip,) of (time, dim), of one layer; (1, dim) without time."""


@runtime_checkable
class TextEncoder(Encoder, Protocol):
    """Sentences to vectors."""

    def encode(self, sentences: Sequence[str]) -> NDArray[np.float32]:
        """(sentence,) -> (sentence, layers * dim), means over tokens."""

    def frames(self, sentences: Sequence[str]) -> list[NDArray[np.float32]]:
        """(sentence,) -> (sentence,) of (token, dim), of one layer; (1, dim) without tokens."""


@runtime_checkable
class Computed(Encoder, Protocol):
    """A pretrained encoder, whatever computes it.

    Attributes:
        engine: that it answers with.
        exact_version: its version in float32.
    """

    engine: Engine
    exact_version: str


@runtime_checkable
class Tunable(Encoder, Protocol):
    """A pretrained encoder, whose weights can be trained with the network.

    Attributes:
        tower: `forward(**inputs)` gives `pretrained.frames.Frames`.
        base: what a LoRA adapter on it belongs to.
    """

    tower: Tower
    base: Base

    def prepare(self, batch: Sequence[Any]) -> dict[str, Tensor]:
        """Waves or sentences as the inputs of `tower`, padded, with what says where they end."""

    def save(self, folder: Path) -> None:
        """Write weights and all that reading them again needs, in the layout of the hub.

        Of weights with a LoRA adapter the adapter alone is written.
        """


BUILTIN_SPEECH = {"builtin:acoustic": "maeum.encoders.builtin.acoustic:AcousticEncoder"}
BUILTIN_TEXT = {
    "builtin:letters": "maeum.encoders.builtin.letters:LettersEncoder",
    "builtin:starter": "maeum.encoders.builtin.starter:StarterEncoder",
}

_PRETRAINED_SPEECH = "maeum.encoders.pretrained.speech:PretrainedSpeech"
_PRETRAINED_TEXT = "maeum.encoders.pretrained.text:PretrainedText"


def speech_encoders(
    names: str, reading: Reading | None = None, engine: Engine | None = None
) -> tuple[SpeechEncoder, ...]:
    """The speech encoders named, in order; several are joined with `+`.

    Args:
        names: of built-in encoders, names on the model hub, or folders.
        reading: of pretrained ones.
        engine: that computes pretrained ones, which then cannot learn; None: torch as it is.

    Raises:
        EncoderError: one does not exist, or cannot be fetched or read.
    """
    return tuple(
        _made(name, BUILTIN_SPEECH, _PRETRAINED_SPEECH, reading or Reading(), engine)
        for name in split_names(names)
    )


def text_encoders(
    names: str, reading: Reading | None = None, engine: Engine | None = None
) -> tuple[TextEncoder, ...]:
    """The text encoders named, in order; see `speech_encoders`."""
    return tuple(
        _made(name, BUILTIN_TEXT, _PRETRAINED_TEXT, reading or Reading(), engine)
        for name in split_names(names)
    )


def ensure_there(side: Literal["speech", "text"], names: str) -> None:
    """See that the encoders named can be had, fetched if need be; no weights are read.

    Args:
        side: what they encode.
        names: as in `speech_encoders`.

    Raises:
        EncoderError: one does not exist, or is not on this machine and cannot be fetched.
    """
    from maeum.encoders.pretrained.lora import is_adapter
    from maeum.encoders.pretrained.places import find, named_folder

    builtin = {"speech": BUILTIN_SPEECH, "text": BUILTIN_TEXT}[side]
    for name in split_names(names):
        if not is_pretrained(name):
            _refuse_unknown(name, builtin)
            continue
        folder = named_folder(name)
        if folder is None or not is_adapter(folder):
            find(name, side)


def split_names(names: str) -> list[str]:
    """The names in `A+B`; a folder with a plus in its name is one.

    Raises:
        EncoderError: a name is empty.
    """
    if names and Path(names).is_dir():
        return [names]
    parts = [name.strip() for name in names.split(JOIN)]
    if not all(parts):
        raise EncoderError(f"{names!r} names no encoder on one side of a +; expected A or A+B")
    return parts


def width(encoders: Sequence[Encoder]) -> int:
    """Length of the vectors of some encoders side by side."""
    return sum(encoder.layers * encoder.dim for encoder in encoders)


def card(encoder: Encoder) -> dict[str, Any]:
    """What a run keeps of an encoder: name, version, dim, layers, standardize."""
    names = ("name", "version", "dim", "layers", "standardize")
    return {name: getattr(encoder, name) for name in names}


def findable(name: str) -> str:
    """The name, of a folder in full: a run looks for it from elsewhere."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name


def tower_key(side: str, place: int) -> str:
    """What an encoder that learns goes by, from its place on its side.

    >>> tower_key("speech", 0)
    'speech-0'
    """
    return f"{side}-{place}"


def side_of(key: str) -> str:
    """The side in what `tower_key` gives."""
    return key.rpartition("-")[0]


def kept_at(side: str, place: int) -> str:
    """Where below its folder a run keeps an encoder it tuned."""
    return f"encoders/{tower_key(side, place)}"


def _made(
    name: str, builtin: dict[str, str], pretrained: str, reading: Reading, engine: Engine | None
) -> Any:  # noqa: ANN401 - of either side
    if name in builtin:
        return _found(builtin[name])()
    if not is_pretrained(name):
        _refuse_unknown(name, builtin)
    encoder = _pretrained(name, _found(pretrained).load, reading)
    if engine is None:
        return encoder
    if engine.name == "torch":
        encoder.hasten(engine.precision)
        return encoder
    from maeum.encoders.pretrained.as_graphs import as_graph

    return as_graph(encoder, engine)


def _refuse_unknown(name: str, builtin: dict[str, str]) -> None:
    if name not in builtin:
        there = [*builtin, *(PACKAGED if builtin is BUILTIN_TEXT else ())]
        raise EncoderError(f"no encoder {name!r}; built in are {', '.join(there)}")


def _pretrained(name: str, load: Callable[[str, Reading], Any], reading: Reading) -> Any:  # noqa: ANN401
    """An encoder, or one with the LoRA adapter that a run keeps in the folder of that name."""
    from maeum.encoders.pretrained.lora import adapt, is_adapter
    from maeum.encoders.pretrained.places import named_folder

    folder = named_folder(name)
    if folder is None or not is_adapter(folder):
        return load(name, reading)
    return adapt(load, name, folder, reading)


def _found(place: str) -> Any:  # noqa: ANN401
    module, _, attribute = place.partition(":")
    return getattr(import_module(module), attribute)
