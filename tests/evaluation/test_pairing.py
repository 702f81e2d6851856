"""Two folders compared: which utterances are fair, what they are called, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from maeum import crossval, train
from maeum.corpus import import_corpus
from maeum.corpus.identity import hashed
from maeum.errors import EmotionError, RunError
from maeum.evaluation import compare_runs
from maeum.evaluation.answered import read_answers
from maeum.evaluation.pairing import distinguishing
from maeum.inference import Run
from maeum.testing import make_corpus

QUICK = {"epochs": 2, "batch_size": 8, "hidden_size": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("compared")


def corpus(folder, seed=3, **changes):
    shape = {"speakers": 6, "scripts_per_emotion": 3, "emotions": ("Happy", "Angry", "Sad")}
    made = make_corpus(folder / f"made-{seed}", seed=seed, **{**shape, **changes})
    return import_corpus("table", made)


@pytest.fixture(scope="module")
def told(folder):
    """54 clips: 6 speakers, women and men among them, say 9 sentences."""
    made = corpus(folder)
    spoken = made.utterances["speaker"].str.slice(-1).str.to_integer(strict=False).fill_null(0)
    gender = pl.Series(["female" if place % 2 else "male" for place in spoken])
    return made.with_utterances(made.utterances.with_columns(gender=gender))


@pytest.fixture(scope="module")
def strangers(folder):
    return corpus(folder, seed=11, audio=False, scripts_per_emotion=2)


@pytest.fixture(scope="module")
def voice(told, folder):
    return train(told, folder / "runs" / "voice", modality="speech", split="speaker", **QUICK)


@pytest.fixture(scope="module")
def words(told, folder):
    return train(told, folder / "runs" / "words", modality="text", split="speaker", **QUICK)


@pytest.fixture(scope="module")
def folds(told, folder):
    """A cross-validation of speech and one of text."""
    return [
        crossval(told, folder / "folds" / side, folds=3, modality=side, **QUICK).folder
        for side in ("speech", "text")
    ]


def hashes(corpus):
    return set(hashed(corpus.utterances)["utterance"])


# -- what a folder keeps -----------------------------------------------------------------------


def test_a_run_keeps_its_answers_without_text_path_or_id(voice, told):
    kept = pl.read_parquet(voice.folder / "report" / "answers.parquet")
    assert set(kept["utterance"]) == hashes(voice.part(told, "test"))
    assert set(kept["speaker"]) <= set(hashed(told.utterances)["speaker"])
    shown = {str(value) for column in kept for value in column}
    for column in ("id", "text", "audio", "speaker", "script"):
        assert not shown & set(told.utterances[column])


def test_neither_the_numbers_nor_the_answers_name_a_speaker(folds, told):
    for name in ("metrics.json", "answers.parquet"):
        held = (folds[0] / "report" / name).read_bytes()
        for value in {*told.utterances["speaker"], *told.utterances["text"]}:
            assert json.dumps(value).encode() not in held
            assert len(value) < 4 or value.encode() not in held


def test_a_cross_validation_keeps_an_answer_to_every_utterance(folds, told):
    for place in folds:
        assert set(read_answers(place)["utterance"]) == hashes(told)


def test_what_is_kept_is_what_was_measured(folds):
    kept = read_answers(folds[1])
    accuracy = (kept["truth"] == kept["answer"]).mean()
    assert Run.open(folds[1]).metrics["accuracy"] == pytest.approx(accuracy)
    assert set(Run.open(folds[1]).metrics["by_group"]) == {"gender", "speaker"}


# -- what is fair ------------------------------------------------------------------------------


def test_two_cross_validations_are_compared_on_every_utterance(folds, told):
    found = compare_runs(*folds)
    assert found.names == ("speech", "text")
    assert (found.n, found.ci95_over, found.units) == (len(told), "speakers", 6)
    assert not any(found.left_out.values())
    metrics = [Run.open(place).metrics["accuracy"] for place in folds]
    accuracy = found.differences["accuracy"]
    assert [accuracy.first, accuracy.second] == pytest.approx(metrics)


def test_runs_of_one_split_are_compared_on_their_test(voice, words, told):
    found = compare_runs(voice, words)
    assert found.n == len(voice.part(told, "test")) > 0
    assert found.left_out["met"] == 0


def test_a_run_and_a_cross_validation_meet_in_the_test_of_the_run(words, folds, told):
    found = compare_runs(words, folds[0])
    tested = len(words.part(told, "test"))
    assert found.n == tested
    assert found.left_out["only_second"] == len(told) - tested


def test_the_test_of_one_in_the_training_of_the_other_is_left_out(words, told, folder):
    other = train(
        told, folder / "runs" / "random", modality="text", split="random", split_seed=4, **QUICK
    )
    tested = hashes(words.part(told, "test")) & hashes(other.part(told, "test"))
    assert compare_runs(words, other).n == len(tested) > 0
    found = compare_runs(words, other, told)
    assert (found.n, found.left_out["met"]) == (len(tested), len(told) - len(tested))


def test_a_corpus_of_both_is_compared_on_what_neither_learnt(voice, words, told):
    found = compare_runs(voice, words, told)
    assert found.n == len(voice.part(told, "test"))
    assert found.left_out["met"] == len(told) - found.n
    assert found.differences == compare_runs(voice, words).differences


def test_another_corpus_is_compared_whole(words, strangers, folder, told):
    seeded = train(
        told, folder / "runs" / "seed-1", modality="text", split="speaker", seed=1, **QUICK
    )
    found = compare_runs(words, seeded, strangers)
    assert (found.n, found.left_out["met"]) == (len(strangers), 0)


def test_a_corpus_both_learnt_whole_is_refused(told, folder):
    runs = [
        train(told, folder / "whole" / str(seed), modality="text", split="none", seed=seed, **QUICK)
        for seed in (0, 1)
    ]
    with pytest.raises(RunError, match="every utterance of this corpus was in the training"):
        compare_runs(*runs, told)
    with pytest.raises(RunError, match="keeps no answers"):
        compare_runs(*runs)


def test_what_the_weights_of_a_cross_validation_began_with_is_left_out(words, folds, told, folder):
    began = crossval(told, folder / "folds" / "began", folds=3, start=str(words.folder), epochs=1)
    found = compare_runs(began.folder, folds[0])
    assert found.left_out["met"] == len(words.part(told, "train"))
    assert found.n == len(told) - found.left_out["met"]


def test_unlike_protocols_are_said(folds, told, folder):
    random = crossval(
        told, folder / "folds" / "random", by="random", folds=3, modality="text", **QUICK
    )
    notes = compare_runs(folds[1], random.folder).notes
    assert any("text was tested by speaker, random by random" in note for note in notes)


# -- what is refused ---------------------------------------------------------------------------


def test_unlike_emotions_are_refused(words, folder):
    feared = corpus(folder, seed=5, emotions=("Happy", "Angry", "Fear"))
    other = train(feared, folder / "runs" / "feared", modality="text", split="speaker", **QUICK)
    with pytest.raises(
        EmotionError, match=r"words tells Happy, Angry, Sad apart, feared .*Fear.*tr"
    ):
        compare_runs(words, other)


def test_a_run_is_not_compared_with_itself(words):
    with pytest.raises(RunError, match="are one folder; name two runs"):
        compare_runs(words, words.folder / ".." / "words")


def test_a_cross_validation_answers_no_corpus(words, folds, told):
    with pytest.raises(RunError, match="keeps no network to answer a corpus"):
        compare_runs(folds[0], words, told)


def test_a_folder_that_is_no_run_is_refused(words, tmp_path):
    with pytest.raises(RunError, match="is no run"):
        compare_runs(words, tmp_path)


@pytest.fixture
def copied(folds, tmp_path):
    return Path(shutil.copytree(folds[0], tmp_path / "copied"))


def test_answers_from_before_they_were_kept_are_asked_for(folds, copied):
    (copied / "report" / "answers.parquet").unlink()
    with pytest.raises(RunError, match=r"keeps no answers .* name a corpus"):
        compare_runs(folds[1], copied)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda table: table.drop("truth"), "cannot be read"),
        (lambda table: pl.concat([table, table.head(1)]), "answers an utterance twice"),
        (lambda table: table.with_columns(answer=pl.lit("Joy")), "name 'Joy' where Happy"),
        (lambda table: table.with_columns(truth=pl.lit(3)), "in common under the same label"),
    ],
)
def test_answers_that_are_not_ours_are_refused(folds, copied, spoil, said):
    path = copied / "report" / "answers.parquet"
    spoil(pl.read_parquet(path)).write_parquet(path)
    with pytest.raises(RunError, match=said):
        compare_runs(copied, folds[1])


def test_a_broken_file_of_answers_is_refused(folds, copied):
    (copied / "report" / "answers.parquet").write_bytes(b"PAR1 not")
    with pytest.raises(RunError, match=r"answers.parquet cannot be read"):
        compare_runs(copied, folds[1])


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("runs/both", "runs/speech", ("both", "speech")),
        ("monday/both", "tuesday/both", ("monday", "tuesday")),
        ("a/x/run", "b/x/run", ("a", "b")),
    ],
)
def test_folders_go_by_what_tells_them_apart(first, second, names):
    assert distinguishing(Path(first), Path(second)) == names
