"""Waves as pretrained models want them: cut, extended, scaled or turned into spectra, padded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoFeatureExtractor

from maeum.encoders.pretrained.speech_families import Extractor, Family
from maeum.encoders.waves import require_samples
from maeum.errors import EncoderError


@dataclass(frozen=True)
class WaveInputs:
    """How waves become the input of a model; each by itself, so that no clip changes another.

    Attributes:
        extractor: of transformers; scales waves or makes spectra as its settings say.
        shortest: samples; a wave with fewer is extended with silence, before anything else.
        longest: samples; what a wave has beyond them is cut off.
    """

    extractor: Extractor
    shortest: int
    longest: int

    @property
    def rate_hz(self) -> int:
        """Sample rate expected."""
        return int(self.extractor.sampling_rate)

    def __call__(self, waves: Sequence[NDArray[np.float32]]) -> dict[str, Tensor]:
        """Padded `values`, and `keep`: (wave, step), False where there is padding only.

        Raises:
            AudioError: a wave is not one row of finite floating-point samples.
        """
        made = [self._made(wave) for wave in waves]
        filling = float(self.extractor.padding_value)
        return {
            "values": pad_sequence([values for values, _ in made], True, filling),
            "keep": pad_sequence([keep for _, keep in made], True, False),
        }

    def samples(self, wave: NDArray[np.float32]) -> int:
        """How many samples of a wave, or made of it, are heard."""
        return min(max(len(wave), self.shortest), self.longest)

    def computed(self, wave: NDArray[np.float32]) -> int:
        """How many samples the model computes with for a wave: Whisper always those of 30 s."""
        return max(self.samples(wave), getattr(self.extractor, "n_samples", 0))

    def _made(self, wave: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
        require_samples(wave)
        heard = np.zeros(self.samples(wave), dtype=np.float32)
        heard[: len(wave)] = wave[: len(heard)]
        made = self.extractor(
            heard, sampling_rate=self.rate_hz, return_attention_mask=True, return_tensors="np"
        )
        values, keep = made[self.extractor.model_input_names[0]][0], made["attention_mask"][0]
        return torch.from_numpy(values).float(), torch.from_numpy(keep).bool()


def read_extractor(folder: Path, family: Family) -> Extractor:
    """What prepares waves for the model in a folder.

    Without `preprocessor_config.json` the folder is refused: whether waves are scaled to mean 0 and
    spread 1 differs between models, and the wrong way gives worse vectors without a word.

    Raises:
        EncoderError: the file is missing, broken, or of another family.
    """
    extractor = any_extractor(folder)
    if type(extractor).__name__ != family.extractor:
        raise EncoderError(
            f"{folder} prepares recordings with {type(extractor).__name__}, where its model takes "
            f"{family.extractor}; take preprocessor_config.json from the model it was made of"
        )
    return extractor


def any_extractor(folder: Path) -> Extractor:
    """What prepares waves, of whichever family.

    Raises:
        EncoderError: the file that says so is missing or broken.
    """
    try:
        return AutoFeatureExtractor.from_pretrained(
            str(folder), trust_remote_code=False, local_files_only=True
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise EncoderError(
            f"{folder} does not say how recordings are prepared for it ({reason}); take "
            "preprocessor_config.json from the model it was made of"
        ) from error
