"""Two processes that train together learn what one does."""

import json
import os
import subprocess
import sys

import pytest

from maeum.config import Settings
from maeum.errors import SettingsError
from maeum.testing import make_corpus, make_speech_checkpoint, make_text_checkpoint
from maeum.training import crossval, processes

STEPS = 20


def trained(folder, corpus, speech, text, *, count):
    """The losses of a run, step by step, learnt by so many processes."""
    run = folder / f"by-{count}"
    torchrun = ["-m", "torch.distributed.run", "--nproc-per-node", str(count), "--standalone"]
    options = f"--split none --tune full --batch-size 8 --epochs {STEPS // 4} --hidden-size 8"
    quiet = "--dropout 0 --modality-dropout 0 --no-encoder-noise --class-weights balanced"
    command = [
        sys.executable,
        *(torchrun if count > 1 else []),
        *("-m", "maeum", "train", str(corpus), "--to", str(run)),
        *("--speech", str(speech), "--text", str(text)),
        *options.split(),
        *quiet.split(),
    ]
    usual = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    env = usual | {"OMP_NUM_THREADS": "1", "MAEUM_CACHE": str(folder / "cache")}
    ended = subprocess.run(command, capture_output=True, text=True, env=env, timeout=280)
    assert ended.returncode == 0, ended.stderr
    log = json.loads((run / "log.json").read_text(encoding="utf-8"))
    return [entry["loss"] for entry in log if "loss" in entry], ended


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    speech = make_speech_checkpoint(folder / "speech", "wav2vec2-large-robust")
    return speech, make_text_checkpoint(folder / "text", "kcelectra")


def test_two_processes_have_the_losses_of_one(tmp_path, pair):
    from maeum.corpus import import_corpus

    table = make_corpus(tmp_path / "made", speakers=4, scripts_per_emotion=2)
    corpus = tmp_path / "corpus"
    made = import_corpus("table", table, corpus)
    assert len(made) >= 32
    rows = made.utterances.head(32)
    made.with_utterances(rows).save(corpus)
    alone, _ = trained(tmp_path, corpus, *pair, count=1)
    together, ended = trained(tmp_path, corpus, *pair, count=2)
    assert len(alone) == STEPS
    assert together == pytest.approx(alone, abs=1e-5)
    assert ended.stdout.count("trained on everything") == 1  # one of them speaks


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
