"""Tiny speech encoders: laid out as the real ones, and worth learning from."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from maeum.encoders import Reading
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.speech_families import FAMILIES
from maeum.encoders.pretrained.tuning import Tuning, make_tunable
from maeum.errors import EncoderError
from maeum.testing import (
    SPEECH_FAMILIES,
    made_scripts,
    made_speakers,
    made_voice,
    make_speech_checkpoint,
)

RATE_HZ = 16_000
EMOTIONS = ("Happy", "Angry", "Sad", "Neutrality")

every_family = pytest.mark.parametrize("family", SPEECH_FAMILIES)


def weights_in(folder):
    if (folder / "model.safetensors").is_file():
        return load_file(folder / "model.safetensors")
    return torch.load(folder / "pytorch_model.bin", weights_only=True)


def settings_in(folder):
    return json.loads((folder / "config.json").read_text())


def opened(folder, **reading):
    return PretrainedSpeech.load(str(folder), Reading(**reading))


@pytest.fixture(scope="module")
def clips():
    """40 made voices and their emotions, as numbers."""
    rng = np.random.default_rng(0)
    spoken = [
        (made_voice(emotion, text, speaker, rng=rng), number)
        for number, emotion in enumerate(EMOTIONS)
        for speaker in made_speakers(5)
        for text in made_scripts(emotion, 2)
    ]
    waves, emotions = zip(*spoken, strict=True)
    return list(waves), torch.tensor(emotions)


def test_every_model_that_is_read_has_a_checkpoint(tmp_path):
    made = [make_speech_checkpoint(tmp_path / family, family) for family in SPEECH_FAMILIES]
    assert {settings_in(folder)["model_type"] for folder in made} == FAMILIES.keys()


@every_family
def test_a_frame_is_20_ms_as_in_the_real_ones(tmp_path, family):
    encoder = opened(make_speech_checkpoint(tmp_path, family))
    (frames,) = encoder.frames([np.zeros(4 * RATE_HZ, np.float32)])
    assert len(frames) in (199, 200)


@pytest.mark.parametrize(
    ("family", "file", "name"),
    [
        (
            "wav2vec2-large-robust",
            "pytorch_model.bin",
            "wav2vec2.encoder.pos_conv_embed.conv.weight_g",
        ),
        ("wav2vec2-base", "model.safetensors", "quantizer.codevectors"),
        ("xlsr-korean", "model.safetensors", "lm_head.weight"),
        ("hubert", "pytorch_model.bin", "encoder.pos_conv_embed.conv.weight_v"),
        ("whisper", "model.safetensors", "model.decoder.embed_tokens.weight"),
        ("speecht5", "pytorch_model.bin", "speecht5.encoder.prenet.pos_conv_embed.conv.weight_g"),
    ],
)
def test_weights_have_the_file_and_the_names_of_the_class_that_was_saved(
    tmp_path, family, file, name
):
    folder = make_speech_checkpoint(tmp_path, family)
    names = {path.name for path in folder.iterdir()}
    assert names == {"config.json", "preprocessor_config.json", file}
    assert name in weights_in(folder)


def test_equal_seeds_give_equal_weights_and_others_do_not(tmp_path):
    first, same, other = (
        weights_in(make_speech_checkpoint(tmp_path / name, "hubert-large", seed=seed))
        for name, seed in (("first", 0), ("same", 0), ("other", 1))
    )
    name = "encoder.layers.0.attention.v_proj.weight"
    assert torch.equal(first[name], same[name])
    assert not torch.equal(first[name], other[name])


def test_the_caller_s_chance_is_left_alone(tmp_path):
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    make_speech_checkpoint(tmp_path, "hubert")
    assert torch.equal(torch.rand(2), expected)


def test_an_unknown_family_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(EncoderError, match=r"'hubbert'.*wavlm"):
        make_speech_checkpoint(tmp_path, "hubbert")


def a_head(dim):
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(dim, 128), nn.ReLU(), nn.Linear(128, len(EMOTIONS)))


def share_right(scores, emotions):
    return (scores.argmax(dim=1) == emotions).float().mean().item()


@every_family
def test_a_head_learns_clips_by_heart_from_frozen_vectors(tmp_path, clips, family):
    waves, emotions = clips
    vectors = torch.from_numpy(opened(make_speech_checkpoint(tmp_path, family)).encode(waves))
    vectors = (vectors - vectors.mean(dim=0)) / vectors.std(dim=0)
    head = a_head(vectors.shape[1])
    steps = torch.optim.AdamW(head.parameters(), lr=5e-3)
    for _ in range(100):
        loss = nn.functional.cross_entropy(head(vectors), emotions)
        steps.zero_grad()
        loss.backward()
        steps.step()
    assert share_right(head(vectors), emotions) == 1


@pytest.mark.parametrize("how", ["lora", "full"])
def test_a_tuned_encoder_learns_clips_by_heart(tmp_path, clips, how):
    waves, emotions = clips[0][::2], clips[1][::2]
    torch.manual_seed(0)
    encoder = opened(make_speech_checkpoint(tmp_path, "wav2vec2-base"), cut_s=0.6)
    first = torch.from_numpy(encoder.encode(waves))
    make_tunable(encoder.tower, Tuning(how, noise=False))
    head = a_head(encoder.dim)
    weights = [weight for weight in encoder.tower.parameters() if weight.requires_grad]
    before = [weight.clone() for weight in weights]
    steps = torch.optim.AdamW([*head.parameters(), *weights], lr=2e-3)
    for _ in range(12):
        for rows in torch.randperm(len(waves)).split(10):
            given = encoder.tower(**encoder.prepare([waves[row] for row in rows])).mean()
            scores = head((given - first.mean(dim=0)) / first.std(dim=0))
            loss = nn.functional.cross_entropy(scores, emotions[rows])
            steps.zero_grad()
            loss.backward()
            steps.step()
    assert any(not torch.equal(old, new) for old, new in zip(before, weights, strict=True))
    vectors = torch.from_numpy(encoder.encode(waves))
    scores = head((vectors - first.mean(dim=0)) / first.std(dim=0))
    assert share_right(scores, emotions) == 1
