"""Long recordings are gone through in pieces, and any stretch of them is at hand."""

import numpy as np
import pytest
import soundfile as sf
import soxr

from maeum.corpus import long
from maeum.corpus.audio import load
from maeum.corpus.long import AtRate, at_hand, pieces
from maeum.errors import AudioError

RATE_HZ = 8_000


@pytest.fixture
def wave():
    """25 s of two different channels."""
    return np.random.default_rng(0).uniform(-0.5, 0.5, (25 * RATE_HZ, 2)).astype(np.float32)


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
def test_pieces_are_the_whole_recording(tmp_path, wave, ending):
    path = tmp_path / f"call.{ending}"
    sf.write(path, wave, RATE_HZ)
    parts = list(pieces(path))
    assert [len(part) for part in parts[:2]] == [10 * RATE_HZ, 10 * RATE_HZ]
    whole = np.concatenate(parts)
    np.testing.assert_array_equal(whole.mean(axis=1).clip(-1, 1), load(path, rate_hz=RATE_HZ))


def test_what_jumps_is_used_as_it_is(tmp_path, wave):
    path = tmp_path / "call.wav"
    sf.write(path, wave, RATE_HZ)
    with at_hand(path) as near:
        assert near == path


def test_of_what_does_not_jump_a_copy_is_made_and_gone_after(tmp_path, wave):
    path = tmp_path / "call.mp3"
    sf.write(path, wave, RATE_HZ)
    with at_hand(path) as near:
        assert near != path
        for channel in (None, 0, 1):
            asked = {"rate_hz": RATE_HZ, "channel": channel, "start_s": 11.0, "duration_s": 2.0}
            np.testing.assert_allclose(load(near, **asked), load(path, **asked), atol=3e-7)
    assert not near.exists()


def test_a_day_is_the_most(tmp_path, wave, monkeypatch):
    monkeypatch.setattr(long, "LONGEST_S", 20.0)
    path = tmp_path / "call.wav"
    sf.write(path, wave, RATE_HZ)
    with pytest.raises(AudioError, match="cut it"), at_hand(path):
        pass


def test_samples_that_are_no_numbers_are_refused(tmp_path, wave):
    wave[15 * RATE_HZ] = np.nan
    sf.write(tmp_path / "call.wav", wave, RATE_HZ, "FLOAT")
    with pytest.raises(AudioError, match="no numbers"):
        list(pieces(tmp_path / "call.wav"))


@pytest.mark.parametrize("channel", [None, 1])
def test_another_rate_piece_by_piece_is_that_of_the_whole(wave, channel):
    stream = AtRate(channel, RATE_HZ, 16_000)
    parts = [stream(part) for part in np.array_split(wave, 7)]
    found = np.concatenate([*parts, stream(wave[:0], last=True)])
    one = wave.mean(axis=1) if channel is None else wave[:, channel]
    expected = soxr.resample(one, RATE_HZ, 16_000, quality="HQ")
    np.testing.assert_allclose(found, expected, atol=1e-5)
