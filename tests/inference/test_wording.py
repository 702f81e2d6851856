"""Words go to the stretch of speech they were said in."""

import numpy as np
import pytest

from maeum.corpus.transcripts import Cue
from maeum.inference.voice_activity import FRAME_S, Span
from maeum.inference.wording import pieces_of


def speech(*stretches, length_s=30.0):
    chances = np.zeros(round(length_s / FRAME_S), np.float32)
    for start_s, end_s in stretches:
        chances[round(start_s / FRAME_S) : round(end_s / FRAME_S)] = 0.9
    return chances


def asked(spans, cues, longest_s=15.0):
    stretches = {channel: [tuple(span) for span in own] for channel, own in spans.items()}
    chances = {channel: speech(*own) for channel, own in stretches.items()}
    return pieces_of(spans, chances, cues, longest_s)


def test_without_a_transcript_speech_stands_as_it_was_found():
    spans = {None: [Span(1, 3), Span(5, 9)]}
    assert [(piece.span, piece.text) for piece in asked(spans, [])] == [
        (Span(1, 3), None),
        (Span(5, 9), None),
    ]


def test_cues_are_pieces_and_speech_outside_of_them_is_heard_alone():
    pieces = asked({None: [Span(1, 12)]}, [Cue(1.2, 4, "하나"), Cue(4.5, 8, "둘")])
    assert [(tuple(piece.span), piece.text) for piece in pieces] == [
        ((1.2, 4), "하나"),
        ((4.5, 8), "둘"),
        ((8, 12), None),
    ]


def test_a_cue_belongs_to_the_channel_that_speaks_and_hides_nothing_on_the_other():
    pieces = asked({0: [Span(1, 4)], 1: [Span(2, 6)]}, [Cue(1, 4, "하나")])
    assert [(piece.channel, piece.text) for piece in pieces] == [(0, "하나"), (1, None)]


def test_a_long_cue_is_parted_and_one_beyond_the_end_is_not_there():
    pieces = asked({None: []}, [Cue(0, 12, "길다"), Cue(31, 33, "없다"), Cue(28, 40, "끝")], 5.0)
    assert [(*piece.span, piece.text) for piece in pieces] == [
        (0, pytest.approx(4), "길다"),
        (pytest.approx(4), pytest.approx(8), "길다"),
        (pytest.approx(8), pytest.approx(12), "길다"),
        (28, pytest.approx(30, abs=0.1), "끝"),
    ]
