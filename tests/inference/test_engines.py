"""A run answers with the engine it was trained with, or with another one that is asked for."""

import numpy as np
import pytest
import torch

from maeum import EmotionClassifier, train
from maeum.corpus import import_corpus
from maeum.encoders.pretrained.native import has_bfloat16, sums_int8
from maeum.encoders.pretrained.packed import PackedLinear, can_pack
from maeum.engine import Engine
from maeum.errors import RunError
from maeum.evaluation import evaluate
from maeum.exporting import export
from maeum.inference import Query, Run, classifier_of
from maeum.testing import make_speech_checkpoint, make_text_checkpoint

SAID = "정말 마음이 아프다"
EMOTIONS = ("Happy", "Sad", "Angry")


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MAEUM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    sf = pytest.importorskip("soundfile")
    folder = tmp_path_factory.mktemp("clips")
    rng, rows = np.random.default_rng(0), ["audio,text,emotion,speaker"]
    for place in range(18):
        sf.write(folder / f"{place}.wav", rng.normal(0, 0.1, 6_000 + 500 * place), 16_000)
        emotion = EMOTIONS[place % 3]
        rows.append(f"{place}.wav,문장 {place} {SAID},{emotion},{place % 6}")
    (folder / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return import_corpus("table", folder / "clips.csv")


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    shelf = tmp_path_factory.mktemp("shelf")
    return {
        "speech": str(make_speech_checkpoint(shelf / "speech", "wav2vec2-large-robust")),
        "text": str(make_text_checkpoint(shelf / "text", "klue-bert")),
    }


@pytest.fixture(scope="module")
def trained(corpus, encoders, tmp_path_factory):
    """Runs by the precision they were trained in."""
    return {
        precision: train(
            corpus,
            tmp_path_factory.mktemp(precision) / "run",
            split="random",
            epochs=2,
            precision=precision,
            **encoders,
        )
        for precision in ("float32", "bfloat16")
    }


@pytest.fixture(scope="module")
def asked(corpus):
    paths = [str(corpus.audio_root / name) for name in corpus.utterances["audio"]]
    return [Query(*pair) for pair in zip(paths, corpus.utterances["text"], strict=True)]


def chances(model, asked):
    return np.array([list(found.probabilities.values()) for found in model.predict(asked)])


@pytest.mark.skipif(not can_pack(), reason="torch has no oneDNN here")
def test_the_encoders_of_a_run_are_packed_and_give_what_it_was_trained_on(trained, asked):
    model = trained["float32"].model
    plain = EmotionClassifier.from_pretrained(trained["float32"].folder, hastened=False)
    np.testing.assert_allclose(chances(model, asked), chances(plain, asked), atol=1e-5)
    packed = [isinstance(one, PackedLinear) for one in model.speech[0].tower.modules()]
    assert any(packed)


def test_a_run_answers_in_the_precision_it_was_trained_in(trained):
    for precision, run in trained.items():
        assert run.settings.precision == precision
        model = Run.open(run.folder).model
        here = precision if has_bfloat16(torch.device("cpu")) else "float32"
        assert [one.engine.precision for one in (*model.speech, *model.text)] == [here] * 2
        versions = {card["version"] for card in model.network.config.speech}
        assert versions == {model.speech[0].version}


@pytest.mark.parametrize(
    "engine", [Engine("torch", "bfloat16"), Engine("openvino"), Engine("onnx", "int8")], ids=str
)
@pytest.mark.slow
def test_another_engine_answers_nearly_the_same(trained, asked, engine):
    pytest.importorskip({"onnx": "onnxruntime"}.get(engine.name, engine.name))
    if engine.precision == "int8" and not sums_int8():
        pytest.skip("this processor's int8 products overflow: it has no VNNI")
    usual = chances(trained["float32"].model, asked)
    other = EmotionClassifier.from_pretrained(trained["float32"].folder, engine=engine)
    found = chances(other, asked)
    if engine != Engine("torch", "bfloat16") or has_bfloat16(torch.device("cpu")):
        assert other.speech[0].engine == engine  # else it answers in float32
    np.testing.assert_allclose(found, usual, atol=1e-4 if engine.precision == "float32" else 0.05)


@pytest.mark.slow
def test_a_run_of_bfloat16_answers_in_float32_where_asked(trained, asked):
    folder = trained["bfloat16"].folder
    exact = EmotionClassifier.from_pretrained(folder, engine=Engine())
    np.testing.assert_allclose(
        chances(exact, asked), chances(trained["bfloat16"].model, asked), atol=0.05
    )


@pytest.mark.slow
def test_a_run_is_judged_with_the_engine_it_was_opened_with(trained, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path))
    run = Run.open(trained["float32"].folder, engine=Engine("torch", "bfloat16"))
    evaluate(run, corpus, part="all")
    kept = [path.name for path in (tmp_path / "features").glob("*.sqlite")]
    versions = [one.version for one in (*run.model.speech, *run.model.text)]
    assert all(any(version in name for name in kept) for version in versions)


def test_what_was_exported_answers_with_its_own_engine_only(trained, tmp_path):
    pytest.importorskip("openvino")
    export(trained["float32"].folder, tmp_path / "made", engine="openvino")
    model = classifier_of(tmp_path / "made", engine=Engine("openvino"))
    assert model(text=SAID).emotion in EMOTIONS
    with pytest.raises(RunError, match="for openvino in float32 answers with nothing else"):
        classifier_of(tmp_path / "made", engine=Engine("torch", "bfloat16"))


def test_texts_of_many_queries_are_read_together(trained, asked, monkeypatch):
    model = trained["float32"].model
    (encoder,) = model.text
    given = []
    encode = encoder.encode
    monkeypatch.setattr(
        encoder, "encode", lambda texts: given.append(len(texts)) or encode(texts), raising=False
    )
    answers = list(model.predict([*asked, asked[0], Query(None, " ")]))
    assert given == [len(asked)]  # each once
    assert answers[-1].error
    alone = model(asked[0].audio, text=asked[0].text)
    np.testing.assert_allclose(
        list(answers[-2].probabilities.values()), list(alone.probabilities.values()), atol=1e-5
    )


def test_answers_come_in_the_order_of_their_queries_whatever_their_length(trained, asked):
    model = trained["float32"].model
    forwards, backwards = chances(model, asked), chances(model, asked[::-1])
    np.testing.assert_allclose(forwards, backwards[::-1], atol=1e-5)
    assert [found.audio for found in model.predict(asked[::-1])] == [
        query.audio for query in asked[::-1]
    ]


def test_where_many_at_once_pay_recordings_are_heard_together(
    trained, asked, monkeypatch, tmp_path
):
    model = EmotionClassifier.from_pretrained(trained["float32"].folder, hastened=False)
    usual = chances(model, asked)
    (encoder,) = model.speech
    given, encode = [], encoder.encode
    monkeypatch.setattr(type(encoder), "at_once", 64)  # as on an accelerator
    monkeypatch.setattr(
        encoder, "encode", lambda waves: given.append(len(waves)) or encode(waves), raising=False
    )
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    *found, broken = model.predict([*asked, Query(str(tmp_path / "broken.wav"), SAID)])
    assert given == [len(asked)]
    assert "broken.wav" in broken.error
    np.testing.assert_allclose(
        [list(one.probabilities.values()) for one in found], usual, atol=1e-5
    )
