"""Families of pretrained speech models: all that differs between them, as one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from torch import Tensor

from maeum.errors import EncoderError

Steps = TypeVar("Steps", int, Tensor)
Config = Any
"""A configuration of transformers; its fields are its family's own."""
Extractor = Any
"""A feature extractor of transformers: a wave becomes what a model takes."""

KALDI_WINDOW, KALDI_HOP = 400, 160  # samples of a spectrum and between them, fixed in SeamlessM4T's


@dataclass(frozen=True)
class Family:
    """Models of one `model_type`.

    A step is what a model takes per moment: a sample of the wave, or a spectrum.

    Attributes:
        model: place of the class that is the encoder alone.
        extractor: name of the class that prepares waves for it.
        frames: (config, steps) -> frames given for so many steps.
        samples: (config, extractor, frames) -> fewest samples that give so many frames.
        exact: config -> whether clips padded to one length, with a mask, give what each clip gives
            alone. Group norms and positional convolutions without a mask let padding in.
        front: path of the convolutions over the waveform; empty where spectra are heard.
        inside: pattern of what stands before the encoder's names in the weights of larger models.
    """

    model: str
    extractor: str
    frames: Callable[[Config, Any], Any]
    samples: Callable[[Config, Extractor, int], int]
    exact: Callable[[Config], bool]
    front: str = ""
    inside: str | None = None

    @property
    def renamings(self) -> dict[str, str] | None:
        """Names in weights -> names in the encoder, where transformers does not see it itself."""
        return None if self.inside is None else {self.inside: ""}


def frames_of_samples(config: Config, samples: Steps) -> Steps:
    """Frames of a stack of convolutions without padding, 320 samples apart in all models known.

    >>> from transformers import Wav2Vec2Config
    >>> [frames_of_samples(Wav2Vec2Config(), samples) for samples in (399, 400, 719, 720, 16_000)]
    [0, 1, 1, 2, 49]
    """
    for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
        samples = (samples - kernel) // stride + 1
    return samples


def samples_of_frames(config: Config, _: Extractor, frames: int) -> int:
    """Fewest samples such convolutions make so many frames of.

    >>> from transformers import Wav2Vec2Config
    >>> [samples_of_frames(Wav2Vec2Config(), None, frames) for frames in (1, 10)]
    [400, 3280]
    """
    for kernel, stride in zip(config.conv_kernel[::-1], config.conv_stride[::-1], strict=True):
        frames = (frames - 1) * stride + kernel
    return frames


def _samples_of_kaldi_spectra(_: Config, extractor: Extractor, frames: int) -> int:
    return KALDI_WINDOW + (frames * int(extractor.stride) - 1) * KALDI_HOP


def _samples_of_whisper(_: Config, extractor: Extractor, frames: int) -> int:
    return (frames - 1) * 2 * int(extractor.hop_length) + 1


def _masked_throughout(config: Config) -> bool:
    """Whether every layer of a model of wav2vec 2.0's kind looks at one clip and its mask alone."""
    per_frame = config.feat_extract_norm == "layer"
    return per_frame and not getattr(config, "conv_pos_batch_norm", False)


def _of_wav2vec2_kind(model: str, *, exact: Callable[[Config], bool]) -> Family:
    return Family(
        model=model,
        extractor="Wav2Vec2FeatureExtractor",
        frames=frames_of_samples,
        samples=samples_of_frames,
        exact=exact,
        front="feature_extractor",
    )


FAMILIES = {
    "wav2vec2": _of_wav2vec2_kind("transformers:Wav2Vec2Model", exact=_masked_throughout),
    "hubert": _of_wav2vec2_kind("transformers:HubertModel", exact=_masked_throughout),
    "wavlm": _of_wav2vec2_kind("transformers:WavLMModel", exact=_masked_throughout),
    "data2vec-audio": _of_wav2vec2_kind(
        "transformers:Data2VecAudioModel", exact=lambda config: False
    ),
    "wav2vec2-bert": Family(
        model="transformers:Wav2Vec2BertModel",
        extractor="SeamlessM4TFeatureExtractor",
        frames=lambda config, spectra: spectra,
        samples=_samples_of_kaldi_spectra,
        exact=lambda config: True,
    ),
    "whisper": Family(
        model="transformers.models.whisper.modeling_whisper:WhisperEncoder",
        extractor="WhisperFeatureExtractor",
        frames=lambda config, spectra: (spectra + 1) // 2,
        samples=_samples_of_whisper,
        exact=lambda config: True,  # every clip is made 30 s long, alone too
        inside=r"^(model\.)?encoder\.",
    ),
    "speecht5": Family(
        model="transformers.models.speecht5.modeling_speecht5:SpeechT5EncoderWithSpeechPrenet",
        extractor="SpeechT5FeatureExtractor",
        frames=frames_of_samples,
        samples=samples_of_frames,
        exact=lambda config: False,
        front="prenet.feature_encoder",
        inside=r"^(speecht5\.)?encoder\.",
    ),
}
"""`model_type` -> family. XLS-R, MMS and Korean fine-tunings are `wav2vec2`."""


def family_of(config: Config, name: str) -> Family:
    """The family of a model.

    Raises:
        EncoderError: it is of none of `FAMILIES`.
    """
    if config.model_type not in FAMILIES:
        raise EncoderError(
            f"{name} is of the kind {config.model_type!r}, which is not read as a speech encoder; "
            f"expected one of {', '.join(FAMILIES)}"
        )
    return FAMILIES[config.model_type]


def shortest(family: Family, config: Config, extractor: Extractor) -> int:
    """Samples a clip is extended to, with silence, where it has fewer.

    As many as training masks at once (SpecAugment), below which transformers refuses: one rule for
    training and encoding, alone and in batches.
    """
    return family.samples(config, extractor, max(1, int(getattr(config, "mask_time_length", 1))))
