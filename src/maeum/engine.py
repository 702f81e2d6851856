"""What computes pretrained encoders, and with how many bits of a number."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal

from maeum.errors import SettingsError

EngineName = Literal["torch", "openvino", "onnx"]
Precision = Literal["float32", "bfloat16", "int8"]

SERVED: dict[EngineName, tuple[Precision, ...]] = {
    "torch": ("float32", "bfloat16"),
    "openvino": ("float32", "bfloat16"),
    "onnx": ("float32", "int8"),
}
"""What each engine computes with on a processor, better than in float32."""

BUILTIN = "builtin:"
"""Begins the names of encoders that need no download."""

PACKAGED = ("builtin:korean",)
"""Those of them that are pretrained: with layers, to be tuned, computed by an engine."""


def is_pretrained(name: str) -> bool:
    """Whether an encoder of that name is a pretrained one, wherever its weights lie.

    >>> [is_pretrained(name) for name in ("builtin:letters", "builtin:korean", "klue/bert-base")]
    [False, True, True]
    """
    return name in PACKAGED or not name.startswith(BUILTIN)


@dataclass(frozen=True)
class Engine:
    """One choice for all pretrained encoders of a run; built-in ones compute as they always do.

    Attributes:
        name: who computes.
        precision: of numbers; with fewer bits than float32 vectors are others, close by.

    Raises:
        SettingsError: the engine does not serve the precision.
    """

    name: EngineName = "torch"
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        if self.precision not in SERVED.get(self.name, ()):
            able = [name for name, served in SERVED.items() if self.precision in served]
            raise SettingsError(
                f"engine={self.name} does not compute in {self.precision}; "
                f"take engine={' or '.join(able)}, or precision={' or '.join(SERVED[self.name])}"
            )

    def version_of(self, exact: str) -> str:
        """The version of an encoder's vectors: in float32, where all agree to 1e-5, its own.

        Args:
            exact: version of the encoder, as torch computes it in float32.

        >>> Engine("openvino").version_of("1a2b"), Engine("torch", "bfloat16").version_of("1a2b")
        ('1a2b', 'aa13a5e3358036a0')
        """
        if self.precision == "float32":
            return exact
        decided = json.dumps([exact, self.name, self.precision])
        return hashlib.sha256(decided.encode()).hexdigest()[:16]
