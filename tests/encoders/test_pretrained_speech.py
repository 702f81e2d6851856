"""Any pretrained speech encoder: one vector per clip, whatever it is computed with."""

import json
import shutil

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from maeum.encoders import Reading, SpeechEncoder, Tunable, speech_encoders
from maeum.encoders.pretrained import speech as speech_module
from maeum.encoders.pretrained.computing import by_length
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.speech_families import FAMILIES
from maeum.encoders.pretrained.tuning import Tuning, make_tunable
from maeum.errors import AudioError, EncoderError
from maeum.testing import SPEECH_FAMILIES, make_speech_checkpoint

RATE_HZ = 16_000
LAYERS, DIM = 2, 64  # of every tiny checkpoint
MASKING = ("wav2vec2-large-robust", "wav2vec2-base", "hubert", "wavlm-large", "data2vec-audio")
"""Whose settings mask stretches of 10 frames while training; speecht5 and w2v-BERT can, too."""

UNLIKE = ("wav2vec2-large-robust", "wav2vec2-base", "wavlm", "w2v-bert", "whisper")
"""Families that differ in code; `make test-slow` tries the others too."""

every_family = pytest.mark.parametrize(
    "family",
    [
        pytest.param(family, marks=[] if family in UNLIKE else pytest.mark.slow)
        for family in SPEECH_FAMILIES
    ],
)


def a_wave(samples, seed=0):
    """Noise that swells and fades."""
    noise = np.random.default_rng(seed).normal(0, 0.1, samples)
    return (noise * np.hanning(samples)).astype(np.float32)


CLIPS = [a_wave(samples, seed) for seed, samples in enumerate((9_000, 16_011, 2_000, 9_000, 5_321))]
"""Of different lengths, two of one; one is shorter than what training masks at once."""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory):
    """A checkpoint of every family, in a folder of its name."""
    shelf = tmp_path_factory.mktemp("checkpoints")
    for family in SPEECH_FAMILIES:
        make_speech_checkpoint(shelf / family, family)
    return shelf


@pytest.fixture
def opened(shelf):
    """The encoder of a family."""
    return lambda family, **reading: load(shelf / family, **reading)


@pytest.fixture
def copied(shelf, tmp_path):
    """A copy of a checkpoint with some of its settings changed."""

    def copy(family, file="config.json", **changed):
        folder = shutil.copytree(shelf / family, tmp_path / family)
        path = folder / file
        path.write_text(json.dumps(json.loads(path.read_text()) | changed))
        return folder

    return copy


def load(folder, **reading):
    return PretrainedSpeech.load(str(folder), Reading(**reading))


@every_family
def test_it_is_what_it_promises(opened, family):
    encoder = opened(family)
    assert isinstance(encoder, SpeechEncoder)
    assert isinstance(encoder, Tunable)
    assert (encoder.layers, encoder.dim, encoder.rate_hz) == (1, DIM, RATE_HZ)
    assert encoder.encode(CLIPS[:1]).dtype == np.float32
    assert encoder.encode([]).shape == (0, DIM)
    assert encoder.frames([]) == []


def test_the_registry_finds_it_by_its_folder(shelf):
    (encoder,) = speech_encoders(str(shelf / "hubert"), Reading(layers="weighted"))
    assert (encoder.name, encoder.layers) == (str(shelf / "hubert"), LAYERS + 1)


# What transformers gives, without us


def encoder_by_hand(folder):
    """The encoder in a checkpoint, taken out of the class it was saved from."""
    config = transformers.AutoConfig.from_pretrained(folder)
    model = getattr(transformers, config.architectures[0]).from_pretrained(folder).float().eval()
    inner = getattr(model, model.base_model_prefix, model)
    return inner.get_encoder() if config.is_encoder_decoder else inner


