"""Which words belong to which stretch of speech: cues of a transcript, and speech outside them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maeum.corpus.transcripts import Cue
from maeum.inference.voice_activity import FRAME_S, SHORTEST_S, Span

LEAST_OUTSIDE_S = 1.0
"""What sticks out of cues and is shorter belongs to them: their times are rough."""


class Piece(NamedTuple):
    """What is asked for: a stretch of a channel, with its words where they are known."""

    span: Span
    channel: int | None
    text: str | None = None


def pieces_of(
    spans: Mapping[int | None, Sequence[Span]],
    chances: Mapping[int | None, NDArray[np.float32]],
    cues: Sequence[Cue],
    longest_s: float,
) -> list[Piece]:
    """Cues with their words, and speech outside of them, by time.

    A cue is taken to be said in the channel in which speech is likeliest; one that is too long is
    parted, and its words stand with each part.

    Args:
        spans: channel -> where somebody speaks.
        chances: channel -> (frame,) of speech.
        cues: of a transcript; none: nobody knows the words.
        longest_s: no piece lasts longer, in seconds.
    """
    length_s = max((len(own) for own in chances.values()), default=0) * FRAME_S
    worded = [
        Piece(span, _channel_of(span, chances), cue.text)
        for cue in cues
        for span in _parts(cue, longest_s, length_s)
    ]
    taken = {
        channel: [piece.span for piece in worded if piece.channel == channel] for channel in spans
    }
    wordless = [
        Piece(left, channel)
        for channel, own in spans.items()
        for span in own
        for left in _outside(span, taken[channel])
    ]
    return sorted([*worded, *wordless], key=lambda one: (one.span, one.channel or 0))


def _parts(cue: Cue, longest_s: float, length_s: float) -> Iterator[Span]:
    """A cue in equal parts, as far as the recording goes."""
    end_s = min(cue.end_s, length_s)
    whole_s = end_s - cue.start_s
    if whole_s < SHORTEST_S / 2:
        return
    count = math.ceil(whole_s / longest_s)
    for place in range(count):
        start_s = cue.start_s + whole_s * place / count
        yield Span(start_s, cue.start_s + whole_s * (place + 1) / count)


def _channel_of(span: Span, chances: Mapping[int | None, NDArray[np.float32]]) -> int | None:
    """Where speech is likeliest in that time."""

    def likely(channel: int | None) -> float:
        own = chances[channel][int(span.start_s / FRAME_S) : math.ceil(span.end_s / FRAME_S)]
        return float(own.mean()) if len(own) else 0.0

    return max(chances, key=likely)


def _outside(span: Span, taken: Sequence[Span]) -> Iterator[Span]:
    """What is left of a span where others are taken from it, without splinters.

    Args:
        span: all of it is given where nothing is taken.
        taken: in the order of their beginnings.
    """
    if not taken:
        yield span
        return
    start_s = span.start_s
    for one in taken:
        if one.end_s <= start_s or one.start_s >= span.end_s:
            continue
        if one.start_s - start_s >= LEAST_OUTSIDE_S:
            yield Span(start_s, one.start_s)
        start_s = max(start_s, one.end_s)
    if span.end_s - start_s >= min(LEAST_OUTSIDE_S, span.duration_s):
        yield Span(start_s, span.end_s)
