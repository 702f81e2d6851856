"""compare, and evaluate --by: which run is better, and for whom."""

from __future__ import annotations

import pytest

QUICK = ("--epochs", "2", "--batch-size", "8", "--hidden-size", "8")


@pytest.fixture(scope="module")
def folds(maeum, corpus, tmp_path_factory):
    """Folders of a cross-validation of speech and one of text."""
    folder = tmp_path_factory.mktemp("folds")
    for side in ("speech", "text"):
        done = maeum(
            "crossval", corpus, "--to", folder / side, "--folds", "3", "--modality", side, *QUICK
        )
        assert done.code == 0, done.err
    return folder / "speech", folder / "text"


def test_two_cross_validations_are_compared_in_words(maeum, folds):
    said = maeum("compare", *folds)
    assert (said.code, said.err) == (0, "")
    assert "72 utterances answered by both" in said.out
    *_, sentence = (line for line in said.out.splitlines() if not line.startswith("note: "))
    assert "95 % interval" in sentence
    assert "(accuracy of 72 common utterances, over 6 speakers; McNemar p " in sentence
    assert maeum("compare", *folds, "--json").json["sentence"] == sentence


def test_a_run_compared_with_itself_is_an_error(maeum, folds):
    assert "are one folder; name two runs" in maeum("compare", folds[0], folds[0]).complaint


def test_a_corpus_for_a_cross_validation_is_an_error(maeum, folds, corpus):
    assert "keeps no network to answer a corpus" in maeum("compare", *folds, corpus).complaint


def test_a_corpus_taken_for_a_run_is_an_error(maeum, folds, corpus):
    assert "is no run" in maeum("compare", folds[0], corpus).complaint


def test_results_are_told_apart_where_that_is_asked_for(maeum, run, corpus):
    plain = maeum("evaluate", run, corpus, "--part", "all")
    by = maeum("evaluate", run, corpus, "--part", "all", "--by", "speaker", "--by", "age")
    assert "By speaker" not in plain.out
    assert "By speaker" in by.out
    assert "note: no groups by age: fewer than two values of it are known" in by.err
    told = maeum("evaluate", run, corpus, "--part", "all", "--json").json
    assert len(told["by_group"]["speaker"]) == 6


def test_what_nobody_is_told_apart_by_is_wrong_usage(maeum, run, corpus):
    assert maeum("evaluate", run, corpus, "--by", "mood").code == 2
