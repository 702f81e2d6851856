"""Pretrained speech encoders: wav2vec 2.0, XLS-R, HuBERT, WavLM, data2vec, w2v-BERT and others.

What differs between the families stands in `speech_families`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from maeum.encoders import Reading
from maeum.encoders.pretrained.computing import answer, answering_device, by_length
from maeum.encoders.pretrained.encoder import Pretrained
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.loading import read_config, read_weights
from maeum.encoders.pretrained.places import find
from maeum.encoders.pretrained.speech_families import Config, family_of, shortest
from maeum.encoders.pretrained.speech_tower import SpeechTower
from maeum.encoders.pretrained.speech_waves import WaveInputs, read_extractor

CODE = "speech 1"
"""Counts up when this code gives other vectors from the same weights."""

OVERRULED = {"layerdrop": 0.0, "encoder_layerdrop": 0.0, "add_adapter": False}
"""Settings of models that are not followed. Processes that train together and leave out layers at
random, each its own, wait for one another for ever; the adapters meant here shorten time for a
decoder."""

BATCH_S = 120.0
"""Seconds of sound, with its padding, that an accelerator is given at once."""


class PretrainedSpeech(Pretrained[NDArray[np.float32], SpeechTower]):
    """A pretrained model as a speech encoder.

    A recording gives the same vectors alone and among others. It is cut at `Reading.cut_s` (and at
    the 30 s that Whisper hears); one too short to be masked in training is extended with silence.
    Computed is on an accelerator if there is one.

    Attributes:
        name: as typed.
        version: changes with weights, configuration, reading and this code; not while tuning.
        rate_hz: sample rate expected.
        tower: the model.
    """

    def __init__(
        self, name: str, reading: Reading, folder: Path, tower: SpeechTower, inputs: WaveInputs
    ) -> None:
        self._inputs, self.rate_hz = inputs, inputs.rate_hz
        super().__init__(name, reading, folder, tower)

    @classmethod
    def load(cls, name: str, reading: Reading) -> PretrainedSpeech:
        """The encoder of that name on the model hub, or in that folder.

        Raises:
            EncoderError: it cannot be found or read, is no speech encoder, lacks weights or the
                layer asked for.
        """
        folder = find(name, "speech")
        config = calmed(read_config(folder))
        family = family_of(config, name)
        extractor = read_extractor(folder, family)
        longest = _longest(reading, extractor.sampling_rate)
        inputs = WaveInputs(extractor, shortest(family, config, extractor), longest)
        model = read_weights(_class(family.model), folder, config, key_mapping=family.renamings)
        tower = SpeechTower(model, family, reading.layers, name)
        return cls(name, reading, folder, tower, inputs)

    @property
    def inputs(self) -> WaveInputs:
        """How waves are prepared for the tower."""
        return self._inputs

    @property
    def at_once(self) -> int:
        """How many clips `encode` is best given at once: a processor takes each by itself."""
        return 1 if self._on_processor else 64

    @property
    def threaded(self) -> bool:
        """On a processor: clips beside each other on a core each waste less than one on all."""
        return self.only_answers and self._on_processor

    def prepare(self, batch: Sequence[NDArray[np.float32]]) -> dict[str, Tensor]:
        """Waves as the inputs of `tower`; see `speech_waves.WaveInputs`."""
        return self._inputs(batch)

    def encode(self, waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(clip,) of (sample,) in [-1, 1] at `rate_hz` -> (clip, layers * dim), means over time.

        Raises:
            AudioError: a wave is not one row of finite floating-point samples.
        """
        return self._means(waves)

    def frames(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """(clip,) of (sample,) -> (clip,) of (time, dim), 50 a second in all families known.

        Raises:
            EncoderError: all layers are read, for the network to weigh.
            AudioError: a wave is not one row of finite floating-point samples.
        """
        return self._over_time(waves)

    def _given(self, waves: Sequence[NDArray[np.float32]]) -> Iterator[tuple[list[int], Frames]]:
        """Places of some waves and what the tower gives of them, until all had their turn."""
        most = 0 if self._on_processor else round(BATCH_S * self.rate_hz)
        for places in by_length([self._inputs.computed(wave) for wave in waves], most):
            yield places, answer(self.tower, self.prepare([waves[place] for place in places]))

    @property
    def _on_processor(self) -> bool:
        return answering_device(self.tower).type == "cpu"

    def _salt(self, reading: Reading) -> tuple[str, ...]:
        return CODE, reading.layers, str(_longest(reading, self.rate_hz))

    def _write_beside_weights(self, folder: Path) -> None:
        model: Any = self.tower.model
        model.config.architectures = [type(model).__name__]
        model.config.save_pretrained(folder)
        self._inputs.extractor.save_pretrained(folder)


def calmed(config: Config) -> Config:
    """The configuration with what is `OVERRULED` and nothing else changed."""
    for name, value in OVERRULED.items():
        if hasattr(config, name):
            setattr(config, name, value)
    return config


def _longest(reading: Reading, rate_hz: int) -> int:
    """Samples of a clip; what is beyond is cut off."""
    return round(reading.cut_s * rate_hz)


def _class(place: str) -> Any:  # noqa: ANN401 - a model class of transformers
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
