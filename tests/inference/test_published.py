"""Audio classifiers that others published, asked as runs are: the same answers, or one sentence."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from safetensors.torch import load_file, save_file

from maeum.encoders.pretrained import places
from maeum.encoders.pretrained.native import has_bfloat16
from maeum.engine import Engine
from maeum.errors import RunError
from maeum.features.hearing import Stretch
from maeum.inference import EmotionClassifier, Failure, PublishedClassifier, Query, classifier_of
from maeum.inference.published import emotions_of, notes_on
from maeum.testing import CLASSIFIER_KINDS, make_audio_classifier, make_text_checkpoint

RATE = 16_000
LENGTHS_S = (0.1, 1.37, 4.0)


@pytest.fixture(scope="module")
def waves(tmp_path_factory):
    """Path -> samples of three recordings, as a reader of wav has them."""
    folder = tmp_path_factory.mktemp("waves")
    found = {}
    for place, seconds in enumerate(LENGTHS_S):
        noise = np.random.default_rng(place).uniform(-0.3, 0.3, round(seconds * RATE))
        whole = (noise * 32767).astype(np.int16)
        path = folder / f"{place}.wav"
        sf.write(path, whole, RATE)
        found[path] = whole.astype(np.float32) / 32768
    return found


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Kind -> folder of a tiny checkpoint of it; nobody writes to it."""
    folder = tmp_path_factory.mktemp("published")
    return lambda kind: (
        folder / kind
        if (folder / kind).is_dir()
        else make_audio_classifier(folder / kind, kind, ("ang", "hap", "neu", "sad"))
    )


@pytest.fixture
def copy(checkpoints, tmp_path):
    """A checkpoint to be spoilt."""
    return Path(shutil.copytree(checkpoints("hubert"), tmp_path / "copy"))


def restated(folder, **changes):
    """The same folder with other settings in its config.json."""
    path = folder / "config.json"
    stated = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(stated | changes, ensure_ascii=False), encoding="utf-8")
    return folder


