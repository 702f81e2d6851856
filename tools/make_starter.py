"""Train `builtin:starter` on Korean comments, and say how well it does.

    python tools/make_starter.py --kote kote/ --nsmc reviews.parquet \
        --to src/maeum/encoders/builtin/starter.safetensors

kote: online comments with 44 emotions, several a comment (`val.tsv`, `labels.txt`; MIT).
nsmc: film comments with stars (columns text, rating; CC0). Takes ten minutes and 9 GB.

1. Of film comments: which letter groups stand beside which telling words and stars, more often
   than by chance. The directions in which groups differ most are a vector a group.
2. Of kote: the 44 emotions from letter groups (ridge). Its scores for the comments it learnt from
   are those it gives where each is left out.
3. The seven from both together (softmax regression): the target of a comment is its share of each,
   where one of 44 counts for one of seven by `SEVEN`; of a comment with none, the usual share.
4. Comments are angry or happy far oftener than hurt; what people say need not be. Of the logarithm
   of the usual shares, `TAKEN_BACK` is taken off.

All steps are linear in weighed counts of groups, so they fold into one table.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from safetensors.numpy import save_file
from scipy.sparse import csr_matrix, hstack, vstack
from scipy.special import softmax
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import recall_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.preprocessing import StandardScaler

from maeum.emotions import PAPER
from maeum.encoders.builtin.starter import GROUPS, HALF_DIM, weighed

Floats = NDArray[np.float64]

SEVEN = {
    "Happy": ("기쁨", "행복", "즐거움/신남"),
    "Anxious": ("불안/걱정", "공포/무서움"),
    "Angry": ("화남/분노", "짜증"),
    "Sad": ("슬픔", "절망"),
    "Embarrassed": ("당황/난처", "부끄러움"),
    "Neutrality": ("없음",),
    "Hurt": ("서러움", "패배/자기혐오"),
}
"""Emotion of ours -> those of kote that count for it; docs/starter.md argues."""

TELLING = 2000
"""Pieces of words that groups are looked at beside: those that tell most of the 44 emotions."""

DIRECTIONS = 64
LABEL_RIDGE = 2.0
SHRINKING = 0.03
"""Chosen by five folds of kote among 32 to 256, 0.5 to 5, and 0.001 to 0.1."""

TAKEN_BACK = 0.5
"""0: surest where comments are meant; 1: every emotion as likely as any other."""

AT_ONCE = 20_000


@dataclass(frozen=True)
class Comments:
    """Comments of kote.

    Attributes:
        texts: as written.
        labels: (comment, 44) 0 or 1.
        seven: (comment, emotion) 0 or 1, in the order of `PAPER`.
    """

    texts: Sequence[str]
    labels: Floats
    seven: Floats

    @classmethod
    def read(cls, folder: Path) -> Comments:
        """Those in `val.tsv`."""
        names = (folder / "labels.txt").read_text(encoding="utf-8").split("\n")
        names = [name for name in names if name]
        with (folder / "val.tsv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, delimiter="\t"))
        labels = np.zeros((len(rows), len(names)))
        for place, (_, _, numbers) in enumerate(rows):
            labels[place, [int(number) for number in numbers.split(",")]] = 1
        places = [[names.index(name) for name in SEVEN[emotion]] for emotion in PAPER.names]
        seven = np.stack([labels[:, place].max(axis=1) for place in places], axis=1)
        return cls([text for _, text, _ in rows], labels, seven)

    @property
    def shares(self) -> Floats:
        """(comment, emotion): of each of its emotions alike; of none, what is usual."""
        counts = self.seven.sum(axis=1, keepdims=True)
        shares = self.seven / np.maximum(counts, 1)
        shares[counts[:, 0] == 0] = shares[counts[:, 0] > 0].mean(axis=0)
        return shares

    def at(self, places: NDArray[np.int64]) -> Comments:
        """Some of them."""
        texts = [self.texts[place] for place in places]
        return Comments(texts, self.labels[places], self.seven[places])


@dataclass(frozen=True)
class Groups:
    """What film comments tell of letter groups.

    Attributes:
        rarity: (2, group) inverse document frequencies.
        vectors: (2, group, direction).
    """

    rarity: NDArray[np.float32]
    vectors: NDArray[np.float32]

    @classmethod
    def of(cls, film: pl.DataFrame, kote: Comments) -> Groups:
        """Those of comments with columns text and rating."""
        texts = film["text"].to_list()
        beside = _beside(texts, film["rating"].to_numpy(), kote)
        halves = [GROUPS.of(texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)]
        counts = [vstack([half[side] for half in halves]).tocsr() for side in (0, 1)]
        together = [_together(half, beside) for half in counts]
        often = np.stack([np.bincount(half.indices, minlength=HALF_DIM) for half in counts])
        rarity = (np.log(len(texts) / (1 + often)) + 1).astype(np.float32)
        return cls(rarity, _directions(together, often))

    def weighed(self, texts: Sequence[str]) -> list[csr_matrix]:
        """Twice (comment, group)."""
        counts = GROUPS.of(texts)
        return [weighed(half, rare) for half, rare in zip(counts, self.rarity, strict=True)]


def _beside(texts: Sequence[str], stars: NDArray[np.int64], kote: Comments) -> csr_matrix:
    """(comment, telling piece and star) 0 or 1."""
    pieces = CountVectorizer(analyzer="char_wb", ngram_range=(2, 3), binary=True, min_df=8)
    found = pieces.fit_transform(kote.texts).astype(np.float64)
    often, usual = np.asarray(found.mean(axis=0)).ravel(), kote.labels.mean(axis=0)
    more = np.asarray(found.T @ kote.labels) / len(kote.texts) - often[:, None] * usual
    spread = np.sqrt(often * (1 - often))[:, None] * np.sqrt(usual * (1 - usual))
    telling = np.argsort(-np.abs(more / spread).max(axis=1))[:TELLING]
    names = pieces.get_feature_names_out()[telling]
    known = CountVectorizer(
        analyzer="char_wb", ngram_range=(2, 3), binary=True, vocabulary=list(names)
    )
    words = [known.transform(texts[at : at + AT_ONCE]) for at in range(0, len(texts), AT_ONCE)]
    each_star = csr_matrix(stars[:, None] == np.arange(1, 11))
    return hstack([vstack(words), each_star]).tocsr().astype(np.float32)


def _together(counts: csr_matrix, beside: csr_matrix) -> NDArray[np.float32]:
    """(group, piece): how much oftener than by chance both stand in one comment, as logarithm."""
    there = counts.copy()
    there.data[:] = 1
    seen = np.asarray((there.T @ beside).todense(), dtype=np.float32)
    often = np.asarray(there.sum(axis=0)).reshape(-1, 1)
    chance = often * np.asarray(beside.sum(axis=0)).reshape(1, -1) / counts.shape[0]
    more = np.log((seen + 1) / (chance + 1)).astype(np.float32)
    more[often[:, 0] < 5] = 0
    return more


def _directions(
    together: Sequence[NDArray[np.float32]], often: NDArray[np.int64]
) -> NDArray[np.float32]:
    worth = np.sqrt(np.minimum(often, 2000)).astype(np.float32)
    spread = sum(
        (half * by[:, None]).T @ (half * by[:, None])
        for half, by in zip(together, worth, strict=True)
    )
    _, axes = np.linalg.eigh(np.asarray(spread, dtype=np.float64))
    largest = axes[:, ::-1][:, :DIRECTIONS].astype(np.float32)
    return np.stack([half @ largest for half in together])


@dataclass(frozen=True)
class Starter:
    """What is kept: logits are the sum of both halves' weighed counts times weights, and bias."""

    weights: Floats  # (2, group, emotion)
    bias: Floats  # (emotion,)

    @classmethod
    def learnt(cls, kote: Comments, groups: Groups) -> Starter:
        """From some comments."""
        halves = groups.weighed(kote.texts)
        left_out, by_group = label_scores(halves, kote.labels)
        directions = [half @ vectors for half, vectors in zip(halves, groups.vectors, strict=True)]
        scaler = StandardScaler()
        inputs = np.concatenate([left_out, scaler.fit_transform(np.hstack(directions))], axis=1)
        slopes, bias = softmax_regression(inputs, kote.shares)
        of_labels, of_directions = np.split(slopes, [kote.labels.shape[1]])
        of_directions = of_directions / scaler.scale_[:, None]
        own = of_directions.reshape(2, DIRECTIONS, -1)
        weights = (by_group @ of_labels).reshape(2, HALF_DIM, -1) + groups.vectors @ own
        bias = bias - scaler.mean_ @ of_directions
        return cls(weights, bias - TAKEN_BACK * np.log(kote.shares.mean(axis=0)))

    def logits(self, texts: Sequence[str], groups: Groups) -> Floats:
        """(comment, emotion)."""
        halves = zip(groups.weighed(texts), self.weights, strict=True)
        return np.asarray(sum(half @ table for half, table in halves)) + self.bias

    def save(self, groups: Groups, path: Path) -> None:
        """Write what `builtin:starter` reads."""
        kept = {"rarity": groups.rarity, "weights": self.weights, "bias": self.bias}
        save_file({name: values.astype(np.float16) for name, values in kept.items()}, path)


