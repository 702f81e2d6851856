"""Tiny speech encoders laid out as the real ones are on the model hub, with random weights.

Their settings, files, names of weights and 320 samples a frame are the real ones; only widths and
depths are not. Random as they are, they hear enough for a network to learn a few clips by heart.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maeum.errors import EncoderError
from maeum.files import write_json

WAVE = {
    "do_normalize": True,
    "feature_extractor_type": "Wav2Vec2FeatureExtractor",
    "feature_size": 1,
    "padding_side": "right",
    "padding_value": 0,
    "return_attention_mask": True,
    "sampling_rate": 16_000,
}
"""`preprocessor_config.json` of models that hear the wave."""

SMALL = {
    "conv_dim": [32] * 7,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "num_conv_pos_embedding_groups": 4,
    "initializer_range": 0.1,
}
SMALL_QUANTIZER = {
    "codevector_dim": 16,
    "num_codevectors_per_group": 8,
    "proj_codevector_dim": 16,
    "vocab_size": 32,
}
SMALL_PAIR = {
    "encoder_layers": 2,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 128,
    "decoder_ffn_dim": 128,
    "vocab_size": 64,
}
"""Of models with a decoder."""

SMALL_TOKENS = {
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 3,
}

MASKED = {
    "apply_spec_augment": True,
    "mask_time_prob": 0.05,
    "mask_time_length": 10,
    "mask_feature_prob": 0.0,
    "layerdrop": 0.1,
}
LARGE = {**MASKED, "feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
BASE = {**MASKED, "feat_extract_norm": "group", "do_stable_layer_norm": False, "conv_bias": False}

OLD_NAMES = {
    ".parametrizations.weight.original0": ".weight_g",
    ".parametrizations.weight.original1": ".weight_v",
}
"""Names of weight norms, and what they were before torch 2.0."""


@dataclass(frozen=True)
class Repository:
    """A repository of the model hub.

    Attributes:
        model: class of transformers that was saved.
        settings: in `config.json`, apart from defaults.
        preprocessor: in `preprocessor_config.json`.
        binary: the weights are `pytorch_model.bin`, with names of before torch 2.0.
        dtype: of the weights.
    """

    model: str
    settings: Mapping[str, Any]
    preprocessor: Mapping[str, Any] = field(default_factory=lambda: WAVE)
    binary: bool = False
    dtype: str = "float32"


REPOSITORIES = {
    "wav2vec2-large-robust": Repository(
        "Wav2Vec2ForPreTraining", {**SMALL, **SMALL_QUANTIZER, **LARGE}, binary=True
    ),
    "wav2vec2-base": Repository(
        "Wav2Vec2ForPreTraining",
        {**SMALL, **SMALL_QUANTIZER, **BASE},
        {**WAVE, "return_attention_mask": False},
    ),
    "xls-r": Repository(
        "Wav2Vec2ForPreTraining",
        {**SMALL, **SMALL_QUANTIZER, **LARGE, "mask_time_prob": 0.075, "num_adapter_layers": 3},
    ),
    "xlsr-korean": Repository("Wav2Vec2ForCTC", {**SMALL, **LARGE, "vocab_size": 64}),
    "hubert": Repository("HubertModel", {**SMALL, **BASE}, binary=True),
    "hubert-large": Repository("HubertModel", {**SMALL, **LARGE}),
    "wavlm": Repository("WavLMModel", {**SMALL, **BASE}, {**WAVE, "do_normalize": False}),
    "wavlm-large": Repository("WavLMModel", {**SMALL, **LARGE, "conv_bias": False}, binary=True),
    "data2vec-audio": Repository(
        "Data2VecAudioModel", {**SMALL, **LARGE, "do_stable_layer_norm": False, "conv_bias": False}
    ),
    "w2v-bert": Repository(
        "Wav2Vec2BertModel",
        {
            **SMALL,
            **MASKED,
            "apply_spec_augment": False,
            "position_embeddings_type": "relative_key",
        },
        {
            "feature_extractor_type": "SeamlessM4TFeatureExtractor",
            "feature_size": 80,
            "num_mel_bins": 80,
            "padding_side": "right",
            "padding_value": 1,
            "return_attention_mask": True,
            "sampling_rate": 16_000,
            "stride": 2,
        },
    ),
    "whisper": Repository(
        "WhisperForConditionalGeneration",
        {**SMALL_PAIR, "d_model": 64, "num_mel_bins": 128, "init_std": 0.1, **SMALL_TOKENS},
        {
            "chunk_length": 30,
            "feature_extractor_type": "WhisperFeatureExtractor",
            "feature_size": 128,
            "hop_length": 160,
            "n_fft": 400,
            "n_samples": 480_000,
            "nb_max_frames": 3000,
            "padding_side": "right",
            "padding_value": 0.0,
            "return_attention_mask": False,
            "sampling_rate": 16_000,
        },
        dtype="float16",
    ),
    "speecht5": Repository(
        "SpeechT5ForSpeechToText",
        {**SMALL, **SMALL_PAIR, **BASE, "encoder_layerdrop": 0.1, "decoder_layerdrop": 0.1},
        {**WAVE, "feature_extractor_type": "SpeechT5FeatureExtractor", "do_normalize": False},
        binary=True,
    ),
}

SPEECH_FAMILIES = tuple(REPOSITORIES)
"""What `make_speech_checkpoint` can write."""


def make_speech_checkpoint(folder: Path, family: str, *, seed: int = 0) -> Path:
    """Write a tiny speech encoder with random weights.

    Args:
        folder: gets `config.json`, `preprocessor_config.json` and weights.
        family: one of `SPEECH_FAMILIES`.
        seed: equal seeds give equal weights.

    Returns:
        The folder.

    Raises:
        EncoderError: there is no such family.

    >>> import tempfile
    >>> folder = make_speech_checkpoint(Path(tempfile.mkdtemp()), "hubert")
    >>> sorted(path.name for path in folder.iterdir())
    ['config.json', 'preprocessor_config.json', 'pytorch_model.bin']
    """
    if family not in REPOSITORIES:
        raise EncoderError(f"no family {family!r}; choose from {', '.join(SPEECH_FAMILIES)}")
    repository = REPOSITORIES[family]
    model = _random_model(repository, seed)
    folder.mkdir(parents=True, exist_ok=True)
    model.config.architectures = [repository.model]
    model.config.save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", repository.preprocessor)
    _write_weights(folder, model, binary=repository.binary)
    return folder


def _random_model(repository: Repository, seed: int) -> Any:  # noqa: ANN401 - of transformers
    import torch
    import transformers

    model_class = getattr(transformers, repository.model)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(model_class.config_class(**repository.settings))
    for name, values in model.named_parameters():
        if name.endswith("masked_spec_embed"):
            values.data.zero_()  # pretraining teaches a model to bear masks; here they say nothing
    return model.to(getattr(torch, repository.dtype))


def _write_weights(folder: Path, model: Any, *, binary: bool) -> None:  # noqa: ANN401
    import torch
    from safetensors.torch import save_file

    weights = {_old(name) if binary else name: kept for name, kept in model.state_dict().items()}
    if binary:
        torch.save(weights, folder / "pytorch_model.bin")
        return
    for twin in model.all_tied_weights_keys:
        del weights[twin]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def _old(name: str) -> str:
    for new, old in OLD_NAMES.items():
        name = name.replace(new, old)
    return name