def refused(name, **more):
    with pytest.raises(RunError) as error:
        classifier_of(name, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


# -- answers -----------------------------------------------------------------------------------


def by_pipeline(folder, wave):
    """What transformers answers itself, label by label in the order of the logits."""
    from transformers import pipeline

    ask = pipeline("audio-classification", model=str(folder), top_k=None, device="cpu")
    by_label = {found["label"]: found["score"] for found in ask(wave.copy())}
    return [by_label[label] for label in ("ang", "hap", "neu", "sad")]


@pytest.mark.parametrize("kind", CLASSIFIER_KINDS)
def test_answers_are_those_of_transformers(kind, checkpoints, waves):
    model = classifier_of(checkpoints(kind))
    assert isinstance(model, PublishedClassifier)
    assert model.emotions.names == ("Angry", "Happy", "Neutrality", "Sad")
    answers = list(model.predict([Query(str(path)) for path in waves]))
    for answer, wave in zip(answers, waves.values(), strict=True):
        expected = by_pipeline(checkpoints(kind), wave)
        np.testing.assert_allclose(list(answer.probabilities.values()), expected, atol=1e-5)
        assert answer.modalities == ("speech",)


@pytest.mark.parametrize("kind", CLASSIFIER_KINDS)
def test_bfloat16_answers_close_by(kind, checkpoints, waves):
    exact = classifier_of(checkpoints(kind))
    rounded = classifier_of(checkpoints(kind), engine=Engine("torch", "bfloat16"))
    here = has_bfloat16(torch.device("cpu"))  # else it answers in float32
    assert (exact.encoder.version != rounded.encoder.version) == here
    path = [*waves][-1]
    one, other = exact(path).probabilities, rounded(path).probabilities
    assert max(abs(one[name] - other[name]) for name in one) < 0.05


def test_a_recording_alone_and_a_part_of_a_longer_one_are_answered(checkpoints, waves, tmp_path):
    model = classifier_of(checkpoints("wav2vec2"))
    *_, short, long = waves.values()
    sf.write(tmp_path / "call.wav", np.concatenate([long, short, long]), RATE, subtype="FLOAT")
    part = Stretch(start_s=len(long) / RATE, duration_s=len(short) / RATE)
    (within,) = model.predict([Query(str(tmp_path / "call.wav"), stretch=part)])
    alone = model([*waves][1])
    assert within.probabilities == pytest.approx(alone.probabilities, abs=1e-5)


def test_another_rate_is_resampled_and_what_cannot_be_heard_fails_alone(checkpoints, tmp_path):
    model = classifier_of(checkpoints("hubert"))
    noise = np.random.default_rng(5).uniform(-0.3, 0.3, 44_100)
    sf.write(tmp_path / "a.wav", noise, 44_100)
    (tmp_path / "b.wav").write_bytes(b"no sound")
    heard, broken = model.predict([Query(str(tmp_path / name)) for name in ("a.wav", "b.wav")])
    assert sum(heard.probabilities.values()) == pytest.approx(1)
    assert isinstance(broken, Failure)
    (silent,) = model.predict([Query(None, "정말 기뻐")])
    assert silent.error == "this run takes speech; none was given"


def test_features_of_a_corpus_are_logits_and_are_kept(checkpoints, made_corpus):
    model = classifier_of(checkpoints("hubert"))
    first = model.extract(made_corpus)
    again = model.extract(made_corpus)
    assert first.tables["speech"].shape == (len(made_corpus), 4)
    assert again.counts[model.encoder.name].found == len(made_corpus)
    chances = model.probabilities(again)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(chances, model.probabilities(first))


def test_what_it_lacks_is_said(checkpoints, tmp_path):
    model = classifier_of(checkpoints("hubert"))
    assert (model.sides, model.context, model.needs_voice) == (["speech"], 0, False)
    with pytest.raises(RunError, match="compares no voices"):
        _ = model.usual_spread
    with pytest.raises(RunError, match=r"holds another model .*none that maeum trained"):
        EmotionClassifier.from_pretrained(checkpoints("hubert"))


# -- where it lies -----------------------------------------------------------------------------


def test_it_is_found_by_its_name_below_the_shelf(checkpoints, tmp_path, monkeypatch, waves):
    shutil.copytree(checkpoints("hubert"), tmp_path / "someone" / "felt")
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    assert classifier_of("someone/felt")([*waves][1]).modalities == ("speech",)


def test_it_is_found_by_its_name_in_the_cache_of_the_hub(checkpoints, tmp_path, monkeypatch):
    from huggingface_hub import constants

    commit = "0123456789abcdef0123456789abcdef01234567"
    repository = tmp_path / "models--someone--felt"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    shutil.copytree(checkpoints("hubert"), repository / "snapshots" / commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path))
    found = classifier_of("someone/felt")
    assert isinstance(found, PublishedClassifier)
    (repository / "snapshots" / commit / "model.safetensors").unlink()
    assert refused("someone/felt").startswith(
        "audio classifier 'someone/felt' is not on this machine, and HF_HUB_OFFLINE is set"
    )


@pytest.mark.slow
def test_runs_of_ones_own_are_opened_without_transformers(made_run):
    script = (
        "import sys\n"
        "from maeum.inference import classifier_of\n"
        f"classifier_of({str(made_run.folder)!r})\n"
        "sys.exit('transformers' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


# -- labels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("neutral", "sadness", "ANGER", " happy "), ("Neutrality", "Sad", "Angry", "Happy")),
        (("기쁨", "분노", "슬픔", "중립"), ("Happy", "Angry", "Sad", "Neutrality")),
        (("female_angry", "male_angry"), ("female_angry", "male_angry")),
        (("dis", "fea", "sur", "bor", "exc"), ("Disgust", "Fear", "Surprise", "Bored", "Excited")),
    ],
)
def test_known_spellings_become_our_emotions(labels, names):
    assert emotions_of(labels, "some/model").names == names


def test_labels_in_korean_are_answered_by_the_names_we_have(tmp_path, waves):
    model = classifier_of(
        make_audio_classifier(tmp_path / "ko", "hubert", ("기쁨", "분노", "그리움"))
    )
    assert list(model([*waves][1]).probabilities) == ["Happy", "Angry", "그리움"]


def test_two_labels_of_one_meaning_are_refused(tmp_path):
    said = refused(make_audio_classifier(tmp_path / "twice", "hubert", ("joy", "happiness", "sad")))
    assert "of its labels joy, happiness, sad, an emotion stands twice" in said
    assert "id2label in config.json" in said


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        (("LABEL_0", "LABEL_1"), "some/model does not name its labels"),
        (("yes", "no"), "none of the labels of some/model is an emotion maeum knows: yes, no"),
        (("sad", "wry"), "labels of some/model that maeum does not know stay as they are: wry"),
    ],
)
def test_labels_are_spoken_of_where_they_should_be(labels, note):
    assert notes_on(labels, "some/model")[0].startswith(note)
    assert notes_on(("ang", "분노"), "some/model") == []


