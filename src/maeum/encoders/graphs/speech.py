"""Speech encoders that are graphs: waves prepared in numpy, one clip at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.encoders.graphs.description import Description
from maeum.encoders.graphs.encoder import Given, GraphEncoder
from maeum.encoders.waves import require_samples
from maeum.errors import EncoderError, SettingsError

SMALLEST_VARIANCE = 1e-7
"""Added to a wave's variance before it is scaled, as transformers does."""

EXTRACTORS = ("SeamlessM4TFeatureExtractor", "WhisperFeatureExtractor")
"""Of transformers, make spectra; they do without torch."""


class GraphSpeech(GraphEncoder[NDArray[np.float32]]):
    """A pretrained speech model as a graph.

    `preparing` in its `encoder.json` says: `rate_hz`; `shortest` and `longest`, samples a wave is
    extended to and cut at; `scaled`, whether to mean 0 and spread 1; and for models that hear
    spectra `extractor`, which makes them, `steps`, spectra of one frame, and `masked`, whether the
    graph is told which of them are no padding.

    Attributes:
        rate_hz: sample rate expected.
    """

    at_once = 1

    def __init__(self, folder: Path, told: Description) -> None:
        super().__init__(folder, told)
        how = dict(told.preparing)
        self.rate_hz = int(how["rate_hz"])
        self._shortest, self._longest = int(how["shortest"]), int(how["longest"])
        self._inputs = (
            partial(_of_spectra, _extractor(folder, how["extractor"]), how)
            if how["extractor"]
            else partial(_of_waves, bool(how["scaled"]))
        )

    @property
    def threaded(self) -> bool:
        """OpenVINO answers one after another, each on all cores."""
        return self.engine.name == "onnx"

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

    def _given(self, waves: Sequence[NDArray[np.float32]]) -> Iterator[Given]:
        for place, wave in enumerate(waves):
            inputs, frames = self._inputs(self._heard(wave))
            values = self._asked(inputs)
            count = values.shape[2] if frames is None else frames
            yield Given([place], values, np.arange(values.shape[2])[None] < count)

    def _heard(self, wave: NDArray[np.float32]) -> NDArray[np.float32]:
        """The wave cut, or extended with silence."""
        require_samples(wave)
        heard = np.zeros(min(max(len(wave), self._shortest), self._longest), dtype=np.float32)
        heard[: len(wave)] = wave[: len(heard)]
        return heard


def _of_waves(scaled: bool, wave: NDArray[np.float32]) -> tuple[dict[str, NDArray[Any]], None]:
    """What a model that hears the wave is given; all its frames count."""
    if scaled:
        wave = (wave - wave.mean()) / np.sqrt(wave.var() + SMALLEST_VARIANCE)
    return {"values": wave[None].astype(np.float32)}, None


def _of_spectra(
    extractor: Any,  # noqa: ANN401 - of transformers
    how: dict[str, Any],
    wave: NDArray[np.float32],
) -> tuple[dict[str, NDArray[Any]], int]:
    """What a model that hears spectra is given, and how many of its frames count."""
    made = extractor(
        wave, sampling_rate=how["rate_hz"], return_attention_mask=True, return_tensors="np"
    )
    keep = np.asarray(made["attention_mask"], dtype=np.int64)
    values = np.asarray(made[extractor.model_input_names[0]], dtype=np.float32)
    inputs: dict[str, NDArray[Any]] = {"values": values}
    if how["masked"]:
        inputs["keep"] = keep
    return inputs, -(-int(keep.sum()) // int(how["steps"]))


def _extractor(folder: Path, name: str) -> Any:  # noqa: ANN401 - of transformers
    if name not in EXTRACTORS:
        raise EncoderError(
            f"{folder} prepares recordings with {name!r}, expected one of {', '.join(EXTRACTORS)}; "
            "export the run again"
        )
    os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")  # that there is no torch
    try:
        import transformers
    except ImportError as error:
        raise SettingsError(
            f"the encoder in {folder} hears spectra that transformers makes, without torch; "
            "pip install transformers"
        ) from error
    return getattr(transformers, name).from_pretrained(str(folder), local_files_only=True)
