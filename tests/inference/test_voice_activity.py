"""Speech is found, music and silence are not taken for it."""

import json
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

from maeum.inference import voice_activity
from maeum.inference.voice_activity import (
    FRAME_S,
    PAD_S,
    chances_of_speech,
    spans_of_speech,
)


def test_everything_that_is_said_is_found_on_its_channel_and_nothing_else(call):
    chances = chances_of_speech(call.path, [0, 1])
    for channel, own in chances.items():
        said = [(start, end) for start, end, where, _ in call.said if where == channel]
        spans = spans_of_speech(own, 15)
        assert len(spans) == len(said)
        for span, (start_s, end_s) in zip(spans, said, strict=True):
            assert span == pytest.approx((start_s, end_s), abs=0.35)


def test_a_recording_gives_the_same_chances_however_it_is_cut_up(call, monkeypatch):
    whole = chances_of_speech(call.path, [None])[None]
    monkeypatch.setattr("maeum.corpus.long.PIECE_S", 0.37)
    np.testing.assert_allclose(chances_of_speech(call.path, [None])[None], whole, atol=1e-4)


def test_it_is_the_networks_own_answer(call):
    """Beside the package's own way, in a process of its own: it sets torch's threads."""
    script = f"""
import json, sys
from silero_vad import load_silero_vad
from maeum.corpus.audio import load
from pathlib import Path
wave = load(Path({str(call.path)!r}), rate_hz=16_000)
print(json.dumps(load_silero_vad(sequence=True).audio_forward(wave).tolist()))
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    theirs = np.array(json.loads(told.stdout.splitlines()[-1]))
    ours = chances_of_speech(call.path, [None])[None]
    np.testing.assert_allclose(ours[: len(theirs)], theirs[: len(ours)], atol=0.02)


def frames(*parts):
    return np.concatenate([np.full(round(seconds / FRAME_S), chance) for seconds, chance in parts])


def test_short_pauses_part_nothing_and_long_ones_do():
    chances = frames((1, 0.0), (1, 0.9), (0.2, 0.1), (1, 0.9), (1, 0.1), (1, 0.9))
    spans = spans_of_speech(chances, 15)
    assert [span.duration_s for span in spans] == pytest.approx(
        [2.2 + 2 * PAD_S, 1 + PAD_S], abs=0.04
    )


def test_it_begins_where_speech_is_likely_and_not_where_it_is_only_possible():
    assert spans_of_speech(frames((1, 0.4), (1, 0.0)), 15) == []
    assert len(spans_of_speech(frames((1, 0.4), (1, 0.6), (1, 0.0)), 15)) == 1


@pytest.mark.parametrize("longest_s", [2, 5, 15])
def test_no_span_is_longer_than_asked_for_and_none_overlap(longest_s):
    rng = np.random.default_rng(0)
    chances = rng.uniform(0.36, 1, 4000).astype(np.float32)
    spans = spans_of_speech(chances, longest_s)
    assert max(span.duration_s for span in spans) <= longest_s
    assert all(one.end_s <= other.start_s + 1e-9 for one, other in pairwise(spans))
    total_s = sum(span.duration_s for span in spans)
    assert total_s == pytest.approx(4000 * FRAME_S, abs=0.1)


def test_what_is_too_long_is_cut_where_speech_is_least_likely():
    chances = frames((6, 0.9), (0.1, 0.36), (6, 0.9))
    first, second = spans_of_speech(chances, 10)
    assert first.end_s == pytest.approx(6.05, abs=0.1)
    assert second.start_s == pytest.approx(first.end_s)


def test_nothing_is_nothing():
    assert spans_of_speech(np.zeros(0, np.float32), 15) == []


def test_the_missing_package_is_named(call, monkeypatch):
    monkeypatch.setattr(voice_activity, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"maeum\[long\]"):
        chances_of_speech(call.path, [None])
