"""A run finds its temperatures, keeps them, and what is exported of it answers at them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from maeum import sample
from maeum.corpus import import_corpus
from maeum.evaluation import evaluate
from maeum.exporting import export
from maeum.inference import EmotionClassifier, classifier_of
from maeum.training import train

SAID = "정말 마음이 아프다"
SETTINGS = {"split": "speaker", "modality": "text", "epochs": 8}


@pytest.fixture(scope="module")
def spoken():
    """The packaged sample, of which a split by speaker validates 49 utterances."""
    return import_corpus("table", sample.path() / "sample.csv")


@pytest.fixture(scope="module")
def run(spoken, tmp_path_factory):
    return train(spoken, tmp_path_factory.mktemp("runs") / "run", **SETTINGS)


def test_the_run_keeps_a_temperature_and_answers_at_it(run, spoken):
    model = EmotionClassifier.from_pretrained(run.folder)
    (temperature,) = model.makeup.temperatures.values()
    assert temperature != 1
    features = model.extract(spoken, store=None)
    plain = model.untempered(features).astype(float) ** (1 / temperature)
    np.testing.assert_allclose(
        model.probabilities(features), plain / plain.sum(axis=1, keepdims=True), atol=1e-5
    )


def test_validation_is_likelier_than_before(run, spoken):
    found = evaluate(run, spoken, part="validation")
    assert found.calibration.nll < found.calibration_before.nll
    assert found.calibration.accuracy == found.calibration_before.accuracy


def test_the_same_training_finds_the_same_temperature(run, spoken, tmp_path, without_report):
    again = train(spoken, tmp_path / "again", **SETTINGS)
    one, other = ((r.folder / "config.json").read_bytes() for r in (run, again))
    assert one == other


def test_the_card_and_the_report_say_so(run):
    (temperature,) = run.model.makeup.temperatures.values()
    card = (run.folder / "README.md").read_text(encoding="utf-8")
    assert "calibrated on 49 utterances of the validation part" in card
    assert f"divided by a temperature (text {temperature:.2f})" in card
    assert "- On the test: " in card
    page = (run.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "Whether it is as sure as it is right" in page
    assert "without temperature" in page
    assert run.metrics["calibration"]["before"]["ece"] != run.metrics["calibration"]["ece"]


def test_a_run_without_validation_says_that_it_is_not_calibrated(spoken, tmp_path):
    run = train(spoken, tmp_path / "run", **{**SETTINGS, "split": "none", "epochs": 1})
    assert run.model.makeup.temperatures == {}
    card = (run.folder / "README.md").read_text(encoding="utf-8")
    assert "from text are the network's own and not calibrated: the run has no validation" in card


@pytest.mark.parametrize("engine", ["onnx", "openvino"])
def test_what_is_exported_gives_the_same_probabilities(run, spoken, tmp_path, engine):
    export(run.folder, tmp_path / "made", engine=engine)
    exported = classifier_of(tmp_path / "made")
    assert exported.makeup.temperatures == run.model.makeup.temperatures
    one, other = (list(m(text=SAID).probabilities.values()) for m in (exported, run.model))
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.slow
def test_a_folder_exported_before_there_were_any_still_answers(run, tmp_path):
    export(run.folder, tmp_path / "made")
    path = tmp_path / "made" / "exported.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    del told["temperatures"]
    path.write_text(json.dumps(told), encoding="utf-8")
    old = classifier_of(tmp_path / "made")
    assert old.makeup.temperatures == {}
    assert old(text=SAID).emotion == run.model(text=SAID).emotion
