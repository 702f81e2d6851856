"""Emotions of one corpus in the words of another: a YAML file, `their name: our name` or null."""

from __future__ import annotations

from pathlib import Path

import yaml

from maeum.emotions import known_emotion
from maeum.errors import EmotionError


def read_mapping(path: Path) -> dict[str, str | None]:
    """Emotion of the corpus -> emotion of the run, None to leave it out; known spellings resolved.

    Raises:
        EmotionError: the file is no such mapping.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EmotionError(f"{path} cannot be read as YAML: {error}") from error
    if not isinstance(entries, dict):
        raise EmotionError(f"{path} holds no mapping; expected lines like `Fear: Anxious`")
    return {
        _name(str(theirs)): None if ours is None else _name(str(ours))
        for theirs, ours in entries.items()
    }


def _name(spelling: str) -> str:
    emotion = known_emotion(spelling)
    return spelling.strip() if emotion is None else emotion.name
