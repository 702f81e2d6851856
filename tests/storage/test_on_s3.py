"""The journey with everything on an S3 server: recordings, corpus, vectors, run, answers."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import polars as pl
import pytest

from maeum import EmotionClassifier, crossval, train
from maeum.corpus import Corpus, import_corpus
from maeum.encoders import speech_encoders
from maeum.errors import StorageError
from maeum.features import Store, extract, keep
from maeum.features.sharing import sharing
from maeum.jobs import Here
from maeum.storage import working_folder
from maeum.testing import make_corpus

FEW = {"epochs": 3, "modality": "speech", "split": "speaker"}


@pytest.fixture
def calls(bucket: str, tmp_path: Path) -> tuple[Path, str]:
    """A table beside its recordings, here and in the bucket."""
    table = make_corpus(tmp_path / "calls", speakers=4, scripts_per_emotion=2)
    fsspec.filesystem("s3").put(f"{table.parent}/", f"{bucket}/calls/", recursive=True)
    return table, f"{bucket}/calls/{table.name}"


def another_machine(monkeypatch, tmp_path, name):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / name))


def test_a_corpus_elsewhere_is_the_one_here(calls, bucket, monkeypatch, tmp_path):
    near, far = calls
    here = import_corpus("table", near, tmp_path / "corpus")
    import_corpus("table", far, f"{bucket}/corpus")
    another_machine(monkeypatch, tmp_path, "second")
    there = Corpus.open(f"{bucket}/corpus")
    assert there.fingerprint == here.fingerprint
    assert (there.source, there.audio_root) == (far, Path(f"{bucket}/calls"))
    columns = ["id", "audio", "duration_s", "sample_rate_hz", "text", "emotion"]
    assert there.utterances.select(columns).equals(here.utterances.select(columns))


@pytest.mark.slow
def test_a_run_elsewhere_answers_as_the_one_here(calls, bucket, monkeypatch, tmp_path):
    near, far = calls
    here = train(import_corpus("table", near), tmp_path / "run", **FEW)
    train(import_corpus("table", far), f"{bucket}/run", **FEW)
    another_machine(monkeypatch, tmp_path, "second")
    model = EmotionClassifier.from_pretrained(f"{bucket}/run")
    name = Corpus.open(import_saved(near, tmp_path)).utterances["audio"][0]
    there = model(f"{far.rpartition('/')[0]}/{name}")
    assert there.probabilities == here.model(near.parent / name).probabilities


def import_saved(near: Path, tmp_path: Path) -> Path:
    import_corpus("table", near, tmp_path / "again")
    return tmp_path / "again"


@pytest.mark.slow
def test_recordings_in_a_zip_elsewhere(calls, bucket, tmp_path):
    near, _ = calls
    packed = shutil.make_archive(str(tmp_path / "calls"), "zip", near.parent)
    s3 = fsspec.filesystem("s3")
    s3.put_file(packed, f"{bucket}/packed/calls.zip")
    rows = pl.read_csv(near).with_columns(audio=pl.lit("calls.zip/") + pl.col("audio"))
    s3.pipe_file(f"{bucket}/packed/calls.csv", rows.write_csv().encode())
    packed_corpus = import_corpus("table", f"{bucket}/packed/calls.csv")
    plain = import_corpus("table", near)
    encoders = speech_encoders("builtin:acoustic")
    of_packed, of_plain = (
        extract(corpus, speech=encoders, store=None) for corpus in (packed_corpus, plain)
    )
    assert not of_packed.failures
    assert sorted(map(bytes, of_packed.tables["speech"])) == sorted(
        map(bytes, of_plain.tables["speech"])
    )


@pytest.mark.slow
def test_a_recording_that_is_changed_is_heard_again(calls, bucket, monkeypatch, tmp_path):
    _, far = calls
    corpus = import_corpus("table", far)
    encoders = speech_encoders("builtin:acoustic")
    store = Store(tmp_path / "store")
    first = extract(corpus, speech=encoders, store=store).tables["speech"]
    one, other = corpus.utterances["audio"][:2]
    fsspec.filesystem("s3").copy(f"{bucket}/calls/{other}", f"{bucket}/calls/{one}")
    monkeypatch.setattr("maeum.storage.far_files.ASKED_EVERY_S", 1e-3)
    again = extract(corpus, speech=encoders, store=store).tables["speech"]
    assert first[0].tobytes() != first[1].tobytes()
    assert again[0].tobytes() == again[1].tobytes() == first[1].tobytes()
    assert again[1:].tobytes() == first[1:].tobytes()


@pytest.mark.slow
def test_a_recording_that_is_gone_is_named(calls, bucket, tmp_path):
    _, far = calls
    corpus = import_corpus("table", far)
    gone = corpus.utterances.row(0, named=True)
    fsspec.filesystem("s3").rm(f"{bucket}/calls/{gone['audio']}")
    fsspec.filesystem("s3").clear_instance_cache()
    from maeum.storage import far_files

    far_files._remembered.cache_clear()
    features = extract(corpus, speech=speech_encoders("builtin:acoustic"), store=None)
    assert list(features.failures) == [gone["id"]]
    assert "does not exist" in features.failures[gone["id"]]


def test_folds_done_on_a_machine_that_is_lost_are_not_done_again(
    calls, bucket, monkeypatch, tmp_path
):
    _, far = calls
    corpus = import_corpus("table", far)

    class Lost(Here):
        def run(self, work, common, todo, told):
            super().run(work, common, todo[:2], told)
            raise KeyboardInterrupt

    asked = {"by": "speaker", "folds": "loso", "epochs": 3, "modality": "speech"}
    with pytest.raises(KeyboardInterrupt):
        crossval(corpus, f"{bucket}/loso", executor=Lost(), **asked)
    another_machine(monkeypatch, tmp_path, "second")
    left = []

    class Counted(Here):
        def run(self, work, common, todo, told):
            left.extend(todo)
            super().run(work, common, todo, told)

    done = crossval(corpus, f"{bucket}/loso", executor=Counted(), **asked)
    assert len(left) == len(done.folds) - 2
    assert fsspec.filesystem("s3").exists(f"{bucket}/loso/report/report.html")


@pytest.mark.slow
@pytest.mark.parametrize("on", ["local", pytest.param("ray", marks=pytest.mark.cluster)])
def test_a_killed_command_goes_on_and_ends_as_one_that_was_not(calls, bucket, tmp_path, on):
    near, far = calls
    import_corpus("table", far, f"{bucket}/corpus")
    asked = {"by": "speaker", "folds": "loso", "modality": "text", "epochs": 60}
    whole = crossval(import_corpus("table", near), tmp_path / "whole", **asked)
    corpus, to = f"{bucket}/corpus", f"{bucket}/loso"
    typed = f"crossval {corpus} --to {to} --by speaker --folds loso --modality text --epochs 60"
    command = [sys.executable, "-m", "maeum", *typed.split(), "--on", on]
    folds = working_folder(Path(to)) / "folds"
    with subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL) as process:
        while not list(folds.glob("*.parquet")):
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
    done = {path: path.stat().st_mtime_ns for path in folds.glob("*.parquet")}
    assert 0 < len(done) < len(whole.folds)
    subprocess.run(command, check=True, capture_output=True)
    assert done.items() <= {path: path.stat().st_mtime_ns for path in done}.items()
    for path in sorted((tmp_path / "whole" / "folds").glob("*.parquet")):
        kept = fsspec.filesystem("s3").cat_file(f"{to}/folds/{path.name}")
        assert kept == path.read_bytes()


def test_vectors_made_on_one_machine_are_found_on_another(calls, bucket, tmp_path):
    _, far = calls
    corpus = import_corpus("table", far)
    encoders = speech_encoders("builtin:acoustic")
    shared = Path(f"{bucket}/vectors")
    stores = [Store(tmp_path / name) for name in ("first", "second")]
    what = [{"speech": encoders, "store": store} for store in stores]
    few = corpus.with_utterances(corpus.utterances.head(5))
    with sharing(shared, few, **what[0]):
        keep(few, **what[0])
    with sharing(shared, corpus, **what[1]):
        (count,) = keep(corpus, **what[1]).counts.values()
    assert (count.found, count.encoded) == (5, len(corpus) - 5)
    with sharing(shared, corpus, **what[0]):
        (count,) = keep(corpus, **what[0]).counts.values()
    assert (count.found, count.encoded) == (len(corpus), 0)
    tables = [extract(corpus, speech=encoders, store=store).tables["speech"] for store in stores]
    assert tables[0].tobytes() == tables[1].tobytes()


def test_a_tree_elsewhere_is_refused(bucket):
    from maeum.errors import CorpusError

    with pytest.raises(CorpusError, match="trees are read from a disk"):
        import_corpus("emotiontts", f"{bucket}/emotiontts", f"{bucket}/corpus")


def test_a_corpus_that_is_not_there_is_one_sentence(bucket):
    with pytest.raises(StorageError, match=r"s3://.*/nothing holds nothing that is looked for"):
        Corpus.open(f"{bucket}/nothing")


def test_the_card_of_a_corpus_names_addresses_and_no_folder_of_this_machine(
    calls, bucket, tmp_path
):
    import_corpus("table", calls[1], f"{bucket}/corpus")
    card = fsspec.filesystem("s3").cat_file(f"{bucket}/corpus/corpus.json").decode()
    assert json.loads(card)["audio_root"] == f"{bucket}/calls"
    assert str(tmp_path) not in card
