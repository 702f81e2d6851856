"""The quick header of a wav is the decoder's, or none."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile as sf

from maeum.corpus.audio import read_header
from maeum.corpus.decoding import opened
from maeum.corpus.wav import HEAD_BYTES, wav_header
from maeum.errors import AudioError
from maeum.testing import DIRT


def quick(path):
    data = path.read_bytes()
    return wav_header(data[:HEAD_BYTES], len(data))


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_U8", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("channels", [1, 2])
def test_a_plain_wav_has_the_header_the_decoder_finds(tmp_path, subtype, channels):
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, (777, channels))
    sf.write(tmp_path / "a.wav", wave, 22_050, subtype=subtype)
    with opened(tmp_path / "a.wav") as recording:
        assert quick(tmp_path / "a.wav") in (recording.header, None)
    assert read_header(tmp_path / "a.wav").duration_s == 777 / 22_050


def test_sixteen_bits_never_need_the_decoder(tmp_path):
    sf.write(tmp_path / "a.wav", np.zeros(48_000), 48_000)
    assert quick(tmp_path / "a.wav").duration_s == 1.0


@pytest.mark.parametrize("name", sorted(DIRT))
def test_whatever_is_given_the_quick_header_is_the_decoders_or_none(tmp_path, name):
    path = DIRT[name](tmp_path)
    found = quick(path)
    try:
        with opened(path) as recording:
            assert found in (recording.header, None)
    except AudioError:
        assert found is None


def test_a_chunk_before_the_samples_is_stepped_over(tmp_path):
    sf.write(tmp_path / "a.wav", np.zeros(800), 8_000)
    data = (tmp_path / "a.wav").read_bytes()
    place = data.index(b"data")
    note = b"LIST" + (5).to_bytes(4, "little") + b"hello\0"
    found = wav_header(data[:place] + note + data[place:], len(data) + len(note))
    assert found.duration_s == 0.1


@pytest.mark.parametrize("cut", [4, 12, 20, 36, 43])
def test_a_header_that_ends_early_is_left_to_the_decoder(tmp_path, cut):
    sf.write(tmp_path / "a.wav", np.zeros(800), 8_000)
    assert wav_header((tmp_path / "a.wav").read_bytes()[:cut], cut) is None
