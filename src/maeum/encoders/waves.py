"""What every encoder of recordings asks of a wave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from maeum.errors import AudioError


def require_samples(wave: NDArray[np.float32]) -> None:
    """Raise where a wave is none.

    Raises:
        AudioError: it is not one row of finite floating-point samples.
    """
    if wave.ndim != 1 or not wave.size or not np.issubdtype(wave.dtype, np.floating):
        raise AudioError(
            f"a wave of shape {wave.shape} and type {wave.dtype}; "
            "expected one row of floating-point samples: mix the channels and scale to [-1, 1]"
        )
    if not np.isfinite(wave).all():
        raise AudioError("a wave with samples that are not finite; expected values in [-1, 1]")
