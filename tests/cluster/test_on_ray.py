"""On two workers of a Ray cluster every job gives what it gives here."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import httpx
import pytest
from polars.testing import assert_frame_equal
from ray import serve

from maeum.cluster.check import offered
from maeum.cluster.features import keep_on_ray
from maeum.cluster.predictions import predict_on_ray
from maeum.cluster.serving import Replicas, deploy
from maeum.cluster.trials import OnTune
from maeum.corpus import import_corpus
from maeum.encoders import speech_encoders
from maeum.errors import CorpusError
from maeum.features import Store, keep
from maeum.inference.bulk import Answering, Bulk, Predictions, asked_of_corpus
from maeum.jobs import Here
from maeum.serving import Serving
from maeum.studies import Study
from maeum.studies.running import run_study
from maeum.testing import make_corpus, make_speech_checkpoint, make_text_checkpoint

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("cluster")]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """72 clips, the first as the last and one that cannot be heard."""
    table = make_corpus(tmp_path_factory.mktemp("made"), speakers=6, scripts_per_emotion=4)
    return import_corpus("table", table)


def kept(store):
    """Everything in the drawers of a store: file -> rows in order of key."""
    found = {}
    for path in sorted(store.folder.glob("*.sqlite")):
        with closing(sqlite3.connect(path)) as connection:
            question = "SELECT key, vector, frames FROM entries ORDER BY key"
            found[path.name] = connection.execute(question).fetchall()
    return found


def encoders():
    return {"speech": speech_encoders("builtin:acoustic")}


@pytest.fixture(scope="module")
def here(corpus, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("here"))
    return store, keep(corpus, store=store, **encoders())


def test_vectors_are_those_made_here_to_the_bit(corpus, here, tmp_path, monkeypatch):
    monkeypatch.setattr("maeum.cluster.features.PIECE", 16)
    store = Store(tmp_path)
    found = keep_on_ray(corpus, store=store, **encoders())
    assert kept(store) == kept(here[0])
    assert found.counts == here[1].counts
    assert not list(tmp_path.glob("*.shards"))
    again = keep_on_ray(corpus, store=store, **encoders())
    (count,) = again.counts.values()
    assert (count.found, count.encoded) == (len(corpus), 0)


def square(common, item):
    return common + item * item


def refuse(_, item):
    if item == 2:
        raise CorpusError("the third cannot be done")
    return item


def die_once(folder, item):
    """The second piece kills its process the first time."""
    mark = folder / "died"
    if item == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def collected(work, common, items, beside):
    found = {}
    OnTune(beside).run(work, common, items, found.__setitem__)
    assert not list(beside.glob(".trials-*"))
    return found


@pytest.mark.slow
def test_pieces_of_work_are_trials(tmp_path):
    assert collected(square, 10, (1, 2, 3), tmp_path) == {1: 11, 2: 14, 3: 19}


@pytest.mark.slow
def test_what_a_trial_cannot_do_is_told_in_its_own_words(tmp_path):
    with pytest.raises(CorpusError, match="the third cannot be done"):
        collected(refuse, None, (1, 2, 3), tmp_path)


@pytest.mark.slow
def test_a_trial_whose_process_is_killed_begins_again(tmp_path):
    assert collected(die_once, tmp_path, (0, 1, 2), tmp_path) == {0: 0, 1: 1, 2: 2}
    assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_a_study_ends_with_the_same_file(corpus, tmp_path):
    study = Study.of(
        **{
            "name": "two",
            "title": "two sizes",
            "asks": "nothing",
            "rows": ["modality"],
            "folds": 0,
            "blocks": [{"modality": "text", "size": [2, 3]}],
            "protocols": ["random"],
            "seeds": 1,
            "settings": {"epochs": 2, "hidden_size": 4},
        }
    )
    for name, executor in (("here", Here()), ("ray", OnTune(tmp_path))):
        run_study(study, corpus, tmp_path / name, executor=executor)
    files = [(tmp_path / name / "results.parquet").read_bytes() for name in ("here", "ray")]
    assert files[0] == files[1]


def answers_of(run, asked, folder, **how):
    bulk, kept = Bulk(str(run.folder), **how), Predictions(folder)
    kept.claim(bulk, asked)
    return bulk, kept, list(kept.lacking(asked))


@pytest.mark.slow
def test_predictions_are_those_made_here(made_run, corpus, tmp_path, monkeypatch):
    monkeypatch.setattr("maeum.inference.bulk.AT_ONCE", 16)
    asked = asked_of_corpus(corpus)
    bulk, here, pieces = answers_of(made_run, asked, tmp_path / "here")
    answering = Answering(bulk, here)
    for piece in pieces:
        answering(piece)
    bulk, there, pieces = answers_of(made_run, asked, tmp_path / "ray")
    answered = []
    predict_on_ray(bulk, there, pieces, lambda *counts: answered.append(counts))
    assert sum(count for count, _ in answered) == len(corpus)
    assert_frame_equal(there.read(), here.read())
    assert list(there.lacking(asked)) == []


def test_the_cluster_says_what_it_offers():
    offer = offered()
    (node,) = offer.nodes
    assert (node.cpus, node.shares, offer.usable) == (2, True, True)
    assert offer.missing == ["no node has an accelerator; pretrained encoders run on processors"]


# -- what takes longer: processes that train together, that serve, and that are killed -----------

TUNED = (
    "--split none --batch-size 8 --epochs {epochs} --tune full --hidden-size 8 --no-bf16 "
    "--dropout 0 --modality-dropout 0 --no-encoder-noise --class-weights balanced"
)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """A folder with tiny encoders and a corpus of 32 utterances."""
    folder = tmp_path_factory.mktemp("tuned")
    make_speech_checkpoint(folder / "speech", "wav2vec2-large-robust")
    make_text_checkpoint(folder / "text", "kcelectra")
    table = make_corpus(folder / "made", speakers=4, scripts_per_emotion=2)
    made = import_corpus("table", table, folder / "corpus")
    made.with_utterances(made.utterances.head(32)).save(folder / "corpus")
    return folder


def typed(folder, to, *more, epochs=5):
    encoders = ("--speech", str(folder / "speech"), "--text", str(folder / "text"))
    options = (*encoders, *TUNED.format(epochs=epochs).split(), *more)
    return [
        sys.executable,
        "-m",
        "maeum",
        "train",
        str(folder / "corpus"),
        "--to",
        str(to),
        *options,
    ]


def environment(folder):
    usual = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return usual | {"OMP_NUM_THREADS": "1", "MAEUM_CACHE": str(folder / "cache")}


def train_typed(folder, to, *more, **how):
    ended = subprocess.run(
        typed(folder, to, *more, **how), capture_output=True, env=environment(folder), timeout=280
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads((to / "log.json").read_text(encoding="utf-8"))


def losses(log):
    return [entry["loss"] for entry in log if "loss" in entry]


ON_RAY = ("--on", "ray", "--processes", "2")


@pytest.mark.slow
def test_two_processes_have_the_losses_of_one(tuned, tmp_path):
    alone = losses(train_typed(tuned, tmp_path / "alone"))
    together = losses(train_typed(tuned, tmp_path / "together", *ON_RAY))
    assert len(alone) == 20
    assert together == pytest.approx(alone, abs=1e-5)


def killed_once(command, folder, to, victim):
    """Type a command; kill what matches a pattern once there are checkpoints."""
    with subprocess.Popen(command, env=environment(folder), stderr=subprocess.DEVNULL) as process:
        while len(list((to / "checkpoints").glob("checkpoint-*"))) < 2:
            assert process.poll() is None
            time.sleep(0.05)
        victims = [process.pid] if victim is None else _processes(victim)
        os.kill(victims[-1], signal.SIGKILL)
        return process.wait(timeout=240)


def _processes(pattern):
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=True)
    return [int(line) for line in found.stdout.split()]


@pytest.mark.slow
def test_training_goes_on_when_a_process_or_all_of_it_is_killed(tuned, tmp_path):
    whole, one, driver = (tmp_path / name for name in ("whole", "one", "driver"))
    train_typed(tuned, whole, *ON_RAY, epochs=30)
    weights = (whole / "model.safetensors").read_bytes()
    command = typed(tuned, one, *ON_RAY, epochs=30)
    assert killed_once(command, tuned, one, "ray::RayTrainWorker") == 0
    assert (one / "model.safetensors").read_bytes() == weights
    command = typed(tuned, driver, *ON_RAY, epochs=30)
    assert killed_once(command, tuned, driver, None) == -signal.SIGKILL
    train_typed(tuned, driver, *ON_RAY, epochs=30)
    assert (driver / "model.safetensors").read_bytes() == weights
    assert not list(tmp_path.glob(".*.ray"))


@pytest.mark.slow
def test_a_service_answers_as_the_run_does(made_run, free_port):
    serving = Serving(str(made_run.folder), port=free_port())
    address = deploy(serving, Replicas())
    try:
        answered = httpx.post(f"{address}/v1/predict", json={"text": "정말 마음이 아프다"}).json()
        expected = made_run.model(text="정말 마음이 아프다")
        assert answered.get("probabilities") == expected.probabilities, answered
        refused = httpx.post(f"{address}/v1/predict", json={"text": " "})
        assert (refused.status_code, refused.headers["content-type"]) == (
            422,
            "application/problem+json",
        )
    finally:
        serve.shutdown()
