"""Voices never heard: the built-in acoustic features beside openSMILE's, the same folds, paired.

    python benchmarks/strangers.py CORPUS … [--sets eGeMAPSv02] [--seed 0]

CORPUS was imported by `maeum import`. Each speaker is left out once. Ours is `maeum crossval --by
speaker --folds loso --modality speech`, plain and with `--normalize speaker`; theirs a linear
support vector machine on standardised functionals, and on functionals standardised within each
speaker. The machine's C is the one of `COSTS` that the test itself likes best, which is to its
advantage; on the 6,373 values of ComParE_2016 and thousands of recordings it takes more than a
quarter of an hour. Intervals are of the difference, by the paired bootstrap of `maeum compare`.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import opensmile
import polars as pl
from side_by_side import keep, table, versions
from sklearn.metrics import recall_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from maeum.config import Settings
from maeum.corpus import Corpus, splits
from maeum.corpus.audio import load
from maeum.evaluation.compare import Comparison, compare
from maeum.features import Features
from maeum.training import crossval
from maeum.training.encoders import Encoders

COSTS = (0.0001, 0.001, 0.01, 0.1, 1.0)
RATE_HZ = 16_000
HEAD = ("corpus", "heard", "ours", "against", "theirs", "points ahead", "McNemar's p")


def main() -> None:
    """Every corpus, plain and within each speaker, against every set of functionals."""
    asked = _asked()
    rows = [row for folder in asked.corpora for row in _rows(folder, asked)]
    told = versions("opensmile", "scikit-learn", "torch", "numpy")
    keep(
        "strangers",
        f"Unweighted average recall, seed {asked.seed}\n\n{table(HEAD, rows)}\n\n{told}",
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("corpora", type=Path, nargs="+", metavar="CORPUS")
    parser.add_argument("--sets", nargs="+", default=["eGeMAPSv02"], help="or ComParE_2016")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def _rows(folder: Path, asked: argparse.Namespace) -> Iterable[tuple[str, ...]]:
    corpus = Corpus.open(folder)
    features = Encoders.of(Settings.of(modality="speech")).extract(corpus)
    ours = {way: _ours(corpus, features, way, asked.seed) for way in ("none", "speaker")}
    for name in asked.sets:
        functionals = _functionals(corpus, name)
        for way, answers in ours.items():
            theirs = _theirs(corpus, functionals, per_voice=way == "speaker")
            found = compare(
                answers,
                theirs,
                corpus.emotions,
                names=("ours", name),
                met=pl.Series([], dtype=pl.String),
            )
            heard = {"none": "new voices", "speaker": "per voice"}[way]
            yield folder.name, heard, *_row(name, functionals.shape[1], answers, theirs, found)


def _row(
    name: str, dim: int, ours: pl.DataFrame, theirs: pl.DataFrame, found: Comparison
) -> tuple[str, ...]:
    apart = found.differences["uar"]
    low, high = (100 * end for end in apart.ci95)
    return (
        f"{_recall(ours):.3f}",
        f"{name} ({dim:,})",
        f"{_recall(theirs):.3f}",
        f"{100 * apart.difference:.1f} ({low:.1f} to {high:.1f}, over {found.ci95_over})",
        f"{found.mcnemar_p:.2g}",
    )


def _ours(corpus: Corpus, features: Features, normalize: str, seed: int) -> pl.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        done = crossval(
            corpus,
            Path(folder) / "folds",
            by="speaker",
            folds="loso",
            features=features,
            modality="speech",
            normalize=normalize,
            seed=seed,
        )
        return done.evaluation.answers.select("speaker", "truth", "answer", utterance="id")


def _functionals(corpus: Corpus, name: str) -> np.ndarray:
    smile = opensmile.Smile(
        feature_set=getattr(opensmile.FeatureSet, name),
        feature_level=opensmile.FeatureLevel.Functionals,
    )

    def of(audio: str) -> np.ndarray:
        wave = load(corpus.audio_root / audio, rate_hz=RATE_HZ)
        return smile.process_signal(wave, RATE_HZ).to_numpy()[0]

    with ThreadPoolExecutor() as pool:
        return np.nan_to_num(np.stack(list(pool.map(of, corpus.utterances["audio"]))))


def _theirs(corpus: Corpus, functionals: np.ndarray, *, per_voice: bool) -> pl.DataFrame:
    """Answers of the machine whose C does best on the test."""
    rows = corpus.utterances
    if per_voice:
        functionals = functionals.copy()
        for speaker in rows["speaker"].unique():
            own = (rows["speaker"] == speaker).to_numpy()
            functionals[own] = StandardScaler().fit_transform(functionals[own])
    found = [_answers(rows, functionals, cost) for cost in COSTS]
    return max(found, key=_recall)


def _answers(rows: pl.DataFrame, functionals: np.ndarray, cost: float) -> pl.DataFrame:
    answers = np.empty(len(rows), dtype=object)
    emotions = rows["emotion"].to_numpy()
    for fold in splits.folds(rows, "speaker", "loso"):
        test, train = (
            rows["id"].is_in(part.implode()).to_numpy() for part in (fold.test, fold.train)
        )
        machine = make_pipeline(StandardScaler(), LinearSVC(C=cost, dual="auto", max_iter=5000))
        answers[test] = machine.fit(functionals[train], emotions[train]).predict(functionals[test])
    return rows.select("speaker", truth="emotion", utterance="id").with_columns(
        answer=pl.Series(answers.tolist(), dtype=pl.String)
    )


def _recall(answers: pl.DataFrame) -> float:
    return float(recall_score(answers["truth"], answers["answer"], average="macro"))


if __name__ == "__main__":
    main()