@every_family
def test_vectors_are_those_of_transformers_for_the_clip_alone(shelf, opened, family):
    clip = CLIPS[0]
    extractor = transformers.AutoFeatureExtractor.from_pretrained(shelf / family)
    inputs = extractor(clip, sampling_rate=RATE_HZ, return_tensors="pt")
    with torch.no_grad():
        states = encoder_by_hand(shelf / family)(**inputs).last_hidden_state[0].numpy()
    (frames,) = opened(family).frames([clip])
    np.testing.assert_allclose(frames, states[: len(frames)], atol=1e-5)
    unmasked = inputs["attention_mask"].sum() if family == "w2v-bert" else len(states)
    held = -(-len(clip) // 320) if family == "whisper" else unmasked
    assert len(frames) == held


# Alone and among others


@every_family
def test_a_clip_gives_the_same_in_a_padded_batch_as_alone(opened, family):
    encoder = opened(family, layers="weighted")
    alone = np.concatenate([encoder.encode([clip]) for clip in CLIPS])
    with torch.no_grad():
        together = encoder.tower(**encoder.prepare(CLIPS)).mean().numpy()
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_array_equal(encoder.encode(CLIPS), alone)


@every_family
def test_the_table_says_rightly_which_families_bear_padding(opened, family):
    encoder = opened(family)
    tower, inputs = encoder.tower, encoder.prepare(CLIPS)
    with torch.no_grad():
        right = tower(**inputs)
        padded = right._replace(values=tower._states(inputs["values"], inputs["keep"].long()))
    bears = torch.allclose(padded.mean(), right.mean(), atol=1e-5)
    assert bears == FAMILIES[tower.model.config.model_type].exact(tower.model.config)


def test_hubert_with_a_batch_norm_before_its_positions_does_not_bear_padding(copied):
    folder = copied("hubert-large", conv_pos_batch_norm=True)
    model = transformers.HubertModel(transformers.HubertConfig.from_pretrained(folder))
    model.encoder.pos_conv_embed.batch_norm.running_mean.fill_(0.5)
    model.save_pretrained(folder)
    encoder = load(folder)
    with torch.no_grad():
        together = encoder.tower(**encoder.prepare(CLIPS)).mean().numpy()
    np.testing.assert_allclose(together, encoder.encode(CLIPS), atol=1e-5)


@pytest.mark.parametrize("family", ["wav2vec2-base", "xls-r", "data2vec-audio", "w2v-bert"])
def test_gradients_of_a_batch_are_those_of_its_clips(opened, family):
    encoder = opened(family)
    encoder.tower.thaw()
    weights = [weight for name, weight in encoder.tower.named_parameters() if "layer_norm" in name]

    def gradient(clips):
        loss = encoder.tower(**encoder.prepare(clips)).mean().square().sum()
        return torch.cat(torch.autograd.grad(loss, weights))

    summed = sum(gradient([clip]) for clip in CLIPS)
    assert summed.abs().sum() > 0
    torch.testing.assert_close(gradient(CLIPS), summed, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("family", ["xls-r", "wavlm", "w2v-bert"])
def test_batches_of_an_accelerator_give_the_same_in_the_order_asked(opened, family, monkeypatch):
    encoder = opened(family)
    alone, frames = encoder.encode(CLIPS), encoder.frames(CLIPS)
    monkeypatch.setattr(
        speech_module, "by_length", lambda lengths, most: by_length(lengths, 40_000)
    )
    np.testing.assert_allclose(encoder.encode(CLIPS), alone, atol=1e-5)
    for ours, theirs in zip(encoder.frames(CLIPS), frames, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@every_family
def test_a_vector_is_the_mean_of_the_clip_s_frames(opened, family):
    encoder = opened(family)
    means = [frames.mean(axis=0) for frames in encoder.frames(CLIPS)]
    np.testing.assert_allclose(encoder.encode(CLIPS), means, atol=1e-5)


# Clips too short, too long, and none


@every_family
def test_a_clip_too_short_is_extended_with_silence_before_anything_else(opened, family):
    encoder = opened(family)
    short = a_wave(390)
    extended = np.pad(short, (0, encoder._inputs.shortest - len(short)))
    np.testing.assert_array_equal(encoder.encode([short]), encoder.encode([extended]))
    assert len(encoder.frames([short])[0]) == 10


@pytest.mark.parametrize("family", [*MASKING, "speecht5", "w2v-bert"])
@pytest.mark.parametrize("samples", [1, 399, 3_200])
def test_training_with_masks_survives_short_clips(copied, family, samples):
    tower_of = load(copied(family, apply_spec_augment=True, mask_time_prob=0.5))
    tower_of.tower.thaw()
    inputs = tower_of.prepare([a_wave(samples), a_wave(samples)])
    tower_of.tower.train()(**inputs).mean().sum().backward()
    slopes = [weight.grad for weight in tower_of.tower.parameters() if weight.grad is not None]
    assert slopes
    assert all(slope.isfinite().all() for slope in slopes)


def test_how_short_is_too_short_follows_what_training_masks(copied):
    encoder = load(copied("wavlm", mask_time_length=25))
    assert encoder._inputs.shortest == 400 + 24 * 320


@every_family
def test_a_long_clip_is_cut(opened, family):
    encoder = opened(family, cut_s=0.5)
    clip = a_wave(RATE_HZ)
    np.testing.assert_array_equal(encoder.encode([clip]), encoder.encode([clip[: RATE_HZ // 2]]))


def test_whisper_hears_thirty_seconds_at_most(opened):
    frames = opened("whisper", cut_s=60).frames([a_wave(31 * RATE_HZ)])
    assert frames[0].shape == (1500, DIM)


@pytest.mark.parametrize(
    "wave",
    [
        np.zeros((2, 800), np.float32),
        np.zeros(800, np.int16),
        np.zeros(0, np.float32),
        np.full(800, np.nan, np.float32),
    ],
    ids=["stereo", "integers", "nothing", "not finite"],
)
def test_what_is_no_wave_is_refused(opened, wave):
    with pytest.raises(AudioError, match="a wave"):
        opened("hubert").encode([CLIPS[0], wave])


# Training


LAYERDROP = {"whisper": "encoder_layerdrop", "speecht5": "encoder_layerdrop"}


@every_family
def test_no_layer_is_left_out_in_training(copied, family):
    folder = copied(family, **{LAYERDROP.get(family, "layerdrop"): 1.0})
    tower = load(folder).tower
    ran = []
    for name, part in tower.named_modules():
        if name.rpartition(".layers.")[2] in ("0", "1") and "pos_conv" not in name:
            part.register_forward_hook(lambda *_: ran.append(1))
    tower.train()(**load(folder).prepare(CLIPS[:1]))
    assert len(ran) == LAYERS


@every_family
def test_frozen_convolutions_cost_no_way_back(opened, family):
    encoder = opened(family)
    make_tunable(encoder.tower, Tuning("full"))
    heard = []
    for front in encoder.tower.convolutions():
        front.register_forward_hook(lambda _, __, given: heard.append(given.requires_grad))
    encoder.tower.train()(**encoder.prepare(CLIPS[:1])).mean().sum().backward()
    assert heard == ([] if family in ("whisper", "w2v-bert") else [False])
    fronts = [weight for front in encoder.tower.convolutions() for weight in front.parameters()]
    assert all(weight.grad is None for weight in fronts)


@pytest.mark.parametrize("family", ["wav2vec2-large-robust", "wavlm", "speecht5"])
def test_convolutions_learn_too_where_that_is_asked_for(opened, family):
    encoder = opened(family)
    make_tunable(encoder.tower, Tuning("full", convolutions=True, gradient_checkpointing=True))
    encoder.tower.train()(**encoder.prepare(CLIPS[:2])).mean().sum().backward()
    (front,) = encoder.tower.convolutions()
    assert all(weight.grad is not None for weight in front.parameters())


@pytest.mark.parametrize("family", ["wav2vec2-large-robust", "w2v-bert"])
def test_encoding_in_the_middle_of_training_changes_nothing(copied, family):
    encoder = load(copied(family, position_embeddings_type="rotary"))
    before = encoder.encode(CLIPS)
    encoder.tower.thaw()
    encoder.tower.train()
    np.testing.assert_array_equal(encoder.encode(CLIPS), before)
    assert encoder.tower.training
    last_encoded = max(CLIPS, key=len)
    encoder.tower(**encoder.prepare([last_encoded])).mean().sum().backward()


# Layers


@pytest.mark.parametrize("family", ["xls-r", "hubert", "wavlm-large", "whisper", "speecht5"])
def test_layers_are_those_of_the_weighted_sum_one_by_one(opened, family):
    stacked = opened(family, layers="weighted").encode(CLIPS).reshape(len(CLIPS), -1, DIM)
    assert stacked.shape[1] == LAYERS + 1
    for layer in range(LAYERS + 1):
        one = opened(family, layers=str(layer)).encode(CLIPS)
        np.testing.assert_allclose(one, stacked[:, layer], atol=1e-6)
    np.testing.assert_allclose(opened(family).encode(CLIPS), stacked[:, LAYERS], atol=1e-6)


def test_a_layer_the_model_lacks_is_refused_with_its_range(opened):
    with pytest.raises(EncoderError, match=r"layer 3 of .* from 0 to 2"):
        opened("hubert", layers="3")


def test_frames_need_one_layer(opened):
    with pytest.raises(EncoderError, match="one layer"):
        opened("hubert", layers="weighted").frames(CLIPS)


# Files


@every_family
def test_what_was_saved_is_read_again_with_the_same_vectors(opened, family, tmp_path):
    first = opened(family)
    with torch.no_grad():
        for weight in first.tower.parameters():
            weight.add_(0.01)
    first.save(tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"config.json", "model.safetensors", "preprocessor_config.json"}
    saved_from = json.loads((tmp_path / "config.json").read_text())["architectures"]
    assert saved_from == [type(first.tower.model).__name__]
    again = load(tmp_path)
    np.testing.assert_array_equal(again.encode(CLIPS), first.encode(CLIPS))
    assert again._inputs.extractor.to_dict() == first._inputs.extractor.to_dict()
    assert again.version != first.version


def test_saving_half_leaves_what_was_there(opened, tmp_path, monkeypatch):
    encoder = opened("hubert")
    encoder.save(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(encoder._inputs.extractor, "save_pretrained", full)
    encoder.tower.model.config.hidden_dropout = 0.5
    with pytest.raises(OSError, match="No space"):
        encoder.save(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("family", ["wavlm-large", "hubert", "speecht5", "wav2vec2-large-robust"])
def test_weight_norms_are_read_by_their_old_names_and_their_new(shelf, copied, family):
    old = torch.load(shelf / family / "pytorch_model.bin", weights_only=True)
    new = {
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        ): values.clone()
        for name, values in old.items()
    }
    assert new.keys() != old.keys()
    folder = copied(family)
    save_file(new, folder / "model.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(load(folder).encode(CLIPS), load(shelf / family).encode(CLIPS))


@pytest.mark.parametrize(
    ("family", "lost"),
    [
        ("wav2vec2-base", "wav2vec2.encoder.layers.1.attention.v_proj.weight"),
        ("xlsr-korean", "wav2vec2.encoder.pos_conv_embed.conv.bias"),
        ("whisper", "model.encoder.conv1.weight"),
        ("w2v-bert", "feature_projection.projection.bias"),
    ],
)
def test_a_checkpoint_that_lacks_a_tensor_of_the_encoder_is_refused(copied, family, lost):
    folder = copied(family)
    weights = load_file(folder / "model.safetensors")
    del weights[lost]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(EncoderError, match="lacks"):
        load(folder)


def test_speecht5_that_reads_text_is_refused(copied):
    folder = copied("speecht5")
    config = transformers.SpeechT5Config.from_pretrained(folder)
    transformers.SpeechT5ForTextToSpeech(config).save_pretrained(folder)
    with pytest.raises(EncoderError, match="lacks prenet"):
        load(folder)


def test_a_model_of_another_kind_is_refused_with_those_there_are(copied):
    with pytest.raises(EncoderError, match=f"'bert'.*{', '.join(FAMILIES)}"):
        load(copied("hubert", model_type="bert"))


def test_without_its_preprocessor_a_model_is_refused(copied):
    folder = copied("wavlm")
    (folder / "preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match=r"take preprocessor_config\.json from"):
        load(folder)


def test_the_preprocessor_of_another_family_is_refused(shelf, copied):
    folder = copied("w2v-bert")
    shutil.copy(shelf / "xls-r" / "preprocessor_config.json", folder)
    with pytest.raises(EncoderError, match="takes SeamlessM4TFeatureExtractor"):
        load(folder)


def test_a_preprocessor_without_a_type_is_the_model_s_own(shelf, copied):
    folder = copied("wavlm")
    path = folder / "preprocessor_config.json"
    settings = json.loads(path.read_text())
    del settings["feature_extractor_type"]
    path.write_text(json.dumps(settings))
    np.testing.assert_array_equal(load(folder).encode(CLIPS), load(shelf / "wavlm").encode(CLIPS))


@pytest.mark.parametrize("normalized", [True, False])
def test_waves_are_scaled_as_the_preprocessor_says(copied, normalized):
    encoder = load(copied("xls-r", "preprocessor_config.json", do_normalize=normalized))
    loud, low = encoder.encode([CLIPS[0]]), encoder.encode([CLIPS[0] / 2])
    assert np.allclose(loud, low, atol=1e-3) == normalized


def test_the_rate_is_the_preprocessor_s(copied):
    encoder = load(copied("hubert", "preprocessor_config.json", sampling_rate=8_000), cut_s=0.5)
    assert encoder.rate_hz == 8_000
    assert encoder.prepare([a_wave(9_000)])["values"].shape == (1, 4_000)


def test_weights_are_float32_whatever_the_file_holds(shelf, opened):
    stored = load_file(shelf / "whisper" / "model.safetensors")
    assert {values.dtype for values in stored.values()} == {torch.float16}
    assert {values.dtype for values in opened("whisper").tower.parameters()} == {torch.float32}


def test_the_version_is_that_of_weights_and_reading_wherever_they_lie(shelf, copied, opened):
    versions = {
        opened("hubert").version,
        opened("hubert", layers="1").version,
        opened("hubert", layers="weighted").version,
        opened("hubert", cut_s=10.0).version,
        opened("hubert-large").version,
    }
    assert len(versions) == 5
    elsewhere = copied("hubert")
    shutil.copytree(shelf / "hubert", elsewhere, dirs_exist_ok=True)
    assert load(elsewhere).version == opened("hubert").version


@every_family
def test_nothing_learns_until_it_is_told_to_and_then_everything(opened, family):
    tower = opened(family).tower
    assert not any(weight.requires_grad for weight in tower.parameters())
    tower.thaw()
    assert all(weight.requires_grad for weight in tower.parameters())
