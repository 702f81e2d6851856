"""`builtin:letters`: the same sentence has the same vector, like sentences like vectors."""

import unicodedata

import numpy as np
import pytest

from maeum.encoders.builtin.letters import HALF_DIM, LettersEncoder
from maeum.errors import TextError

ENCODER = LettersEncoder()
SENTENCES = [
    "정말 마음이 아프다",
    "오늘 너무 기뻐요!",
    "뭐?",
    "I am happy 😀",
    "ㅋㅋㅋ",
    "ㅎ",
    "123",
    "?!",
]


def encode(text):
    return ENCODER.encode([text])[0]


def test_a_vector_has_the_stated_length_and_kind():
    found = ENCODER.encode(SENTENCES)
    assert found.shape == (len(SENTENCES), ENCODER.dim)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_no_sentence_is_all_zeros():
    assert (np.abs(ENCODER.encode(SENTENCES)).sum(axis=1) > 0).all()


def test_each_half_has_length_one():
    found = ENCODER.encode(SENTENCES[:4])
    for half in (found[:, :HALF_DIM], found[:, HALF_DIM:]):
        np.testing.assert_allclose(np.linalg.norm(half, axis=1), 1, atol=1e-6)


def test_a_sentence_has_the_same_vector_alone_and_in_any_company():
    together = ENCODER.encode(SENTENCES)
    backwards = ENCODER.encode(SENTENCES[::-1])[::-1]
    alone = np.stack([encode(text) for text in SENTENCES])
    assert np.array_equal(together, alone)
    assert np.array_equal(together, backwards)
    assert np.array_equal(together, LettersEncoder().encode(SENTENCES))


def test_hangul_typed_on_a_mac_is_the_same_sentence():
    composed = "정말 기뻐"
    assert np.array_equal(encode(composed), encode(unicodedata.normalize("NFD", composed)))


def test_endings_of_one_stem_are_nearer_than_other_words():
    stem, inflected, other = encode("기뻐요"), encode("기쁘다"), encode("무섭네")
    assert stem @ inflected > stem @ other


def test_the_order_of_syllables_matters():
    assert not np.array_equal(encode("나는 너를 좋아해"), encode("너를 나는 싫어해"))


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u3000"])
def test_a_text_of_spaces_is_an_error_that_shows_it(text):
    with pytest.raises(TextError, match="is empty"):
        ENCODER.encode(["말", text])


KNOWN_PLACES = [
    *(423, 867, 920, 1449, 1518, 1547, 1572, 1925),
    *(2161, 2262, 2265, 2381, 2452, 2560, 2802, 2842, 3519, 3663),
]


def test_known_vectors_stay_what_they_are_while_the_version_does():
    """Runs are only good for the vectors they were trained on: a change needs a new version."""
    places = np.flatnonzero(encode("뭐해"))
    assert ENCODER.version == "1"
    assert places.tolist() == KNOWN_PLACES
