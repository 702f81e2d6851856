"""What several raters said of one utterance, and which emotion follows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from maeum.corpus.manifest import Rejection
from maeum.emotions import known_emotion
from maeum.errors import CorpusError

Votes = tuple[tuple[str, int], ...]


def named(spelling: str) -> str:
    """The catalogue's name of an emotion, whatever spelling; an unknown one as it stands.

    >>> named(" SADNESS"), named("tired")
    ('Sad', 'tired')
    """
    known = known_emotion(spelling)
    return known.name if known else spelling.strip()


def votes_of(spellings: Iterable[str]) -> Votes:
    """Emotions with how many raters chose them, commonest first, ties by name.

    >>> votes_of(["angry", "Anger", "", "sad"])
    (('Angry', 2), ('Sad', 1))
    """
    counts = Counter(named(spelling) for spelling in spellings if spelling.strip())
    return tuple(sorted(counts.items(), key=lambda vote: (-vote[1], vote[0])))


def leaders(votes: Votes) -> tuple[str, ...]:
    """The emotions that no other has more votes than.

    >>> leaders((("Angry", 2), ("Sad", 2), ("Happy", 1)))
    ('Angry', 'Sad')
    """
    return tuple(emotion for emotion, count in votes if count == votes[0][1])


def no_label(name: str, candidates: Sequence[str], place: str) -> Rejection | None:
    """Why an utterance has no label, given the emotions it may have; None where it has one."""
    if not candidates:
        return Rejection(name, "no emotion", f"{place} names no emotion", place)
    if len(candidates) > 1:
        detail = f"{place}: {name} is {' or '.join(candidates)} to equally many raters"
        return Rejection(name, "raters disagree", detail, place)
    return None


def check_choice(option: str, given: str, choices: Iterable[str] | Mapping[str, object]) -> None:
    """Refuse a value an option does not take.

    Raises:
        CorpusError: it is not among the choices.
    """
    if given not in choices:
        raise CorpusError(f"unknown {option} {given!r}; --{option} takes {', '.join(choices)}")
