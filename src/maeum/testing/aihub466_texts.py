"""Sentences of a make-believe AI-Hub 466: as many as the paper counts, each of one emotion."""

from __future__ import annotations

from maeum.errors import SettingsError
from maeum.testing.corpora import STORIES, SUBJECTS, TIMES

_TIMES = (*TIMES, "그날 밤에", "작년 가을에", "이른 새벽부터", "주말 내내")
_PLACES = (
    "회사 앞에서",
    "학교 운동장에서",
    "시골 할머니 댁에서",
    "버스 정류장에서",
    "동네 빵집 안에서",
    "바닷가에서",
    "영화관 입구에서",
    "병원 복도에서",
)
_SUBJECTS = (
    *SUBJECTS,
    "반장이 된 민수가",
    "새로 온 선생님이",
    "막내 이모가",
    "윗집 할머니가",
    "같은 반 지연이가",
    "무뚝뚝한 선배가",
    "여행사 직원이",
)

SHORT_TEXTS = {"뭐?": 0.78, "아니": 0.89}
"""Utterances of a syllable or two the paper names, and how long they last, in seconds."""

_SHORT_OF = dict(zip(("Embarrassed", "Angry"), SHORT_TEXTS, strict=True))


def made_sentences(emotion: str, count: int) -> list[str]:
    """Different sentences of one emotion, any two of them more than one syllable apart.

    Raises:
        SettingsError: there are not so many.

    >>> made_sentences("Sad", 2)[1]
    '어제저녁 회사 앞에서 동생이 멀리 이사를 가서 하루하루가 슬퍼요'
    """
    story = STORIES[emotion]
    slots = (_TIMES, _PLACES, _SUBJECTS, story.events, story.feelings)
    short = [_SHORT_OF[emotion]] if emotion in _SHORT_OF and count > 1 else []
    long = [_sentence(number, slots) for number in range(count - len(short))]
    return short + long


def _sentence(number: int, slots: tuple[tuple[str, ...], ...]) -> str:
    """The sentence of a number, counted with the last slot turning fastest."""
    asked, words = number, []
    for slot in reversed(slots):
        number, place = divmod(number, len(slot))
        words.append(slot[place])
    if number:
        raise SettingsError(f"sentence {asked} asked for, the grammar makes fewer; ask for less")
    return " ".join(reversed(words))
