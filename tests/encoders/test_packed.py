"""Packed for the processor, a model answers what it answered before, or close by in bfloat16."""

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from maeum.encoders import Reading, speech_encoders, text_encoders
from maeum.encoders.pretrained import attention, packed
from maeum.encoders.pretrained import encoder as encoder_module
from maeum.encoders.pretrained import tower as tower_module
from maeum.encoders.pretrained.attention import PLAIN, plain_attention
from maeum.encoders.pretrained.packed import PackedConvolution, PackedLinear, can_pack, pack
from maeum.engine import SERVED, Engine
from maeum.errors import SettingsError
from maeum.testing import (
    SPEECH_FAMILIES,
    TEXT_FAMILIES,
    make_speech_checkpoint,
    make_text_checkpoint,
)

FAST, HALF = Engine("torch", "float32"), Engine("torch", "bfloat16")
RATE_HZ = 16_000
WAVES = [
    np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)
    for seed, samples in enumerate((9_000, 16_011, 2_000, 9_000))
]
SENTENCES = ("오늘 아침에 비가 많이 와서 학교에 늦었어요, 그래서 혼났어요.", "응.", "정말 고마워!")


@pytest.fixture(autouse=True)
def in_halves_everywhere(monkeypatch):
    """Machines without bfloat16 compute in it by software."""
    monkeypatch.setattr(encoder_module, "has_bfloat16", lambda device: True)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    return tmp_path_factory.mktemp("checkpoints")


def a_speech_encoder(shelf, family, engine=None, **reading):
    folder = shelf / family
    if not folder.is_dir():
        make_speech_checkpoint(folder, family)
    return speech_encoders(str(folder), Reading(**reading), engine)[0]


def a_text_encoder(shelf, family, engine=None, **reading):
    folder = shelf / family
    if not folder.is_dir():
        make_text_checkpoint(folder, family)
    return text_encoders(str(folder), Reading(**reading), engine)[0]


def lowest_cosine(these, those):
    lengths = np.linalg.norm(these, axis=1) * np.linalg.norm(those, axis=1)
    return float(((these * those).sum(axis=1) / lengths).min())


@pytest.mark.parametrize(
    ("make", "family", "given"),
    [
        *((a_speech_encoder, family, WAVES) for family in SPEECH_FAMILIES),
        *((a_text_encoder, family, SENTENCES) for family in TEXT_FAMILIES),
    ],
    ids=[*SPEECH_FAMILIES, *TEXT_FAMILIES],
)
def test_packed_it_gives_what_it_gave(shelf, make, family, given):
    plain, fast, half = (
        make(shelf, family, engine, layers="weighted").encode(given)
        for engine in (None, FAST, HALF)
    )
    np.testing.assert_allclose(fast, plain, atol=1e-5)
    if can_pack(torch.bfloat16):
        assert lowest_cosine(half, plain) > 0.999
        assert np.abs(half - plain).max() > 1e-5  # it does compute otherwise


@pytest.mark.skipif(not can_pack(), reason="torch has no oneDNN here")
def test_what_can_be_packed_is(shelf):
    model = a_speech_encoder(shelf, "wav2vec2-large-robust", FAST).tower.model
    left = [one for one in model.modules() if type(one) in (nn.Linear, nn.Conv1d)]
    kinds = [type(one) for one in model.modules()]
    assert not left
    assert {PackedLinear, PackedConvolution} <= set(kinds)
    # no second copy of the weights stays behind
    kept = sum(weight.numel() for weight in model.parameters())
    plain = a_speech_encoder(shelf, "wav2vec2-large-robust").tower.model
    assert kept < 0.05 * sum(weight.numel() for weight in plain.parameters())


def test_frames_are_those_of_the_model_too(shelf):
    plain = a_speech_encoder(shelf, "wav2vec2-large-robust").frames(WAVES)
    fast = a_speech_encoder(shelf, "wav2vec2-large-robust", FAST).frames(WAVES)
    for before, after in zip(plain, fast, strict=True):
        np.testing.assert_allclose(after, before, atol=1e-5)


@pytest.mark.parametrize("layers", ["last", "1", "weighted"])
def test_threads_that_share_a_packed_model_do_not_mix_their_clips(shelf, layers):
    encoder = a_speech_encoder(shelf, "wav2vec2-large-robust", FAST, layers=layers)
    assert encoder.threaded
    alone = encoder.encode(WAVES)
    with ThreadPoolExecutor(4) as pool:
        beside = list(pool.map(lambda wave: encoder.encode([wave])[0], WAVES * 8))
    np.testing.assert_allclose(np.stack(beside), np.concatenate([alone] * 8), atol=1e-5)


