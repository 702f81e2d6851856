"""What an import takes at once, and finds again after it was killed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import TypeAlias

from maeum.corpus.manifest import Rejection, Utterance

Item: TypeAlias = Utterance | Rejection


@dataclass(frozen=True)
class Piece:
    """Some utterances of a corpus.

    Attributes:
        count: about how many items it gives.
        read: reads them.
        sign: changes when what is read would; empty: nobody knows, it is read each time.
    """

    count: int
    read: Callable[[], Iterable[Item]]
    sign: str = ""


def signed(*parts: object) -> str:
    """A sign of some values: 32 hexadecimal digits, equal for equal ones."""
    return blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
