"""How fast `builtin:acoustic` hears, as a multiple of real time on one core.

    python benchmarks/acoustic.py [CORPUS]

CORPUS is a folder made by `maeum import`; without it the packaged sample is heard. Where librosa is
installed, its two pitch trackers are timed in the same run, in turn, on the same clips.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from maeum import sample
from maeum.corpus import Corpus, import_corpus
from maeum.corpus.audio import load
from maeum.encoders import speech_encoder
from maeum.encoders.builtin.pitch import track_pitch

CLIPS, ROUNDS = 24, 7


def main() -> None:
    encoder = speech_encoder("builtin:acoustic")
    waves = _waves(Path(sys.argv[1]) if sys.argv[1:] else None, encoder.rate_hz)
    seconds = sum(len(wave) for wave in waves) / encoder.rate_hz
    works: dict[str, Callable[[np.ndarray], object]] = {
        "builtin:acoustic, everything": lambda wave: encoder.encode([wave]),
        "its pitch alone": lambda wave: track_pitch(wave, rate_hz=encoder.rate_hz, hop=160),
        **_librosa(encoder.rate_hz),
    }
    speeds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work(waves[0])  # warm
    for _ in range(ROUNDS):
        for name, work in works.items():
            speeds[name].append(seconds / _cpu_s(work, waves))
    print(f"{len(waves)} clips, {seconds:.0f} s; load {os.getloadavg()[0]:.1f}; times real time")
    for name, values in speeds.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        print(f"{name:32} {middle:6.0f}  ({low:.0f} to {high:.0f})")


def _waves(folder: Path | None, rate_hz: int) -> list[np.ndarray]:
    table = sample.path() / "sample.csv"
    corpus = Corpus.open(folder) if folder else import_corpus("table", table)
    audio = corpus.utterances["audio"].drop_nulls()
    chosen = audio.gather_every(max(1, len(audio) // CLIPS))[:CLIPS]
    return [load(corpus.audio_root / path, rate_hz=rate_hz) for path in chosen]


def _librosa(rate_hz: int) -> dict[str, Callable[[np.ndarray], object]]:
    try:
        import librosa
    except ImportError:
        return {}
    setting = {"fmin": 60, "fmax": 600, "sr": rate_hz, "hop_length": rate_hz // 100}
    return {
        "librosa.yin": lambda wave: librosa.yin(wave, **setting),
        "librosa.pyin": lambda wave: librosa.pyin(wave, **setting),
    }


def _cpu_s(work: Callable[[np.ndarray], object], waves: list[np.ndarray]) -> float:
    begin = time.process_time()
    for wave in waves:
        work(wave)
    return time.process_time() - begin


if __name__ == "__main__":
    main()
