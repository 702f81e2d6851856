"""How far an exported run is from the run: its vectors, its probabilities, its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.corpus import Corpus
from maeum.encoders.graphs.engines import Precision
from maeum.errors import CorpusError
from maeum.evaluation.evaluate import features_for
from maeum.features import Features
from maeum.inference import Classifier


@dataclass(frozen=True)
class Limits:
    """How far is too far.

    Attributes:
        cosine: the lowest of any vector, at least.
        same: share of equal answers, at least.
        difference: of any probability, at most.
    """

    cosine: float
    same: float
    difference: float = 1.0


LIMITS: Mapping[Precision, Limits] = {
    "float32": Limits(cosine=0.99999, same=1.0, difference=1e-4),
    "bfloat16": Limits(cosine=0.9999, same=0.98),
    "int8": Limits(cosine=0.999, same=0.98),
}
"""float32 differs by the order of sums. Real-size encoders with random weights give cosines of
.9999 to .99999 in bfloat16 and .9995 in int8; a model far below does not bear it. Of 200 answers
4 may change: those between two emotions of nearly one probability."""


@dataclass(frozen=True)
class Likeness:
    """Cosines of the vectors of a side with those of the run.

    Attributes:
        lowest: of all.
        mean: of all.
    """

    lowest: float
    mean: float


@dataclass(frozen=True)
class Agreement:
    """What was measured.

    Attributes:
        utterances: how many were compared.
        cosine: side -> of its vectors.
        difference: the largest between two probabilities.
        same: share of equal answers.
        failed: utterances that the run can use and what was exported cannot.
    """

    utterances: int
    cosine: dict[str, Likeness]
    difference: float
    same: float
    failed: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def sentence(self) -> str:
        """All of it, for a person."""
        vectors = ", ".join(
            f"cosine of {side} {one.lowest:.6f} at least and {one.mean:.6f} in the mean"
            for side, one in self.cosine.items()
        )
        return (
            f"{self.utterances:,} utterances: {vectors}, probabilities within "
            f"{self.difference:.2g}, {self.same:.1%} of the answers the same"
        )

    def beyond(self, limits: Limits) -> list[str]:
        """What is too far, in words; empty where nothing is."""
        found = [
            f"the lowest cosine of {side} is {one.lowest:.6f}, expected {limits.cosine:g} or more"
            for side, one in self.cosine.items()
            if not one.lowest >= limits.cosine
        ]
        if not self.same >= limits.same:
            found.append(f"{self.same:.1%} of the answers are the same, expected {limits.same:.1%}")
        if not self.difference <= limits.difference:
            found.append(
                f"a probability differs by {self.difference:.2g}, expected {limits.difference:g}"
            )
        if self.failed:
            found.append(f"{self.failed} utterance(s) cannot be used any more")
        return found


@dataclass(frozen=True)
class Drawn:
    """Utterances to compare on.

    Attributes:
        corpus: they, and those they are compared with: of the same voices and dialogues.
        ids: theirs.
    """

    corpus: Corpus
    ids: tuple[str, ...]

    @property
    def some(self) -> Corpus:
        """They alone."""
        return self.corpus.select(pl.col("id").is_in(list(self.ids)))


def drawn(corpus: Corpus, first: Sequence[str], *, most: int, seed: int) -> Drawn:
    """Utterances of a corpus, drawn by chance.

    Args:
        corpus: to draw from.
        first: ids of those that are drawn before all others.
        most: how many.
        seed: of the draw.
    """
    ids = corpus.utterances["id"].to_numpy()
    shuffled = np.random.default_rng(seed).permutation(ids)
    later = ~np.isin(shuffled, list(first))
    chosen = shuffled[np.argsort(later, kind="stable")][:most]
    told = corpus.utterances.filter(pl.col("id").is_in(list(chosen)))
    near = pl.col("id").is_in(list(chosen))
    for column in ("speaker", "dialogue"):
        near |= pl.col(column).is_in(told[column].drop_nulls().unique().to_list()).fill_null(False)
    return Drawn(corpus.select(near), tuple(told["id"]))


def agreement(exported: Classifier, run: Classifier, drawn: Drawn) -> Agreement:
    """How far an exported run is from the run.

    Args:
        exported: computes anew, and keeps no vector.
        run: the reference, in float32.
        drawn: what both are given.

    Raises:
        CorpusError: nothing of it can be used.
    """
    one, other = (_raw(which, drawn, store) for which, store in ((exported, None), (run, "usual")))
    ready = [_ready(which, drawn, raw) for which, raw in ((exported, one), (run, other))]
    usable = ready[0].usable & ready[1].usable
    if not usable.any():
        raise CorpusError("nothing to compare: no utterance has a usable recording or text")
    chances = [
        which.probabilities(features)[usable]
        for which, features in zip((exported, run), ready, strict=True)
    ]
    answers = [rows.argmax(axis=1) for rows in chances]
    return Agreement(
        utterances=int(usable.sum()),
        cosine=_likeness(one.take(drawn.ids), other.take(drawn.ids)),
        difference=float(np.abs(chances[0] - chances[1]).max()),
        same=float((answers[0] == answers[1]).mean()),
        failed=int((ready[1].usable & ~ready[0].usable).sum()),
    )


def _raw(which: Classifier, drawn: Drawn, store: Any) -> Features:  # noqa: ANN401
    """As the encoders give them."""
    return which.extract(drawn.corpus if which.needs_others else drawn.some, store=store)


def _ready(which: Classifier, drawn: Drawn, raw: Features) -> Features:
    """As the network takes them."""
    return features_for(which, drawn.corpus, drawn.some, raw)


def _likeness(one: Features, other: Features) -> dict[str, Likeness]:
    found = {}
    for side in one.tables:
        both = one.present(side) & other.present(side)
        if both.any():
            cosines = _cosines(one.vectors(side)[both], other.vectors(side)[both])
            found[side] = Likeness(float(cosines.min()), float(cosines.mean()))
    return found


def _cosines(one: NDArray[np.float32], other: NDArray[np.float32]) -> NDArray[np.float64]:
    """(row,) of vectors that are the same where both are zero."""
    one, other = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    alike = (one == other).all(axis=1)
    return np.where(alike, 1.0, (one * other).sum(axis=1) / np.maximum(lengths, 1e-30))
