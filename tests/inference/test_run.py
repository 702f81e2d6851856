"""A run folder, opened again."""

import pytest

from maeum.errors import RunError
from maeum.inference import Run


def test_a_finished_run_is_opened_with_all_it_knows(made_run):
    run = Run.open(str(made_run.folder))
    assert run.finished
    assert run.card == made_run.card
    assert run.settings == made_run.settings
    assert run.metrics["n"] == run.card["used"]["test"]
    assert run.model.emotions.names == ("Happy", "Angry", "Sad")


def test_the_settings_of_a_run_survive_their_card(made_run, quick):
    assert {name: getattr(made_run.settings, name) for name in quick} == quick


def test_a_folder_without_a_card_is_no_run(tmp_path):
    with pytest.raises(RunError, match=r"is no run \(it has no maeum.yaml\)"):
        Run.open(tmp_path)


@pytest.mark.parametrize("card", ["[", "just words", "kind: run\n"])
def test_a_card_that_says_nothing_is_an_error(tmp_path, card):
    (tmp_path / "maeum.yaml").write_text(card, encoding="utf-8")
    with pytest.raises(RunError, match=r"maeum\.yaml"):
        _ = Run.open(tmp_path).card


def test_a_run_that_was_interrupted_is_opened_and_has_no_model(tmp_path):
    (tmp_path / "maeum.yaml").write_text("settings: {}\n", encoding="utf-8")
    run = Run.open(tmp_path)
    assert not run.finished
    with pytest.raises(RunError, match="unfinished"):
        _ = run.model


def test_utterances_the_run_never_saw_are_in_no_part(made_run, corpus_of):
    from maeum.corpus.manifest import Utterance

    other = corpus_of(Utterance("a", "Happy", text="처음 듣는 말", speaker="s01"))
    assert len(made_run.part(other, "train")) == 0
