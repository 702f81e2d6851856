"""One answer, the same in Python, on the command line and in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from maeum.errors import SettingsError
from maeum.features.hearing import WHOLE, Clip, Stretch

UNSURE, UNSURE_KOREAN = "unsure", "모름"
"""Stands for the emotion of an answer that is not confident enough, in both languages."""


def refuse_no_confidence(least: float | None) -> None:
    """See that what answers are held against is a confidence, or nothing.

    Raises:
        SettingsError: it is not in [0, 1].
    """
    if least is not None and not 0 <= least <= 1:
        raise SettingsError(
            f"answers were to be at least {least:g} confident; expected a share from 0 to 1, as 0.6"
        )


@dataclass(frozen=True)
class Prediction:
    """What was felt in one utterance.

    Attributes:
        emotion: the most probable one, or `UNSURE`.
        confidence: the probability of the most probable one, in [0, 1].
        probabilities: every emotion's, summing to 1.
        modalities: what the answer rests on: `speech`, `text` or both.
        audio: the recording, as given.
        text: what was said, as given or as a speech recogniser wrote it down.
        contributions: side -> the probability of the most probable emotion, minus what the same
            network gives it without that side; None: not asked for, or there is but one side.
    """

    emotion: str
    confidence: float
    probabilities: dict[str, float]
    modalities: tuple[str, ...]
    audio: str | None = None
    text: str | None = None
    contributions: Mapping[str, float] | None = None

    @property
    def unsure(self) -> bool:
        """Whether it names no emotion because it was less confident than asked for."""
        return self.emotion == UNSURE and UNSURE not in self.probabilities

    def or_unsure(self, least: float | None) -> Prediction:
        """The same, or one whose emotion is `UNSURE` where it is less confident than asked for.

        Args:
            least: confidence in [0, 1]; None: every answer will do.

        Raises:
            SettingsError: it is no confidence.

        >>> Prediction("Sad", 0.5, {"Sad": 0.5, "Hurt": 0.5}, ("text",)).or_unsure(0.6).emotion
        'unsure'
        """
        refuse_no_confidence(least)
        sure = least is None or self.confidence >= least
        return self if sure else replace(self, emotion=UNSURE)

    def with_probabilities(self, chances: Sequence[float]) -> Prediction:
        """The same utterance with other probabilities, in the order of the emotions."""
        by_name = dict(zip(self.probabilities, chances, strict=True))
        best = max(by_name, key=by_name.__getitem__)
        return replace(self, emotion=best, confidence=by_name[best], probabilities=by_name)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        told = {} if self.contributions is None else {"contributions": dict(self.contributions)}
        return {
            "audio": self.audio,
            "text": self.text,
            "emotion": self.emotion,
            "confidence": self.confidence,
            "probabilities": self.probabilities,
            "modalities": list(self.modalities),
            **told,
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
