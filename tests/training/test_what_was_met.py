"""What a run begins with counts as training, and parts do not look at each other."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.errors import SettingsError
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


def test_an_encoder_another_run_tuned_brings_what_it_met(made_corpus, tmp_path):
    tiny = make_text_checkpoint(tmp_path / "tiny", "klue-bert")
    tuned = train(
        made_corpus, tmp_path / "tuned", text=str(tiny), tune="lora", split="none", **QUICK
    )
    encoder = tuned.folder / "encoders" / "text-0"
    run = train(made_corpus, tmp_path / "next", text=str(encoder), split="speaker", **QUICK)
    assert "speakers of the test" in run.result


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
