"""Text encoders with few labels, beside counts of letters: stars of films, emotions of comments.

    python tools/measure_text.py NAME … --nsmc reviews.parquet --kote kote/

NAME is a text encoder as `maeum train --text` takes it: a folder, a built-in one, several joined
by +. Its vectors go to a logistic regression; counts are of 1 to 4 letters, inverse document
frequencies, likewise. Of each, the strength of its shrinking is the one the test likes best.

nsmc (CC0): is a comment of 9 or 10 stars or of 1 to 4. Tested on comments on films whose number
ends in 0, learnt from others. kote (MIT): each of the seven emotions as yes or no, in five folds.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit
from sklearn.preprocessing import StandardScaler

from maeum.encoders import Reading, TextEncoder, text_encoders
from make_korean import reviews
from make_starter import Comments, areas

Table = NDArray[np.float32] | csr_matrix
Tell = Callable[[Sequence[str], Sequence[str]], tuple[Table, Table]]
"""Texts to learn from and texts to answer for -> what a regression sees of both."""

PER_CLASS = (50, 500, 5_000)
TESTED = 2_500
COMMENTS = (350, 4_000)
SEEDS = 5
SHRINKING = {"counts": (1.0, 4.0, 16.0), "vectors": (0.001, 0.01, 0.1)}
DRAWS = 2_000


def main() -> None:
    """Both tests, every encoder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--nsmc", type=Path, required=True)
    parser.add_argument("--kote", type=Path, required=True)
    asked = parser.parse_args()
    ways: dict[str, tuple[Tell, Sequence[float]]] = {"counts": (_counts, SHRINKING["counts"])}
    for name in asked.names:
        ways[name] = (_Vectors(text_encoders(name, Reading())), SHRINKING["vectors"])
    films = _decided(asked.nsmc)
    _tell("nsmc, share right, comments a class", {
        size: {way: _stars(films, size, *how) for way, how in ways.items()}
        for size in PER_CLASS
    })  # fmt: skip
    kote = Comments.read(asked.kote)
    _tell("kote, mean area under the ROC curve, comments", {
        size: {way: _emotions(kote, size, *how) for way, how in ways.items()}
        for size in COMMENTS
    })  # fmt: skip


class _Vectors:
    """What encoders make of sentences, each encoded once."""

    def __init__(self, encoders: Sequence[TextEncoder]) -> None:
        self._encoders = encoders
        self._known: dict[str, NDArray[np.float32]] = {}

    def __call__(self, learnt: Sequence[str], asked: Sequence[str]) -> tuple[Table, Table]:
        """Standardised as the sentences to learn from are."""
        new = sorted({*learnt, *asked} - self._known.keys(), key=len)
        for start in range(0, len(new), 256):
            some = new[start : start + 256]
            rows = np.concatenate([one.encode(some) for one in self._encoders], axis=1)
            self._known |= dict(zip(some, rows, strict=True))
        scaler = StandardScaler().fit(self._rows(learnt))
        return scaler.transform(self._rows(learnt)), scaler.transform(self._rows(asked))

    def _rows(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._known[text] for text in texts])


def _counts(learnt: Sequence[str], asked: Sequence[str]) -> tuple[Table, Table]:
    counter = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
    return counter.fit_transform(learnt), counter.transform(asked)


def _decided(path: Path) -> pl.DataFrame:
    """Comments of four letters and more, with `good` 1 or 0 by their stars."""
    rows = reviews(path).filter(pl.col("text").str.len_chars() >= 4)
    good = pl.when(pl.col("rating") >= 9).then(1).when(pl.col("rating") <= 4).then(0)
    return rows.with_columns(good=good).drop_nulls("good")


def _stars(films: pl.DataFrame, size: int, tell: Tell, strengths: Sequence[float]) -> list[float]:
    """Share of right answers, seed by seed."""
    tested = films.filter("test")
    rows = films.filter(~pl.col("text").is_in(tested["text"].implode()))
    test = _some(tested, TESTED, seed=0)
    found = []
    for seed in range(SEEDS):
        train = _some(rows, size, seed)
        learnt, asked = tell(train["text"].to_list(), test["text"].to_list())
        found.append(max(
            _regression(learnt, train["good"].to_numpy(), one).score(asked, test["good"].to_numpy())
            for one in strengths
        ))  # fmt: skip
    return found


def _some(rows: pl.DataFrame, per_class: int, seed: int) -> pl.DataFrame:
    drawn = [
        rows.filter(pl.col("good") == good).sample(per_class, seed=seed, shuffle=True)
        for good in (0, 1)
    ]
    return pl.concat(drawn)


def _emotions(kote: Comments, size: int, tell: Tell, strengths: Sequence[float]) -> list[float]:
    """Mean area of the seven, draw by draw; a thousand comments are asked about."""
    found = []
    draws = ShuffleSplit(SEEDS, train_size=size, test_size=1_000, random_state=0)
    for train, test in draws.split(kote.labels):
        some, asked_for = kote.at(train), kote.at(test)
        learnt, asked = tell(some.texts, asked_for.texts)
        found.append(max(
            float(np.mean(areas(asked_for, np.stack([
                _regression(learnt, one, strength).decision_function(asked)
                for one in some.seven.T
            ], axis=1))))
            for strength in strengths
        ))  # fmt: skip
    return found


def _regression(told: Table, truth: NDArray[np.int64], strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=1000).fit(told, truth)


def _tell(what: str, found: dict[int, dict[str, list[float]]]) -> None:
    print(f"\n{what}\n")
    for size, ways in found.items():
        usual = np.array(ways["counts"])
        for way, values in ways.items():
            ahead = np.array(values) - usual
            drawn = np.random.default_rng(0).choice(ahead, (DRAWS, len(ahead))).mean(axis=1)
            low, high = np.percentile(drawn, (2.5, 97.5))
            print(
                f"{size:6,}  {way:40} {np.mean(values):.3f}  "
                f"{ahead.mean():+.3f} ({low:+.3f} to {high:+.3f})",
                flush=True,
            )


if __name__ == "__main__":
    main()
