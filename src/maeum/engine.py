"""What computes pretrained encoders, and with how many bits of a number."""

from __future__ import annotations

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

    @property
    def salt(self) -> tuple[str, ...]:
        """What it adds to an encoder's version: nothing in float32, where all agree to 1e-5.

        >>> Engine("openvino").salt, Engine("torch", "bfloat16").salt
        ((), ('torch', 'bfloat16'))
        """
        return () if self.precision == "float32" else (self.name, self.precision)
