"""One answer, the same in Python, on the command line and in files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maeum.features.hearing import WHOLE, Clip, Stretch


@dataclass(frozen=True)
class Prediction:
    """What was felt in one utterance.

    Attributes:
        emotion: the most probable one.
        confidence: its probability, in [0, 1].
        probabilities: every emotion's, summing to 1.
        modalities: what the answer rests on: `speech`, `text` or both.
        audio: the recording, as given.
        text: what was said, as given.
    """

    emotion: str
    confidence: float
    probabilities: dict[str, float]
    modalities: tuple[str, ...]
    audio: str | None = None
    text: str | None = None

    def with_probabilities(self, chances: Sequence[float]) -> Prediction:
        """The same utterance with other probabilities, in the order of the emotions."""
        by_name = dict(zip(self.probabilities, chances, strict=True))
        best = max(by_name, key=by_name.__getitem__)
        return replace(self, emotion=best, confidence=by_name[best], probabilities=by_name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "audio": self.audio,
            "text": self.text,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "modalities": list(self.modalities),
        }


@dataclass(frozen=True)
class Failure:
    """Why there is no answer for one utterance.

    Attributes:
        error: the sentence a person reads.
        audio: the recording, as given.
        text: what was said, as given.
    """

    error: str
    audio: str | None = None
    text: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        named = {"audio": self.audio} if self.audio is not None else {"text": self.text}
        return {**named, "error": self.error}


@dataclass(frozen=True)
class Query:
    """What a prediction is asked for: a recording, a text, or both.

    Attributes:
        audio: path of the recording.
        text: what is said.
        stretch: the part of the recording that is meant.
    """

    audio: str | None = None
    text: str | None = None
    stretch: Stretch = WHOLE

    @property
    def clip(self) -> Clip | None:
        """The recording and the part of it that is meant; None: there is none."""
        return None if self.audio is None else (Path(self.audio), self.stretch)
