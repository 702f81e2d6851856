"""Encoders as graphs give the vectors that torch gives, alone and among others."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from maeum.encoders import Reading, SpeechEncoder, TextEncoder
from maeum.encoders.builtin.letters import LettersEncoder
from maeum.encoders.graphs.description import read_description
from maeum.encoders.graphs.speech import GraphSpeech
from maeum.encoders.graphs.text import GraphText
from maeum.encoders.pretrained.conversion import PRECISIONS, refuse_unserved, write_encoder
from maeum.encoders.pretrained.lora import add_adapter
from maeum.encoders.pretrained.native import sums_int8
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.text import PretrainedText
from maeum.errors import AudioError, EncoderError, SettingsError, TextError
from maeum.features import encoding_workers
from maeum.testing import TEXT_FAMILIES, make_speech_checkpoint, make_text_checkpoint

SPEECH = {
    "wav2vec2-large-robust": "openvino",
    "wav2vec2-base": "onnx",
    "hubert": "openvino",
    "wavlm": "openvino",
    "data2vec-audio": "openvino",
    "w2v-bert": "openvino",
    "whisper": "onnx",
    "speecht5": "openvino",
}
"""Families that differ in code, and the engine each is tried with; all were tried with both."""

TEXT = {family: ("onnx", "openvino")[place % 2] for place, family in enumerate(TEXT_FAMILIES)}

SENTENCES = (
    "오늘 아침에 비가 많이 와서 학교에 늦었어요, 그래서 선생님께 혼났어요.",
    "응.",
    "아 진짜ㅋㅋㅋㅋㅋ 웃겨… 😂",
    "마음이 너무 아파서 아무 말도 하고 싶지 않아 " * 40,
)
CLASSES = {"speech": (PretrainedSpeech, GraphSpeech), "text": (PretrainedText, GraphText)}
MAKERS = {"speech": make_speech_checkpoint, "text": make_text_checkpoint}


def waves() -> list[np.ndarray]:
    """One too short to be masked, one longer than is heard, two between."""
    rng = np.random.default_rng(0)
    return [rng.normal(0, 0.1, count).astype(np.float32) for count in (900, 21_000, 40_000, 16_123)]


ITEMS = {"speech": waves(), "text": list(SENTENCES)}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """An encoder of torch and the graph made of it; made once."""
    made = {}

    def make(side, family, engine, precision="float32", layers="last"):
        key = (side, family, engine, precision, layers)
        if key not in made:
            folder = tmp_path_factory.mktemp(family)
            MAKERS[side](folder / "checkpoint", family)
            pretrained, graph = CLASSES[side]
            reading = Reading(layers=layers, cut_s=2.0, max_tokens=24)
            encoder = pretrained.load(str(folder / "checkpoint"), reading)
            (folder / "graph").mkdir()
            write_encoder(encoder, folder / "graph", engine, precision)
            made[key] = encoder, graph.open(folder / "graph"), folder / "graph"
        return made[key]

    return make


PAPER = ("wav2vec2-large-robust", "kcelectra")

CASES = [
    pytest.param(
        side, family, engine, id=family, marks=[] if family in PAPER else [pytest.mark.slow]
    )
    for side, families in (("speech", SPEECH), ("text", TEXT))
    for family, engine in families.items()
]


@pytest.mark.parametrize(("side", "family", "engine"), CASES)
def test_a_graph_gives_what_torch_gives(both, side, family, engine):
    encoder, graph, _ = both(side, family, engine)
    items = ITEMS[side]
    np.testing.assert_allclose(graph.encode(items), encoder.encode(items), atol=1e-5)
    for one, other in zip(graph.frames(items), encoder.frames(items), strict=True):
        np.testing.assert_allclose(one, other, atol=5e-5)


@pytest.mark.parametrize(("side", "family", "engine"), CASES)
def test_an_item_has_one_vector_alone_and_among_others(both, side, family, engine):
    _, graph, _ = both(side, family, engine)
    together = graph.encode(ITEMS[side])
    alone = np.concatenate([graph.encode([item]) for item in ITEMS[side]])
    np.testing.assert_allclose(together, alone, atol=1e-6)


@pytest.mark.parametrize(
    ("side", "family"),
    [("speech", "wavlm"), pytest.param("text", "klue-bert", marks=pytest.mark.slow)],
)
@pytest.mark.parametrize(
    ("engine", "precision"),
    [
        pytest.param("onnx", "float32", marks=pytest.mark.slow),
        pytest.param("onnx", "int8", marks=pytest.mark.slow),
        ("openvino", "float32"),
        pytest.param("openvino", "bfloat16", marks=pytest.mark.slow),
    ],
)
def test_threads_that_share_the_cores_get_the_same_vectors(both, side, family, engine, precision):
    _, graph, _ = both(side, family, engine, precision)
    many = ITEMS[side] * 4
    usual = graph.encode(many)
    with encoding_workers() as pool:
        shared = list(pool.map(lambda item: graph.encode([item])[0], many))
    tolerance = 1e-5 if precision == "float32" else 2e-2
    np.testing.assert_allclose(shared, usual, atol=tolerance)
    np.testing.assert_allclose(graph.encode(many), usual, atol=tolerance)


@pytest.mark.slow
def test_a_graph_that_could_not_be_opened_again_is_opened_at_the_next_question(both):
    _, graph, folder = both("text", "klue-bert", "onnx", "float32")
    sentence, file = [SENTENCES[0]], folder / "graph.onnx"
    usual = graph.encode(sentence)
    away = file.rename(folder / "away")
    with encoding_workers() as pool, pytest.raises(EncoderError, match="export the run again"):
        pool.submit(graph.encode, sentence).result()
    away.rename(file)
    np.testing.assert_allclose(graph.encode(sentence), usual, atol=1e-6)


@pytest.mark.parametrize(
    ("side", "family", "layers"),
    [
        ("speech", "hubert", "weighted"),
        ("text", "klue-bert", "1"),
        pytest.param("speech", "hubert", "1", marks=pytest.mark.slow),
        pytest.param("text", "klue-bert", "weighted", marks=pytest.mark.slow),
    ],
)
def test_layers_are_those_that_were_asked_for(both, side, family, layers):
    encoder, graph, _ = both(side, family, "openvino", layers=layers)
    assert (graph.layers, graph.dim) == (encoder.layers, encoder.dim)
    items = ITEMS[side]
    np.testing.assert_allclose(graph.encode(items), encoder.encode(items), atol=1e-5)
    if graph.layers > 1:
        with pytest.raises(EncoderError, match="frames need one layer"):
            graph.frames(items)


@pytest.mark.parametrize(("side", "family"), [("speech", "wav2vec2-base"), ("text", "kobert-skt")])
@pytest.mark.parametrize(
    ("engine", "precision", "least"), [("onnx", "int8", 0.999), ("openvino", "bfloat16", 0.9999)]
)
def test_rounding_changes_little_and_no_item_by_another(
    both, side, family, engine, precision, least
):
    if precision == "int8" and not sums_int8():
        pytest.skip("this processor's int8 products overflow: it has no VNNI")
    encoder, graph, _ = both(side, family, engine, precision)
    items = ITEMS[side]
    one, other = graph.encode(items), encoder.encode(items)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    assert ((one * other).sum(axis=1) / lengths).min() > least
    alone = np.concatenate([graph.encode([item]) for item in items])
    if precision == "int8":
        np.testing.assert_allclose(one, alone, atol=1e-6)


@pytest.mark.slow
def test_int8_takes_less_room(both):
    sizes = {}
    for precision in ("float32", "int8"):
        _, _, folder = both("text", "klue-bert", "onnx", precision)
        sizes[precision] = sum(path.stat().st_size for path in folder.glob("graph.onnx*"))
    assert sizes["int8"] < sizes["float32"]


def test_a_graph_is_an_encoder_and_says_how_it_was_made(both):
    heard, read = both("speech", "wavlm", "openvino"), both("text", "klue-bert", "onnx")
    assert isinstance(heard[1], SpeechEncoder)
    assert isinstance(read[1], TextEncoder)
    told = read_description(read[2])
    assert (told.engine, told.precision, told.name) == ("onnx", "float32", read[0].name)
    assert told.reading == Reading(max_tokens=24, cut_s=2.0)
    assert heard[1].rate_hz == 16_000


def test_versions_tell_graphs_apart(both):
    versions = {
        both("text", "klue-bert", engine, precision)[1].version
        for engine in PRECISIONS
        for precision in PRECISIONS[engine]
    }
    assert len(versions) == 4
    assert both("text", "klue-bert", "onnx")[0].version not in versions


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param(engine, marks=pytest.mark.slow if engine == "onnx" else [])
        for engine in PRECISIONS
    ],
)
def test_an_adapter_becomes_one_with_the_weights_and_the_encoder_keeps_it(tmp_path, engine):
    pytest.importorskip("peft")
    make_text_checkpoint(tmp_path / "checkpoint", "klue-bert")
    encoder = PretrainedText.load(str(tmp_path / "checkpoint"), Reading())
    without = encoder.encode(SENTENCES)
    add_adapter(encoder.tower.model, rank=2)
    with torch.no_grad():
        for name, values in encoder.tower.named_parameters():
            if "lora_B" in name:
                values.fill_(0.1)
    adapted = encoder.encode(SENTENCES)
    assert np.abs(adapted - without).max() > 0.01
    (tmp_path / "graph").mkdir()
    write_encoder(encoder, tmp_path / "graph", engine, "float32")
    given = GraphText.open(tmp_path / "graph").encode(SENTENCES)
    np.testing.assert_allclose(given, adapted, atol=1e-5)
    np.testing.assert_allclose(encoder.encode(SENTENCES), adapted, atol=1e-5)


# -- what is refused -----------------------------------------------------------------------------


def test_what_an_engine_does_not_serve_is_refused_and_another_named():
    with pytest.raises(SettingsError, match="bfloat16 takes format openvino"):
        refuse_unserved("onnx", "bfloat16")
    with pytest.raises(SettingsError, match="int8 takes format onnx"):
        refuse_unserved("openvino", "int8")


@pytest.mark.parametrize(
    ("engine", "package", "extra"),
    [
        ("onnx", "onnxruntime", r"maeum\[onnx\]"),
        ("onnx", "onnxscript", r"maeum\[onnx\]"),
        ("openvino", "openvino", r"maeum\[openvino\]"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(monkeypatch, engine, package, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(SettingsError, match=extra):
        refuse_unserved(engine, "float32")


def test_a_built_in_encoder_is_no_graph(tmp_path):
    with pytest.raises(EncoderError, match="builtin:letters is no pretrained encoder"):
        write_encoder(LettersEncoder(), tmp_path, "onnx", "float32")


def test_what_is_laid_out_for_the_processor_is_not_converted(tmp_path):
    make_text_checkpoint(tmp_path / "checkpoint", "klue-bert")
    encoder = PretrainedText.load(str(tmp_path / "checkpoint"), Reading())
    encoder.hasten("float32")
    with pytest.raises(EncoderError, match="load it anew"):
        write_encoder(encoder, tmp_path, "onnx", "float32")


@pytest.mark.parametrize(
    "wave", [np.zeros((2, 9), np.float32), np.zeros(0, np.float32), np.full(9, np.nan, np.float32)]
)
def test_what_is_no_wave_is_refused(both, wave):
    with pytest.raises(AudioError, match="expected"):
        both("speech", "hubert", "openvino")[1].encode([wave])


def test_a_sentence_of_spaces_is_refused(both):
    with pytest.raises(TextError, match="is empty"):
        both("text", "klue-bert", "onnx")[1].encode(["응", "  "])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("encoder.json", b"{"),
        ("encoder.json", json.dumps({"format": 99}).encode()),
        ("encoder.json", None),
        ("graph.onnx", b"nothing"),
        ("graph.onnx", None),
        ("tokenizer.json", b"{}"),
        ("tokenizer.json", None),
    ],
)
def test_a_broken_folder_is_refused_with_what_to_do(both, tmp_path, name, content):
    folder = both("text", "klue-bert", "onnx")[2]
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EncoderError, match="export the run again"):
        GraphText.open(tmp_path)


def test_a_broken_openvino_graph_is_refused(both, tmp_path):
    folder = both("speech", "wavlm", "openvino")[2]
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "graph.xml").write_text("<net>", encoding="utf-8")
    with pytest.raises(EncoderError, match="export the run again"):
        GraphSpeech.open(tmp_path)


def test_openvino_is_used_without_its_telemetry():
    code = (
        "from maeum.encoders.graphs.engines import openvino; openvino(); import sys;"
        "sys.exit('openvino_telemetry' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
