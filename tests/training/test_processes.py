"""Two processes that train together learn what one does."""

import json
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import torch
from transformers import TrainerControl, TrainerState, TrainingArguments

from maeum.config import Settings
from maeum.corpus import import_corpus
from maeum.errors import SettingsError
from maeum.testing import make_corpus, make_speech_checkpoint, make_text_checkpoint
from maeum.training import crossval, processes
from maeum.training.fit import ChanceOfItsOwn

STEPS = 20


USUAL = f"--split none --batch-size 8 --epochs {STEPS // 4}"


def trained(folder, corpus, speech, text, *, count, options=USUAL):
    """What a run learnt by so many processes logged, and what it printed."""
    run = folder / f"by-{count}"
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(count), "--standalone"]
    quiet = "--dropout 0 --modality-dropout 0 --no-encoder-noise --class-weights balanced --no-bf16"
    command = [
        sys.executable,
        *(torchrun if count > 1 else []),
        *("-m", "maeum", "train", str(corpus), "--to", str(run)),
        *("--speech", str(speech), "--text", str(text)),
        *options.split(),
        *("--tune", "full", "--hidden-size", "8", *quiet.split()),
    ]
    usual = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    env = usual | {"OMP_NUM_THREADS": "1", "MAEUM_CACHE": str(folder / "cache")}
    ended = subprocess.run(command, capture_output=True, text=True, env=env, timeout=280)
    assert ended.returncode == 0, ended.stderr
    return json.loads((run / "log.json").read_text(encoding="utf-8")), ended


def logged(log, name):
    return [entry[name] for entry in log if name in entry]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    speech = make_speech_checkpoint(folder / "speech", "wav2vec2-large-robust")
    return speech, make_text_checkpoint(folder / "text", "kcelectra")


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """32 utterances of four speakers."""
    folder = tmp_path_factory.mktemp("corpus")
    table = make_corpus(folder / "made", speakers=4, scripts_per_emotion=2)
    made = import_corpus("table", table, folder / "corpus")
    parts = ["train", "train", "validation", "test"] * 8
    rows = made.utterances.head(32).with_columns(part=pl.Series(parts))
    made.with_utterances(rows).save(folder / "corpus")
    return folder / "corpus"


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(tmp_path, corpus, pair):
    alone, _ = trained(tmp_path, corpus, *pair, count=1)
    together, ended = trained(tmp_path, corpus, *pair, count=2)
    assert len(logged(alone, "loss")) == STEPS
    assert logged(together, "loss") == pytest.approx(logged(alone, "loss"), abs=1e-5)
    assert ended.stdout.count("trained on everything") == 1  # one of them speaks
    assert ended.stderr.count("split none") == 1


@pytest.mark.slow
def test_two_processes_validate_and_stop_as_one_does(tmp_path, corpus, pair):
    options = "--split given --batch-size 8 --epochs 8 --patience 1 --lr 0.1"
    alone, _ = trained(tmp_path, corpus, *pair, count=1, options=options)
    together, ended = trained(tmp_path, corpus, *pair, count=2, options=options)
    validated = logged(alone, "eval_loss")
    assert 1 < len(validated) < 8
    assert logged(together, "eval_loss") == pytest.approx(validated, abs=1e-4)
    assert ended.stdout.count("report.html") == 1


@pytest.fixture
def two(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")


def test_a_batch_is_shared_out_to_processes_and_pieces(two):
    settings = Settings(tune="full", speech="x/y", batch_size=32, accumulate=4)
    assert processes.per_step(settings) == 4


def test_a_batch_that_cannot_be_shared_out_is_refused(two):
    with pytest.raises(SettingsError, match=r"a batch of 9 cannot be parted .* a multiple of 2"):
        processes.per_step(Settings(tune="full", speech="x/y", batch_size=9))


def test_what_one_process_does_is_not_begun_by_two(two, made_corpus):
    with pytest.raises(SettingsError, match="start it without torchrun"):
        processes.per_step(Settings())
    with pytest.raises(SettingsError, match="a cross-validation trains in one process"):
        crossval(made_corpus, epochs=1)


def test_every_process_draws_noise_of_its_own(two, monkeypatch):
    drawn = []
    for rank in "01":
        monkeypatch.setenv("RANK", rank)
        arguments = TrainingArguments(seed=3)
        ChanceOfItsOwn().on_train_begin(arguments, TrainerState(), TrainerControl())
        drawn.append((float(torch.rand(())), float(np.random.rand())))
    assert drawn[0][0] != drawn[1][0]
    assert drawn[0][1] != drawn[1][1]


def test_a_resumed_run_goes_on_with_the_noise_it_had(two):
    torch.manual_seed(7)
    expected = torch.rand(())
    torch.manual_seed(7)
    state = TrainerState(global_step=4)
    ChanceOfItsOwn().on_train_begin(TrainingArguments(seed=3), state, TrainerControl())
    assert torch.rand(()) == expected


def test_alone_the_first_finds_and_no_one_waits():
    with processes.first_before_others():
        assert processes.as_first_finds(lambda: [1, 2]) == [1, 2]
