"""Emotions: names in English and Korean, order, colours, and the spellings corpora use.

>>> PAPER.names
('Happy', 'Anxious', 'Angry', 'Sad', 'Embarrassed', 'Neutrality', 'Hurt')
>>> PAPER.parse("분노").name
'Angry'
>>> EmotionSet.of(["Happy", "calm:평온"]).korean
('기쁨', '평온')
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from maeum.errors import EmotionError


@dataclass(frozen=True)
class Emotion:
    """One emotion.

    Attributes:
        name: English name, the identity everywhere in the software.
        korean: Korean name.
        colour: hexadecimal colour in figures, readable on white.
        spellings: further spellings met in corpora, lower case.
    """

    name: str
    korean: str
    colour: str
    spellings: tuple[str, ...] = ()

    def answers_to(self, spelling: str) -> bool:
        """Whether `spelling` (any case, spaces around it ignored) means this emotion."""
        wanted = spelling.strip().lower()
        return wanted in (self.name.lower(), self.korean, *self.spellings)

    def called(self, korean: str) -> Emotion:
        """The same emotion under another Korean name; it keeps answering to the old one."""
        if korean == self.korean:
            return self
        return replace(self, korean=korean, spellings=(*self.spellings, self.korean))

    @property
    def label(self) -> str:
        """Both names, for figures: `Happy 기쁨`."""
        return self.name if self.korean == self.name else f"{self.name} {self.korean}"


CATALOGUE: tuple[Emotion, ...] = (
    Emotion("Happy", "기쁨", "#E69F00", ("happiness", "joy", "joyful", "행복")),
    Emotion("Anxious", "불안", "#7B5EA7", ("anxiety", "nervous")),
    Emotion("Angry", "분노", "#D62728", ("anger", "화남")),
    Emotion("Sad", "슬픔", "#1F77B4", ("sadness",)),
    Emotion("Embarrassed", "당황", "#CC79A7", ("embarrassment",)),
    Emotion("Neutrality", "중립", "#7F7F7F", ("neutral", "일반")),
    Emotion("Hurt", "상처", "#8C564B", ("heartache",)),
    Emotion("Fear", "공포", "#17365D", ("fearful", "afraid", "두려움")),
    Emotion("Surprise", "놀람", "#2CA02C", ("surprised", "놀라움")),
    Emotion("Disgust", "혐오", "#5B7A1A", ("disgusted", "disqust")),
    Emotion("Contempt", "경멸", "#3F3F9F", ("contemptuous",)),
    Emotion("Calm", "평온", "#56B4E9", ("calmness",)),
    Emotion("Excited", "흥분", "#FF7F0E", ("excitement",)),
    Emotion("Bored", "지루함", "#A9A9A9", ("boredom",)),
)
"""Every emotion maeum knows by name; the order is the order in tables and figures."""

_OWN_COLOURS = ("#009E73", "#B15928", "#6A3D9A", "#0072B2", "#A6761D", "#E7298A", "#666666")


@lru_cache(maxsize=4096)
def known_emotion(spelling: str) -> Emotion | None:
    """The catalogue's emotion for a spelling in English or Korean, or None.

    >>> known_emotion(" ANGER ").name
    'Angry'
    """
    return next((emotion for emotion in CATALOGUE if emotion.answers_to(spelling)), None)


@dataclass(frozen=True)
class EmotionSet:
    """The emotions one corpus or model tells apart, in order; a class index is a place in it."""

    emotions: tuple[Emotion, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.emotions):
            raise EmotionError(
                f"an emotion stands twice in {', '.join(self.names)}; name each once"
            )

    @classmethod
    def of(cls, names: Iterable[str]) -> EmotionSet:
        """A set from names in order; a name outside the catalogue is one's own.

        Args:
            names: spellings the catalogue knows, or own emotions as `name`; `name:korean` gives
                either a Korean name.

        Raises:
            EmotionError: fewer than two, or one stands twice.
        """
        own_colours = iter(_OWN_COLOURS * 20)
        entries = list(names)
        emotions = []
        for entry in entries:
            name, _, korean = (part.strip() for part in entry.partition(":"))
            known = known_emotion(name) or Emotion(name, korean or name, next(own_colours))
            emotions.append(known.called(korean) if korean else known)
        if len(emotions) < 2:
            raise EmotionError(
                f"{len(emotions)} emotion(s) given: {', '.join(entries) or 'none'}; "
                "a classifier tells at least two apart"
            )
        return cls(tuple(emotions))

    @classmethod
    def present_in(cls, names: Iterable[str]) -> EmotionSet:
        """The set of the names that occur, catalogue order first, one's own after it by name."""
        order = {emotion.name: place for place, emotion in enumerate(CATALOGUE)}
        return cls.of(sorted(set(names), key=lambda name: (order.get(name, len(order)), name)))

    @property
    def names(self) -> tuple[str, ...]:
        """English names in order."""
        return tuple(emotion.name for emotion in self.emotions)

    @property
    def korean(self) -> tuple[str, ...]:
        """Korean names in order."""
        return tuple(emotion.korean for emotion in self.emotions)

    @property
    def labels(self) -> tuple[str, ...]:
        """Both names in order, for figures."""
        return tuple(emotion.label for emotion in self.emotions)

    @property
    def colours(self) -> tuple[str, ...]:
        """Hexadecimal colours in order."""
        return tuple(emotion.colour for emotion in self.emotions)

    def __len__(self) -> int:
        return len(self.emotions)

    def parse(self, spelling: str) -> Emotion:
        """The emotion of this set a spelling means.

        Raises:
            EmotionError: none does; the message lists the set.
        """
        for emotion in self.emotions:
            if emotion.answers_to(spelling):
                return emotion
        raise EmotionError(
            f"unknown emotion {spelling.strip()!r}; this set knows {', '.join(self.names)}"
        )

    def index(self, name: str) -> int:
        """Class index of an emotion, from 0.

        Raises:
            EmotionError: it is not in the set.
        """
        return self.names.index(self.parse(name).name)

    def to_dict(self) -> list[dict[str, str]]:
        """Plain values, for JSON."""
        return [{"name": e.name, "korean": e.korean, "colour": e.colour} for e in self.emotions]

    @classmethod
    def from_dict(cls, entries: Iterable[dict[str, str]]) -> EmotionSet:
        """The inverse of `to_dict`; known emotions keep their spellings."""
        return cls(
            tuple(
                known.called(entry["korean"])
                if (known := known_emotion(entry["name"]))
                else Emotion(entry["name"], entry["korean"], entry["colour"])
                for entry in entries
            )
        )


