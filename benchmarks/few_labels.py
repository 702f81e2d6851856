"""Which recordings to label: accuracy on voices never heard against how many were labelled.

    python benchmarks/few_labels.py CORPUS [--modality speech] [--sizes 5 10 20 40] [--seeds 5]

CORPUS was imported by `maeum import`. Speakers are folded in five; from the others so many
recordings per emotion are chosen, by chance, the shortest, the longest, one of each group that is
alike, or half of them by chance and the others where a run trained on those cannot decide. Each
choice trains the usual network on the built-in encoders, and is tested on the fold. Intervals are
of the difference to chance at the same number, by a bootstrap over the folds and seeds.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from side_by_side import DOCS, keep, table, versions

from maeum.config import Settings
from maeum.corpus import Corpus, splits
from maeum.corpus.sampling import Sample, sample
from maeum.features import Features
from maeum.inference.suggesting import suggest
from maeum.training.learn import Material

FOLDS = 5
DRAWS = 2000

Choose = Callable[[Material, Corpus, int, int], list[str]]
"""Material, what there is, how many of each emotion, seed -> ids."""


def main() -> None:
    """Choose, train and test, for every fold, number and seed."""
    asked = _asked()
    os.environ.setdefault("MAEUM_PROCESSORS", "1")
    corpus = Corpus.open(asked.corpus)
    material = Material.gather(corpus, Settings.of(modality=asked.modality, split="none"))
    found: dict[tuple[str, int], list[float]] = {}
    for fold in splits.folds(material.corpus.utterances, "speaker", FOLDS):
        there = material.corpus.select(material.corpus.utterances["id"].is_in(fold.train.implode()))
        for size in asked.sizes:
            for seed in range(asked.seeds):
                for way, choose in WAYS.items():
                    ids = choose(_seeded(material, seed), there, size, seed)
                    right = _right(_seeded(material, seed), ids, list(fold.test))
                    found.setdefault((way, size), []).append(right)
            print(fold.name, size, {way: np.mean(found[way, size]) for way in WAYS}, flush=True)
    _tell(asked, corpus, found)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--modality", default="speech")
    parser.add_argument("--sizes", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--seeds", type=int, default=5)
    return parser.parse_args()


def _seeded(material: Material, seed: int) -> Material:
    return replace(material, settings=material.settings.model_copy(update={"seed": seed}))


def _right(material: Material, train: Sequence[str], test: Sequence[str]) -> float:
    """Share of a test answered right by a network trained on some utterances."""
    classifier, _ = material.learn(train)
    answers = classifier.probabilities(material.features_for(classifier, test)).argmax(axis=1)
    truth = dict(zip(material.corpus.utterances["id"], material.corpus.labels, strict=True))
    return float(np.mean([truth[name] == one for name, one in zip(test, answers, strict=True)]))


def _ordered(order: str) -> Choose:
    def choose(material: Material, there: Corpus, size: int, seed: int) -> list[str]:
        wanted = Sample(order=order, per_emotion=size, allow_fewer=True)
        return list(sample(there.utterances, wanted, rng=np.random.default_rng(seed))["id"])

    return choose


def _diverse(material: Material, there: Corpus, size: int, seed: int) -> list[str]:
    features = material.features.take(list(there.utterances["id"]))
    chosen = suggest(there, "diverse", per_emotion=size, features=features, seed=seed)
    return [one.id for one in chosen]


def _uncertain(material: Material, there: Corpus, size: int, seed: int) -> list[str]:
    half = _ordered("random")(material, there, max(1, size // 2), seed)
    classifier, _ = material.learn(half)
    left = there.select(~there.utterances["id"].is_in(half))
    rest = _least_sure(classifier.probabilities(_features(material, left)), left)
    return half + list(rest.group_by("emotion").head(size - max(1, size // 2))["id"])


def _features(material: Material, corpus: Corpus) -> Features:
    return material.features.take(list(corpus.utterances["id"]))


def _least_sure(chances: np.ndarray, corpus: Corpus) -> pl.DataFrame:
    best = np.sort(chances, axis=1)
    return corpus.utterances.with_columns(margin=best[:, -1] - best[:, -2]).sort("margin", "id")


WAYS: dict[str, Choose] = {
    "random": _ordered("random"),
    "short": _ordered("short"),
    "long": _ordered("long"),
    "diverse": _diverse,
    "uncertain": _uncertain,
}


def _tell(asked: argparse.Namespace, corpus: Corpus, found: dict) -> None:
    name = asked.corpus.name
    rows = []
    for way in WAYS:
        cells = []
        for size in asked.sizes:
            own, chance = np.array(found[way, size]), np.array(found["random", size])
            low, high = _interval(own - chance)
            apart = "" if way == "random" else f" ({low:+.3f} to {high:+.3f})"
            cells.append(f"{own.mean():.3f}{apart}")
        rows.append((way, *cells))
    _draw(asked, found, DOCS / f"few-labels-{name}.png")
    keep(
        f"few-labels-{name}",
        f"{name}, {asked.modality}: {len(corpus)} utterances of "
        f"{corpus.utterances['speaker'].n_unique()} speakers in {FOLDS} folds, {asked.seeds} "
        "seeds; share right on voices never heard (difference to random, 95 %)\n\n"
        + table(("chosen", *(f"{size} per emotion" for size in asked.sizes)), rows)
        + f"\n\n![curves](few-labels-{name}.png)\n\n{versions('torch', 'scikit-learn')}",
    )


def _interval(apart: np.ndarray) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    means = rng.choice(apart, (DRAWS, len(apart))).mean(axis=1)
    return tuple(np.percentile(means, (2.5, 97.5)))


def _draw(asked: argparse.Namespace, found: dict, to: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4))
    for way in WAYS:
        means = [np.mean(found[way, size]) for size in asked.sizes]
        axes.plot(asked.sizes, means, marker="o", label=way)
    axes.set(xlabel="labelled recordings per emotion", ylabel="share right, unseen voices")
    axes.set_xscale("log")
    axes.set_xticks(asked.sizes, [str(size) for size in asked.sizes])
    axes.minorticks_off()
    axes.legend(fontsize=8)
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(to, dpi=80)


if __name__ == "__main__":
    main()
