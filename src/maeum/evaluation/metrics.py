"""How good the answers are: counts, three scores, and how far to trust them.

Everything follows from the confusion matrix, whose rows are the truth, whose columns are the
answers and whose cells count utterances. A score takes matrices of shape (..., class, class) and
gives an array of shape (...), so that two thousand bootstrap draws are one call.

>>> matrix = confusion([0, 0, 0, 1], [0, 0, 0, 0], classes=2)
>>> matrix.tolist()
[[3, 0], [1, 0]]
>>> float(accuracy(matrix)), float(unweighted_average_recall(matrix))
(0.75, 0.5)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from maeum.errors import CorpusError, EmotionError

MIN_SPEAKERS_FOR_BOOTSTRAP = 6
"""Fewer voices than this say too little about how much voices differ."""

BOOTSTRAP_DRAWS = 2000

Counts = NDArray[np.int64] | NDArray[np.float64]
"""Confusion matrices (..., class, class); counts, or counts expected of a guess."""

Indices = Sequence[int] | NDArray[np.int64]
"""A class index per utterance, from 0."""

Unit = Literal["speakers", "utterances"]
"""What the bootstrap draws."""


def confusion(truth: Indices, answer: Indices, classes: int) -> NDArray[np.int64]:
    """Count every pair of truth and answer.

    Args:
        truth: class index per utterance, 0 to `classes` - 1.
        answer: the same, as answered.
        classes: how many emotions the classifier tells apart.

    Returns:
        Shape (class, class): rows truth, columns answer.

    Raises:
        CorpusError: there are no utterances, or not as many answers as truths.
        EmotionError: an index is outside 0 to `classes` - 1.
    """
    return np.bincount(_cells(truth, answer, classes), minlength=classes**2).reshape(
        classes, classes
    )


def _cells(truth: Indices, answer: Indices, classes: int) -> NDArray[np.int64]:
    """Place of each utterance in the confusion matrix, counted along its rows."""
    _check_lengths(len(truth), len(answer), "answers")
    pairs = np.asarray([truth, answer], dtype=np.int64)
    strangers = pairs[(pairs < 0) | (pairs >= classes)]
    if strangers.size:
        raise EmotionError(
            f"class {strangers[0]} came where {classes} emotions are numbered 0 to {classes - 1}; "
            "score with the emotion set the model was trained on"
        )
    cells: NDArray[np.int64] = pairs[0] * classes + pairs[1]
    return cells


def _check_lengths(utterances: int, others: int, what: str) -> None:
    if not utterances:
        raise CorpusError("no utterances to score; give at least one, or choose another part")
    if utterances != others:
        raise CorpusError(f"{utterances} utterances came with {others} {what}; give one for each")


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Part by whole, NaN where the whole is zero."""
    ratios = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    np.divide(part, whole, out=ratios, where=whole > 0)
    return ratios


