"""Encoders that another engine than torch computes: made into graphs once, the same vectors."""

import numpy as np
import pytest

from maeum.encoders import Computed, Reading, speech_encoders, text_encoders
from maeum.encoders.graphs.description import CARD
from maeum.engine import Engine
from maeum.errors import SettingsError
from maeum.testing import make_speech_checkpoint, make_text_checkpoint

WAVES = [
    np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)
    for seed, samples in enumerate((9_000, 16_011))
]
SENTENCES = ("오늘 아침에 비가 많이 와서 학교에 늦었어요.", "응.")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    return str(make_speech_checkpoint(tmp_path_factory.mktemp("ko"), "wav2vec2-large-robust"))


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    return str(make_text_checkpoint(tmp_path_factory.mktemp("ko"), "klue-bert"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "graphs"


@pytest.mark.parametrize("name", [pytest.param("onnx", marks=pytest.mark.slow), "openvino"])
def test_a_graph_gives_the_vectors_of_torch_under_their_version(speech, name, cache):
    pytest.importorskip({"onnx": "onnxruntime"}.get(name, name))
    (plain,) = speech_encoders(speech, Reading())
    (graph,) = speech_encoders(speech, Reading(), Engine(name))
    assert isinstance(graph, Computed)
    assert (graph.version, graph.exact_version) == (plain.version, plain.version)
    assert (graph.name, graph.engine) == (speech, Engine(name))
    np.testing.assert_allclose(graph.encode(WAVES), plain.encode(WAVES), atol=1e-5)
    (made,) = (path for path in cache.iterdir() if path.is_dir())
    assert made.name.endswith(f"-{name}-float32")


def test_it_is_made_once(text, cache):
    pytest.importorskip("openvino")
    engine = Engine("openvino", "bfloat16")
    (first,) = text_encoders(text, Reading(), engine)
    (made,) = cache.iterdir()
    before = (made / CARD).stat().st_mtime_ns
    (again,) = text_encoders(text, Reading(), engine)
    assert (made / CARD).stat().st_mtime_ns == before
    np.testing.assert_array_equal(first.encode(SENTENCES), again.encode(SENTENCES))
    assert again.version == engine.version_of(again.exact_version) != again.exact_version


def test_half_of_one_is_made_anew(text, cache):
    pytest.importorskip("openvino")
    (first,) = text_encoders(text, Reading(), Engine("openvino"))
    (made,) = cache.iterdir()
    (made / CARD).unlink()
    (again,) = text_encoders(text, Reading(), Engine("openvino"))
    np.testing.assert_allclose(again.encode(SENTENCES), first.encode(SENTENCES), atol=1e-6)
    assert (made / CARD).is_file()


def test_without_the_engine_a_sentence_says_what_to_install(text, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "openvino", None)
    with pytest.raises(SettingsError, match=r"pip install 'maeum\[openvino\]'"):
        text_encoders(text, Reading(), Engine("openvino"))
