"""An answer that is not sure enough says so, and one of two sides says what each contributed."""

from __future__ import annotations

import json

import pytest

from maeum.errors import SettingsError
from maeum.inference import EmotionClassifier, Prediction, Query
from maeum.inference.prediction import UNSURE

SAID = "정말 마음이 아프다"
FOUND = Prediction("Sad", 0.6, {"Sad": 0.6, "Hurt": 0.4}, ("text",), None, SAID)


@pytest.fixture(scope="module")
def model(made_run):
    """At temperatures, so that it shows which one is in force."""
    model = EmotionClassifier.from_pretrained(made_run.folder)
    model.set_temperatures({"speech": 3.0, "text": 0.5, "both": 2.0})
    return model


@pytest.fixture(scope="module")
def recording(made_corpus):
    return str(made_corpus.audio_root / made_corpus.utterances["audio"][0])


@pytest.mark.parametrize(
    ("least", "emotion"), [(None, "Sad"), (0, "Sad"), (0.6, "Sad"), (0.61, UNSURE), (1, UNSURE)]
)
def test_an_answer_below_the_confidence_asked_for_is_unsure(least, emotion):
    found = FOUND.or_unsure(least)
    assert (found.emotion, found.unsure) == (emotion, emotion == UNSURE)
    assert (found.confidence, found.probabilities) == (FOUND.confidence, FOUND.probabilities)
    assert json.loads(json.dumps(found.to_dict()))["emotion"] == emotion


@pytest.mark.parametrize("least", [-0.1, 1.01, float("nan")])
def test_what_is_no_confidence_is_refused(least):
    with pytest.raises(SettingsError, match="expected a share from 0 to 1"):
        FOUND.or_unsure(least)


def test_contributions_are_what_is_lost_without_each_side(model, recording):
    found = model(recording, text=SAID, explain=True)
    alone = {"speech": model(text=SAID), "text": model(recording)}  # what is left without the key
    for side, rest in alone.items():
        lost = found.confidence - rest.probabilities[found.emotion]
        assert found.contributions[side] == pytest.approx(lost, abs=1e-6)
    assert found.to_dict()["contributions"] == dict(found.contributions)


def test_they_are_found_only_where_asked_for_and_where_there_are_two(model, recording):
    asked = [Query(recording, SAID), Query("none.wav"), Query(recording), Query(None, SAID)]
    found = list(model.predict([*asked, asked[0]], explain=True))
    assert [getattr(one, "contributions", None) is None for one in found] == [
        *(False, True, True, True, False),
    ]
    assert list(found[0].contributions) == ["speech", "text"]
    assert "contributions" not in found[2].to_dict()
    assert all(one.contributions is None for one in model.predict([asked[0]]))


def test_a_run_of_one_side_explains_nothing(made_corpus, quick, tmp_path):
    from maeum.training import train

    run = train(made_corpus, tmp_path / "run", **{**quick, "modality": "text", "epochs": 1})
    assert run.model(text=SAID, explain=True).contributions is None
