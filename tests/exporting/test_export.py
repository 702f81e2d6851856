"""An exported run answers as the run does, without torch, or is not written."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from maeum.cli import LEFT_OUT
from maeum.corpus.manifest import Utterance
from maeum.errors import CorpusError, EncoderError, RunError, SettingsError
from maeum.evaluation import evaluate
from maeum.evaluation.agreement import LIMITS, Agreement, Likeness, Limits, drawn
from maeum.exporting import export
from maeum.inference import (
    EmotionClassifier,
    ExportedClassifier,
    Failure,
    Query,
    Run,
    classifier_of,
)
from maeum.testing import make_speech_checkpoint, make_text_checkpoint
from maeum.training import train

CHECKOUT = Path(__file__).parents[2]
SAID = "정말 마음이 아프다"
ENGINES = ("onnx", "openvino")

each_engine = pytest.mark.parametrize("engine", ENGINES)


@pytest.fixture(scope="session")
def exported(made_run, tmp_path_factory):
    """Folders of one run exported for each engine; nobody writes to them."""
    folder = tmp_path_factory.mktemp("exported")
    for engine in ENGINES:
        export(made_run.folder, folder / engine, engine=engine)
    return folder


@pytest.fixture(scope="session")
def recordings(made_corpus):
    return [str(made_corpus.audio_root / name) for name in made_corpus.utterances["audio"]]


@pytest.fixture(scope="session")
def dialogues(made_corpus):
    """The corpus with a dialogue per speaker."""
    rows = made_corpus.utterances.with_columns(
        dialogue=pl.col("speaker"), turn=pl.int_range(pl.len()).over("speaker").cast(pl.Int32)
    )
    return made_corpus.with_utterances(rows.cast(made_corpus.utterances.schema))


def chances(found):
    return list(found.probabilities.values())


# -- the same answers --------------------------------------------------------------------------


@each_engine
def test_it_answers_as_the_run_does(exported, made_run, recordings, engine):
    model = classifier_of(exported / engine)
    assert isinstance(model, ExportedClassifier)
    for asked in ({"audio": recordings[0]}, {"text": SAID}, {"audio": recordings[3], "text": SAID}):
        one, other = model(**asked), made_run.model(**asked)
        np.testing.assert_allclose(chances(one), chances(other), atol=1e-5)
        assert (one.emotion, one.modalities) == (other.emotion, other.modalities)


@each_engine
def test_it_is_evaluated_as_the_run_is(exported, made_run, made_corpus, engine):
    one, other = (evaluate(folder, made_corpus) for folder in (exported / engine, made_run.folder))
    assert one.answers["answer"].to_list() == other.answers["answer"].to_list()
    assert (one.part, one.protocol) == ("test", "speaker")
    assert one.leaks == other.leaks


def test_many_are_answered_in_order_with_failures_where_they_stand(exported, recordings):
    model = classifier_of(exported / "onnx")
    asked = [Query(recordings[0], SAID), Query("none.wav"), Query(None, " "), Query(None, SAID)]
    found = list(model.predict(asked))
    assert [isinstance(one, Failure) for one in found] == [False, True, True, False]


@pytest.mark.parametrize(
    ("engine", "fusion", "context"),
    [
        ("openvino", "cross", 2),  # with all there is to export
        *(
            pytest.param(engine, fusion, context, marks=pytest.mark.slow)
            for engine, fusion, context in product(ENGINES, ("late", "gated", "cross"), (0, 2))
            if (engine, fusion, context) != ("openvino", "cross", 2)
        ),
    ],
)
def test_every_fusion_and_context_is_exported(
    dialogues, quick, tmp_path, without_report, engine, fusion, context
):
    run = train(dialogues, tmp_path / "run", fusion=fusion, context=context, **quick)
    done = export(run.folder, tmp_path / "made", engine=engine, corpus=dialogues)
    assert done.agreement.utterances == 36
    assert done.agreement.difference < 1e-5
    model, text = classifier_of(tmp_path / "made"), {"text": SAID}
    np.testing.assert_allclose(chances(model(**text)), chances(run.model(**text)), atol=1e-5)


@pytest.mark.parametrize("modality", ["speech", "text"])
def test_a_run_of_one_modality_is_exported(
    made_corpus, quick, tmp_path, without_report, recordings, modality
):
    run = train(made_corpus, tmp_path / "run", modality=modality, **quick)
    export(run.folder, tmp_path / "made")
    asked = {"audio": recordings[0]} if modality == "speech" else {"text": SAID}
    model = classifier_of(tmp_path / "made")
    np.testing.assert_allclose(chances(model(**asked)), chances(run.model(**asked)), atol=1e-5)
    with pytest.raises(RunError, match=f"takes {modality}; none was given"):
        model()


def test_a_run_that_compares_voices_still_does(
    made_corpus, quick, tmp_path, without_report, recordings
):
    run = train(made_corpus, tmp_path / "run", normalize="speaker", **quick)
    done = export(run.folder, tmp_path / "made", corpus=made_corpus, most=5)
    assert done.agreement.difference < 1e-5
    folder = tmp_path / "voice"
    folder.mkdir()
    for path in recordings[:6]:
        shutil.copy(path, folder)
    one, other = (
        model(recordings[0], voice=model.voice_in(folder))
        for model in (classifier_of(tmp_path / "made"), run.model)
    )
    np.testing.assert_allclose(chances(one), chances(other), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("tune", ["lora", "frozen", "full"])
def test_pretrained_encoders_go_with_it_with_the_weights_they_have(
    made_corpus, tmp_path, without_report, recordings, tune
):
    if tune == "lora":
        pytest.importorskip("peft")
    some = made_corpus.with_utterances(made_corpus.utterances.gather_every(3))
    run = train(
        some,
        tmp_path / "run",
        speech=str(make_speech_checkpoint(tmp_path / "hears", "wav2vec2-base")),
        text="builtin:letters+" + str(make_text_checkpoint(tmp_path / "reads", "klue-bert")),
        tune=tune,
        split="none",
        epochs=1,
        batch_size=6,
        cut_s=1.0,
        encoder_lr=None if tune == "frozen" else 1e-3,
    )
    done = export(run.folder, tmp_path / "made", engine="openvino", corpus=some)
    assert done.agreement.cosine["speech"].lowest > 0.999999
    asked = {"audio": recordings[0], "text": SAID}
    expected = chances(run.model(**asked))
    shutil.rmtree(run.folder)  # nothing of the run, nor of what it was made of, is needed
    shutil.rmtree(tmp_path / "hears")
    shutil.rmtree(tmp_path / "reads")
    found = classifier_of(tmp_path / "made")(**asked)
    np.testing.assert_allclose(chances(found), expected, atol=1e-5)


WITHOUT_TORCH = f"""
import sys
from importlib.machinery import ModuleSpec

