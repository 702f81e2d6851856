"""Cross-validation: every utterance answered once, by a network that never met its group."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from maeum import crossval
from maeum.corpus.manifest import Utterance
from maeum.errors import RunError, SettingsError, SplitError
from maeum.jobs import Processes
from maeum.training import folding

TEXT = {"modality": "text", "epochs": 8, "hidden_size": 16, "lr": 0.01}
QUICK = {"modality": "text", "epochs": 1, "hidden_size": 4}


@pytest.fixture
def lessons(monkeypatch):
    """What was learnt since, fold by fold: the ids each network was trained on."""
    given = []
    learn = folding.Material.learn

    def counted(self, train, *args, **kwargs):
        given.append(set(train))
        return learn(self, train, *args, **kwargs)

    monkeypatch.setattr(folding.Material, "learn", counted)
    return given


@pytest.fixture(autouse=True)
def quick_reports(request):
    if "drawn" not in request.node.name:
        request.getfixturevalue("without_report")


def answered(found):
    return pl.concat([pl.read_parquet(path) for path in sorted(found.folder.glob("folds/*"))])


@pytest.mark.parametrize(
    ("by", "folds", "turns"),
    [
        ("random", 2, 2),
        ("speaker", 3, 3),
        ("speaker", "loso", 6),
        ("script", 2, 2),
        ("speaker+script", 2, 4),
    ],
)
def test_every_utterance_is_answered_once_beside_none_of_its_group(
    told, tmp_path, lessons, by, folds, turns
):
    found = crossval(told, tmp_path / "x", by=by, folds=folds, **QUICK)
    assert len(found.folds) == len(lessons) == turns
    assert Counter(answered(found)["id"]) == Counter(told.utterances["id"])
    assert found.evaluation.scores.n == len(told)
    assert found.evaluation.left_out == 0
    for path, trained in zip(sorted(found.folder.glob("folds/*")), lessons, strict=True):
        tested = told.select(pl.col("id").is_in(pl.read_parquet(path)["id"].to_list()))
        learnt = told.select(pl.col("id").is_in(list(trained)))
        for column in by.replace("random", "id").split("+"):
            assert not set(tested.utterances[column]) & set(learnt.utterances[column])


def test_pooled_numbers_are_scikit_learns_on_the_written_answers(told, tmp_path):
    found = crossval(told, tmp_path / "x", by="speaker", folds=2, **QUICK)
    answers = answered(found)
    truth, answer = answers["truth"].to_list(), answers["answer"].to_list()
    scores = found.evaluation.scores
    names = list(told.emotions.names)
    assert scores.accuracy == pytest.approx(accuracy_score(truth, answer))
    assert scores.uar == pytest.approx(recall_score(truth, answer, average="macro"))
    macro = f1_score(truth, answer, average="macro", zero_division=0)
    assert scores.macro_f1 == pytest.approx(macro)
    assert np.array_equal(scores.confusion, confusion_matrix(truth, answer, labels=names))
    for fold, path in zip(found.folds, sorted(found.folder.glob("folds/*")), strict=True):
        own = pl.read_parquet(path)
        assert fold["n"] == len(own)
        assert fold["accuracy"] == pytest.approx((own["truth"] == own["answer"]).mean())


def test_text_that_decides_the_emotion_is_right_until_its_sentences_are_held_out(told):
    """The leak this project is about: by chance and by voice all is known, by sentence nothing."""
    right = {
        by: crossval(told, by=by, folds=3, **TEXT).evaluation
        for by in ("random", "speaker", "script")
    }
    assert right["random"].scores.accuracy > 0.95
    assert right["speaker"].scores.accuracy > 0.95
    assert right["script"].scores.accuracy < 0.5
    assert any("sentences" in line for line in right["speaker"].leaks.sentences)
    assert not any("sentences" in line for line in right["script"].leaks.sentences)


def test_finished_folds_are_not_done_again(told, tmp_path, lessons):
    first = crossval(told, tmp_path / "x", folds=3, **QUICK)
    lessons.clear()
    again = crossval(told, tmp_path / "x", folds=3, **QUICK)
    assert lessons == []
    assert again.to_dict() == first.to_dict()


def test_an_interrupted_cross_validation_goes_on_with_the_folds_that_lack(told, tmp_path, lessons):
    whole = crossval(told, tmp_path / "x", folds=3, **QUICK)
    (tmp_path / "x" / "folds" / "0001.parquet").unlink()
    lessons.clear()
    gone_on = crossval(told, tmp_path / "x", folds=3, **QUICK)
    assert len(lessons) == 1
    assert gone_on.to_dict() == whole.to_dict()


@pytest.mark.slow
def test_folds_beside_each_other_give_the_same(told, tmp_path):
    one = crossval(told, tmp_path / "one", folds=3, **QUICK)
    two = crossval(told, tmp_path / "two", folds=3, executor=Processes(2), **QUICK)
    assert two.to_dict() == one.to_dict()


def test_other_work_in_the_folder_is_refused_and_replaced_when_told(told, tmp_path, lessons):
    crossval(told, tmp_path / "x", folds=2, **QUICK)
    for change in ({"folds": 3}, {"by": "script", "folds": 2}, {"folds": 2, "seed": 1}):
        with pytest.raises(RunError, match="differs in"):
            crossval(told, tmp_path / "x", **QUICK, **change)
    lessons.clear()
    crossval(told, tmp_path / "x", folds=3, overwrite=True, **QUICK)
    assert len(lessons) == 3
    assert len(list((tmp_path / "x" / "folds").iterdir())) == 3


@pytest.mark.parametrize("setting", [{"split": "speaker"}, {"patience": 3}])
def test_what_folds_decide_cannot_be_set(told, setting):
    with pytest.raises(SettingsError, match="have no place"):
        crossval(told, **QUICK, **setting)


def test_the_papers_recipe_can_be_cross_validated(told):
    found = crossval(
        told, folds=2, recipe="paper", speech="builtin:acoustic", text="builtin:letters", **QUICK
    )
    assert found.evaluation.scores.n == len(told)


def test_sampling_reaches_the_training_of_every_fold_and_all_are_tested(told, lessons):
    found = crossval(told, folds=2, per_emotion=5, **QUICK)
    assert [len(trained) for trained in lessons] == [15, 15]
    assert found.evaluation.scores.n == len(told)


def test_more_folds_than_groups_are_refused_and_nothing_is_written(told, tmp_path):
    with pytest.raises(SplitError, match="7 fold"):
        crossval(told, tmp_path / "x", folds=7, **QUICK)
    assert not (tmp_path / "x").exists()


def test_utterances_without_a_group_or_unusable_are_counted_as_left_out(corpus_of):
    some = corpus_of(
        *(
            Utterance(f"{speaker}{emotion}{n}", emotion, text=f"말 {n}", speaker=speaker)
            for speaker in "abc"
            for emotion in ("Happy", "Sad")
            for n in range(2)
        ),
        Utterance("nobody's", "Sad", text="누구?"),
        Utterance("a unheard", "Sad", audio="none.wav", speaker="a"),
    )
    found = crossval(some, by="speaker", folds=3, **QUICK)
    assert found.evaluation.scores.n == 12
    assert found.evaluation.left_out == 2


def test_a_fold_of_which_nothing_can_be_used_does_not_stop_the_rest(corpus_of):
    some = corpus_of(
        *(
            Utterance(f"{speaker}{emotion}", emotion, text="말", speaker=speaker)
            for speaker in "abc"
            for emotion in ("Happy", "Sad")
        ),
        Utterance("d1", "Sad", audio="none.wav", speaker="d"),
        Utterance("d2", "Happy", audio="none.wav", speaker="d"),
    )
    found = crossval(some, by="speaker", folds="loso", **QUICK)
    assert found.evaluation.scores.n == 6
    assert found.evaluation.left_out == 2
    assert [fold["fold"] for fold in found.folds] == ["a", "b", "c"]


def test_folds_by_voice_compare_each_voice_with_itself(made_corpus, made_features):
    found = crossval(
        made_corpus,
        features=made_features,
        folds=2,
        normalize="speaker",
        modality="speech",
        epochs=5,
        hidden_size=8,
    )
    assert found.evaluation.scores.n == 36
    assert any("transductive" in line for line in found.evaluation.leaks.sentences)


def test_the_report_is_drawn_with_its_folds(told, tmp_path):
    found = crossval(told, tmp_path / "x", folds=2, **QUICK)
    report = (found.folder / "report" / "report.html").read_text(encoding="utf-8")
    assert "speaker 2" in report
    assert (found.folder / "report" / "metrics.json").is_file()
