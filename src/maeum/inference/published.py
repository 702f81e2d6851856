"""Classifiers that others published on a model hub, asked as runs are.

Their emotions are what their config.json calls the labels; nobody here knows what they met.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from maeum.emotions import EmotionSet, known_emotion
from maeum.engine import Engine
from maeum.errors import EmotionError, EncoderError, RunError
from maeum.inference.logits import LogitsClassifier

if TYPE_CHECKING:
    from maeum.encoders.pretrained.classifier import AudioClassifier

UNNAMED = re.compile(r"LABEL_\d+")
"""What transformers calls a label that nobody named."""

SHORT = {
    "ang": "Angry",
    "bor": "Bored",
    "dis": "Disgust",
    "exc": "Excited",
    "fea": "Fear",
    "hap": "Happy",
    "neu": "Neutrality",
    "sur": "Surprise",
}
"""Three letters of IEMOCAP and those after it -> emotion; `sad` is a word."""

logger = logging.getLogger(__name__)


class PublishedClassifier(LogitsClassifier):
    """Answers for recordings as a checkpoint does that others published."""

    def __init__(self, encoder: AudioClassifier) -> None:
        """A checkpoint that was read.

        Args:
            encoder: it.

        Raises:
            RunError: its labels do not name two emotions or more, each once.
        """
        super().__init__(encoder, "speech", emotions_of(encoder.labels, encoder.name))

    @classmethod
    def open(cls, name: str, *, engine: Engine | None = None) -> PublishedClassifier:
        """The classifier in a folder, or of that name on the model hub.

        Only safetensors, or weights without code, are read; no code of its authors is run.

        Args:
            name: of the folder, or on the hub.
            engine: torch in float32 or bfloat16; None: in float32.

        Raises:
            RunError: it cannot be found or read, is no classifier of recordings, or is to be
                computed by another engine.
        """
        from maeum.encoders.pretrained.classifier import AudioClassifier

        engine = engine or Engine()
        if engine.name != "torch":
            raise RunError(
                f"{name} is a published checkpoint, which torch alone computes here; leave out "
                f"--engine {engine.name}"
            )
        try:
            encoder = AudioClassifier.load(name)
        except EncoderError as error:
            raise RunError(str(error)) from error
        encoder.hasten(engine.precision)
        for note in notes_on(encoder.labels, name):
            logger.warning("%s", note)
        return cls(encoder)


def emotions_of(labels: Sequence[str], name: str) -> EmotionSet:
    """Labels of a checkpoint as emotions: ours where a spelling is known, else its own.

    Args:
        labels: by index of the logits.
        name: of the checkpoint, for the message.

    Raises:
        RunError: there are fewer than two, or two mean the same.

    >>> emotions_of(["neu", "기쁨", "sarcastic"], "some/model").names
    ('Neutrality', 'Happy', 'sarcastic')
    """
    try:
        return EmotionSet.of(_spelt(label) for label in labels)
    except EmotionError as error:
        raise RunError(
            f"{name} cannot be asked: of its labels {', '.join(labels)}, {error}; in a copy of it, "
            "give each another name (id2label in config.json)"
        ) from error


def notes_on(labels: Sequence[str], name: str) -> list[str]:
    """What a person should know of the labels of a checkpoint before reading its answers."""
    if any(map(UNNAMED.fullmatch, labels)):
        return [
            f"{name} does not name its labels, so its answers are {labels[0]} and the like; its "
            "authors may say which is which: write it as id2label into config.json of a copy"
        ]
    own = [label for label in labels if known_emotion(_spelt(label)) is None]
    if len(own) == len(labels):
        return [f"none of the labels of {name} is an emotion maeum knows: {', '.join(own)}"]
    if own:
        return [f"labels of {name} that maeum does not know stay as they are: {', '.join(own)}"]
    return []


def _spelt(label: str) -> str:
    return SHORT.get(label.strip().lower(), label.strip())
