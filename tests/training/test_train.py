"""`train`: a corpus in, a tested run out, and a folder that says all of it."""

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from maeum import EmotionClassifier, train
from maeum.corpus.manifest import Utterance
from maeum.corpus.splits import split
from maeum.errors import CorpusError, RunError, SamplingError, SettingsError
from maeum.inference import Run
from maeum.training import crossval

TEXT = {"modality": "text", "epochs": 2, "hidden_size": 8}


def weights_file(run):
    return run.folder / "model.safetensors"


@pytest.fixture(autouse=True)
def quick_reports(request):
    if "made_run" not in request.fixturenames:
        request.getfixturevalue("without_report")


# -- what a run folder holds -------------------------------------------------------------------


def test_a_run_folder_holds_what_it_says(made_run):
    names = {str(path.relative_to(made_run.folder)) for path in made_run.folder.rglob("*")}
    assert names == {
        "config.json",
        "model.safetensors",
        "maeum.yaml",
        "partition.parquet",
        "log.json",
        "report",
        "report/metrics.json",
        "report/answers.parquet",
        "report/confusion.png",
        "report/report.html",
        "README.md",
    }


def test_the_card_says_what_was_learnt_from(made_run, made_corpus):
    card = made_run.card
    assert card["corpus"] == {
        "fingerprint": made_corpus.fingerprint,
        "reader": "table",
        "utterances": 36,
    }
    parts = split(made_corpus.utterances, "speaker")
    assert card["split"] == parts.to_dict()
    assert card["used"] == parts.counts
    assert made_run.settings.hidden_size == 8
    assert card["versions"]["torch"]


def test_the_log_has_the_losses_of_every_epoch(made_run):
    log = json.loads((made_run.folder / "log.json").read_text(encoding="utf-8"))
    for name in ("loss", "eval_loss"):
        losses = [entry[name] for entry in log if name in entry]
        assert len(losses) == 3
        assert all(map(math.isfinite, losses))


def test_the_partition_names_every_utterance_and_nobody(made_run, made_corpus):
    partition = made_run.partition
    assert dict(partition["part"].value_counts().iter_rows()) == made_run.card["used"]
    data = (made_run.folder / "partition.parquet").read_bytes()
    written = data + partition.write_csv().encode()
    rows = made_corpus.utterances
    words = {word for text in rows["text"] for word in text.split()}
    names = [*rows["id"], *rows["speaker"], *rows["text"], *words]
    assert not [name for name in names if name.encode() in written]


def test_parts_of_a_run_are_found_in_the_corpus_again(made_run, made_corpus):
    parts = split(made_corpus.utterances, "speaker")
    for part in ("train", "validation", "test"):
        expected = parts.rows(made_corpus.utterances, part)
        assert made_run.part(made_corpus, part).utterances.equals(expected)


def test_the_model_card_says_what_leaked_and_how_to_use_it(made_run):
    card = (made_run.folder / "README.md").read_text(encoding="utf-8")
    assert "6 of 6 sentences of the test (6 utterances) are in the training too" in card
    assert "speakers of the test" not in card
    assert "Happy, Angry, Sad" in card
    assert f"{made_run.metrics['accuracy']:.1%}" in card
    assert "from_pretrained" in card
    assert "`builtin:acoustic`" in card


def test_the_result_is_one_sentence(made_run):
    assert "of 6 utterances right" in made_run.result


def test_nothing_in_a_run_folder_names_the_machine_or_the_corpus_folder(made_run, made_corpus):
    for path in made_run.folder.rglob("*"):
        if path.suffix in (".yaml", ".json", ".md", ".html"):
            text = path.read_text(encoding="utf-8")
            assert str(made_corpus.audio_root) not in text
            assert str(Path.home()) not in text


# -- parts and samples -------------------------------------------------------------------------


