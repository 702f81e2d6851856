"""`builtin:starter` answers before anything was trained, wherever a run is named."""

import numpy as np
import pytest
from scipy.special import softmax

from maeum.encoders import text_encoders
from maeum.engine import Engine
from maeum.errors import RunError
from maeum.evaluation import evaluate
from maeum.exporting import export
from maeum.inference import Failure, Query, Run, classifier_of
from maeum.training import train

SAID = "너무 무섭고 불안해요"


@pytest.fixture(scope="module")
def starter():
    return classifier_of("builtin:starter")


def test_probabilities_are_those_of_its_logits(starter):
    (encoder,) = text_encoders("builtin:starter")
    found = starter(text=SAID)
    expected = softmax(encoder.encode([SAID])[0].astype(float))
    np.testing.assert_allclose(list(found.probabilities.values()), expected, atol=1e-6)
    assert (found.emotion, found.modalities) == ("Anxious", ("text",))


def test_a_recording_without_words_is_told_what_it_takes(starter):
    (found,) = starter.predict([Query("take3.wav")])
    assert isinstance(found, Failure)
    assert found.error == "this run takes text; none was given"


def test_a_name_that_is_not_built_in_is_one_sentence():
    with pytest.raises(RunError, match="no classifier 'builtin:magic' is built in; there is"):
        classifier_of("builtin:magic")


def test_where_a_folder_is_needed_a_sentence_says_what_it_is(tmp_path):
    said = "builtin:starter is built in: it answers"
    with pytest.raises(RunError, match=said):
        export("builtin:starter", tmp_path / "made")
    with pytest.raises(RunError, match=said):
        Run.open("builtin:starter")
    assert list(tmp_path.iterdir()) == []


def test_another_engine_is_refused():
    with pytest.raises(RunError, match="computed in one way only; leave out --engine onnx"):
        classifier_of("builtin:starter", engine=Engine("onnx"))


def test_it_is_judged_on_any_corpus(made_corpus):
    found = evaluate("builtin:starter", made_corpus)
    assert len(found.answers) == len(made_corpus.utterances)
    assert "is not at hand" in found.leaks.sentences[0]


def test_its_numbers_may_stand_beside_others_in_training(made_corpus, tmp_path):
    text = "builtin:letters+builtin:starter"
    run = train(made_corpus, tmp_path / "run", modality="text", text=text, split="none", epochs=2)
    assert [one.name for one in run.model.text] == ["builtin:letters", "builtin:starter"]
    assert run.model(text=SAID).emotion in made_corpus.emotions.names