def label_scores(halves: Sequence[csr_matrix], labels: Floats) -> tuple[Floats, Floats]:
    """Each label from weighed counts, by ridge, in its own spread.

    Args:
        halves: twice (comment, group).
        labels: (comment, label) 0 or 1.

    Returns:
        (comment, label) scores of comments that were left out in turn, and the weights of all
        groups (2 * group, label), without bias.
    """
    both = (hstack(halves) * np.sqrt(0.5)).tocsr()
    told = labels - labels.mean(axis=0)
    inverse = np.linalg.inv((both @ both.T).toarray() + LABEL_RIDGE * np.eye(len(labels)))
    dual = inverse @ told
    left_out = told - dual / np.diag(inverse)[:, None]
    spread = left_out.std(axis=0)
    return left_out / spread, np.asarray(both.T @ dual) * np.sqrt(0.5) / spread


def softmax_regression(inputs: Floats, shares: Floats) -> tuple[Floats, Floats]:
    """Slopes (input, emotion) and bias (emotion,) of the least cross entropy, shrunk.

    Args:
        inputs: (comment, input).
        shares: (comment, emotion), rows that sum to 1; a row counts for each emotion by its share.
    """
    rows, emotions = np.nonzero(shares)
    model = LogisticRegression(C=1 / (2 * SHRINKING * len(inputs)), max_iter=1000, tol=1e-6)
    model.fit(inputs[rows], emotions, sample_weight=shares[rows, emotions])
    return model.coef_.T, model.intercept_


