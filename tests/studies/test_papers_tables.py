"""The paper's tables run end to end with encoders of their names, frozen and tuned."""

import polars as pl
import pytest

from maeum.corpus import import_corpus
from maeum.studies import named
from maeum.studies.paper import ENCODERS
from maeum.studies.running import run_study
from maeum.studies.showing import Shown
from maeum.testing import make_corpus, make_speech_checkpoint, make_text_checkpoint

FAMILIES = ("kobert-skt", "koelectra", "klue-bert", "klue-roberta", "klue-roberta", "kcelectra")
QUICK = {"epochs": 1, "hidden_size": 4, "cut_s": 1.0}


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """Tiny checkpoints under the names the paper's encoders have on the hub."""
    folder = tmp_path_factory.mktemp("encoders")
    make_speech_checkpoint(folder / "facebook" / "wav2vec2-large-robust", "wav2vec2-large-robust")
    for name, family in zip(ENCODERS, FAMILIES, strict=True):
        make_text_checkpoint(folder / name, family)
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """24 clips: 6 speakers say 2 sentences in each of 2 emotions."""
    folder = tmp_path_factory.mktemp("few")
    emotions = ("Happy", "Sad")
    return import_corpus("table", make_corpus(folder, scripts_per_emotion=2, emotions=emotions))


@pytest.mark.parametrize(
    ("name", "tune"),
    [
        ("table6", "frozen"),
        ("table5", "full"),
        *(
            pytest.param(name, "frozen", marks=pytest.mark.slow)
            for name in ("table3", "table4", "table5")
        ),
        *(
            pytest.param(name, "full", marks=pytest.mark.slow)
            for name in ("table3", "table4", "table6")
        ),
    ],
)
def test_a_table_of_the_paper_runs_with_its_encoders(name, tune, shelf, few, tmp_path, monkeypatch):
    monkeypatch.setenv("MAEUM_ENCODERS", str(shelf))
    study = named(name).changed(scale="0.0001", seeds=1, folds=0, protocols=["random"])
    outcome = run_study(study.with_settings(tune=tune, **QUICK), few, tmp_path / "study")
    assert outcome.failed.is_empty()
    assert set(outcome.results["status"]) == {"done"}
    assert set(outcome.results["tune"]) == {tune}
    assert outcome.results["published"].null_count() == 0
    assert not list(tmp_path.glob("study/runs/*/0000"))  # checkpoints of what is finished
    shown = Shown.of(tmp_path / "study")
    assert all(entry.accuracy is not None for entry in shown.entries.values())


def test_a_text_encoder_that_is_missing_is_a_column_that_failed(shelf, few, tmp_path, monkeypatch):
    monkeypatch.setenv("MAEUM_ENCODERS", str(shelf))
    study = named("table5").changed(scale="0.0001", seeds=1, folds=0, protocols=["random"])
    two = study.with_settings(text="klue/bert-base, author/nowhere", **QUICK)
    outcome = run_study(two, few, tmp_path / "study")
    rows = outcome.results.select("text", "status", "published").rows()
    assert rows == [("klue/bert-base", "done", 0.9544), ("author/nowhere", "failed", None)]


def test_weights_that_changed_between_two_calls_are_refused(shelf, few, tmp_path, monkeypatch):
    from maeum.errors import RunError
    from maeum.studies.results import Result

    monkeypatch.setenv("MAEUM_ENCODERS", str(tmp_path / "own"))
    make_text_checkpoint(tmp_path / "own" / "klue" / "bert-base", "klue-bert")
    study = named("table4").changed(scale="0.0001", seeds=2, folds=0, protocols=["random"])
    study = study.with_settings(text="klue/bert-base", **QUICK)
    run_study(study, few, tmp_path / "study")
    one = next((tmp_path / "study" / "runs").iterdir())
    assert Result.read(one, one.name) is not None
    (one / "row.json").unlink()
    (one / "0000.parquet").unlink()
    make_text_checkpoint(tmp_path / "own" / "klue" / "bert-base", "klue-bert", seed=1)
    with pytest.raises(RunError, match="was begun with other weights of text klue/bert-base"):
        run_study(study, few, tmp_path / "study")


@pytest.mark.slow
def test_tuned_runs_tell_unheard_recordings_too(shelf, few, tmp_path, monkeypatch):
    import shutil
    from dataclasses import replace

    monkeypatch.setenv("MAEUM_ENCODERS", str(shelf))
    audio = tmp_path / "audio"
    shutil.copytree(few.audio_root, audio)
    (audio / few.utterances["audio"][0]).write_bytes(b"no sound")
    corpus = replace(few, audio_root=audio)
    study = named("table3").changed(scale="0.0001", seeds=1, folds=3, protocols=["random"])
    blocks = [{"modality": "speech", "order": "short", "size": 5000}]
    study = study.changed(blocks=blocks).with_settings(tune="full", **QUICK)
    (row,) = run_study(study, corpus, tmp_path / "study").results.to_dicts()
    assert (row["status"], row["tested"]) == ("done", len(few) - 1)
    kept = pl.read_parquet(tmp_path / "study" / "left_out.parquet")
    assert kept["id"].to_list() == [few.utterances["id"][0]]
