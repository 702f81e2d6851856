"""What a made tree holds, so that an import of it can be compared to the last utterance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile as sf

from maeum.testing.corpora import RATE_HZ, Speaker, made_voice


@dataclass(frozen=True)
class Planted:
    """A made tree and what an import of it must find.

    Attributes:
        source: the folder to import.
        emotions: id -> emotion of every utterance that is to be kept.
        rejected: reason -> how many are to be left out for it.
        otherwise: an option as it is typed (`--ties first`) -> `emotions` with that option.
    """

    source: Path
    emotions: Mapping[str, str]
    rejected: Mapping[str, int]
    otherwise: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def say(path: Path, emotion: str, text: str, speaker: Speaker, *, seed: int = 0) -> Path:
    """Write a sentence spoken in the manner of an emotion, chance drawn from the path's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, *path.name.encode()])
    sf.write(path, made_voice(emotion, text, speaker, rng=rng), RATE_HZ, format="WAV")
    return path


def put(path: Path, data: bytes) -> Path:
    """Write bytes, with the folders above them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def another(names: Sequence[str], name: str, step: int = 1) -> str:
    """A name of a sequence some steps further on; not the same one unless a round is full."""
    return names[(names.index(name) + step) % len(names)]
