"""maeum export, and what can be typed with what it wrote."""

from __future__ import annotations

import pytest

from maeum.testing import make_text_checkpoint

SAID = "정말 마음이 아프다"


@pytest.fixture(scope="module")
def folder(maeum, run, corpus, tmp_path_factory):
    """The run, exported; nobody writes to it."""
    to = tmp_path_factory.mktemp("exported") / "first"
    done = maeum("export", run, corpus, "--to", to, "--most", 20)
    assert done.code == 0, done.err
    assert "20 utterances: cosine of speech 1.000000 at least" in done.out
    return to


def test_it_is_asked_as_a_run_is(maeum, run, folder):
    one, other = (maeum("predict", place, "--text", SAID, "--json") for place in (folder, run))
    assert one.json["emotion"] == other.json["emotion"]
    assert one.json["confidence"] == pytest.approx(other.json["confidence"], abs=1e-5)


def test_it_is_evaluated_as_a_run_is(maeum, run, folder, corpus):
    one, other = (maeum("evaluate", place, corpus, "--json").json for place in (folder, run))
    assert one["confusion"] == other["confusion"]
    assert one["leaks"] == other["leaks"]


def test_the_figures_come_as_json(maeum, run, corpus, tmp_path):
    words = ("--to", tmp_path / "made", "--format", "openvino", "--precision", "bfloat16")
    found = maeum("export", run, corpus, *words, "--json").json
    assert (found["format"], found["precision"]) == ("openvino", "bfloat16")
    assert found["agreement"]["same"] == 1
    assert found["bytes"] > 0


def test_without_a_corpus_it_is_said_that_nothing_was_compared(maeum, run, tmp_path):
    done = maeum("export", run, "--to", tmp_path / "made")
    assert done.code == 0
    assert "note: not compared with the run" in done.err


def test_a_limit_that_is_not_kept_fails_with_the_figures(maeum, corpus, tmp_path):
    text = make_text_checkpoint(tmp_path / "reads", "klue-bert")
    words = ("--modality", "text", "--text", text, "--epochs", "1", "--split", "none")
    assert maeum("train", corpus, "--to", tmp_path / "run", *words).code == 0
    words = ("--to", tmp_path / "made", "--precision", "int8", "--most", "9")
    done = maeum("export", tmp_path / "run", corpus, *words, "--least-cosine", "1")
    assert (done.code, done.out) == (1, "")
    assert "the lowest cosine of text is 0.99" in done.err.splitlines()[-1]
    assert "expected 1 or more" in done.err.splitlines()[-1]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reads", "run"]


def test_rounding_without_a_corpus_is_refused(maeum, run, tmp_path):
    words = ("--to", tmp_path / "made", "--precision", "int8")
    assert "name a corpus to measure it on" in maeum("export", run, *words).complaint
    assert not (tmp_path / "made").exists()


def test_a_precision_of_another_format_is_refused_by_name(maeum, run, corpus, tmp_path):
    done = maeum("export", run, corpus, "--to", tmp_path / "made", "--precision", "bfloat16")
    assert "bfloat16 takes format openvino" in done.complaint
    assert maeum("export", run, "--to", tmp_path / "made", "--format", "tflite").code == 2


def test_it_is_compared_as_a_run_is(maeum, run, folder, corpus):
    found = maeum("compare", folder, run, corpus, "--json")
    assert found.code == 0, found.err
    assert found.json["differences"]["accuracy"]["difference"] == 0


def test_nothing_is_trained_from_it(maeum, folder, corpus, tmp_path):
    done = maeum("train", corpus, "--to", tmp_path / "next", "--from", folder)
    assert "is an exported run, without weights to train" in done.complaint


def test_engine_and_precision_are_typed_with_predict_and_evaluate(maeum, run, corpus):
    # built-in encoders compute as they always do
    usual = maeum("predict", run, "--text", "정말 슬프다", "--json").json
    for words in (["--precision", "bfloat16"], ["--engine", "torch"], ["--precision", "int8"]):
        assert maeum("predict", run, "--text", "정말 슬프다", "--json", *words).json == usual
    judged = maeum("evaluate", run, corpus, "--json").json
    assert maeum("evaluate", run, corpus, "--json", "--precision", "bfloat16").json == judged


def test_an_engine_that_does_not_serve_a_precision_is_refused_in_a_sentence(maeum, run):
    wrong = maeum("predict", run, "--text", "정말", "--engine", "torch", "--precision", "int8")
    assert "engine=torch does not compute in int8; take engine=onnx" in wrong.complaint