class Missing:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name.partition(".")[0] in {LEFT_OUT} else None
    def create_module(self, spec):
        raise ModuleNotFoundError(f"No module named {{spec.name!r}}", name=spec.name)
    def exec_module(self, module):
        pass

sys.meta_path.insert(0, Missing())
from maeum.cli import main
main()
"""


def maeum_without_torch(*words):
    typed = [sys.executable, "-c", WITHOUT_TORCH, *map(str, words)]
    return subprocess.run(typed, capture_output=True, text=True, check=False)


@each_engine
def test_it_answers_where_torch_is_not_installed(exported, made_run, recordings, engine):
    words = ("predict", exported / engine, recordings[0], "--text", SAID, "--json")
    ended = maeum_without_torch(*words)
    assert ended.returncode == 0, ended.stderr
    found = json.loads(ended.stdout)
    expected = made_run.model(recordings[0], text=SAID)
    assert found["emotion"] == expected.emotion
    assert found["confidence"] == pytest.approx(expected.confidence, abs=1e-5)


def test_pretrained_encoders_answer_where_torch_is_not_installed(
    made_corpus, tmp_path, without_report, recordings
):
    run = train(
        made_corpus,
        tmp_path / "run",
        speech=str(make_speech_checkpoint(tmp_path / "hears", "wav2vec2-base")),
        text=str(make_text_checkpoint(tmp_path / "reads", "kobert-skt")),
        split="none",
        epochs=1,
        cut_s=1.0,
    )
    export(run.folder, tmp_path / "made", engine="openvino")
    words = ("predict", tmp_path / "made", recordings[0], "--text", SAID, "--json")
    ended = maeum_without_torch(*words)
    assert ended.returncode == 0, ended.stderr
    expected = run.model(recordings[0], text=SAID)
    assert json.loads(ended.stdout)["confidence"] == pytest.approx(expected.confidence, abs=1e-5)


def test_a_run_where_torch_is_not_installed_says_what_is_missing(made_run):
    ended = maeum_without_torch("predict", made_run.folder, "--text", SAID)
    assert ended.returncode == 1
    assert "which is not installed" in ended.stderr
    assert "with an exported folder" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


# -- the gate ----------------------------------------------------------------------------------


def test_what_was_measured_is_kept_and_given_back(made_run, made_corpus, tmp_path):
    done = export(made_run.folder, tmp_path / "made", corpus=made_corpus, most=20)
    told = json.loads((tmp_path / "made" / "exported.json").read_text(encoding="utf-8"))
    assert told["agreement"] == done.to_dict()["agreement"]
    assert done.agreement.utterances == 20
    assert done.agreement.same == 1
    assert (told["engine"], told["precision"]) == ("onnx", "float32")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (Limits(cosine=1.1, same=0), "the lowest cosine of speech is 1.0"),
        pytest.param(
            Limits(cosine=0, same=1.1),
            "100.0% of the answers are the same, expected 110.0%",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Limits(cosine=0, same=0, difference=-1),
            "a probability differs by",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_differs_too_much_leaves_nothing_behind(made_run, made_corpus, tmp_path, limits, said):
    with pytest.raises(RunError) as error:
        export(made_run.folder, tmp_path / "made", corpus=made_corpus, limits=limits)
    assert said in str(error.value)
    assert "nothing was written" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_rounding_takes_a_corpus_and_says_why(made_run, tmp_path):
    with pytest.raises(SettingsError, match="bfloat16 rounds, and how much that changes differs"):
        export(made_run.folder, tmp_path / "made", engine="openvino", precision="bfloat16")
    with pytest.raises(SettingsError, match="name a corpus to measure it on"):
        export(made_run.folder, tmp_path / "made", precision="int8")


def test_a_corpus_of_which_nothing_can_be_used_is_refused(made_run, corpus_of, tmp_path):
    corpus = corpus_of(Utterance("u0", "Happy", audio="gone.wav"))
    with pytest.raises(CorpusError, match="nothing to compare"):
        export(made_run.folder, tmp_path / "made", corpus=corpus)
    assert not (tmp_path / "made").exists()


def test_the_test_part_is_drawn_first_and_a_seed_draws_the_same(made_corpus, made_run):
    tested = made_run.part(made_corpus, "test").utterances["id"].to_list()
    some = drawn(made_corpus, tested, most=len(tested) + 3, seed=1)
    assert set(tested) <= set(some.ids)
    assert len(some.ids) == len(some.some) == len(tested) + 3
    assert (
        drawn(made_corpus, tested, most=9, seed=1).ids
        == drawn(made_corpus, tested, most=9, seed=1).ids
    )
    assert drawn(made_corpus, [], most=9, seed=1).ids != drawn(made_corpus, [], most=9, seed=2).ids
    assert drawn(made_corpus, [], most=99, seed=0).ids == tuple(made_corpus.utterances["id"])


def test_those_of_the_same_voice_come_along(made_corpus):
    one = drawn(made_corpus, [], most=1, seed=0)
    (voice,) = one.some.utterances["speaker"]
    assert set(one.corpus.utterances["speaker"]) == {voice}
    assert len(one.corpus) == 6


def test_limits_say_what_is_beyond_them():
    fine = Agreement(9, {"speech": Likeness(1.0, 1.0)}, difference=0.0, same=1.0, failed=0)
    assert fine.beyond(LIMITS["float32"]) == []
    assert "1 utterance(s) cannot be used" in replace(fine, failed=1).beyond(LIMITS["int8"])[0]
    nan = replace(fine, cosine={"text": Likeness(float("nan"), 1.0)})
    assert "cosine of text" in nan.beyond(LIMITS["int8"])[0]


# -- what is refused ---------------------------------------------------------------------------


def test_a_folder_with_something_else_in_it_is_left_alone(made_run, tmp_path):
    (tmp_path / "kept.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(RunError, match="holds something else; name another folder"):
        export(made_run.folder, tmp_path)
    with pytest.raises(RunError, match="holds something else"):
        export(made_run.folder, made_run.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_an_exported_folder_is_replaced_whole(made_run, tmp_path):
    export(made_run.folder, tmp_path / "made", engine="openvino")
    export(made_run.folder, tmp_path / "made", engine="onnx")
    assert not [*(tmp_path / "made").glob("*.xml")]
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_an_exported_run_is_not_exported_again(exported, tmp_path):
    with pytest.raises(RunError, match="is exported already; name the run it was made of"):
        export(exported / "onnx", tmp_path / "again")


def test_where_weights_are_needed_an_exported_folder_is_refused_in_words(exported):
    with pytest.raises(RunError, match="is an exported run, without weights to train"):
        EmotionClassifier.from_pretrained(exported / "onnx")
    with pytest.raises(RunError, match="is an exported run"):
        _ = Run.open(exported / "onnx").model


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("exported.json", b"{"),
        ("exported.json", b'{"format": 99}'),
        ("exported.json", b'{"format": 1, "engine": "onnx"}'),
        ("exported.json", b'{"format": 1, "engine": "magic"}'),
        ("head.onnx", b"nothing"),
        ("head.onnx", None),
    ],
)
def test_a_broken_folder_is_refused_with_what_to_do(exported, tmp_path, name, content):
    folder = shutil.copytree(exported / "onnx", tmp_path / "copy")
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    with pytest.raises(RunError, match="export the run again"):
        classifier_of(folder)


def test_a_graph_of_another_network_is_refused_when_it_is_asked(exported, tmp_path):
    folder = shutil.copytree(exported / "onnx", tmp_path / "copy")
    told = json.loads((folder / "exported.json").read_text(encoding="utf-8"))
    told["encoders"]["text"][0]["dim"] = 7
    (folder / "exported.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises((RunError, EncoderError), match="export the run again"):
        classifier_of(folder)(text=SAID)


def test_the_page_names_all_that_a_machine_without_torch_needs():
    page = (CHECKOUT / "docs" / "export.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"pip install (av (?:[\w-]+|\s|\\)+)\npip", page)
    named = set(listed.replace("\\", " ").split())
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[>=<,]", one)[0] for one in project["dependencies"]}
    left_out = {module.lower().replace("_", "-") for module in LEFT_OUT}
    by_others = {"huggingface-hub"}  # tokenizers brings it
    assert named - {"tokenizers"} == needed - left_out - by_others  # transformers brings tokenizers
