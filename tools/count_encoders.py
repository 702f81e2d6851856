"""Count what the pretrained encoders of `maeum.encoders.known` hold and cost, by their shapes.

    python tools/count_encoders.py [NAME …]

Their real shapes are built on torch's meta device, where tensors have no content, and one clip of
4 s or one sentence of 32 tokens goes through. Whisper always hears 30 s, silence where there is
no more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers as hf
from torch.utils.flop_counter import FlopCounterMode

CLIP_S, RATE_HZ, SENTENCE_TOKENS = 4, 16_000, 32

Inputs = Callable[[], dict[str, torch.Tensor]]


@dataclass(frozen=True)
class Architecture:
    """A model's shape.

    Attributes:
        model: makes it.
        inputs: one clip or sentence, as it takes them.
        whole: makes what its files hold, where that is more.
    """

    model: Callable[[], Any]
    inputs: Inputs
    whole: Callable[[], Any] | None = None


def _wave() -> dict[str, torch.Tensor]:
    return {"input_values": torch.zeros(1, CLIP_S * RATE_HZ)}


def _filterbank(width: int, frames: int, *, across: bool) -> Inputs:
    """Features of some width; `across`: time comes last."""
    shape = (1, width, frames) if across else (1, frames, width)
    return lambda: {"input_features": torch.zeros(shape)}


def _sentence() -> dict[str, torch.Tensor]:
    return {"input_ids": torch.zeros(1, SENTENCE_TOKENS, dtype=torch.long)}


def _waveform(model: str, config: str, **shape: object) -> Architecture:
    return Architecture(lambda: getattr(hf, model)(getattr(hf, config)(**shape)), _wave)


def _whisper(mels: int, vocabulary: int, **shape: int) -> Architecture:
    halves = {f"{half}_{what}": n for what, n in shape.items() for half in ("encoder", "decoder")}
    sizes: dict[str, Any] = halves | {"d_model": shape["ffn_dim"] // 4}
    config = hf.WhisperConfig(num_mel_bins=mels, vocab_size=vocabulary, **sizes)
    return Architecture(
        lambda: hf.WhisperModel(config).encoder,
        _filterbank(mels, 3000, across=True),
        lambda: hf.WhisperModel(config),
    )


def _text(kind: str, vocabulary: int, **shape: object) -> Architecture:
    config = getattr(hf, f"{kind}Config")(vocab_size=vocabulary, **shape)
    unpooled = {} if kind == "Electra" else {"add_pooling_layer": False}
    return Architecture(lambda: getattr(hf, f"{kind}Model")(config, **unpooled), _sentence)


DEEP: dict[str, Any] = {
    "hidden_size": 1024,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "intermediate_size": 4096,
}
LARGE: dict[str, Any] = {**DEEP, "feat_extract_norm": "layer", "do_stable_layer_norm": True}
WAV2VEC2, HUBERT, WAVLM = (
    (f"{kind}Model", f"{kind}Config") for kind in ("Wav2Vec2", "Hubert", "WavLM")
)
ELECTRA: dict[str, Any] = {
    "hidden_size": 768,
    "embedding_size": 768,
    "num_attention_heads": 12,
    "intermediate_size": 3072,
}
ROBERTA: dict[str, Any] = {"max_position_embeddings": 514, "type_vocab_size": 1}

ARCHITECTURES = {
    "facebook/wav2vec2-large-robust": _waveform(*WAV2VEC2, **LARGE, conv_bias=True),
    "facebook/wav2vec2-base": _waveform(*WAV2VEC2),
    "facebook/wav2vec2-large-xlsr-53": _waveform(*WAV2VEC2, **LARGE, conv_bias=True),
    "facebook/wav2vec2-xls-r-300m": _waveform(*WAV2VEC2, **LARGE, conv_bias=True),
    "facebook/hubert-base-ls960": _waveform(*HUBERT),
    "facebook/hubert-large-ll60k": _waveform(*HUBERT, **LARGE, conv_bias=True),
    "microsoft/wavlm-base-plus": _waveform(*WAVLM),
    "microsoft/wavlm-large": _waveform(*WAVLM, **LARGE),
    "facebook/data2vec-audio-base": _waveform("Data2VecAudioModel", "Data2VecAudioConfig"),
    "facebook/w2v-bert-2.0": Architecture(
        lambda: hf.Wav2Vec2BertModel(hf.Wav2Vec2BertConfig()),
        _filterbank(160, 50 * CLIP_S, across=False),
    ),
    "openai/whisper-small": _whisper(80, 51_865, layers=12, attention_heads=12, ffn_dim=3072),
    "openai/whisper-large-v3": _whisper(128, 51_866, layers=32, attention_heads=20, ffn_dim=5120),
    "microsoft/speecht5_asr": Architecture(
        lambda: hf.SpeechT5ForSpeechToText(hf.SpeechT5Config()).speecht5.encoder,
        _wave,
        lambda: hf.SpeechT5ForSpeechToText(hf.SpeechT5Config()),
    ),
    "beomi/KcELECTRA-base-v2022": _text("Electra", 54_343, **ELECTRA),
    "monologg/koelectra-base-v3-discriminator": _text("Electra", 35_000, **ELECTRA),
    "skt/kobert-base-v1": _text("Bert", 8_002),
    "monologg/kobert": _text("Bert", 8_002),
    "klue/bert-base": _text("Bert", 32_000),
    "klue/roberta-small": _text("Roberta", 32_000, **ROBERTA, num_hidden_layers=6),
    "klue/roberta-base": _text("Roberta", 32_000, **ROBERTA),
    "klue/roberta-large": _text("Roberta", 32_000, **ROBERTA, **DEEP),
}
"""By name on the model hub, from what their authors publish."""


def millions(model: Any) -> float:  # noqa: ANN401 - any transformers model
    """Parameters of a model, in millions."""
    return sum(parameter.numel() for parameter in model.parameters()) / 1e6


def gflop(model: Any, inputs: dict[str, torch.Tensor]) -> float:  # noqa: ANN401 - as above
    """Billions of additions and multiplications that a forward pass takes."""
    model.config._attn_implementation = "eager"
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(**inputs)
    return counter.get_total_flops() / 1e9


def count(architecture: Architecture) -> tuple[float, float, float]:
    """(millions of parameters, millions in its files, GFLOP of a clip or sentence)."""
    with torch.device("meta"):
        model = architecture.model()
        stored = architecture.whole() if architecture.whole else model
        return millions(model), millions(stored), gflop(model, architecture.inputs())


if __name__ == "__main__":
    for name in sys.argv[1:] or ARCHITECTURES:
        parameters, stored, cost = count(ARCHITECTURES[name])
        print(f"{name:42} {parameters:8.1f} M {stored:8.1f} M in files {cost:9.1f} GFLOP")
