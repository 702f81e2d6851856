"""How many seconds of a voice `--speaker` takes, on speakers never heard.

    python benchmarks/voice.py CORPUS [--draws 5] [--seeds 3]

CORPUS was imported by `maeum import`. Each speaker is left out once; a run with `--normalize
speaker` on the built-in acoustic encoder is trained on the others. Every utterance of the speaker
is then answered with a voice made of other recordings of them, drawn at random up to so many
seconds, whatever their emotion; or of one emotion only.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
from side_by_side import keep, table, versions

from maeum import train
from maeum.corpus import Corpus
from maeum.encoders import speech_encoders
from maeum.features import Features, extract
from maeum.features.normalize import Voice, voice_of
from maeum.inference import EmotionClassifier

SECONDS = (5, 10, 20, 40, 80)


def main() -> None:
    """Leave each speaker out, with each seed, and count right answers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    corpus = Corpus.open(asked.corpus)
    features = extract(corpus, speech=speech_encoders("builtin:acoustic"))
    right: dict[str, list[float]] = {}
    for speaker in sorted(corpus.utterances["speaker"].unique()):
        for seed in range(asked.seeds):
            for way, share in _left_out(corpus, features, speaker, seed, asked.draws):
                right.setdefault(way, []).append(share)
    rows = [
        (way, f"{np.mean(shares):.1%}", f"{np.min(shares):.0%} to {np.max(shares):.0%}")
        for way, shares in right.items()
    ]
    speakers = corpus.utterances["speaker"].n_unique()
    keep(
        f"voice-{asked.corpus.name}",
        f"{asked.corpus.name}: {len(corpus)} utterances of {speakers} speakers, each left out "
        f"once, {asked.seeds} seeds, {asked.draws} draws of references\n\n"
        + table(("reference recordings of the voice", "right", "by speaker and seed"), rows)
        + f"\n\n{versions('torch', 'numpy')}",
    )


def _left_out(
    corpus: Corpus, features: Features, speaker: str, seed: int, draws: int
) -> Iterator[tuple[str, float]]:
    """Each way to make a voice, and the share of right answers with it."""
    others = corpus.select(corpus.utterances["speaker"] != speaker)
    own = corpus.utterances.filter(pl.col("speaker") == speaker)
    settings = {"modality": "speech", "normalize": "speaker", "split": "none", "seed": seed}
    with tempfile.TemporaryDirectory() as temporary:
        model = train(others, Path(temporary) / "run", features=features, **settings).model
    vectors = features.take(list(own["id"])).vectors("speech")
    lengths_s, emotions = own["duration_s"].to_numpy(), own["emotion"].to_numpy()
    judge = partial(_right, model, vectors, emotions)
    rng = np.random.default_rng(seed)
    for most_s in SECONDS:
        drawn = [judge(partial(_some, rng, lengths_s, most_s)) for _ in range(draws)]
        yield f"{most_s} s", float(np.mean(drawn))
    yield "all others", judge(lambda place: np.delete(np.arange(len(own)), place))
    for emotion in sorted(set(emotions)):
        alike = np.flatnonzero(emotions == emotion)
        yield f"all, of {emotion} only", judge(lambda place, alike=alike: alike[alike != place])


def _some(rng: np.random.Generator, lengths_s: np.ndarray, most_s: float, place: int) -> np.ndarray:
    """Recordings of so many seconds in all, two at least, the one that is asked about left out."""
    order = rng.permutation(np.delete(np.arange(len(lengths_s)), place))
    count = int((np.cumsum(lengths_s[order]) <= most_s).sum())
    return order[: max(2, count)]


def _right(model: EmotionClassifier, vectors: np.ndarray, truth: np.ndarray, chosen) -> float:  # noqa: ANN001
    """Share of utterances answered right, each with a voice of the recordings chosen for it."""
    rows = np.concatenate(
        [_voice(model, vectors[chosen(place)]).normalize(vectors[place : place + 1])
         for place in range(len(vectors))]
    )  # fmt: skip
    ids = [str(place) for place in range(len(rows))]
    found = Features.of(ids, {"speech": rows}, {"speech": np.ones(len(rows), bool)})
    names = np.array(model.emotions.names)[model.probabilities(found).argmax(axis=1)]
    return float((names == truth).mean())


def _voice(model: EmotionClassifier, vectors: np.ndarray) -> Voice:
    return voice_of(vectors, model.usual_spread)


if __name__ == "__main__":
    main()
