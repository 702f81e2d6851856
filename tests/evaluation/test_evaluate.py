"""A run on a corpus: which part, what it is given, what it is called, and what leaked."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score

from maeum import evaluate, train
from maeum.corpus import import_corpus
from maeum.errors import CorpusError, EmotionError, RunError
from maeum.evaluation.evaluate import OTHER_CORPUS
from maeum.testing import make_corpus


@pytest.fixture(scope="module")
def reading_run(made_corpus, quick, tmp_path_factory):
    """A run of text alone on `made_corpus`; quick to test on many corpora."""
    return train(made_corpus, tmp_path_factory.mktemp("reads") / "run", modality="text", **quick)


@pytest.fixture(scope="module")
def other_corpus(tmp_path_factory):
    """Texts of Happy, Sad and Fear by speakers of the same names, other sentences."""
    folder = tmp_path_factory.mktemp("other")
    emotions = ("Happy", "Sad", "Fear")
    table = make_corpus(
        folder, speakers=2, scripts_per_emotion=4, emotions=emotions, seed=7, audio=False
    )
    return import_corpus("table", table)


# -- which part --------------------------------------------------------------------------------


def test_of_its_own_corpus_the_test_part_is_tested(made_run, made_corpus, made_features):
    found = evaluate(made_run, made_corpus, features=made_features)
    assert (found.part, found.protocol, found.modality) == ("test", "speaker", "both")
    assert set(found.answers["id"]) == set(made_run.part(made_corpus, "test").utterances["id"])
    numbers = found.to_dict()
    assert {name: numbers[name] for name in made_run.metrics if name != "summary"} == {
        name: value for name, value in made_run.metrics.items() if name != "summary"
    }


def test_features_encoded_anew_give_the_same_numbers(made_run, made_corpus, made_features):
    anew = evaluate(str(made_run.folder), made_corpus)
    assert anew.answers.equals(evaluate(made_run, made_corpus, features=made_features).answers)


def test_of_another_corpus_all_is_tested(reading_run, other_corpus):
    without_fear = other_corpus.select(pl.col("emotion") != "Fear")
    found = evaluate(reading_run, without_fear)
    assert (found.part, found.protocol) == ("all", OTHER_CORPUS)
    assert found.scores.n == 16
    assert "another corpus" in found.meaning


def test_a_part_of_another_corpus_is_refused(reading_run, other_corpus):
    with pytest.raises(RunError, match="not the corpus of the run; use all"):
        evaluate(reading_run, other_corpus, part="test")


@pytest.mark.parametrize(
    ("part", "n"), [("train", 24), ("validation", 6), ("test", 6), ("all", 36)]
)
def test_any_part_can_be_asked_for(reading_run, made_corpus, part, n):
    found = evaluate(reading_run, made_corpus, part=part)
    assert (found.part, found.scores.n) == (part, n)


def test_all_of_its_own_corpus_says_what_it_was_trained_on(reading_run, made_corpus):
    found = evaluate(reading_run, made_corpus, part="all")
    shared = found.to_dict()["leaks"]
    assert shared["utterances"] == {"shared": 24, "tested": 36, "utterances": 24}
    assert shared["speakers"] == {"shared": 4, "tested": 6, "utterances": 24}
    assert shared["scripts"] == {"shared": 6, "tested": 6, "utterances": 36}
    assert len(found.leaks.sentences) == 3


def test_a_run_trained_on_everything_has_no_test_part(made_corpus, quick, tmp_path):
    settings = {**quick, "split": "none", "modality": "text", "epochs": 1}
    run = train(made_corpus, tmp_path / "run", **settings)
    with pytest.raises(RunError, match=r"no test part \(its split was none\).*--part all"):
        evaluate(run, made_corpus)
    everything = evaluate(run, made_corpus, part="all")
    assert everything.leaks.found[0].shared == 36


def test_an_unknown_part_is_refused(reading_run, made_corpus):
    with pytest.raises(RunError, match="no tset part"):
        evaluate(reading_run, made_corpus, part="tset")


def test_a_folder_that_is_no_run_is_refused(made_corpus, tmp_path):
    with pytest.raises(RunError, match="is no run"):
        evaluate(tmp_path, made_corpus)


# -- what it is given --------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["speech", "text"])
def test_one_modality_can_be_given_to_a_run_of_both(made_run, made_corpus, made_features, modality):
    found = evaluate(made_run, made_corpus, modality=modality, features=made_features)
    test = made_features.take(found.answers["id"].to_list())
    chances = made_run.model.probabilities(test.only(modality))
    names = np.array(made_run.model.emotions.names)
    assert found.modality == modality
    assert found.answers["answer"].to_list() == names[chances.argmax(axis=1)].tolist()
    both = evaluate(made_run, made_corpus, features=made_features)
    assert not np.allclose(found.answers["confidence"], both.answers["confidence"])


def test_a_modality_the_run_does_not_take_is_refused(reading_run, made_corpus):
    assert evaluate(reading_run, made_corpus, modality="text").modality == "text"
    for modality in ("speech", "both"):
        with pytest.raises(RunError, match=f"{modality!r} was asked for, but the run takes text"):
            evaluate(reading_run, made_corpus, modality=modality)


def test_what_cannot_be_used_is_left_out_and_counted(reading_run, made_corpus):
    ids = made_corpus.utterances["id"]
    silent = pl.when(pl.col("id").is_in([ids[0], ids[1]])).then(None).otherwise(pl.col("text"))
    holed = made_corpus.with_utterances(made_corpus.utterances.with_columns(text=silent))
    found = evaluate(reading_run, holed)
    assert (found.scores.n, found.left_out) == (34, 2)


def test_a_corpus_of_which_nothing_can_be_used_is_an_error(reading_run, made_corpus):
    mute = made_corpus.utterances.with_columns(text=pl.lit(None, pl.String))
    with pytest.raises(CorpusError, match="nothing to test"):
        evaluate(reading_run, made_corpus.with_utterances(mute))


def test_a_run_that_compares_voices_hears_whole_voices_and_says_so(
    made_corpus, made_features, quick, tmp_path
):
    run = train(made_corpus, tmp_path / "run", features=made_features, normalize="speaker", **quick)
    given = evaluate(run, made_corpus, features=made_features)
    anew = evaluate(run, made_corpus)
    assert anew.answers.equals(given.answers)
    assert "transductive" in anew.leaks.sentences[-1]
    assert anew.to_dict()["uar"] == run.metrics["uar"]


# -- emotions in other words -------------------------------------------------------------------


def test_an_emotion_the_run_does_not_know_is_an_error_that_shows_the_way(reading_run, other_corpus):
    with pytest.raises(EmotionError) as error:
        evaluate(reading_run, other_corpus)
    for part in ("Happy, Angry, Sad", "--map FILE", "`Fear: Happy`", "`Fear: null`"):
        assert part in str(error.value)


def test_a_mapping_renames_emotions(reading_run, other_corpus):
    found = evaluate(reading_run, other_corpus, mapping={"Fear": "Angry"})
    assert found.scores.n == 24
    renamed = found.answers.filter(pl.col("truth") == "Angry")["id"]
    original = other_corpus.utterances.filter(pl.col("emotion") == "Fear")["id"]
    assert set(renamed) == set(original)


def test_a_mapping_to_nothing_leaves_out(reading_run, other_corpus):
    found = evaluate(reading_run, other_corpus, mapping={"Fear": None})
    assert found.scores.n == 16
    assert set(found.answers["truth"]) == {"Happy", "Sad"}


def test_a_mapping_to_an_emotion_the_run_lacks_is_an_error(reading_run, other_corpus):
    with pytest.raises(EmotionError):
        evaluate(reading_run, other_corpus, mapping={"Fear": "Surprise"})


def test_a_mapping_that_leaves_nothing_is_an_error(reading_run, other_corpus):
    with pytest.raises(EmotionError, match="leaves out all"):
        evaluate(reading_run, other_corpus, mapping=dict.fromkeys(("Happy", "Sad", "Fear")))


def test_a_mapping_may_name_emotions_that_do_not_occur(reading_run, other_corpus):
    mapping = {"Fear": None, "Disgust": "Angry"}
    assert evaluate(reading_run, other_corpus, mapping=mapping).scores.n == 16


# -- numbers -----------------------------------------------------------------------------------


def test_numbers_are_scikit_learns_on_the_answers(reading_run, other_corpus):
    found = evaluate(reading_run, other_corpus, mapping={"Fear": "Angry"})
    truth, answer = found.answers["truth"].to_list(), found.answers["answer"].to_list()
    numbers, names = found.to_dict(), list(found.emotions.names)
    assert numbers["n"] == len(truth)
    assert numbers["accuracy"] == pytest.approx(accuracy_score(truth, answer))
    assert numbers["uar"] == pytest.approx(recall_score(truth, answer, average="macro"))
    macro = f1_score(truth, answer, average="macro", zero_division=0)
    assert numbers["macro_f1"] == pytest.approx(macro)
    assert np.array_equal(numbers["confusion"], confusion_matrix(truth, answer, labels=names))


def test_the_same_answers_have_the_same_intervals(reading_run, made_corpus):
    one, other = (evaluate(reading_run, made_corpus, part="all").to_dict() for _ in range(2))
    assert one["ci95"] == other["ci95"]


def test_the_name_of_a_corpus_and_its_folder_do_not_matter(reading_run, made_corpus, tmp_path):
    moved = replace(made_corpus, source="elsewhere", audio_root=tmp_path)
    assert evaluate(reading_run, moved).part == "test"
