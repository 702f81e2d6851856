"""Encoders are found by name, and keep what the network relies on."""

import numpy as np
import pytest

from maeum.encoders import BUILTIN_SPEECH, BUILTIN_TEXT, speech_encoder, text_encoder
from maeum.errors import EncoderError


@pytest.mark.parametrize("name", BUILTIN_SPEECH)
def test_a_speech_encoder_tells_of_itself_what_the_network_needs(name):
    encoder = speech_encoder(name)
    wave = np.random.default_rng(0).normal(0, 0.1, encoder.rate_hz).astype(np.float32)
    vectors = encoder.encode([wave, wave])
    assert vectors.shape == (2, encoder.dim)
    assert vectors.dtype == np.float32
    assert (encoder.name, encoder.version != "") == (name, True)
    assert encoder.standardize in ("each", "together")


@pytest.mark.parametrize("name", BUILTIN_TEXT)
def test_a_text_encoder_tells_of_itself_what_the_network_needs(name):
    encoder = text_encoder(name)
    vectors = encoder.encode(["정말?", "그래"])
    assert vectors.shape == (2, encoder.dim)
    assert vectors.dtype == np.float32
    assert (encoder.name, encoder.version != "") == (name, True)
    assert encoder.standardize in ("each", "together")


@pytest.mark.parametrize("find", [speech_encoder, text_encoder])
@pytest.mark.parametrize("name", ["", "acoustic", "builtin:", "facebook/wav2vec2-base"])
def test_an_unknown_name_is_an_error_that_lists_the_known(find, name):
    with pytest.raises(EncoderError, match="this version has builtin:") as error:
        find(name)
    assert repr(name) in str(error.value)


def test_an_encoder_of_the_other_kind_is_unknown():
    with pytest.raises(EncoderError, match="no text encoder 'builtin:acoustic'"):
        text_encoder("builtin:acoustic")
    with pytest.raises(EncoderError, match="no speech encoder 'builtin:letters'"):
        speech_encoder("builtin:letters")
