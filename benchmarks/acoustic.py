"""The built-in acoustic features beside openSMILE's, and reading recordings beside librosa.load.

    python benchmarks/acoustic.py [CORPUS]

CORPUS is a folder made by `maeum import`; without it the packaged sample is heard. Features are of
one core on both sides. What is not installed (`pip install 'maeum[bench]'`) is left out.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from side_by_side import all_in_turn, keep, table, versions

from maeum import sample
from maeum.corpus import Corpus, import_corpus
from maeum.corpus.audio import load
from maeum.encoders import speech_encoders

CLIPS, RATE_HZ = 24, 16_000


def main() -> None:
    """Features, then reading."""
    paths = _paths(Path(sys.argv[1]) if sys.argv[1:] else None)
    (encoder,) = speech_encoders("builtin:acoustic")
    waves = [load(path, rate_hz=encoder.rate_hz) for path in paths]
    ours: Callable[[], object] = lambda: [encoder.encode([wave]) for wave in waves]  # noqa: E731
    seconds = sum(len(wave) for wave in waves) / encoder.rate_hz
    rows = [
        (f"builtin:acoustic ({encoder.dim} values)", name, ratio, f"{seconds / ratio.fast_s:.0f}")
        for name, work in _features(waves).items()
        for ratio in all_in_turn({name: work, "ours": ours}).values()
    ]
    read: Callable[[], object] = lambda: [load(path, rate_hz=RATE_HZ) for path in paths]  # noqa: E731
    rows += [
        ("reading at 16 kHz, mono", name, ratio, f"{seconds / ratio.fast_s:.0f}")
        for name, work in _reading(paths).items()
        for ratio in all_in_turn({name: work, "ours": read}).values()
    ]
    head = ("maeum", "against", "times as fast", "ours, times real time")
    keep(
        "acoustic",
        f"{len(waves)} clips, {seconds:.0f} s in all\n\n{table(head, rows)}\n\n"
        + versions("opensmile", "librosa", "numpy", "scipy", "soundfile", "soxr"),
    )


def _features(waves: list[np.ndarray]) -> dict[str, Callable[[], object]]:
    try:
        import opensmile
    except ImportError:
        return {}
    sets = {"eGeMAPSv02": 88, "ComParE_2016": 6373}
    found: dict[str, Callable[[], object]] = {}
    for name, count in sets.items():
        smile = opensmile.Smile(
            feature_set=getattr(opensmile.FeatureSet, name),
            feature_level=opensmile.FeatureLevel.Functionals,
        )
        found[f"openSMILE {name} ({count:,} values)"] = lambda smile=smile: [
            smile.process_signal(wave, RATE_HZ) for wave in waves
        ]
    return found


def _reading(paths: list[Path]) -> dict[str, Callable[[], object]]:
    try:
        import librosa
    except ImportError:
        return {}
    return {"librosa.load": lambda: [librosa.load(path, sr=RATE_HZ) for path in paths]}


def _paths(folder: Path | None) -> list[Path]:
    table_ = sample.path() / "sample.csv"
    corpus = Corpus.open(folder) if folder else import_corpus("table", table_)
    audio = corpus.utterances["audio"].drop_nulls()
    chosen = audio.gather_every(max(1, len(audio) // CLIPS))[:CLIPS]
    return [(corpus.audio_root or Path()) / path for path in chosen]


if __name__ == "__main__":
    main()
