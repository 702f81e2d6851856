"""Recordings as encoders hear them: the stretch that is meant, at their rate, audible.

`hear` gives the vector of one recording, `hear_frames` its vectors over time, `listen` the wave
itself, `stretches` where the recordings of a corpus are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, overload

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from maeum.ahead import stay_on_one_core, workers
from maeum.corpus import Corpus
from maeum.corpus.audio import ensure_audible, load
from maeum.encoders import SpeechEncoder

MAX_UTTERANCE_S = 60.0
"""Longer than this is no utterance."""

TARGET_RMS = 0.05
"""Loudness, -26 dBFS, every recording is brought to under `normalize="recording"`."""

HEARING = 1
"""Raised when the same recording would reach the encoders as other samples."""


@dataclass(frozen=True)
class Stretch:
    """The part of a recording an utterance is.

    Attributes:
        channel: from 0; None: the mean of all.
        start_s: where it begins, in seconds.
        duration_s: how long it is; None: to the end.
    """

    channel: int | None = None
    start_s: float = 0.0
    duration_s: float | None = None


WHOLE = Stretch()

Clip: TypeAlias = tuple[Path, Stretch]
"""A recording and the part of it that is meant."""


def hear(
    path: Path,
    encoders: Sequence[SpeechEncoder],
    stretch: Stretch = WHOLE,
    *,
    equal_loudness: bool = False,
) -> Float32[ndarray, " width"]:
    """The vector of one recording: the encoders' vectors side by side.

    Raises:
        AudioError: it is missing, broken, silent, too short or longer than `MAX_UTTERANCE_S`.
    """
    waves = waves_for(path, encoders, stretch, equal_loudness=equal_loudness)
    vectors = [encoder.encode([waves[encoder.rate_hz]])[0] for encoder in encoders]
    return np.concatenate(vectors)


def hear_frames(
    path: Path,
    encoders: Sequence[SpeechEncoder],
    stretch: Stretch = WHOLE,
    *,
    equal_loudness: bool = False,
) -> tuple[Float32[ndarray, "time dim"], ...]:
    """The vectors over time of one recording, one table per encoder; see `hear`."""
    waves = waves_for(path, encoders, stretch, equal_loudness=equal_loudness)
    return tuple(encoder.frames([waves[encoder.rate_hz]])[0] for encoder in encoders)


def waves_for(
    path: Path,
    encoders: Sequence[SpeechEncoder],
    stretch: Stretch = WHOLE,
    *,
    equal_loudness: bool = False,
) -> dict[int, Float32[ndarray, " _"]]:
    """Rate -> samples of one recording, loaded once for each rate of the encoders; see `listen`."""
    rates = {encoder.rate_hz for encoder in encoders}
    return {
        rate_hz: listen(path, rate_hz, stretch, equal_loudness=equal_loudness) for rate_hz in rates
    }


def listen(
    path: Path, rate_hz: int, stretch: Stretch = WHOLE, *, equal_loudness: bool = False
) -> Float32[ndarray, " sample"]:
    """The samples of one recording, in [-1, 1].

    Raises:
        AudioError: it is missing, broken, silent, too short or longer than `MAX_UTTERANCE_S`.
    """
    wave = load(
        path,
        rate_hz=rate_hz,
        channel=stretch.channel,
        start_s=stretch.start_s,
        duration_s=stretch.duration_s,
        max_duration_s=MAX_UTTERANCE_S,
    )
    ensure_audible(wave, str(path))
    return with_equal_loudness(wave) if equal_loudness else wave


def with_equal_loudness(wave: Float32[ndarray, " sample"]) -> Float32[ndarray, " sample"]:
    """The wave at `TARGET_RMS`, so that the distance to the microphone tells nothing."""
    return (wave * (TARGET_RMS / np.sqrt(np.mean(wave**2)))).astype(np.float32)


def stretches(corpus: Corpus) -> Sequence[Clip | None]:
    """Where each utterance of a corpus is heard, in order; None: it has no recording.

    Nothing is copied: rows are read when asked for.
    """
    return _Stretches(corpus)


class _Stretches(Sequence[Clip | None]):
    def __init__(self, corpus: Corpus) -> None:
        self._root = corpus.audio_root or Path()
        self._columns = corpus.utterances.select("audio", "channel", "start_s", "duration_s")

    def __len__(self) -> int:
        return len(self._columns)

    def __iter__(self) -> Iterator[Clip | None]:
        return (self._clip(*row) for row in self._columns.iter_rows())

    @overload
    def __getitem__(self, place: int) -> Clip | None: ...
    @overload
    def __getitem__(self, place: slice) -> list[Clip | None]: ...
    def __getitem__(self, place: int | slice) -> Clip | list[Clip | None] | None:
        if isinstance(place, slice):
            return [self._clip(*row) for row in self._columns[place].iter_rows()]
        return self._clip(*self._columns.row(place))

    def _clip(
        self,
        audio: str | None,
        channel: int | None,
        start_s: float | None,
        duration_s: float | None,
    ) -> Clip | None:
        if audio is None:
            return None
        whole = Stretch(channel)
        stretch = whole if start_s is None else Stretch(channel, start_s, duration_s)
        return self._root / audio, stretch


@contextmanager
def encoding_workers() -> Iterator[ThreadPoolExecutor]:
    """Threads that encode beside each other, each product of matrices on its own thread.

    torch's own threads, which every thread of Python would get a set of, are told apart from those
    of numpy's libraries; where torch was never imported it is left alone.
    """
    from threadpoolctl import threadpool_limits

    torch: Any = sys.modules.get("torch")
    usual = None if torch is None else torch.get_num_threads()

    def begin() -> None:
        stay_on_one_core()
        if torch is not None:
            torch.set_num_threads(1)

    try:
        with threadpool_limits(1), workers(begin=begin) as pool:
            yield pool
    finally:
        if torch is not None:
            torch.set_num_threads(usual)
