"""A question to warm a model with, so that nobody waits for it to be loaded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile as sf

from maeum.inference import Classifier, Query

RATE_HZ = 16_000
SECONDS = 1.0


def warming_query(model: Classifier, folder: Path) -> Query:
    """Half-loud noise of a second and a greeting, as far as the model takes them.

    Args:
        model: that is to be asked.
        folder: where the recording is written.
    """
    audio = folder / "warming.wav"
    if "speech" in model.sides:
        noise = np.random.default_rng(0).uniform(-0.3, 0.3, round(RATE_HZ * SECONDS))
        sf.write(audio, noise.astype(np.float32), RATE_HZ)
    return Query(
        str(audio) if "speech" in model.sides else None,
        "안녕하세요" if "text" in model.sides else None,
    )
