"""Tiny classifiers of recordings laid out as published ones are, with random weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from maeum.errors import EncoderError
from maeum.files import write_json
from maeum.testing.speech_checkpoints import BASE, LARGE, REPOSITORIES, SMALL, WAVE

HEAD = {"classifier_proj_size": 32}
SPECTRA = REPOSITORIES["w2v-bert"].preprocessor
MEL = REPOSITORIES["whisper"].preprocessor

CLASSIFIERS: Mapping[str, tuple[str, Mapping[str, Any], Mapping[str, Any]]] = {
    "wav2vec2": ("Wav2Vec2ForSequenceClassification", {**SMALL, **LARGE, **HEAD}, WAVE),
    "wav2vec2-weighted": (
        "Wav2Vec2ForSequenceClassification",
        {**SMALL, **BASE, **HEAD, "use_weighted_layer_sum": True},
        {**WAVE, "return_attention_mask": False},
    ),
    "hubert": ("HubertForSequenceClassification", {**SMALL, **BASE, **HEAD}, WAVE),
    "wavlm": ("WavLMForSequenceClassification", {**SMALL, **LARGE, **HEAD}, WAVE),
    "data2vec-audio": ("Data2VecAudioForSequenceClassification", {**SMALL, **HEAD}, WAVE),
    "unispeech-sat": ("UniSpeechSatForSequenceClassification", {**SMALL, **BASE, **HEAD}, WAVE),
    "sew": (
        "SEWForSequenceClassification",
        {
            **HEAD,
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "num_conv_pos_embedding_groups": 4,
            "conv_dim": [32] * 7,
            "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
            "conv_stride": [5, 2, 2, 2, 2, 2, 2],
        },
        WAVE,
    ),
    "wav2vec2-bert": (
        "Wav2Vec2BertForSequenceClassification",
        {**REPOSITORIES["w2v-bert"].settings, **HEAD},
        SPECTRA,
    ),
    "whisper": (
        "WhisperForAudioClassification",
        {**REPOSITORIES["whisper"].settings, **HEAD},
        MEL,
    ),
    "ast": (
        "ASTForAudioClassification",
        {
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_attention_heads": 2,
            "num_hidden_layers": 2,
            "max_length": 256,
            "initializer_range": 0.1,
        },
        {
            "feature_extractor_type": "ASTFeatureExtractor",
            "feature_size": 1,
            "num_mel_bins": 128,
            "max_length": 256,
            "mean": -4.2677393,
            "std": 4.5689974,
            "sampling_rate": 16_000,
            "return_attention_mask": False,
        },
    ),
}
"""Kind -> class of transformers, settings in config.json, and preprocessor_config.json."""

CLASSIFIER_KINDS = tuple(CLASSIFIERS)
"""What `make_audio_classifier` can write."""


def make_audio_classifier(
    folder: Path,
    kind: str = "wav2vec2",
    labels: Sequence[str] = ("ang", "hap", "neu", "sad"),
    *,
    seed: int = 0,
) -> Path:
    """Write a tiny classifier of recordings with random weights.

    Args:
        folder: gets `config.json`, `preprocessor_config.json` and `model.safetensors`.
        kind: one of `CLASSIFIER_KINDS`.
        labels: what it tells apart.
        seed: equal seeds give equal weights.

    Returns:
        The folder.

    Raises:
        EncoderError: there is no such kind.

    >>> import tempfile
    >>> folder = make_audio_classifier(Path(tempfile.mkdtemp()), "hubert")
    >>> sorted(path.name for path in folder.iterdir())
    ['config.json', 'model.safetensors', 'preprocessor_config.json']
    """
    if kind not in CLASSIFIERS:
        raise EncoderError(f"no kind {kind!r}; choose from {', '.join(CLASSIFIER_KINDS)}")
    import torch
    import transformers

    from maeum.encoders.pretrained.quiet import quietly

    class_name, settings, preprocessor = CLASSIFIERS[kind]
    model_class = getattr(transformers, class_name)
    named = {"id2label": dict(enumerate(labels)), "label2id": _places(labels)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = model_class(model_class.config_class(**settings, **named))
        for values in model.classifier.parameters():
            torch.nn.init.normal_(values, std=0.4)  # else all are answered nearly alike
    with quietly():
        model.save_pretrained(folder)
    write_json(folder / "preprocessor_config.json", preprocessor)
    return folder


def _places(labels: Sequence[str]) -> dict[str, int]:
    return {label: place for place, label in enumerate(labels)}
