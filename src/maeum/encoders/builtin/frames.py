"""Cutting a wave into overlapping frames."""

import numpy as np
from numpy.typing import NDArray


def centred_frames(wave: NDArray[np.float32], *, size: int, hop: int) -> NDArray[np.float32]:
    """Frames of `size` samples around every `hop`-th sample, zeros beyond the ends.

    Returns:
        A read-only view (frame, size) with `1 + len(wave) // hop` frames, so that frames of
        different sizes lie around the same moments.
    """
    padded = np.pad(wave, (size // 2, size - size // 2))
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][: 1 + len(wave) // hop]
