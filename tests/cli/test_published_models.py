"""What others published, on the command line: classifiers as runs, recognisers for words."""

from __future__ import annotations

import pytest

from maeum.testing import make_audio_classifier, make_corpus, make_recogniser


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A checkpoint that tells the emotions of the corpus apart, and two more."""
    labels = ("ang", "hap", "sad", "neu", "fear", "sarcastic")
    return make_audio_classifier(tmp_path_factory.mktemp("published") / "felt", "hubert", labels)


@pytest.fixture(scope="module")
def recogniser(tmp_path_factory):
    return make_recogniser(tmp_path_factory.mktemp("recogniser") / "written", "wav2vec2")


def some(calls, count):
    return sorted((calls.parent / "audio").glob("*.wav"))[:count]


def test_a_published_classifier_predicts(maeum, published, calls, tmp_path):
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    said = maeum("predict", published, *some(calls, 2), tmp_path / "broken.wav", "--json")
    *answers, failure = said.lines
    assert said.code == 1
    assert [answer["modalities"] for answer in answers] == [["speech"]] * 2
    assert list(answers[0]["probabilities"]) == [
        *("Angry", "Happy", "Sad", "Neutrality", "Fear", "sarcastic")
    ]
    assert set(failure) == {"audio", "error"}
    assert (
        said.err
        == f"note: labels of {published} that maeum does not know stay as they are: "
        + ("sarcastic\n")
    )


def test_a_published_classifier_is_evaluated_and_nobody_says_what_it_met(maeum, published, corpus):
    found = maeum("evaluate", published, corpus, "--json").json
    assert (found["n"], found["split"], found["part"]) == (72, "other corpus", "all")
    assert (found["leaks"]["speakers"], found["left_out"]) == (None, 0)
    assert found["leaks"]["sentences"][0].startswith("what this checkpoint was trained on")
    shown = maeum("evaluate", published, corpus)
    assert "what it was trained on is not at hand" in shown.out
    assert "note: what this checkpoint" in shown.out
    assert "leak:" not in shown.out


def test_a_part_of_its_own_there_is_none(maeum, published, corpus):
    said = maeum("evaluate", published, corpus, "--part", "test").complaint
    assert "this is not the corpus of the run; use all" in said


def test_emotions_are_mapped_to_its_labels(maeum, published, tmp_path):
    table = make_corpus(tmp_path / "made", emotions=("Happy", "Embarrassed"), speakers=2)
    corpus = tmp_path / "corpus"
    assert maeum("import", "table", table, "--to", corpus).code == 0
    unmapped = maeum("evaluate", published, corpus).complaint
    assert "the corpus also has Embarrassed: map them with --map FILE" in unmapped
    (tmp_path / "names.yaml").write_text("Embarrassed: sarcastic\n", encoding="utf-8")
    found = maeum("evaluate", published, corpus, "--map", tmp_path / "names.yaml", "--json").json
    assert found["by_emotion"]["sarcastic"]["n"] == found["by_emotion"]["Happy"]["n"] > 0


def test_a_run_is_compared_with_it_on_what_the_run_never_met(maeum, published, run, corpus):
    found = maeum("compare", run, published, corpus, "--json").json
    assert (found["first"], found["second"]) == ("first", "felt")
    assert found["left_out"]["met"] + found["n"] == 72
    told = " ".join(found["notes"])
    assert "felt: what this checkpoint was trained on" in told
    assert "felt alone may answer Fear, sarcastic; no utterance here is one of them" in told
    turned = maeum("compare", published, run, corpus, "--json").json
    accuracy = found["differences"]["accuracy"]["difference"]
    assert turned["differences"]["accuracy"]["difference"] == pytest.approx(-accuracy)
    assert "name a corpus for both to answer" in maeum("compare", run, published).complaint


def test_it_cannot_be_exported_nor_gone_on_with(maeum, published, corpus, tmp_path):
    exported = maeum("export", published, "--to", tmp_path / "x", "--format", "onnx").complaint
    assert "none that maeum trained" in exported
    said = maeum("train", corpus, "--to", tmp_path / "y", "--from", published).complaint
    assert said == f"{published} is no run (it has no maeum.yaml)"


def test_other_engines_are_wrong_for_it(maeum, published, calls):
    said = maeum("predict", published, *some(calls, 1), "--engine", "openvino").complaint
    assert said.endswith("which torch alone computes here; leave out --engine openvino")


# -- missing words -----------------------------------------------------------------------------


def test_missing_words_are_written_down(maeum, run, calls, recogniser):
    alone = maeum("predict", run, *some(calls, 3), "--json").lines
    both = maeum("predict", run, *some(calls, 3), "--transcribe", recogniser, "--json").lines
    assert [answer["text"] for answer in alone] == [None] * 3
    assert [answer["modalities"] for answer in both] == [["speech", "text"]] * 3
    assert all(answer["text"] for answer in both)
    assert [one["probabilities"] for one in both] != [one["probabilities"] for one in alone]


def test_words_that_are_given_stay(maeum, run, calls, recogniser):
    words = ("--text", "정말 기뻐", "--transcribe", recogniser, "--json")
    assert maeum("predict", run, *some(calls, 1), *words).lines[0]["text"] == "정말 기뻐"


def test_a_run_that_does_not_read_needs_no_words(maeum, published, calls, recogniser):
    said = maeum("predict", published, *some(calls, 1), "--transcribe", "no/such")
    assert said.code == 0
    assert "this run does not read text, so --transcribe is of no use and ignored" in said.err


def test_a_recogniser_that_cannot_be_had_is_said_before_anything_is_heard(maeum, run, calls):
    said = maeum("predict", run, *some(calls, 1), "--transcribe", "some/one").complaint
    assert said.startswith("speech recogniser 'some/one' is not on this machine")
