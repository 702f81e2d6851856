"""Encoders are found by name, and keep what the network relies on."""

import subprocess
import sys

import numpy as np
import pytest

from maeum.encoders import (
    BUILTIN_SPEECH,
    BUILTIN_TEXT,
    Encoder,
    SpeechEncoder,
    TextEncoder,
    card,
    speech_encoders,
    split_names,
    text_encoders,
    width,
)
from maeum.errors import EncoderError


@pytest.mark.parametrize("name", BUILTIN_SPEECH)
def test_a_speech_encoder_tells_of_itself_what_the_network_needs(name):
    (encoder,) = speech_encoders(name)
    wave = np.random.default_rng(0).normal(0, 0.1, encoder.rate_hz).astype(np.float32)
    assert isinstance(encoder, SpeechEncoder)
    _check(encoder, name, encoder.encode([wave, wave]), encoder.frames([wave, wave]))


@pytest.mark.parametrize("name", BUILTIN_TEXT)
def test_a_text_encoder_tells_of_itself_what_the_network_needs(name):
    (encoder,) = text_encoders(name)
    sentences = ["정말?", "그래"]
    assert isinstance(encoder, TextEncoder)
    _check(encoder, name, encoder.encode(sentences), encoder.frames(sentences))


def _check(encoder: Encoder, name: str, vectors: np.ndarray, frames: list[np.ndarray]) -> None:
    assert (encoder.name, encoder.version != "") == (name, True)
    assert encoder.standardize in ("each", "together")
    assert encoder.at_once >= 1
    assert (vectors.shape, vectors.dtype) == ((2, encoder.layers * encoder.dim), np.float32)
    assert [found.shape[1] for found in frames] == [encoder.dim, encoder.dim]


def test_encoders_are_joined_with_a_plus_in_order():
    both = speech_encoders("builtin:acoustic + builtin:acoustic")
    assert [encoder.name for encoder in both] == ["builtin:acoustic", "builtin:acoustic"]
    assert width(both) == 2 * both[0].dim


def test_a_folder_with_a_plus_in_its_name_is_one_encoder(tmp_path):
    folder = tmp_path / "mine+yours"
    assert split_names(str(folder)) == [str(tmp_path / "mine"), "yours"]
    folder.mkdir()
    assert split_names(str(folder)) == [str(folder)]


@pytest.mark.parametrize("names", ["", "+", "builtin:acoustic+", "+builtin:letters", " "])
@pytest.mark.parametrize("find", [speech_encoders, text_encoders])
def test_an_empty_name_is_an_error(find, names):
    with pytest.raises(EncoderError, match="names no encoder"):
        find(names)


@pytest.mark.parametrize("find", [speech_encoders, text_encoders])
def test_an_unknown_built_in_name_is_an_error_that_lists_the_known(find):
    with pytest.raises(EncoderError, match=r"no encoder 'builtin:x'; built in are builtin:"):
        find("builtin:x")


def test_a_built_in_encoder_of_the_other_kind_is_unknown():
    with pytest.raises(EncoderError, match="no encoder 'builtin:acoustic'"):
        text_encoders("builtin:acoustic")
    with pytest.raises(EncoderError, match="no encoder 'builtin:letters'"):
        speech_encoders("builtin:letters")


def test_a_pretrained_encoder_that_cannot_be_had_is_one_sentence():
    with pytest.raises(EncoderError, match="speech encoder 'acoustic' is not on this machine"):
        speech_encoders("builtin:acoustic+acoustic")
    with pytest.raises(EncoderError, match="text encoder 'klue/nobody' is not on this machine"):
        text_encoders("klue/nobody")


def test_to_import_encoders_and_to_look_for_one_loads_nothing_heavy():
    code = (
        "import sys; from maeum.encoders.pretrained.places import named_folder; named_folder('x');"
        "sys.exit(str(sorted({'torch', 'transformers', 'peft'} & {*sys.modules})))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr.strip() == "[]"


def test_a_card_is_what_a_run_keeps():
    (encoder,) = text_encoders("builtin:letters")
    assert card(encoder) == {
        "name": "builtin:letters",
        "version": encoder.version,
        "dim": 4096,
        "layers": 1,
        "standardize": encoder.standardize,
    }
