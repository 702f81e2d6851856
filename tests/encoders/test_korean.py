"""The encoder that travels with the package: a pretrained one like others, that nobody fetches."""

from __future__ import annotations

import numpy as np
import pytest

from maeum.config import Settings
from maeum.encoders import Reading, ensure_there, speech_encoders, text_encoders
from maeum.errors import EncoderError
from maeum.exporting import export
from maeum.inference.exported import classifier_of
from maeum.training import train

NAME = "builtin:korean"
SENTENCES = [
    "정말 재미있고 감동적이에요",
    "너무 좋아서 또 보고 싶다",
    "최악이다 돈이 아깝다",
    "지루하고 짜증 난다",
]


@pytest.fixture(scope="module")
def vectors():
    return text_encoders(NAME)[0].encode(SENTENCES)


def test_it_is_there_without_a_download(vectors):
    ensure_there("text", NAME)
    assert vectors.shape == (4, 256)
    assert np.isfinite(vectors).all()


def test_a_sentence_has_its_vector_alone_and_among_others(vectors):
    encoder = text_encoders(NAME)[0]
    alone = np.concatenate([encoder.encode([one]) for one in SENTENCES])
    np.testing.assert_allclose(vectors, alone, atol=1e-5)


def test_what_is_felt_alike_is_nearer_than_what_is_not(vectors):
    apart = vectors - vectors.mean(axis=0)
    near = apart @ apart.T
    assert near[0, 1] > max(near[0, 2], near[0, 3])
    assert near[2, 3] > max(near[0, 2], near[1, 2])


def test_its_layers_can_be_asked_for():
    (encoder,) = text_encoders(NAME, Reading(layers="2"))
    assert encoder.encode(SENTENCES[:1]).shape == (1, 256)


def test_it_hears_nothing():
    with pytest.raises(EncoderError):
        speech_encoders(NAME)


def test_names_like_it_are_refused_with_those_there_are():
    with pytest.raises(EncoderError, match="builtin:starter, builtin:korean"):
        text_encoders("builtin:corean")


def test_an_engine_computes_it_and_does_not_compute_letters():
    named = {"modality": "text", "engine": "onnx"}
    assert not Settings.of(text=NAME, **named).ignored(["engine"])
    assert Settings.of(text="builtin:letters", **named).ignored(["engine"])


@pytest.mark.slow
def test_it_can_be_tuned(made_corpus, quick, tmp_path):
    settings = {**quick, "modality": "text", "text": NAME, "tune": "lora", "epochs": 1}
    run = train(made_corpus, tmp_path / "run", **settings)
    assert run.model(text=SENTENCES[0]).emotion
    assert (run.folder / "encoders" / "text-0" / "adapter_model.safetensors").is_file()


def test_a_run_with_it_answers_and_so_does_its_export(made_corpus, quick, tmp_path):
    settings = {**quick, "modality": "text", "text": f"builtin:letters+{NAME}"}
    run = train(made_corpus, tmp_path / "run", **settings)
    export(run.folder, tmp_path / "exported")
    models = (run.model, classifier_of(tmp_path / "exported"))
    ours, theirs = (list(model(text=SENTENCES[0]).probabilities.values()) for model in models)
    assert ours == pytest.approx(theirs, abs=1e-5)