def test_notes_are_said_when_it_is_opened(tmp_path, caplog):
    folder = make_audio_classifier(tmp_path / "unnamed", "hubert", ("LABEL_0", "LABEL_1"))
    with caplog.at_level(logging.WARNING, logger="maeum"):
        model = classifier_of(folder)
    assert "does not name its labels" in caplog.text
    assert model.emotions.names == ("LABEL_0", "LABEL_1")


# -- what is refused ---------------------------------------------------------------------------


def test_other_engines_are_refused(checkpoints):
    said = refused(checkpoints("hubert"), engine=Engine("onnx"))
    assert said.endswith("which torch alone computes here; leave out --engine onnx")


def test_another_class_is_refused_and_its_code_not_run(copy):
    restated(copy, architectures=["HubertForSpeechClassification"])
    (copy / "modeling.py").write_text("raise SystemExit", encoding="utf-8")
    assert refused(copy).endswith(
        "holds HubertForSpeechClassification, where a classifier of its kind is "
        "HubertForSequenceClassification: the other needs code of its authors, and no such code "
        "is run"
    )


def test_an_encoder_is_told_what_it_is_good_for(copy):
    restated(copy, architectures=["HubertForCTC"])
    assert f"`maeum train CORPUS --to RUN --speech {copy}`" in refused(copy)


def test_a_classifier_of_texts_is_refused(tmp_path):
    folder = make_text_checkpoint(tmp_path / "text", "klue-bert")
    restated(folder, architectures=["BertForSequenceClassification"])
    said = refused(folder)
    assert "classifies texts; expected a classifier of recordings: " in said


@pytest.mark.parametrize("problem", ["regression", "multi_label_classification"])
def test_what_does_not_name_one_of_several_is_refused(copy, problem):
    assert f"(problem_type {problem})" in refused(restated(copy, problem_type=problem))


SPOILT = {
    "no weights": (lambda f: (f / "model.safetensors").unlink(), "holds no audio classifier, it"),
    "half the weights": (
        lambda f: (f / "model.safetensors").write_bytes(
            (f / "model.safetensors").read_bytes()[:-500]
        ),
        "cannot be read",
    ),
    "no extractor": (
        lambda f: (f / "preprocessor_config.json").unlink(),
        "does not say how recordings are prepared",
    ),
    "code": (
        lambda f: restated(f, model_type="felt", auto_map={"AutoConfig": "felt.Config"}),
        "needs code of its own; no such code is run",
    ),
    "quantized": (
        lambda f: restated(f, quantization_config={"load_in_8bit": True}),
        "is of a quantized model",
    ),
    "more labels than weights": (
        lambda f: restated(f, id2label={str(n): f"felt {n}" for n in range(9)}),
        "other weights than its config.json describes",
    ),
    "one label": (
        lambda f: restated(f, id2label={"0": "sad"}),
        "other weights than its config.json describes",
    ),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_broken_folder_is_refused_in_one_sentence(copy, kind):
    spoil, sentence = SPOILT[kind]
    spoil(copy)
    assert sentence in refused(copy)


def test_another_extractor_than_the_models_is_refused(copy, checkpoints):
    shutil.copy(checkpoints("wav2vec2-bert") / "preprocessor_config.json", copy)
    assert "which gives input_features where its model takes input_values" in refused(copy)


def test_an_encoder_without_a_head_does_not_pass_for_a_classifier(copy):
    weights = load_file(copy / "model.safetensors")
    kept = {name: one for name, one in weights.items() if not name.startswith("classifier")}
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})
    assert "it lacks classifier" in refused(copy)


def test_weights_in_the_old_layout_are_read_and_those_with_code_are_not(copy, waves):
    path = [*waves][1]
    expected = classifier_of(copy)(path).probabilities
    weights = load_file(copy / "model.safetensors")
    (copy / "model.safetensors").unlink()
    torch.save(weights, copy / "pytorch_model.bin")
    assert classifier_of(copy)(path).probabilities == pytest.approx(expected, abs=1e-6)
    torch.save({"a": Query("a")}, copy / "pytorch_model.bin")
    assert "come with code, which is never run" in refused(copy)
