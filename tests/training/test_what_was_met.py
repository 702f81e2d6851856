"""What a run begins with counts as training, and parts do not look at each other."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import polars as pl
import pytest
import torch

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.errors import EncoderError, RunError, SettingsError
from maeum.evaluation import evaluate
from maeum.inference.run import BEFORE
from maeum.testing import make_text_checkpoint
from maeum.training import crossval, train
from maeum.training.learn import Material

QUICK = {"epochs": 1, "batch_size": 8, "hidden_size": 8, "modality": "text"}


@pytest.fixture(scope="module")
def everything(made_corpus, tmp_path_factory):
    """A run that was trained on all there is."""
    return train(made_corpus, tmp_path_factory.mktemp("runs") / "all", split="none", **QUICK)


def test_a_start_that_met_the_test_is_a_leak_and_the_result_does_not_deny_it(
    made_corpus, everything, tmp_path
):
    run = train(
        made_corpus, tmp_path / "next", start=str(everything.folder), split="speaker", epochs=1
    )
    found = {entry.kind: entry for entry in evaluate(run, made_corpus).leaks.shared}
    assert found["speaker"].shared == found["speaker"].tested
    assert "speakers of the test" in run.result
    assert "no voice of the test is in the training" not in run.result
    card = (run.folder / "README.md").read_text(encoding="utf-8")
    assert "no voice" not in card
    assert f"started from `{everything.folder}`" in card


@pytest.mark.slow
def test_a_start_of_a_start_is_not_forgotten(made_corpus, everything, tmp_path):
    first = train(
        made_corpus, tmp_path / "a", start=str(everything.folder), split="speaker", epochs=1
    )
    second = train(made_corpus, tmp_path / "b", start=str(first.folder), split="speaker", epochs=1)
    before = second.partition.filter(pl.col("part") == BEFORE)
    assert len(before) == len(made_corpus)


def test_folds_that_start_from_what_met_them_say_so(made_corpus, everything, tmp_path):
    found = crossval(
        made_corpus, tmp_path, by="speaker", folds=2, start=str(everything.folder), epochs=1
    )
    assert "speakers of the test" in found.evaluation.meaning
    alone = crossval(made_corpus, by="speaker", folds=2, **QUICK)
    assert alone.evaluation.meaning.startswith("no voice of the test")


@pytest.fixture(scope="module")
def tuned(made_corpus, tmp_path_factory):
    """The folder of a text encoder that a run tuned on all there is."""
    folder = tmp_path_factory.mktemp("tuned")
    tiny = make_text_checkpoint(folder / "tiny", "klue-bert")
    run = train(made_corpus, folder / "run", text=str(tiny), tune="full", split="none", **QUICK)
    return run.folder / "encoders" / "text-0"


@pytest.mark.parametrize(
    "how", ["copy", *(pytest.param(how, marks=pytest.mark.slow) for how in ("path", "shelf"))]
)
def test_an_encoder_another_run_tuned_brings_what_it_met(
    how, made_corpus, tuned, tmp_path, monkeypatch
):
    name = {"path": str(tuned), "shelf": "text-0", "copy": str(tmp_path / "mine")}[how]
    monkeypatch.setenv("MAEUM_ENCODERS", str(tuned.parent))
    shutil.copytree(tuned, tmp_path / "mine")
    run = train(made_corpus, tmp_path / "next", text=name, split="speaker", **QUICK)
    assert "speakers of the test" in run.result
    folds = crossval(made_corpus, by="speaker", folds=2, text=name, **QUICK)
    assert "speakers of the test" in folds.evaluation.meaning


def test_another_table_in_the_place_of_what_was_met_is_one_sentence(made_corpus, tuned, tmp_path):
    mine = shutil.copytree(tuned, tmp_path / "mine")
    pl.DataFrame({"a": [1]}).write_parquet(mine / "met.parquet")
    with pytest.raises(RunError, match=r"met\.parquet cannot be read"):
        train(made_corpus, tmp_path / "next", text=str(mine), split="speaker", **QUICK)


def test_what_an_encoder_met_is_told_on(made_corpus, tuned, tmp_path):
    again = tmp_path / "again"
    train(made_corpus, again, text=str(tuned), tune="full", split="speaker", **QUICK)
    everyone = pl.read_parquet(again / "encoders" / "text-0" / "met.parquet")
    assert len(everyone) == len(made_corpus)
    assert "part" not in everyone.columns


@pytest.mark.slow
def test_work_is_not_gone_on_with_by_other_weights(made_corpus, tmp_path, monkeypatch):
    tiny = tmp_path / "tiny"
    make_text_checkpoint(tiny, "klue-bert", seed=1)
    words = {"text": str(tiny), **QUICK}
    cross = partial(crossval, made_corpus, tmp_path / "folds", by="speaker", folds=2, **words)
    one = partial(train, made_corpus, tmp_path / "run", split="speaker", **words)
    with monkeypatch.context() as patched:
        for place, work in (("folding.training_rows", cross), ("single._keep", one)):
            patched.setattr(f"maeum.training.{place}", cut_off)
            with pytest.raises(InterruptedError):
                work()
    make_text_checkpoint(tiny, "klue-bert", seed=2)
    for work in (cross, one):
        with pytest.raises(RunError, match="was begun with encoders of other weights"):
            work()
    assert cross(overwrite=True).evaluation.scores.n == len(made_corpus)
    assert one(overwrite=True).finished
    before = one().card["encoders"]
    make_text_checkpoint(tiny, "klue-bert", seed=1)
    assert one(overwrite=True).card["encoders"] != before
    assert cross(overwrite=True).folder == tmp_path / "folds"


def cut_off(*_):
    raise InterruptedError


@pytest.mark.slow
def test_a_start_that_gives_no_weights_is_said(made_corpus, everything, tmp_path, caplog):
    tiny = make_text_checkpoint(tmp_path / "tiny", "klue-bert")
    words = {"start": str(everything.folder), "split": "speaker", "epochs": 1}
    train(made_corpus, tmp_path / "same", **words)
    assert "begins anew" not in caplog.text
    train(made_corpus, tmp_path / "other", text=str(tiny), **words)
    assert "no weights of the run started from fit the new network" in caplog.text


def test_a_start_stands_over_a_recipe(made_corpus, everything, tmp_path):
    run = train(
        made_corpus,
        tmp_path / "run",
        start=str(everything.folder),
        recipe="paper",
        split="none",
        epochs=1,
    )
    assert (run.settings.text, run.settings.modality) == ("builtin:letters", "text")
    assert run.settings.label_smoothing == 0


def test_encoders_that_make_nothing_are_not_tuned(made_corpus, tmp_path):
    tiny = make_text_checkpoint(tmp_path / "tiny", "klue-bert")
    config = json.loads((tiny / "config.json").read_text(encoding="utf-8"))
    (tiny / "config.json").write_text(
        json.dumps(config | {"layer_norm_eps": float("nan")}), encoding="utf-8"
    )
    with pytest.raises(EncoderError, match=r"makes nothing of .* not finite"):
        train(made_corpus, tmp_path / "run", text=str(tiny), tune="full", split="none", **QUICK)


def test_new_weights_have_met_nothing(made_run):
    assert made_run.partition.filter(pl.col("part") == BEFORE).is_empty()
    assert made_run.result.count("no voice of the test is in the training") == 1


@pytest.fixture
def told(made_corpus) -> Corpus:
    """Dialogues of two speakers in turn, who a split by speaker parts."""
    rows = made_corpus.utterances.with_row_index("row").with_columns(
        dialogue=pl.concat_str(pl.lit("d"), pl.col("row") % 4), turn=pl.col("row").cast(pl.Int64)
    )
    return made_corpus.with_utterances(rows.drop("row"))


def test_what_is_tested_is_no_context_of_what_is_trained_on(told):
    settings = Settings.of(**QUICK, context=2)
    material = Material.gather(told, settings)
    ids = list(told.utterances["id"])
    trained, tested = ids[::2] + ids[1:18:2], ids[19::2]
    tables = {side: table.copy() for side, table in material.features.tables.items()}
    tables["text"][[ids.index(name) for name in tested]] = 99.0
    changed = replace(material, features=replace(material.features, tables=tables))
    one, other = (made.learn(trained)[0].network.state_dict() for made in (material, changed))
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert np.isin(material.features.context, material.features.rows).any()


def test_a_loss_that_is_no_number_ends_the_run(made_corpus, tmp_path):
    with pytest.raises(SettingsError, match="the weights ran away; take lower rates"):
        train(made_corpus, tmp_path / "run", split="none", lr=1e30, **QUICK | {"epochs": 9})
    assert not (tmp_path / "run" / "model.safetensors").exists()


def test_a_warm_up_without_an_end_is_said(made_corpus, tmp_path, caplog):
    train(made_corpus, tmp_path / "long", split="none", warmup=500, **QUICK)
    assert "learning rates rise for 500 steps and the run has" in caplog.text
    caplog.clear()
    train(made_corpus, tmp_path / "short", split="none", warmup=0.5, **QUICK)
    assert "rise" not in caplog.text
