"""Which recordings to label next, and why each.

    suggest(corpus, "diverse", per_emotion=50)
    suggest(corpus, "uncertain", per_emotion=50, run=Run.open("runs/first"))

`long` takes the longest, which tell most each, every sentence once while there are others;
`diverse` one of every group of recordings that are alike, the largest groups first; `uncertain`
those a run cannot decide on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.corpus import Corpus
from maeum.corpus.identity import hashed
from maeum.corpus.sampling import Sample, queue
from maeum.errors import CorpusError, SettingsError
from maeum.features import Features
from maeum.inference.run import Run

Way = Literal["long", "diverse", "uncertain"]
WAYS: tuple[Way, ...] = get_args(Way)

MANY = 10_000
"""Recordings from which on groups are found from samples of them."""


@dataclass(frozen=True)
class Suggestion:
    """A recording, or a sentence, that is worth a label.

    Attributes:
        id: in the corpus.
        audio: path below the corpus' audio root.
        text: what was said.
        emotion: it was taken for: of the run's answer, or as the corpus has it.
        reason: a few words for the person who labels.
    """

    id: str
    audio: str | None
    text: str | None
    emotion: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


class _Pool(NamedTuple):
    """What may be chosen of one emotion, or of all.

    Attributes:
        table: rows of the manifest.
        places: of the rows in the features.
        features: of all.
        chances: (utterance, emotion) of a run's answers to all; None: there is no run.
        labels: of its emotions.
    """

    table: pl.DataFrame
    places: NDArray[np.int64]
    features: Features | None
    chances: NDArray[np.float32] | None
    labels: Sequence[str]


def suggest(
    corpus: Corpus,
    by: Way,
    *,
    per_emotion: int | None = None,
    total: int | None = None,
    run: Run | None = None,
    features: Features | None = None,
    seed: int = 0,
) -> list[Suggestion]:
    """Choose what to label, the most wanted of each emotion first.

    Args:
        corpus: to choose from; its emotions may be guesses.
        by: one of `WAYS`.
        per_emotion: how many that are taken for each emotion.
        total: how many in all, whatever they are taken for.
        run: that says what each is taken for; what it was trained on is not suggested. None: the
            corpus says so.
        features: of the corpus by the run's encoders, or by any where there is no run; None: they
            are extracted, if they are needed.
        seed: decides which groups `diverse` finds.

    Returns:
        At most as many as asked for; fewer where there are no more.

    Raises:
        SettingsError: neither or both counts are given, or `uncertain` is asked without a run.
        CorpusError: nothing is left to choose.
    """
    _refuse(by, per_emotion, total, run)
    if run is not None:
        features = features or run.model.extract(corpus)
    elif by == "diverse":
        features = features or _usual(corpus)
    chances = None if run is None or features is None else _answers(run, corpus, features)
    table = _choosable(corpus, run, features, chances)
    if table.is_empty():
        raise CorpusError("nothing is left to suggest: the run was trained on all of it")
    labels = (corpus if run is None else run.model).emotions.labels
    groups = [table] if total else table.partition_by("emotion", maintain_order=True)
    found = []
    for rows in groups:
        pool = _Pool(rows, rows["place"].to_numpy(), features, chances, labels)
        count = min(total or per_emotion or 1, len(rows))
        by_place = dict(zip(pool.places.tolist(), rows.iter_rows(named=True), strict=True))
        for place, why in _CHOOSE[by](pool, count, seed):
            row = by_place[place]
            found.append(Suggestion(row["id"], row["audio"], row["text"], row["emotion"], why))
    return found


def _refuse(by: str, per_emotion: int | None, total: int | None, run: Run | None) -> None:
    if by not in WAYS:
        raise SettingsError(f"no way {by!r} to choose; expected {', '.join(WAYS)}")
    if (per_emotion is None) == (total is None):
        raise SettingsError("ask for so many per emotion, or in all; one of them")
    if by == "uncertain" and run is None:
        raise SettingsError("uncertain takes a run that is not sure; name one with --run")


def _usual(corpus: Corpus) -> Features:
    """By the built-in encoders of what the corpus has."""
    from maeum.encoders import speech_encoders, text_encoders
    from maeum.features import extract

    heard, read = (corpus.utterances[column].count() for column in ("audio", "text"))
    return extract(
        corpus,
        speech=speech_encoders("builtin:acoustic") if heard else (),
        text=text_encoders("builtin:letters") if read else (),
    )


def _answers(run: Run, corpus: Corpus, features: Features) -> NDArray[np.float32]:
    """(utterance, emotion) of the usable ones; 0 for the others."""
    model = run.model
    own = features
    if model.needs_voice:
        own = model.with_known_voices(own, corpus.utterances["speaker"].to_list())
    usable = np.flatnonzero(own.only(_modality(model.sides)).usable)
    chances = np.zeros((len(own), len(model.emotions)), np.float32)
    ids = [own.ids[place] for place in usable]
    if ids:
        chances[usable] = model.probabilities(own.take(ids))
    return chances


def _modality(sides: Sequence[str]) -> Any:  # noqa: ANN401 - a literal
    return "both" if len(sides) == 2 else sides[0]


def _choosable(
    corpus: Corpus,
    run: Run | None,
    features: Features | None,
    chances: NDArray[np.float32] | None,
) -> pl.DataFrame:
    """Rows that may be suggested, with their place in the features and what they are taken for."""
    table = corpus.utterances.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    there = np.ones(len(table), dtype=bool)
    if features is not None:
        there &= features.usable
    if run is not None and chances is not None:
        names = np.array(run.model.emotions.names)
        there &= chances.any(axis=1)
        table = table.with_columns(emotion=pl.Series(names[chances.argmax(axis=1)]))
        met = run.met["utterance"].implode()
        there &= ~hashed(corpus.utterances)["utterance"].is_in(met).to_numpy()
    return table.filter(pl.Series(there))


def _long(pool: _Pool, count: int, seed: int) -> Iterator[tuple[int, str]]:
    rng = np.random.default_rng(seed)
    arranged = queue(pool.table, Sample(order="long"), rng=rng).with_row_index("rank")
    again = pl.col("script").is_not_null() & ~pl.col("script").is_first_distinct()
    for row in arranged.sort(again, "rank").head(count).iter_rows(named=True):
        size = f"{row['duration_s']:.1f} s" if row["duration_s"] else f"{len(row['text'])} letters"
        shorter = len(arranged) - 1 - row["rank"]
        yield row["place"], f"{size}, {shorter:,} of {len(arranged):,} are shorter"


def _diverse(pool: _Pool, count: int, seed: int) -> Iterator[tuple[int, str]]:
    from sklearn.cluster import KMeans, MiniBatchKMeans

    assert pool.features is not None  # noqa: S101 - `suggest` sees to it
    vectors = _standardized(pool.features, pool.places)
    kind = KMeans if len(vectors) <= MANY else MiniBatchKMeans
    groups = kind(count, n_init=1, random_state=seed).fit(vectors)
    distances = np.linalg.norm(vectors - groups.cluster_centers_[groups.labels_], axis=1)
    sizes = np.bincount(groups.labels_, minlength=count)
    voices = pool.table["speaker"].to_numpy()
    for group in np.argsort(-sizes, kind="stable"):
        own = np.flatnonzero(groups.labels_ == group)
        if len(own):
            middle = own[distances[own].argmin()]
            heard = len({voice for voice in voices[own] if voice is not None})
            by = f" of {heard} voices" if heard > 1 else ""
            alike = (
                f"stands for {len(own):,} that are alike{by}" if len(own) > 1 else "like no other"
            )
            yield int(pool.places[middle]), alike


def _uncertain(pool: _Pool, count: int, seed: int) -> Iterator[tuple[int, str]]:
    assert pool.chances is not None  # noqa: S101 - `suggest` sees to it
    chances = pool.chances[pool.places]
    best = np.argsort(-chances, axis=1, kind="stable")[:, :2]
    first, second = np.take_along_axis(chances, best, axis=1).T
    for row in np.argsort(first - second, kind="stable")[:count]:
        one, other = (pool.labels[place] for place in best[row])
        why = f"{one} {first[row]:.0%} or {other} {second[row]:.0%}"
        yield int(pool.places[row]), why


_CHOOSE: dict[Way, Callable[[_Pool, int, int], Iterator[tuple[int, str]]]] = {
    "long": _long,
    "diverse": _diverse,
    "uncertain": _uncertain,
}


def _standardized(features: Features, places: NDArray[np.int64]) -> NDArray[np.float32]:
    """(utterance, width): each value by its spread, sides of equal weight; 0 where missing."""
    sides = []
    for side, table in features.tables.items():
        own = np.array(table[features.rows[places]], dtype=np.float32)
        there = features.present(side)[places]
        middle, spread = own[there].mean(axis=0), own[there].std(axis=0)
        own = (own - middle) / np.where(spread > 0, spread, 1) / np.sqrt(own.shape[1])
        own[~there] = 0
        sides.append(own)
    return np.concatenate(sides, axis=1)
