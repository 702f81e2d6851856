"""Scores agree with scikit-learn and intervals tell honestly how sure they are."""

from __future__ import annotations

import json
import time
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from maeum.errors import CorpusError, EmotionError
from maeum.evaluation.metrics import (
    METRICS,
    accuracy,
    bootstrap_intervals,
    bootstrap_unit,
    by_emotion,
    chance,
    confusion,
    macro_f1,
    scores,
    unweighted_average_recall,
)

CLASSES = 5
INDEX = st.integers(0, CLASSES - 1)
ANSWERED = st.lists(st.tuples(INDEX, INDEX), min_size=1, max_size=60)
NAMES = ("Happy", "Angry", "Sad")


def noisy_answers(rng, n, right=0.6, classes=CLASSES):
    truth = rng.integers(0, classes, n)
    answer = np.where(rng.random(n) < right, truth, rng.integers(0, classes, n))
    return truth, answer


def clustered_answers(rng, voices=20, per_voice=20):
    """Voices of which some are nearly always understood and others hardly ever."""
    ease = np.repeat(rng.uniform(0, 1, voices), per_voice)
    truth = rng.integers(0, CLASSES, voices * per_voice)
    right = rng.random(len(truth)) < ease
    answer = np.where(right, truth, (truth + 1) % CLASSES)
    return truth, answer, np.repeat([f"voice {i}" for i in range(voices)], per_voice).tolist()