def usual_way(kote: Comments, texts: Sequence[str]) -> Floats:
    """What a logistic regression on counts of 1 to 4 letters answers, each emotion by itself."""
    counter = TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
    learnt, asked = counter.fit_transform(kote.texts), counter.transform(texts)
    models = [LogisticRegression(C=4, max_iter=1000).fit(learnt, one) for one in kote.seven.T]
    return np.stack([model.decision_function(asked) for model in models], axis=1)


def judge(kote: Comments, groups: Groups, folds: int) -> None:
    """Print what comments that were left out are told, beside the usual way."""
    found: dict[str, list[Any]] = {"starter": [], "letters + logistic regression": []}
    hits = []
    for train, test in KFold(folds, shuffle=True, random_state=0).split(kote.labels):
        some, asked = kote.at(train), kote.at(test)
        answers = softmax(Starter.learnt(some, groups).logits(asked.texts, groups), axis=1)
        found["starter"].append(areas(asked, answers))
        found["letters + logistic regression"].append(areas(asked, usual_way(some, asked.texts)))
        one = asked.seven.sum(axis=1) == 1
        hits.append((asked.seven[one].argmax(axis=1), answers[one].argmax(axis=1)))
    print(f"{'area under the curve':32}", "  ".join(PAPER.names), "mean")
    for name, each in found.items():
        mean = np.mean(each, axis=0)
        print(f"{name:32}", "  ".join(f"{area:.3f}" for area in mean), f"{mean.mean():.4f}")
    truth, told = (np.concatenate(column) for column in zip(*hits, strict=True))
    recalls = recall_score(truth, told, average=None)
    print(f"{len(truth)} comments of one: accuracy {np.mean(truth == told):.3f},", end=" ")
    print("recall", "  ".join(f"{one:.3f}" for one in recalls), f"mean {recalls.mean():.3f}")


def areas(asked: Comments, answers: Floats) -> list[float]:
    """ROC AUC of each emotion as a question by itself."""
    columns = zip(asked.seven.T, answers.T, strict=True)
    return [float(roc_auc_score(truth, told)) for truth, told in columns]


def main() -> None:
    """Read, judge, learn from all, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kote", type=Path, required=True)
    parser.add_argument("--nsmc", type=Path, required=True)
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--folds", type=int, default=5, help="0: write without judging")
    asked = parser.parse_args()
    kote = Comments.read(asked.kote)
    film = pl.read_parquet(asked.nsmc).filter(pl.col("text").str.len_chars() >= 4)
    groups = Groups.of(film.unique("text", maintain_order=True), kote)
    if asked.folds:
        judge(kote, groups, asked.folds)
    Starter.learnt(kote, groups).save(groups, asked.to)


if __name__ == "__main__":
    main()
