"""Emotions of one corpus in the words of another."""

import pytest

from maeum.errors import EmotionError
from maeum.evaluation.mapping import read_mapping


@pytest.fixture
def mapping(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "names.yaml"
        path.write_bytes(text.encode(encoding))
        return read_mapping(path)

    return read


def test_names_are_read_in_any_known_spelling(mapping):
    text = "공포: anxiety\nSurprise: Happy\nsmug: ' own '\n"
    assert mapping(text) == {"Fear": "Anxious", "Surprise": "Happy", "smug": "own"}


@pytest.mark.parametrize("nothing", ["null", "~", ""])
def test_null_leaves_an_emotion_out(mapping, nothing):
    assert mapping(f"Fear: {nothing}\n") == {"Fear": None}


@pytest.mark.parametrize("text", ["", "- Fear\n", "just words", "{"])
def test_what_is_no_mapping_is_refused_with_its_path(mapping, text):
    with pytest.raises(EmotionError, match=r"names\.yaml"):
        mapping(text)


def test_a_file_saved_in_korea_is_read(mapping):
    assert mapping("공포: 불안\n", encoding="cp949") == {"Fear": "Anxious"}


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(EmotionError, match=r"none\.yaml"):
        read_mapping(tmp_path / "none.yaml")
