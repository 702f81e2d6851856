"""Classifiers of recordings that others published, as encoders whose vectors are their logits.

So what holds for encoders holds for them: how they are found, read and hastened, and that their
vectors are kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers.models.auto import modeling_auto

from maeum.encoders import Reading
from maeum.encoders.pretrained.computing import answer, answering_device
from maeum.encoders.pretrained.encoder import Pretrained
from maeum.encoders.pretrained.frames import Frames
from maeum.encoders.pretrained.loading import read_config, read_weights
from maeum.encoders.pretrained.places import Sought, find_model
from maeum.encoders.pretrained.speech_families import Config, Extractor
from maeum.encoders.pretrained.speech_waves import any_extractor
from maeum.encoders.pretrained.tower import Tower
from maeum.encoders.waves import require_samples
from maeum.errors import EncoderError

# of spectrogram transformers as their authors made them; said on every run, it helps nobody
warnings.filterwarnings("ignore", "At least one mel filter has all zero values")

CODE = "classifier 1"
"""Counts up when this code gives other logits from the same weights."""

OF_RECORDINGS = modeling_auto.MODEL_FOR_AUDIO_CLASSIFICATION_MAPPING_NAMES
OF_TEXTS = modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES
"""`model_type` -> class of transformers that classifies."""

OTHER_PROBLEMS = {
    "regression": "gives values on scales",
    "multi_label_classification": "tells of every label by itself whether it is there",
}
"""`problem_type` -> what such a model does; its logits are no chances of one label among others."""

SOUGHT = Sought(
    "an audio classifier",
    "audio classifier",
    "name its folder, or put it below $MAEUM_ENCODERS under the same name",
)


class ClassifierTower(Tower):
    """A model of transformers that gives logits for whole recordings.

    Args:
        model: it.
    """

    model: Any

    @property
    def dim(self) -> int:
        """How many labels it tells apart."""
        return int(self.model.config.num_labels)

    @property
    def layers(self) -> int:
        """One."""
        return 1

    def forward(self, **inputs: Tensor) -> Frames:
        """Logits of every clip, as the vector of one moment.

        Args:
            inputs: what the extractor of the model makes of clips of one length.
        """
        logits: Float[Tensor, "batch label"] = self.model(**inputs).logits
        return Frames(logits[:, None, None], logits.new_ones((len(logits), 1), dtype=torch.bool))


class AudioClassifier(Pretrained[NDArray[np.float32], ClassifierTower]):
    """A published classifier; its vectors are logits. Clips are given one at a time, unpadded.

    A clip is heard whole, as far as the model takes it: Whisper 30 s, spectrogram transformers
    what their settings say.

    Attributes:
        rate_hz: sample rate expected.
        labels: what it tells apart, by index of the logits.
    """

    def __init__(self, name: str, folder: Path, model: nn.Module, extractor: Extractor) -> None:
        super().__init__(name, Reading(), folder, ClassifierTower(model))
        self._extractor, self.rate_hz = extractor, int(extractor.sampling_rate)
        config: Config = model.config
        self.labels = tuple(str(config.id2label[index]) for index in range(self.dim))

    @classmethod
    def load(cls, name: str) -> AudioClassifier:
        """The classifier of that name on the model hub, or in that folder.

        Raises:
            EncoderError: it cannot be found or read, is of a class that transformers lacks, or
                does not classify recordings.
        """
        folder = find_model(name, SOUGHT)
        config = read_config(folder)
        class_name = _class_name(config, name)
        extractor = any_extractor(folder)
        model_class: Any = getattr(transformers, class_name)
        _refuse_another_extractor(extractor, model_class, folder)
        return cls(name, folder, read_weights(model_class, folder, config), extractor)

    @property
    def at_once(self) -> int:
        """How many clips `encode` is best given at once."""
        return 1

    @property
    def threaded(self) -> bool:
        """On a processor: clips beside each other on a core each waste less than one on all."""
        return self.only_answers and answering_device(self.tower).type == "cpu"

    def encode(self, waves: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """(clip,) of (sample,) in [-1, 1] at `rate_hz` -> (clip, label), logits.

        Raises:
            AudioError: a wave is not one row of finite floating-point samples.
        """
        return self._means(waves)

    def frames(self, waves: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """(clip,) of (sample,) -> (clip,) of (1, label): a clip is answered as a whole."""
        return self._over_time(waves)

    def _given(self, waves: Sequence[NDArray[np.float32]]) -> Iterator[tuple[list[int], Frames]]:
        for place, wave in enumerate(waves):
            require_samples(wave)
            made = self._extractor(wave, sampling_rate=self.rate_hz, return_tensors="pt")
            yield [place], answer(self.tower, made)

    def _salt(self, _: Reading) -> tuple[str, ...]:
        return (CODE,)

    def _write_beside_weights(self, folder: Path) -> None:
        model = self.tower.model
        model.config.save_pretrained(folder)
        self._extractor.save_pretrained(folder)


def _class_name(config: Config, name: str) -> str:
    """The class of transformers that a checkpoint is of, if it answers with one label of several.

    Raises:
        EncoderError: it does anything else.
    """
    given = " and ".join(config.architectures or ["nothing"])
    expected = OF_RECORDINGS.get(config.model_type)
    if expected is None:
        what = (
            "classifies texts" if given == OF_TEXTS.get(config.model_type) else "is another model"
        )
        raise EncoderError(
            f"{name} ({given}) {what}; expected a classifier of recordings: {_kinds()}"
        )
    if given != expected:
        raise EncoderError(
            f"{name} holds {given}, where a classifier of its kind is {expected}: "
            f"{_what_of(given, name)}"
        )
    if config.problem_type in OTHER_PROBLEMS:
        raise EncoderError(
            f"{name} {OTHER_PROBLEMS[config.problem_type]} (problem_type {config.problem_type}); "
            "expected a classifier that names one emotion of several"
        )
    return str(expected)


def _what_of(given: str, name: str) -> str:
    if hasattr(transformers, given):
        return f"as an encoder it serves `maeum train CORPUS --to RUN --speech {name}`"
    return "the other needs code of its authors, and no such code is run"


def _kinds() -> str:
    return ", ".join(OF_RECORDINGS)


def _refuse_another_extractor(
    extractor: Extractor,
    model_class: Any,  # noqa: ANN401 - of transformers
    folder: Path,
) -> None:
    given, taken = extractor.model_input_names[0], model_class.main_input_name
    if given != taken or not hasattr(extractor, "sampling_rate"):
        raise EncoderError(
            f"{folder} prepares recordings with {type(extractor).__name__}, which gives {given} "
            f"where its model takes {taken}; take preprocessor_config.json from the model it was "
            "made of"
        )