def test_without_a_test_part_nothing_is_tested_and_that_is_said(told, tmp_path):
    run = train(told, tmp_path / "run", split="none", **TEXT)
    assert run.card["used"] == {"train": 108, "validation": 0, "test": 0}
    assert run.result.startswith("trained on everything")
    assert not (run.folder / "report").exists()
    card = (run.folder / "README.md").read_text(encoding="utf-8")
    assert "trained on everything" in card
    assert "nothing was tested" in card
    with pytest.raises(RunError, match="has no test; its split was none"):
        _ = run.metrics


def test_sampling_reaches_the_training_part_only(told, tmp_path):
    whole = split(told.utterances, "speaker").counts
    run = train(told, tmp_path / "run", split="speaker", per_emotion=4, **TEXT)
    assert run.card["used"] == {**whole, "train": 12}
    taken = run.part(told, "train").utterances
    assert taken["emotion"].value_counts()["count"].to_list() == [4, 4, 4]


def test_each_sentence_once_means_once_in_the_training_part(told, tmp_path):
    run = train(told, tmp_path / "run", split="speaker", distinct_text=True, **TEXT)
    taken = run.part(told, "train").utterances
    assert taken["script"].n_unique() == len(taken) == 18
    assert run.card["used"]["test"] == 18


def test_a_wish_that_cannot_be_met_writes_nothing(told, tmp_path):
    with pytest.raises(SamplingError):
        train(told, tmp_path / "run", per_emotion=10_000, **TEXT)
    with pytest.raises(CorpusError):
        train(told, tmp_path / "run", modality="speech")
    assert not (tmp_path / "run").exists()


def test_the_seed_of_the_run_does_not_touch_the_split(told, tmp_path):
    runs = [
        train(told, tmp_path / f"{seed}{by}", split="random", seed=seed, split_seed=by, **TEXT)
        for seed, by in ((0, 0), (1, 0), (0, 1))
    ]
    first, same, other = (run.card["split"]["fingerprint"] for run in runs)
    assert first == same != other


def test_utterances_that_cannot_be_used_are_in_no_part(corpus_of, tmp_path):
    few = corpus_of(
        *(
            Utterance(f"{emotion}{number}", emotion, text=f"말 {number}")
            for emotion in ("Happy", "Sad")
            for number in range(10)
        ),
        Utterance("broken", "Sad", audio="none.wav"),
    )
    run = train(few, tmp_path / "run", split="none", **{**TEXT, "modality": "both"})
    assert run.card["used"]["train"] == 20
    assert len(run.partition) == 20


# -- the folder --------------------------------------------------------------------------------


def test_the_same_settings_return_the_finished_run_untouched(told, tmp_path):
    first = train(told, tmp_path / "run", **TEXT)
    before = weights_file(first).stat()
    again = train(told, tmp_path / "run", **TEXT, overwrite=True)
    assert weights_file(again).stat() == before


def test_other_settings_are_refused_by_name_and_replace_when_told(told, tmp_path):
    first = train(told, tmp_path / "run", seed=1, **TEXT)
    before = weights_file(first).read_bytes()
    with pytest.raises(RunError, match=r"differs in seed \(1, now 2\).*--overwrite"):
        train(told, tmp_path / "run", seed=2, **TEXT)
    assert weights_file(first).read_bytes() == before
    train(told, tmp_path / "run", seed=2, **TEXT, overwrite=True)
    assert weights_file(first).read_bytes() != before
    assert Run.open(tmp_path / "run").settings.seed == 2


def test_another_corpus_is_refused(told, tmp_path):
    train(told, tmp_path / "run", **TEXT)
    fewer = told.select(pl.col("speaker") != "s0")
    with pytest.raises(RunError, match="differs in corpus"):
        train(fewer, tmp_path / "run", **TEXT)


