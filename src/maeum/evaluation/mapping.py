"""Emotions of one corpus in the words of another: a YAML file, `their name: our name` or null."""

from __future__ import annotations

from pathlib import Path

from maeum.emotions import known_emotion
from maeum.errors import EmotionError, TextError
from maeum.files import read_yaml


def read_mapping(path: Path) -> dict[str, str | None]:
    """Emotion of the corpus -> emotion of the run, None to leave it out; known spellings resolved.

    Raises:
        EmotionError: the file is no such mapping.
    """
    try:
        entries = read_yaml(path)
    except TextError as error:
        raise EmotionError(str(error)) from error
    if not isinstance(entries, dict):
        raise EmotionError(f"{path} holds no mapping; expected lines like `Fear: Anxious`")
    return {
        _name(str(theirs)): None if ours is None else _name(str(ours))
        for theirs, ours in entries.items()
    }


def _name(spelling: str) -> str:
    emotion = known_emotion(spelling)
    return spelling.strip() if emotion is None else emotion.name
