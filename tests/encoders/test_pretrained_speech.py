"""Any pretrained speech encoder: one vector per clip, whatever it is computed with."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from maeum.encoders import Reading, SpeechEncoder, Tunable, speech_encoders
from maeum.encoders.pretrained import speech as speech_module
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.speech_families import FAMILIES
from maeum.encoders.pretrained.speech_waves import batches
from maeum.errors import AudioError, EncoderError
from maeum.testing import SPEECH_FAMILIES, make_speech_checkpoint

RATE_HZ = 16_000
Wave = NDArray[np.float32]
Open = Callable[..., PretrainedSpeech]

every_family = pytest.mark.parametrize("family", SPEECH_FAMILIES)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of every family, in a folder of its name."""
    shelf = tmp_path_factory.mktemp("checkpoints")
    for family in SPEECH_FAMILIES:
        make_speech_checkpoint(shelf / family, family)
    return shelf


@pytest.fixture
def opened(shelf: Path) -> Open:
    def load(family: str, **reading: object) -> PretrainedSpeech:
        return PretrainedSpeech.load(str(shelf / family), Reading(**reading))

    return load


@pytest.fixture
def copied(shelf: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of a checkpoint, some of its settings changed."""

    def copy(family: str, *, file: str = "config.json", **changed: object) -> Path:
        folder = Path(shutil.copytree(shelf / family, tmp_path / family, dirs_exist_ok=True))
        path = folder / file
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))
        return folder

    return copy


def a_wave(samples: int, seed: int = 0) -> Wave:
    """Noise that swells and fades."""
    noise = np.random.default_rng(seed).normal(0, 0.1, samples)
    return (noise * np.hanning(samples)).astype(np.float32)


CLIPS = [a_wave(samples, seed) for seed, samples in enumerate((9_000, 20_011, 2_000, 9_000, 5_321))]
"""Of different lengths, two of one; one is shorter than any model can mask."""


@every_family
def test_it_is_what_it_promises(opened: Open, family: str) -> None:
    encoder = opened(family)
    assert isinstance(encoder, SpeechEncoder)
    assert isinstance(encoder, Tunable)
    assert (encoder.layers, encoder.dim, encoder.rate_hz) == (1, 64, RATE_HZ)
    assert encoder.encode(CLIPS[:1]).dtype == np.float32
    assert encoder.encode([]).shape == (0, 64)


@every_family
def test_a_clip_gives_the_same_in_a_padded_batch_as_alone(opened: Open, family: str) -> None:
    encoder = opened(family, layers="weighted")
    alone = np.concatenate([encoder.encode([clip]) for clip in CLIPS])
    with torch.no_grad():
        together = encoder.tower(**encoder.prepare(CLIPS)).mean().numpy()
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_array_equal(encoder.encode(CLIPS), alone)


@every_family
def test_the_table_says_rightly_which_families_bear_padding(opened: Open, family: str) -> None:
    tower = opened(family).tower
    inputs = opened(family).prepare(CLIPS)
    with torch.no_grad():
        fair = tower(**inputs)
        padded = fair._replace(values=tower._states(inputs["values"], inputs["keep"].long()))
    bears = torch.allclose(padded.mean(), fair.mean(), atol=1e-5)
    assert bears == tower._family.exact(tower._config)


def test_a_model_that_normalises_over_the_batch_is_never_padded(
    copied: Callable[..., Path],
) -> None:
    folder = copied("hubert-large", conv_pos_batch_norm=True)
    old = torch.load(folder / "pytorch_model.bin") if False else load_file(folder / "model.safetensors")
    new = {name: values for name, values in old.items() if "parametrizations" not in name}
    gain, direction = (old[f"encoder.pos_conv_embed.conv.parametrizations.weight.original{i}"] for i in (0, 1))
    new["encoder.pos_conv_embed.conv.weight"] = torch._weight_norm(direction, gain, 2)
    for name in ("weight", "bias", "running_mean", "running_var"):
        new[f"encoder.pos_conv_embed.batch_norm.{name}"] = torch.full((64,), 0.5)
    save_file(new, folder / "model.safetensors", metadata={"format": "pt"})
    encoder = PretrainedSpeech.load(str(folder), Reading())
    with torch.no_grad():
        together = encoder.tower(**encoder.prepare(CLIPS)).mean().numpy()
    np.testing.assert_allclose(together, encoder.encode(CLIPS), atol=1e-5)
