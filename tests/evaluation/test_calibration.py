"""How honest probabilities are, and what makes them more so."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss

from maeum.emotions import EmotionSet
from maeum.evaluation import calibration as calibrating
from maeum.evaluation.calibration import (
    FEWEST,
    adaptive_edges,
    brier_score,
    calibration,
    calibration_error,
    even_edges,
    negative_log_likelihood,
    reliability,
    temperature,
    temperatures,
)
from maeum.evaluation.evaluate import judge
from maeum.evaluation.leaks import Leaks
from maeum.inference import EmotionClassifier
from maeum.inference.temperatures import tempered


def made(t, n=4000, classes=5, seed=0):
    """Probabilities of logits that are `t` times what they should be, and what came true."""
    rng = np.random.default_rng(seed)
    honest = rng.normal(size=(n, classes)) * 2
    chances = softmax(honest, axis=1)
    truth = (chances.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    return softmax(honest * t, axis=1), truth


# -- errors, by hand -----------------------------------------------------------------------------


def test_the_error_of_two_bins_by_hand():
    sure = np.array([0.95, 0.85, 0.75, 0.35, 0.25])
    right = np.array([True, True, False, False, True])
    # upper half: mean 0.85, right 2/3, three of five; lower half: mean 0.3, right 1/2, two of five
    by_hand = 3 / 5 * abs(0.85 - 2 / 3) + 2 / 5 * abs(0.3 - 1 / 2)
    assert calibration_error(sure, right, even_edges(2)) == pytest.approx(by_hand)


def test_a_confidence_on_an_edge_is_in_the_bin_below_and_1_in_the_last():
    sure, right = np.array([0.5, 1.0]), np.array([True, True])
    assert [one.confidence for one in reliability(sure, right, even_edges(2))] == [0.5, 1.0]


def test_who_is_always_right_and_quite_sure_makes_no_error():
    found = calibration(np.eye(3)[[0, 1, 2, 0]], [0, 1, 2, 0])
    assert (found.ece, found.adaptive_ece, found.nll, found.brier) == (0, 0, 0, 0)


def test_who_is_always_wrong_and_quite_sure_makes_the_largest():
    found = calibration(np.eye(2)[[0, 0]], [1, 1])
    assert (found.ece, found.brier) == (1, 2)
    json.dumps(found.to_dict(), allow_nan=False)  # a probability of 0 is no infinity


def test_bins_of_equally_many_hold_equally_many_and_equal_ones_together():
    sure = np.linspace(0.3, 0.9, 150)
    counts = [one.n for one in reliability(sure, sure > 0.5, adaptive_edges(sure))]
    assert counts == [10] * 15
    same = np.full(30, 0.7)
    assert [one.n for one in reliability(same, same > 0, adaptive_edges(same))] == [30]


def test_bins_that_are_shown_hold_enough():
    chances, truth = made(1.0, n=47)
    assert [one.n for one in calibration(chances, truth).bins] == pytest.approx([12] * 4, abs=1)
    assert len(calibration(chances[:3], truth[:3]).bins) == 1


def test_the_likelihood_is_scikit_learns():
    chances, truth = made(1.7)
    assert negative_log_likelihood(chances, truth) == pytest.approx(log_loss(truth, chances))


def test_the_brier_score_is_what_its_definition_says():
    chances, truth = made(1.7, n=50)
    total = sum(
        (chances[row, place] - (place == truth[row])) ** 2
        for row in range(50)
        for place in range(5)
    )
    assert brier_score(chances, truth) == pytest.approx(total / 50)


def test_honest_probabilities_err_as_chance_does():
    found = calibration(*made(1.0, n=400))
    assert found.ece == pytest.approx(found.ece_by_chance, abs=0.03)
    assert calibration(*made(3.0, n=400)).ece > 3 * found.ece_by_chance
    assert calibration(*made(1.0, n=40)).ece_by_chance > found.ece_by_chance


def test_the_same_answers_have_the_same_numbers():
    assert calibration(*made(2.0)) == calibration(*made(2.0))


# -- temperatures --------------------------------------------------------------------------------


@pytest.mark.parametrize("t", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found_again_and_makes_honest(t):
    chances, truth = made(t)
    found = temperature(chances, truth)
    assert found == pytest.approx(t, rel=0.06)
    after = calibration(tempered(chances, np.full(len(truth), found)), truth)
    before = calibration(chances, truth)
    assert after.accuracy == before.accuracy
    assert after.nll <= before.nll + 1e-9
    assert after.ece < 0.03


def test_too_few_utterances_give_none():
    chances, truth = made(2.0, n=FEWEST)
    assert temperature(chances, truth) is not None
    assert temperature(chances[1:], truth[1:]) is None


def test_answers_that_are_all_right_give_none():
    chances, _ = made(2.0)
    assert temperature(chances, chances.argmax(axis=1)) is None


def test_each_set_of_modalities_has_its_own(made_run, made_features, made_corpus, monkeypatch):
    monkeypatch.setattr(calibrating, "FEWEST", 5)
    model = EmotionClassifier.from_pretrained(made_run.folder)
    truth = np.random.default_rng(0).permutation(made_corpus.labels)  # so that some are wrong
    found = temperatures(model, made_features, truth)
    assert list(found) == ["speech", "text", "both"]
    model.set_temperatures(found)
    assert temperatures(model, made_features, truth) == found  # those it has are not looked at
    for given in found:
        alone = made_features.only(given)
        losses = [
            negative_log_likelihood(of(alone), truth)
            for of in (model.probabilities, model.untempered)
        ]
        assert losses[0] <= losses[1]


def test_pairs_that_lack_a_half_say_nothing_of_both(
    made_run, made_features, made_corpus, monkeypatch, caplog
):
    monkeypatch.setattr(calibrating, "FEWEST", 5)
    lone = made_features.only("text")
    with caplog.at_level("INFO", logger="maeum"):
        found = temperatures(made_run.model, lone, made_corpus.labels)
    assert not {"speech", "both"} & found.keys()
    assert "not calibrated for both: 0 of the validation part, fewer than 5" in caplog.text


def test_a_small_validation_part_is_said_once(made_run, made_features, made_corpus, caplog):
    with caplog.at_level("INFO", logger="maeum"):
        assert temperatures(made_run.model, made_features, made_corpus.labels) == {}
    (said,) = caplog.messages
    assert said == ("not calibrated: the validation part has 36 utterances, a temperature takes 40")


# -- what an evaluation says ---------------------------------------------------------------------


def test_an_evaluation_tells_before_and_after(made_run, made_corpus, made_features):
    from maeum.evaluation.evaluate import answers

    model = EmotionClassifier.from_pretrained(made_run.folder)
    model.set_temperatures({"both": 2.0})
    told = {"protocol": "speaker", "part": "all", "modality": "both", "leaks": Leaks(())}
    found = judge(answers(model, made_corpus, made_features), model.emotions, **told)
    plain = judge(answers(made_run.model, made_corpus, made_features), model.emotions, **told)
    assert found.calibration_before == plain.calibration
    assert plain.calibration_before is None
    assert found.scores.confusion == plain.scores.confusion
    assert found.calibration.confidence == pytest.approx(found.answers["confidence"].mean())
    numbers = json.loads(json.dumps(found.to_dict(), allow_nan=False))["calibration"]
    assert numbers["before"]["ece"] == plain.calibration.ece
    assert set(numbers["coverage"]["accuracy_at"]) == {"0.5", "0.8", "0.9", "1.0"}


def test_answers_without_probabilities_have_no_calibration(made_run, made_corpus, made_features):
    from maeum.evaluation.evaluate import answers

    kept = answers(made_run.model, made_corpus, made_features).drop("chances", "temperature")
    told = {"protocol": "speaker", "part": "all", "modality": "both", "leaks": Leaks(())}
    found = judge(kept, EmotionSet.of(["Happy", "Angry", "Sad"]), **told)
    assert found.to_dict()["calibration"] is None
    assert found.abstaining(0.0).coverage == 1
