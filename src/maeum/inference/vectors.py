"""What encoders make of single queries, laid out as the features of a corpus are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maeum.encoders import SpeechEncoder, TextEncoder
from maeum.errors import MaeumError
from maeum.features import Features, hear, hear_frames, waves_for
from maeum.features.frames import FrameTable, HeldFrames, mean_over_time
from maeum.features.hearing import Clip
from maeum.features.normalize import Voice

Vector: TypeAlias = NDArray[np.float32]


class SideVectors(NamedTuple):
    """What the encoders of one side make of a query.

    Attributes:
        vector: (width,), theirs side by side.
        frames: per encoder (time, dim); none for networks that read none.
    """

    vector: Vector
    frames: tuple[Vector, ...] = ()

    def in_voice(self, voice: Voice) -> SideVectors:
        """The same as distances from the mean of a voice."""
        parts = voice.parts([frames.shape[1] for frames in self.frames])
        return SideVectors(
            voice.normalize(self.vector[None])[0],
            tuple(part.normalize(own) for part, own in zip(parts, self.frames, strict=True)),
        )


QueryVectors: TypeAlias = Mapping[str, SideVectors]
"""Side -> what was made of it; a side that the query lacks has no entry."""


def heard(
    clip: Clip, encoders: Sequence[SpeechEncoder], *, equal_loudness: bool, over_time: bool
) -> SideVectors:
    """A recording or a part of it, encoded; with its frames if vectors over time are wanted.

    Raises:
        AudioError: it cannot be used.
    """
    if over_time:
        return _with_means(hear_frames(clip[0], encoders, clip[1], equal_loudness=equal_loudness))
    return SideVectors(hear(clip[0], encoders, clip[1], equal_loudness=equal_loudness))


def heard_together(
    clips: Sequence[Clip],
    encoders: Sequence[SpeechEncoder],
    pool: ThreadPoolExecutor,
    *,
    equal_loudness: bool,
    over_time: bool,
) -> dict[Clip, SideVectors]:
    """Recordings, encoded at once, as accelerators want them.

    What cannot be heard so is left out: by itself it says why.

    Args:
        clips: the recordings, or parts of them.
        encoders: of the network.
        pool: opens them.
        equal_loudness: as in `heard`.
        over_time: as in `heard`.
    """
    load = partial(_waves_or_none, encoders=encoders, equal_loudness=equal_loudness)
    opened = zip(clips, pool.map(load, clips), strict=True)
    loaded = {clip: waves for clip, waves in opened if waves is not None}
    given = [[waves[one.rate_hz] for waves in loaded.values()] for one in encoders]
    try:
        if not loaded:
            return {}
        if over_time:
            frames = zip(
                *(one.frames(waves) for one, waves in zip(encoders, given, strict=True)),
                strict=True,
            )
            return dict(zip(loaded, map(_with_means, frames), strict=True))
        each = [one.encode(waves) for one, waves in zip(encoders, given, strict=True)]
        return dict(zip(loaded, map(SideVectors, np.concatenate(each, axis=1)), strict=True))
    except MaeumError:
        return {}


def _waves_or_none(
    clip: Clip, *, encoders: Sequence[SpeechEncoder], equal_loudness: bool
) -> dict[int, Vector] | None:
    try:
        return waves_for(clip[0], encoders, clip[1], equal_loudness=equal_loudness)
    except MaeumError:
        return None


def read_together(
    sentences: Sequence[str], encoders: Sequence[TextEncoder], *, over_time: bool
) -> dict[str, SideVectors]:
    """Sentence -> what was made of it, of many at once: short ones gain twofold from it.

    Raises:
        TextError: one of them is empty.
    """
    different = list(dict.fromkeys(sentences))
    if not different:
        return {}
    if over_time:
        tables = zip(*(encoder.frames(different) for encoder in encoders), strict=True)
        return dict(zip(different, map(_with_means, tables), strict=True))
    vectors = np.concatenate([encoder.encode(different) for encoder in encoders], axis=1)
    return {
        sentence: SideVectors(vector) for sentence, vector in zip(different, vectors, strict=True)
    }


def _with_means(frames: tuple[Vector, ...]) -> SideVectors:
    return SideVectors(np.concatenate([mean_over_time(own) for own in frames]), frames)


def features_of(encoded: Sequence[QueryVectors], widths: Mapping[str, int], turns: int) -> Features:
    """The queries as utterances 0, 1, 2, … that belong to no dialogue.

    Args:
        encoded: the queries.
        widths: side -> length of its vector, for the sides of the network.
        turns: how many previous utterances the network looks at; here there is none.
    """
    absent = {side: SideVectors(np.zeros(width, np.float32)) for side, width in widths.items()}
    return Features(
        ids=tuple(str(place) for place in range(len(encoded))),
        tables={
            side: np.stack([one.get(side, absent[side]).vector for one in encoded])
            for side in widths
        },
        has={side: np.array([side in one for one in encoded]) for side in widths},
        rows=np.arange(len(encoded)),
        context=np.full((len(encoded), turns), -1),
        frames={side: held for side in widths if (held := _held(encoded, side))},
    )


def _held(encoded: Sequence[QueryVectors], side: str) -> tuple[FrameTable, ...]:
    """Per encoder of the side, the frames of the queries that have it."""
    own = {row: one[side].frames for row, one in enumerate(encoded) if side in one}
    if not own:
        return ()
    of_each = zip(*own.values(), strict=True)
    return tuple(
        HeldFrames(dict(zip(own, frames, strict=True)), frames[0].shape[1]) for frames in of_each
    )