def test_without_the_private_operator_torch_computes_as_it_does(shelf, monkeypatch):
    plain = a_speech_encoder(shelf, "hubert").encode(WAVES)
    monkeypatch.setattr(tower_module, "can_pack", lambda dtype: False)
    fast = a_speech_encoder(shelf, "hubert", FAST)
    assert not any(isinstance(one, PackedLinear) for one in fast.tower.model.modules())
    np.testing.assert_allclose(fast.encode(WAVES), plain, atol=1e-6)
    half = a_speech_encoder(shelf, "hubert", HALF)
    assert half.tower.input_dtype is torch.bfloat16
    assert lowest_cosine(half.encode(WAVES), plain) > 0.999


def test_a_machine_without_bfloat16_answers_in_float32_and_says_so(shelf, monkeypatch, caplog):
    monkeypatch.setattr(encoder_module, "has_bfloat16", lambda device: False)
    with caplog.at_level(logging.WARNING):
        encoder = a_text_encoder(shelf, "klue-bert", HALF)
    assert "does not compute in bfloat16" in caplog.text
    assert encoder.engine == FAST
    assert encoder.version == a_text_encoder(shelf, "klue-bert").version


def test_precision_changes_the_version_and_packing_does_not(shelf):
    plain, fast, half = (
        a_text_encoder(shelf, "klue-bert", engine) for engine in (None, FAST, HALF)
    )
    assert plain.version == fast.version == half.exact_version
    assert half.version == HALF.version_of(fast.exact_version) != plain.version


def test_an_engine_refuses_what_it_does_not_serve():
    with pytest.raises(SettingsError, match="engine=torch does not compute in int8"):
        Engine("torch", "int8")
    for name, served in SERVED.items():
        assert [Engine(name, precision) for precision in served]


def test_activations_are_folded_in_where_they_are_the_exact_gelu():
    class Feed(nn.Module):
        def __init__(self, activation):
            super().__init__()
            self.dense, self.intermediate_act_fn = nn.Linear(8, 16), activation

        def forward(self, x):
            return self.intermediate_act_fn(self.dense(x))

    x = torch.randn(3, 8)
    for activation in (nn.GELU(), nn.GELU("tanh"), nn.ReLU()):
        feed = Feed(activation).eval()
        expected = feed(x)
        pack(feed, torch.float32)
        torch.testing.assert_close(feed(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    "how",
    [
        {"kernel_size": 3, "stride": 2},
        {"kernel_size": 5, "padding": 2, "groups": 4},
        {"kernel_size": 3, "dilation": 2, "bias": False},
        {"kernel_size": 3, "padding": "same"},
        {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    ],
)
def test_a_packed_convolution_is_the_convolution(how):
    layers = nn.Sequential(nn.Conv1d(8, 16, **how)).eval()
    x = torch.randn(2, 8, 40)
    expected = layers(x)
    pack(layers, torch.float32)
    torch.testing.assert_close(layers(x), expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("clips", [1, 2])
@pytest.mark.parametrize("moments", [11, 300])
def test_plain_attention_is_that_of_torch(masked, clips, moments):
    class Layer(nn.Module):
        is_causal, num_key_value_groups = False, 1

    query, key, value = torch.randn(3, clips, 4, moments, 8)
    mask = torch.zeros(clips, 1, moments, moments) if masked else None
    expected, _ = sdpa_attention_forward(Layer(), query, key, value, mask, scaling=0.3)
    found, _ = plain_attention(Layer(), query, key, value, mask, scaling=0.3)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    usual, _ = sdpa_attention_forward(Layer(), query, key, value, mask)
    torch.testing.assert_close(
        plain_attention(Layer(), query, key, value, mask)[0], usual, atol=1e-5, rtol=1e-5
    )


def test_plain_attention_in_bfloat16_is_that_of_torch_however_long_a_clip(monkeypatch):
    class Layer(nn.Module):
        is_causal, num_key_value_groups = False, 1

    query, key, value = torch.randn(3, 1, 4, 300, 8).bfloat16()
    expected, _ = sdpa_attention_forward(Layer(), query, key, value, None)
    monkeypatch.setattr(attention, "sdpa_attention_forward", None)  # it is not asked
    found, _ = plain_attention(Layer(), query, key, value, None)
    torch.testing.assert_close(found, expected, atol=2e-2, rtol=2e-2)


@pytest.mark.skipif(not can_pack(torch.bfloat16), reason="no bfloat16 on this processor")
def test_it_is_taken_in_bfloat16_where_a_model_can_and_a_processor_gains(shelf, monkeypatch):
    monkeypatch.setattr(packed, "has_tiles", lambda: True)
    model = a_speech_encoder(shelf, "wav2vec2-large-robust", HALF).tower.model
    assert model.config._attn_implementation == "sdpa"
    monkeypatch.setattr(packed, "has_tiles", lambda: False)
    for engine, expected in ((FAST, "sdpa"), (HALF, PLAIN)):
        model = a_speech_encoder(shelf, "wav2vec2-large-robust", engine).tower.model
        assert model.config._attn_implementation == expected