def test_a_folder_with_other_files_is_refused_even_with_overwrite(told, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    for overwrite in (False, True):
        with pytest.raises(RunError, match="holds other files"):
            train(told, tmp_path, overwrite=overwrite, **TEXT)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_in_place_of_the_folder_is_refused(told, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(RunError, match="is a file"):
        train(told, tmp_path / "run", **TEXT)


def test_a_card_that_cannot_be_read_is_an_error_that_names_it(told, tmp_path):
    (tmp_path / "maeum.yaml").write_text("settings: [", encoding="utf-8")
    with pytest.raises(RunError, match=r"maeum\.yaml"):
        train(told, tmp_path, **TEXT)


def test_an_empty_folder_and_a_missing_one_are_made_into_runs(told, tmp_path):
    (tmp_path / "empty").mkdir()
    assert train(told, tmp_path / "empty", **TEXT).finished
    assert train(told, tmp_path / "a" / "b", **TEXT).finished


def test_without_a_folder_a_run_lives_in_a_new_one(told):
    one, other = train(told, **TEXT), train(told, **TEXT)
    assert one.folder != other.folder
    assert weights_file(one).read_bytes() == weights_file(other).read_bytes()


def test_a_settings_file_is_followed_and_what_is_typed_stands_over_it(told, tmp_path):
    path = tmp_path / "settings.yaml"
    path.write_text("modality: text\nepochs: 1\nhidden_size: 4\n", encoding="utf-8")
    run = train(told, tmp_path / "run", config=path, hidden_size=6)
    assert (run.settings.epochs, run.settings.hidden_size) == (1, 6)
    assert run.model.network.config.hidden_size == 6


def test_an_unknown_setting_is_refused_before_anything_is_done(told, tmp_path):
    with pytest.raises(SettingsError, match="unknown setting 'epoch'"):
        train(told, tmp_path / "run", epoch=3)
    assert not (tmp_path / "run").exists()


def test_the_log_for_tensorboard_stays(told, tmp_path):
    pytest.importorskip("tensorboard")
    run = train(told, tmp_path / "run", tensorboard=True, **TEXT)
    assert list((run.folder / "tensorboard").rglob("events.out.tfevents.*"))
    assert not (run.folder / "checkpoints").exists()


# -- what is learnt ----------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["random", "speaker"])
def test_sentences_that_decide_the_emotion_are_learnt_by_heart(told, tmp_path, monkeypatch, by):
    kept = {}
    monkeypatch.setattr(
        "maeum.training.single.write_report", lambda _, found, __: kept.update(found=found)
    )
    train(told, tmp_path / "run", split=by, modality="text", epochs=15)
    assert kept["found"].scores.accuracy > 0.9


def test_a_run_that_compares_voices_says_it_has_heard_those_it_tests(
    made_corpus, made_features, quick, tmp_path
):
    run = train(made_corpus, tmp_path / "run", features=made_features, normalize="speaker", **quick)
    card = (run.folder / "README.md").read_text(encoding="utf-8")
    assert "transductive" in card
    assert run.model.needs_voice
    spread = run.model.network.side("speech").usual_spread
    assert not torch.equal(spread, torch.ones_like(spread))


def test_the_weights_on_disk_are_those_that_were_tested(made_run, made_corpus, made_features):
    model = EmotionClassifier.from_pretrained(made_run.folder)
    test = made_run.part(made_corpus, "test")
    chances = model.probabilities(made_features.take(list(test.utterances["id"])))
    right = np.mean(chances.argmax(axis=1) == np.array(test.labels))
    assert made_run.metrics["accuracy"] == pytest.approx(right)


def test_more_than_there_is_is_said_before_anything_is_encoded(made_corpus, tmp_path, monkeypatch):
    def encoded(*_, **__):
        raise AssertionError("something was encoded")

    monkeypatch.setattr("maeum.training.learn.Material.gather", encoded)
    for work, by in ((train, {"split": "speaker"}), (crossval, {"by": "speaker", "folds": 3})):
        with pytest.raises(SamplingError, match="asked for 50 utterances per emotion, found"):
            work(made_corpus, tmp_path / "x", per_emotion=50, **by)
    assert not (tmp_path / "x").exists()
