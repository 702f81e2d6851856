"""`builtin:starter`: what the table of weights says of a sentence, and that it is what was made."""

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix

from maeum.emotions import PAPER
from maeum.encoders import text_encoders
from maeum.encoders.builtin.starter import GROUPS, HALF_DIM, WEIGHTS, StarterEncoder, weighed
from maeum.errors import TextError

(ENCODER,) = text_encoders("builtin:starter")
FELT = {
    "Happy": "정말 행복하고 즐거운 하루였어요",
    "Anxious": "너무 무섭고 불안해요",
    "Angry": "진짜 화나고 짜증나네",
    "Sad": "너무 슬퍼서 눈물이 나요",
}


def test_it_gives_a_number_for_each_of_the_papers_emotions():
    found = ENCODER.encode(list(FELT.values()))
    assert found.shape == (4, 7)
    assert (found.dtype, ENCODER.labels) == (np.float32, PAPER.names)


@pytest.mark.parametrize(("emotion", "sentence"), FELT.items())
def test_plain_words_for_a_feeling_are_taken_for_it(emotion, sentence):
    assert ENCODER.labels[ENCODER.encode([sentence])[0].argmax()] == emotion


def test_a_sentence_has_the_same_numbers_alone_and_in_any_company():
    sentences = [*FELT.values(), "뭐?", "I am happy 😀", "ㅋㅋㅋ", "?!"]
    together = ENCODER.encode(sentences)
    alone = np.stack([ENCODER.encode([sentence])[0] for sentence in sentences])
    np.testing.assert_array_equal(together, alone)
    assert np.isfinite(together).all()


def test_logits_are_the_sums_of_the_weights_of_the_groups():
    kept = {name: values.astype(np.float64) for name, values in load_file(WEIGHTS).items()}
    sentence = FELT["Sad"]
    by_hand = kept["bias"]
    for side, counts in enumerate(GROUPS.of([sentence])):
        worth = (1 + np.log(counts.data)) * kept["rarity"][side, counts.indices]
        shares = worth / np.sqrt((worth**2).sum())
        by_hand = by_hand + shares @ kept["weights"][side, counts.indices]
    np.testing.assert_allclose(ENCODER.encode([sentence])[0], by_hand, atol=1e-4)


def test_rows_are_weighed_to_length_one_and_empty_ones_stay_empty():
    counts = csr_matrix(np.array([[2, 0, 1], [0, 0, 0]], np.float32))
    found = weighed(counts, np.array([1, 1, 3], np.float32)).toarray()
    np.testing.assert_allclose(
        found[0], np.array([1 + np.log(2), 0, 3]) / np.hypot(1.6931, 3), 1e-4
    )
    assert (found[1] == 0).all()
    assert counts[0, 0] == 2  # what was given is left as it was


def test_no_sentence_is_empty():
    with pytest.raises(TextError, match="expected at least one letter"):
        ENCODER.encode([" "])
    assert StarterEncoder().encode([]).shape == (0, 7)


def test_what_travels_with_the_package_is_small_and_has_the_stated_shapes():
    assert WEIGHTS.stat().st_size < 3e6
    shapes = {name: values.shape for name, values in load_file(WEIGHTS).items()}
    assert shapes == {"rarity": (2, HALF_DIM), "weights": (2, HALF_DIM, 7), "bias": (7,)}
