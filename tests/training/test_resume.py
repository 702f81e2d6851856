"""A run killed at any moment and started again ends as one that was not, bit for bit."""

import random
import shutil
from functools import partial

import pytest
import torch
from interrupted import killed_after, killed_at

from maeum.config import Settings
from maeum.training import train
from maeum.training.checkpoints import STATE, last_checkpoint
from maeum.training.learn import Material

EPOCHS, BATCH, TRAINED = 6, 8, 24  # 3 steps an epoch
STOPPING = {"patience": 2, "epochs": 30, "lr": 0.03, "label_smoothing": 0.0}
"""Early stopping, and a rate at which the validation loss soon rises."""

WHILE_LEARNING = {
    "in the first step": ("transformers:Trainer.training_step", 1),
    "in the middle of an epoch": ("transformers:Trainer.training_step", 5),
    "as the first checkpoint is written": ("torch:save", 2),
    "as a later checkpoint is written": ("torch:save", 5),
    "before a checkpoint says that it is whole": ("transformers:TrainerState.save_to_json", 1),
    "as an old checkpoint is removed": ("shutil:rmtree", 1),
    "when all is learnt and nothing is kept": ("maeum.training.bar:TrainingBar.on_train_end", 1),
}
"""Moment -> the function in which the process dies, and at which call of it."""

AT_THE_END = WHILE_LEARNING["when all is learnt and nothing is kept"]


def learn(material, checkpoints):
    ids = list(material.corpus.utterances["id"])
    return material.learn(ids[:TRAINED], ids[TRAINED:], checkpoints=checkpoints)


def weights(learnt):
    classifier, _ = learnt
    return classifier.network.state_dict()


def validation_losses(learnt):
    _, history = learnt
    return [entry["eval_loss"] for entry in history if "eval_loss" in entry]


def equal(some, others):
    return some.keys() == others.keys() and all(torch.equal(some[k], others[k]) for k in some)


@pytest.fixture(scope="module")
def material_for(made_corpus, made_features):
    def gather(**settings):
        chosen = {"epochs": EPOCHS, "batch_size": BATCH, "hidden_size": 8, **settings}
        return Material.gather(made_corpus, Settings.of(**chosen), made_features)

    return gather


@pytest.fixture(scope="module")
def plain(material_for, tmp_path_factory):
    """What learns, and what an uninterrupted run of it learns."""
    material = material_for()
    return material, weights(learn(material, tmp_path_factory.mktemp("plain")))


@pytest.fixture(scope="module")
def stopping(material_for, tmp_path_factory):
    """The same with early stopping, which must stop before the last epoch, past the best."""
    material = material_for(**STOPPING)
    learnt = learn(material, tmp_path_factory.mktemp("stopping"))
    losses = validation_losses(learnt)
    assert len(losses) < STOPPING["epochs"]
    assert losses.index(min(losses)) == len(losses) - 1 - STOPPING["patience"]
    return material, weights(learnt)


def test_a_run_killed_at_every_kind_of_moment_ends_with_the_same_weights(plain, tmp_path):
    material, expected = plain
    for moment in WHILE_LEARNING.values():
        killed_at(*moment, learn, material, tmp_path)
    assert equal(weights(learn(material, tmp_path)), expected)


def test_a_killed_run_that_stops_early_ends_with_the_same_weights(stopping, tmp_path):
    material, expected = stopping
    for moment in list(WHILE_LEARNING)[1:4]:
        killed_at(*WHILE_LEARNING[moment], learn, material, tmp_path)
    assert equal(weights(learn(material, tmp_path)), expected)


def test_a_run_that_had_stopped_early_does_not_learn_on(stopping, tmp_path):
    material, expected = stopping
    killed_at(*AT_THE_END, learn, material, tmp_path)
    before = last_checkpoint(tmp_path)
    again = learn(material, tmp_path)
    assert last_checkpoint(tmp_path) == before
    assert equal(weights(again), expected)


def test_a_killed_run_remembers_for_how_long_nothing_was_better(stopping, tmp_path):
    material, expected = stopping
    whole = validation_losses(learn(material, tmp_path / "whole"))
    in_the_last_epoch = 3 * (len(whole) - 1) + 2
    killed = tmp_path / "killed"
    killed_at("transformers:Trainer.training_step", in_the_last_epoch, learn, material, killed)
    again = learn(material, killed)
    assert validation_losses(again) == whole
    assert equal(weights(again), expected)


def test_a_run_moved_elsewhere_still_finds_its_best_weights(stopping, tmp_path):
    material, expected = stopping
    learn(material, tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert equal(weights(learn(material, tmp_path / "there")), expected)


@pytest.mark.parametrize("rest", ["", '{"epoch": 4.0, "glo'], ids=["empty", "cut"])
def test_a_checkpoint_cut_short_is_passed_over(plain, tmp_path, rest):
    material, expected = plain
    killed_at("transformers:Trainer.training_step", 14, learn, material, tmp_path)
    whole = last_checkpoint(tmp_path)
    half = tmp_path / "checkpoint-15"
    shutil.copytree(whole.folder, half)
    (half / STATE).write_text(rest, encoding="utf-8")
    assert last_checkpoint(tmp_path) == whole
    assert equal(weights(learn(material, tmp_path)), expected)


def test_a_run_that_is_not_interrupted_looks_at_no_checkpoint(tmp_path):
    assert last_checkpoint(None) is None
    assert last_checkpoint(tmp_path / "none") is None
    assert last_checkpoint(tmp_path) is None


# -- the whole of `train` --------------------------------------------------------------------

ANYWHERE = {
    "as the first file is put in place": ("pathlib:Path.replace", 1),
    "in the middle of training": ("transformers:Trainer.training_step", 5),
    "between the weights and the log": ("maeum.training.single:write_json", 1),
    "as the report is written": ("maeum.evaluation.writing:png", 1),
    "as the model card is put in place": ("maeum.training.single:model_card", 1),
}


@pytest.fixture(scope="module")
def work(made_corpus, made_features, quick):
    """Type the same command: `work(folder)`."""
    return partial(train, made_corpus, features=made_features, **quick)


def test_the_same_typed_again_finishes_a_run_wherever_it_was_killed(work, made_run, tmp_path):
    for moment in ANYWHERE.values():
        killed_at(*moment, work, tmp_path / "run")
    assert_like(work(tmp_path / "run"), made_run)


def test_a_run_killed_five_times_at_any_moment_ends_as_if_nothing_had_been(
    work, made_run, tmp_path
):
    chance = random.Random(0)
    soonest_first = sorted(
        chance.uniform(0.02, 0.5) for _ in range(5)
    )  # a run takes under a second
    killed = [killed_after(delay_s, work, tmp_path / "run") for delay_s in soonest_first]
    assert any(killed)
    assert_like(work(tmp_path / "run"), made_run)


def assert_like(run, whole):
    """The same weights and numbers, and nothing left of the work."""
    assert run.finished
    for name in ("model.safetensors", "partition.parquet"):
        assert (run.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    assert run.metrics["accuracy"] == whole.metrics["accuracy"]
    assert {path.name for path in run.folder.iterdir() if not path.name.startswith(".")} == {
        path.name for path in whole.folder.iterdir()
    }
