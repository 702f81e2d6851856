"""Temperatures change how sure answers are, never the answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.special import softmax

from maeum.emotions import PAPER
from maeum.errors import RunError
from maeum.inference import EmotionClassifier
from maeum.inference.makeup import Makeup
from maeum.inference.temperatures import tempered

SAID = "정말 마음이 아프다"
TEMPERATURES = {"speech": 3.0, "text": 0.5, "both": 2.0}

logits = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 5), st.integers(2, 7)), elements=st.floats(-20, 20)
)
temperature = st.floats(0.05, 20)


@pytest.fixture
def warm(made_run, tmp_path):
    """A run of both modalities that answers at `TEMPERATURES`."""
    model = EmotionClassifier.from_pretrained(made_run.folder)
    model.set_temperatures(TEMPERATURES)
    return model


@given(logits, temperature)
def test_a_power_of_probabilities_is_the_softmax_of_divided_logits(z, t):
    found = tempered(softmax(z, axis=1), np.full(len(z), t))
    np.testing.assert_allclose(found, softmax(z / t, axis=1), atol=1e-9)


@given(logits, temperature)
def test_the_likeliest_emotion_stays_the_likeliest(z, t):
    chances = softmax(z, axis=1).astype(np.float32)
    found = tempered(chances, np.full(len(z), t))
    assert found.dtype == np.float32
    assert np.array_equal(found.argmax(axis=1), chances.argmax(axis=1))


def test_probabilities_that_rounding_makes_equal_keep_their_answer():
    chances = np.array([[0.1, 0.45, 0.45000002]], dtype=np.float32)
    found = tempered(chances, np.array([20.0]))
    assert found.argmax() == 2


def test_rows_of_temperature_1_stay_as_they_are_to_the_bit():
    chances = softmax(np.random.default_rng(0).normal(size=(4, 3)), axis=1).astype(np.float32)
    found = tempered(chances, np.array([1.0, 2.0, 1.0, 0.5]))
    assert np.array_equal(found[[0, 2]], chances[[0, 2]])
    assert tempered(chances, np.ones(4)) is chances
    assert found[1].max() < chances[1].max()
    assert found[3].max() > chances[3].max()


def test_each_answer_has_the_temperature_of_what_it_rests_on(made_run, warm, made_features):
    for what, t in TEMPERATURES.items():
        alone = made_features.only(what)
        plain = made_run.model.probabilities(alone)
        np.testing.assert_array_equal(warm.untempered(alone), plain)
        np.testing.assert_allclose(
            warm.probabilities(alone), tempered(plain, np.full(len(plain), t)), atol=1e-6
        )


def test_they_are_kept_with_the_run(warm, tmp_path):
    warm.save_pretrained(tmp_path / "warm")
    back = EmotionClassifier.from_pretrained(tmp_path / "warm")
    assert back.makeup.temperatures == TEMPERATURES
    assert back(text=SAID).probabilities == warm(text=SAID).probabilities
    told = json.loads((tmp_path / "warm" / "config.json").read_text(encoding="utf-8"))
    assert told["temperatures"] == TEMPERATURES


def test_a_run_without_them_answers_as_its_network_does(made_run, made_features):
    model = made_run.model
    assert model.makeup.temperatures == {}
    found = model.probabilities(made_features)
    np.testing.assert_array_equal(found, model.untempered(made_features))


def test_what_was_written_before_there_were_any_still_loads():
    told = Makeup(PAPER, {}, "none", "concat", 0, {"text": 2.0}).to_dict()
    assert Makeup.from_dict(told).temperatures == {"text": 2.0}
    del told["temperatures"]
    assert Makeup.from_dict(told).temperatures == {}


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e9, "2", None, True])
def test_a_temperature_that_is_none_is_refused(value):
    told = Makeup(PAPER, {}, "none", "concat", 0).to_dict()
    with pytest.raises(
        RunError, match=r"of text; expected a number from 0.05 to 20: train it again"
    ):
        Makeup.from_dict({**told, "temperatures": {"text": value}})


@pytest.mark.parametrize("stated", [{"text": 1e9}, {"smell": 2.0}, "hot", {"text": "hot"}])
def test_a_run_that_states_odd_ones_is_refused(warm, tmp_path, stated):
    warm.save_pretrained(tmp_path / "odd")
    path = tmp_path / "odd" / "config.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**told, "temperatures": stated}), encoding="utf-8")
    with pytest.raises(RunError):
        EmotionClassifier.from_pretrained(tmp_path / "odd")


def test_a_temperature_of_something_else_is_refused(warm):
    with pytest.raises(RunError, match="temperature of 'smell'; expected speech, text, both"):
        warm.set_temperatures({"smell": 1.0})
