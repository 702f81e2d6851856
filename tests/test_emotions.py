"""Emotions: names, spellings, order."""

import pytest

from maeum.emotions import CATALOGUE, PAPER, SETS, EmotionSet, emotion_set, known_emotion
from maeum.errors import EmotionError


def test_the_paper_tells_seven_apart_in_its_order():
    assert PAPER.korean == ("기쁨", "불안", "분노", "슬픔", "당황", "중립", "상처")


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("happy", "Happy"),
        (" Happiness\n", "Happy"),
        ("기쁨", "Happy"),
        ("ANGER", "Angry"),
        ("neutral", "Neutrality"),
        ("disqust", "Disgust"),
        ("두려움", "Fear"),
    ],
)
def test_spellings_of_corpora_in_any_case_are_understood(spelling, name):
    assert known_emotion(spelling).name == name


@pytest.mark.parametrize("spelling", ["", "hap", "기쁨슬픔", "unhappy"])
def test_what_is_nearly_an_emotion_is_none(spelling):
    assert known_emotion(spelling) is None


def test_no_spelling_means_two_emotions():
    spellings = [
        spelling
        for emotion in CATALOGUE
        for spelling in {emotion.name.lower(), emotion.korean, *emotion.spellings}
    ]
    assert len(spellings) == len(set(spellings))
    assert len({emotion.colour for emotion in CATALOGUE}) == len(CATALOGUE)


def test_own_emotions_have_own_names_and_colours():
    own = EmotionSet.of(["calm", "wistful:아련", "smug"])
    assert own.names == ("Calm", "wistful", "smug")
    assert own.korean == ("평온", "아련", "smug")
    assert own.labels == ("Calm 평온", "wistful 아련", "smug")
    assert len(set(own.colours)) == 3


def test_an_emotion_under_two_spellings_stands_twice_and_is_refused():
    with pytest.raises(EmotionError, match="twice"):
        EmotionSet.of(["Happy", "joy"])


@pytest.mark.parametrize("names", [[], ["Happy"]])
def test_fewer_than_two_emotions_are_refused(names):
    with pytest.raises(EmotionError, match="at least two"):
        EmotionSet.of(names)


def test_emotions_that_occur_come_in_the_order_of_the_catalogue_own_ones_after_it():
    found = EmotionSet.present_in(["smug", "Sad", "Happy", "eager", "Sad"])
    assert found.names == ("Happy", "Sad", "eager", "smug")


def test_a_class_index_is_a_place_in_the_set():
    assert [PAPER.index(name) for name in PAPER.names] == list(range(7))
    assert PAPER.index("당황") == 4
    assert len(PAPER) == 7


def test_an_emotion_outside_the_set_is_refused_and_the_set_listed():
    with pytest.raises(EmotionError, match=r"'Fear'.*Happy, Anxious"):
        PAPER.parse(" Fear ")


def test_a_set_comes_back_from_plain_values_with_its_spellings():
    kept = EmotionSet.of(["joy", "smug:으쓱"])
    back = EmotionSet.from_dict(kept.to_dict())
    assert back == kept
    assert back.parse("행복").name == "Happy"


def test_a_set_is_named_or_listed():
    assert emotion_set(" paper ") is PAPER
    assert emotion_set("기쁨, sad,, smug:으쓱 ").names == ("Happy", "Sad", "smug")
    with pytest.raises(EmotionError):
        emotion_set(",")


def test_named_sets_hold_emotions_of_the_catalogue_alone():
    assert all(emotion in CATALOGUE for known in SETS.values() for emotion in known.emotions)


def test_a_known_emotion_may_go_by_another_korean_name():
    own = EmotionSet.of(["happy", "calm:중립"])
    assert own.korean == ("기쁨", "중립")
    assert own.parse("중립").name == own.parse("평온").name == "Calm"
    assert EmotionSet.from_dict(own.to_dict()) == own