@settings(deadline=None, derandomize=True)
@given(ANSWERED)
def test_every_number_is_the_one_scikit_learn_gives(pairs):
    truth, answer = zip(*pairs, strict=True)
    matrix = confusion(truth, answer, CLASSES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about emotions answered that do not occur
        balanced = reference.balanced_accuracy_score(truth, answer)
    assert matrix.tolist() == reference.confusion_matrix(truth, answer, labels=range(5)).tolist()
    assert accuracy(matrix) == pytest.approx(reference.accuracy_score(truth, answer))
    assert unweighted_average_recall(matrix) == pytest.approx(balanced)
    assert macro_f1(matrix) == pytest.approx(reference.f1_score(truth, answer, average="macro"))


@settings(deadline=None, derandomize=True)
@given(ANSWERED)
def test_scores_per_emotion_are_the_ones_scikit_learn_gives(pairs):
    truth, answer = zip(*pairs, strict=True)
    ours = by_emotion(confusion(truth, answer, CLASSES), [str(i) for i in range(CLASSES)])
    theirs = reference.precision_recall_fscore_support(
        truth, answer, labels=range(CLASSES), zero_division=np.nan
    )
    columns = dict(zip(("precision", "recall", "f1", "n"), theirs, strict=True))
    for name, expected in columns.items():
        found = [np.nan if ours[str(i)][name] is None else ours[str(i)][name] for i in range(5)]
        np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_stack_of_matrices_scores_as_each_one_alone(metric):
    rng = np.random.default_rng(0)
    stack = rng.integers(0, 4, (3, 7, CLASSES, CLASSES))
    stack[0, 0, 2] = 0
    alone = [[float(metric(matrix)) for matrix in row] for row in stack]
    np.testing.assert_allclose(metric(stack), alone)


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_nothing_counted_is_no_score_and_no_warning(metric):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(metric(np.zeros((3, 3), dtype=np.int64)))


def test_an_emotion_that_never_occurs_has_no_recall_and_one_never_answered_no_precision():
    found = by_emotion(confusion([0, 0, 1], [0, 2, 0], 3), NAMES)
    assert found["Happy"] == {"n": 2, "recall": 0.5, "precision": 0.5, "f1": 0.5}
    assert found["Angry"] == {"n": 1, "recall": 0.0, "precision": None, "f1": 0.0}
    assert found["Sad"] == {"n": 0, "recall": None, "precision": 0.0, "f1": 0.0}


@pytest.mark.parametrize(
    ("truth", "answer", "error", "words"),
    [
        ([], [], CorpusError, "no utterances to score"),
        ([0, 1], [0], CorpusError, "2 utterances came with 1 answers"),
        ([0, 3], [0, 1], EmotionError, "class 3 came where 3 emotions are numbered 0 to 2"),
        ([0, 1], [0, -1], EmotionError, "class -1 came"),
    ],
)
def test_what_cannot_be_counted_is_said_in_a_sentence(truth, answer, error, words):
    with pytest.raises(error, match=words):
        confusion(truth, answer, 3)


def test_groups_must_name_every_utterance():
    with pytest.raises(CorpusError, match="3 utterances came with 2 group labels"):
        bootstrap_intervals([0, 1, 1], [0, 1, 0], ["A", "B"], 2, rng=np.random.default_rng(0))


def test_chance_is_the_better_of_guessing_and_always_answering_the_commonest():
    balanced = chance(np.diag([10, 10, 10, 10]))
    assert balanced == pytest.approx({"accuracy": 0.25, "uar": 0.25, "macro_f1": 0.25})
    lopsided = chance(np.diag([90, 10]))
    assert lopsided["accuracy"] == pytest.approx(0.9)
    assert lopsided["uar"] == pytest.approx(0.5)


@pytest.mark.parametrize("by_voice", [True, False])
def test_an_interval_surrounds_the_score(by_voice):
    truth, answer, voices = clustered_answers(np.random.default_rng(1))
    matrix = confusion(truth, answer, CLASSES)
    groups = voices if by_voice else None
    intervals = bootstrap_intervals(
        truth, answer, groups, CLASSES, rng=np.random.default_rng(0), draws=500
    )
    for name, (lower, upper) in intervals.items():
        assert 0 <= lower < METRICS[name](matrix) < upper <= 1


def test_voices_that_differ_widen_the_interval():
    truth, answer, voices = clustered_answers(np.random.default_rng(1))
    over_voices, over_utterances = (
        bootstrap_intervals(truth, answer, groups, CLASSES, rng=np.random.default_rng(0))
        for groups in (voices, None)
    )
    for name in METRICS:
        assert np.ptp(over_voices[name]) > 2 * np.ptp(over_utterances[name])


def test_about_95_of_100_intervals_hold_the_true_accuracy():
    rng = np.random.default_rng(3)
    true_accuracy = 0.6 + 0.4 / CLASSES
    held = 0
    for _ in range(200):
        truth, answer = noisy_answers(rng, 150)
        lower, upper = bootstrap_intervals(truth, answer, None, CLASSES, rng=rng, draws=300)[
            "accuracy"
        ]
        held += lower <= true_accuracy <= upper
    assert 180 <= held <= 198


def test_lone_utterances_are_drawn_alike_with_and_without_labels():
    truth, answer = noisy_answers(np.random.default_rng(5), 200)
    named, unnamed = (
        bootstrap_intervals(truth, answer, g, CLASSES, rng=np.random.default_rng(0), draws=20_000)
        for g in (list(range(200)), None)
    )
    for name in METRICS:
        assert named[name] == pytest.approx(unnamed[name], abs=0.01)


def test_the_drawn_matrices_are_those_of_drawing_speakers_one_by_one():
    truth, answer, voices = clustered_answers(np.random.default_rng(2), voices=12)
    rng = np.random.default_rng(0)
    names = sorted(set(voices))
    rows = {name: [i for i, voice in enumerate(voices) if voice == name] for name in names}
    by_hand = []
    for _ in range(1500):
        picked = np.concatenate([rows[names[i]] for i in rng.integers(0, 12, 12)])
        by_hand.append(float(accuracy(confusion(truth[picked], answer[picked], CLASSES))))
    ours = bootstrap_intervals(truth, answer, voices, CLASSES, rng=np.random.default_rng(1))
    assert ours["accuracy"] == pytest.approx(np.quantile(by_hand, [0.025, 0.975]), abs=0.02)


def test_a_higher_level_gives_a_wider_interval():
    truth, answer = noisy_answers(np.random.default_rng(0), 100)
    half, nearly_all = (
        bootstrap_intervals(truth, answer, None, CLASSES, rng=np.random.default_rng(0), level=level)
        for level in (0.5, 0.99)
    )
    assert nearly_all["uar"][0] < half["uar"][0] < half["uar"][1] < nearly_all["uar"][1]


def test_the_same_seed_gives_the_same_interval_and_another_seed_another():
    truth, answer, voices = clustered_answers(np.random.default_rng(1))
    first, again, other = (
        bootstrap_intervals(truth, answer, voices, CLASSES, rng=np.random.default_rng(seed))
        for seed in (7, 7, 8)
    )
    assert first == again
    assert first != other


def test_half_a_million_utterances_take_moments():
    truth, answer = noisy_answers(np.random.default_rng(0), 500_000)
    start_s = time.perf_counter()
    bootstrap_intervals(truth, answer, None, CLASSES, rng=np.random.default_rng(0))
    assert time.perf_counter() - start_s < 5


@pytest.mark.parametrize(
    ("speakers", "unit"),
    [
        (None, "utterances"),
        ([None] * 10, "utterances"),
        (list("ABCDE"), "utterances"),
        ([*"ABCDE", None], "utterances"),
        (list("ABCDEF"), "speakers"),
    ],
)
def test_six_named_speakers_are_enough_to_draw_speakers(speakers, unit):
    assert bootstrap_unit(speakers) == unit


def test_scores_hold_everything_and_survive_json():
    rng = np.random.default_rng(0)
    truth, answer = noisy_answers(rng, 70, classes=3)
    speakers = [None, *"ABCDEF"] * 10
    found = scores(truth, answer, speakers, NAMES, rng)
    plain = found.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert list(plain) == [
        *("n", "accuracy", "uar", "macro_f1", "ci95", "ci95_over"),
        *("emotions", "by_emotion", "confusion"),
    ]
    assert plain["n"] == sum(map(sum, plain["confusion"])) == 70
    assert plain["ci95_over"] == "speakers"
    assert set(plain["ci95"]) == set(METRICS)
    assert plain["accuracy"] == pytest.approx(np.mean(truth == answer))


def test_scores_without_speakers_are_over_utterances():
    found = scores([0, 1, 2, 0], [0, 1, 0, 0], None, NAMES, np.random.default_rng(0))
    assert found.ci95_over == "utterances"
    assert found.by_emotion["Sad"]["recall"] == 0


def test_all_right_is_not_certain_in_a_handful_of_cases():
    truth = [0, 1] * 10
    found = scores(truth, truth, None, ("a", "b"), np.random.default_rng(0))
    lower, upper = found.ci95["accuracy"]
    assert 0.8 < lower < 0.9
    assert upper == 1