def _mean_where_defined(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the last axis of what is not NaN; NaN where nothing is defined."""
    return _ratio(np.nansum(values, axis=-1), np.sum(~np.isnan(values), axis=-1))


def _hits(matrix: Counts) -> NDArray[Any]:
    """Right answers per class, (..., class)."""
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def recalls(matrix: Counts) -> NDArray[np.float64]:
    """Share of each emotion that was found, (..., class) in [0, 1]; NaN where it never occurs."""
    return _ratio(_hits(matrix), matrix.sum(axis=-1))


def precisions(matrix: Counts) -> NDArray[np.float64]:
    """Share of each answer that was right, (..., class) in [0, 1]; NaN where never answered."""
    return _ratio(_hits(matrix), matrix.sum(axis=-2))


def f1_scores(matrix: Counts) -> NDArray[np.float64]:
    """Harmonic mean of recall and precision, (..., class); NaN where neither said nor answered."""
    return _ratio(2 * _hits(matrix), matrix.sum(axis=-1) + matrix.sum(axis=-2))


def accuracy(matrix: Counts) -> NDArray[np.float64]:
    """Share of right answers, (...) in [0, 1]; common emotions count most."""
    return _ratio(_hits(matrix).sum(axis=-1), matrix.sum(axis=(-2, -1)))


def unweighted_average_recall(matrix: Counts) -> NDArray[np.float64]:
    """Mean recall of the emotions that occur, (...) in [0, 1]; rare ones count fully.

    The same as scikit-learn's `balanced_accuracy_score`.
    """
    return _mean_where_defined(recalls(matrix))


def macro_f1(matrix: Counts) -> NDArray[np.float64]:
    """Mean F1 of the emotions that occur or were answered, (...) in [0, 1].

    The same as scikit-learn's `f1_score(average="macro")`.
    """
    return _mean_where_defined(f1_scores(matrix))


METRICS: dict[str, Callable[[Counts], NDArray[np.float64]]] = {
    "accuracy": accuracy,
    "uar": unweighted_average_recall,
    "macro_f1": macro_f1,
}
"""The headline scores by the name they have in `metrics.json`."""


def chance(matrix: Counts) -> dict[str, float]:
    """What each score would be without listening or reading.

    The better of two blind ways: guessing all emotions equally often, and always answering the
    one that occurs most.

    >>> chance(np.array([[6, 0], [1, 1]]))["accuracy"]
    0.75
    """
    occurrences = matrix.sum(axis=1)
    evenly = np.full(len(matrix), 1 / len(matrix))
    always_commonest = np.eye(len(matrix))[occurrences.argmax()]
    blind = np.stack([np.outer(occurrences, evenly), np.outer(occurrences, always_commonest)])
    return {name: float(metric(blind).max()) for name, metric in METRICS.items()}


def by_emotion(matrix: Counts, names: Sequence[str]) -> dict[str, dict[str, float | None]]:
    """Count, recall, precision and F1 of each emotion; None where a value is undefined.

    Args:
        matrix: shape (class, class).
        names: names of the emotions in class order.
    """
    columns = (recalls(matrix), precisions(matrix), f1_scores(matrix))
    return {
        name: {
            "n": int(count),
            **dict(zip(("recall", "precision", "f1"), map(_defined, values), strict=True)),
        }
        for name, count, *values in zip(names, matrix.sum(axis=1), *columns, strict=True)
    }


def _defined(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def bootstrap_unit(speakers: Sequence[str | None] | None) -> Unit:
    """What the bootstrap should draw: speakers where enough are named, otherwise utterances.

    >>> bootstrap_unit(["A", "A", "B", None])
    'utterances'
    """
    voices = set(speakers or ()) - {None}
    return "speakers" if len(voices) >= MIN_SPEAKERS_FOR_BOOTSTRAP else "utterances"


def bootstrap_intervals(
    truth: Indices,
    answer: Indices,
    groups: Sequence[Hashable] | None,
    classes: int,
    *,
    rng: np.random.Generator,
    draws: int = BOOTSTRAP_DRAWS,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Percentile intervals of every score in `METRICS`, from drawing whole groups anew.

    Args:
        truth: class index per utterance.
        answer: the same, as answered.
        groups: label of each utterance's group, as its speaker; None: each utterance by itself.
        classes: how many emotions the classifier tells apart.
        rng: where chance comes from.
        draws: how many times the groups are drawn, with replacement, as many as there are.
        level: share of the draws inside the interval, in (0, 1).

    Returns:
        Lower and upper end by name of score; where the draws do not differ, Wilson's interval for
        as many cases as there are groups.

    Raises:
        CorpusError: there are no utterances, or not as many answers or groups as truths.
        EmotionError: an index is outside 0 to `classes` - 1.
    """
    cells = _cells(truth, answer, classes)
    matrices, copies = _distinct_groups(cells, groups, classes)
    weights = rng.multinomial(copies.sum(), copies / copies.sum(), size=draws)
    drawn = (weights @ matrices).reshape(draws, classes, classes)
    ends = (0.5 - level / 2, 0.5 + level / 2)
    found = {name: _interval(metric(drawn), ends) for name, metric in METRICS.items()}
    return {
        name: (lower, upper) if lower < upper else wilson_interval(lower, int(copies.sum()), level)
        for name, (lower, upper) in found.items()
    }


def wilson_interval(share: float, count: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share seen in `count` independent cases.

    Where every draw of a bootstrap gives one number (all right, or every voice alike), the
    bootstrap would call a handful of cases certain; this does not.

    >>> [round(end, 2) for end in wilson_interval(1.0, 20)]
    [0.84, 1.0]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2)
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    reach = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return max(0.0, centre - reach), min(1.0, centre + reach)


def _interval(values: NDArray[np.float64], ends: tuple[float, float]) -> tuple[float, float]:
    lower, upper = np.quantile(values, ends)
    return float(lower), float(upper)


def _distinct_groups(
    cells: NDArray[np.int64], groups: Sequence[Hashable] | None, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Confusion matrices that groups have (matrix, cell), and how many groups have each.

    Equal groups are drawn as one with their number as weight: the outcome is the same, and a
    million lone utterances need no more room than a hundred. Floating point multiplies faster
    than integers and is exact for counts.
    """
    if groups is None:
        return np.eye(classes**2), np.bincount(cells, minlength=classes**2)
    _check_lengths(len(cells), len(groups), "group labels")
    places = {label: place for place, label in enumerate(dict.fromkeys(groups))}
    group = np.fromiter((places[label] for label in groups), np.int64, len(groups))
    counts = np.bincount(group * classes**2 + cells, minlength=len(places) * classes**2)
    matrices, copies = np.unique(
        counts.reshape(len(places), classes**2), axis=0, return_counts=True
    )
    return matrices.astype(np.float64), copies


@dataclass(frozen=True)
class Scores:
    """What one evaluation found.

    Attributes:
        n: utterances scored.
        accuracy: share of right answers, in [0, 1].
        uar: unweighted average recall, in [0, 1].
        macro_f1: mean F1 over emotions, in [0, 1].
        ci95: lower and upper end of the 95 % interval by name of score.
        ci95_over: what the intervals were drawn over.
        emotions: names in class order.
        by_emotion: `n`, `recall`, `precision`, `f1` by name; None where undefined.
        confusion: counts, rows truth, columns answer.
    """

    n: int
    accuracy: float
    uar: float
    macro_f1: float
    ci95: Mapping[str, tuple[float, float]]
    ci95_over: Unit
    emotions: tuple[str, ...]
    by_emotion: Mapping[str, Mapping[str, float | None]]
    confusion: list[list[int]]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        ends = {name: list(interval) for name, interval in self.ci95.items()}
        return {**asdict(self), "ci95": ends, "emotions": list(self.emotions)}


def scores(
    truth: Indices,
    answer: Indices,
    speakers: Sequence[str | None] | None,
    emotions: tuple[str, ...],
    rng: np.random.Generator,
) -> Scores:
    """Score answers against the truth.

    Args:
        truth: class index per utterance.
        answer: the same, as answered.
        speakers: who said each utterance, as far as known; the unnamed count as one voice, which
            errs to the side of a wide interval. None: nobody is named.
        emotions: names in class order.
        rng: where the chance of the bootstrap comes from.

    Raises:
        CorpusError: there are no utterances, or not as many answers or speakers as truths.
        EmotionError: an index has no emotion.
    """
    matrix = confusion(truth, answer, len(emotions))
    unit = bootstrap_unit(speakers)
    groups = speakers if unit == "speakers" else None
    return Scores(
        n=len(truth),
        ci95=bootstrap_intervals(truth, answer, groups, len(emotions), rng=rng),
        ci95_over=unit,
        emotions=emotions,
        by_emotion=by_emotion(matrix, emotions),
        confusion=matrix.tolist(),
        **{name: float(metric(matrix)) for name, metric in METRICS.items()},
    )