PAPER = EmotionSet(CATALOGUE[:7])
"""The seven of AI-Hub 466, in the paper's order."""

SETS: dict[str, EmotionSet] = {
    "paper": PAPER,
    "emotiontts": EmotionSet.of(["Happy", "Angry", "Sad", "Neutrality"]),
    "nemo": EmotionSet.of(["Happy", "Angry", "Sad", "Neutrality", "Fear", "Surprise"]),
    "aihub263": EmotionSet.of(
        ["Happy", "Angry", "Sad", "Neutrality", "Fear", "Surprise", "Disgust"]
    ),
    "aihub86": EmotionSet.of(["Happy", "Anxious", "Angry", "Sad", "Embarrassed", "Hurt"]),
    "kemdy": EmotionSet.of(["Happy", "Angry", "Sad", "Neutrality", "Fear", "Surprise", "Disgust"]),
}
"""Sets that go by a name on the command line (`--emotions paper`)."""


def emotion_set(text: str) -> EmotionSet:
    """The set a user means: a name of `SETS`, or emotions with commas between them.

    >>> emotion_set("Happy, 슬픔, calm:평온").names
    ('Happy', 'Sad', 'Calm')

    Raises:
        EmotionError: neither is meant.
    """
    known = SETS.get(text.strip())
    if known is None and "," not in text:
        raise EmotionError(
            f"no emotion set is called {text!r}; name one of {', '.join(SETS)}, or two emotions "
            "or more with commas between them"
        )
    return known or EmotionSet.of(part for part in text.split(",") if part.strip())
