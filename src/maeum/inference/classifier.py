"""A trained network with its encoders: recordings and sentences in, emotions out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor

from maeum.corpus import Corpus
from maeum.corpus.audio import find_recordings
from maeum.corpus.text import clean
from maeum.emotions import EmotionSet
from maeum.encoders import SpeechEncoder, TextEncoder, speech_encoder, text_encoder
from maeum.errors import AudioError, MaeumError, RunError, TextError
from maeum.features import Features, extract
from maeum.features.extract import hear, one_thread_each
from maeum.features.normalize import Voice, voice_of, with_known_voices
from maeum.files import give_usual_rights
from maeum.inference.prediction import Failure, Prediction, Query
from maeum.model import EmotionNetwork
from maeum.model.quiet import quietly
from maeum.model.saving import writing_below

AT_ONCE = 64
"""Utterances encoded before the network sees them; keeps memory flat."""

Vectors: TypeAlias = dict[str, NDArray[np.float32]]
"""Side -> (dim,) of one utterance; a side it lacks is absent."""


class EmotionClassifier:
    """Answers for recordings, texts, or both.

    >>> model = EmotionClassifier.from_pretrained("runs/first")     # doctest: +SKIP
    >>> model("take3.wav", text="정말 마음이 아프다").emotion          # doctest: +SKIP
    'Sad'

    Attributes:
        network: equations (1) to (4).
        emotions: what it tells apart, in class order.
    """

    def __init__(self, network: EmotionNetwork) -> None:
        self.network = network.eval()  # type: ignore[no-untyped-call]
        self.emotions = EmotionSet.from_dict(network.config.emotions)

    @classmethod
    def from_pretrained(cls, name: str | Path) -> EmotionClassifier:
        """The classifier in a run folder, or of that name on the model hub.

        Only safetensors are read and no code is run.

        Raises:
            RunError: the folder holds no finished run, or the name cannot be fetched.
        """
        _refuse_what_is_no_run(Path(name))
        try:
            with quietly():
                loaded: Any = EmotionNetwork.from_pretrained(
                    name, use_safetensors=True, output_loading_info=True
                )
        except (OSError, ValueError, RuntimeError, SafetensorError) as error:
            reason = str(error).splitlines()[0]
            if not Path(name).is_dir():
                reason = f"it is no folder, and no model hub gave it ({reason})"
            raise RunError(f"{name} cannot be loaded as a run: {reason}") from error
        network, found = loaded
        if lacking := sorted(found["missing_keys"]):
            raise RunError(f"{name} holds another model or half of one: it lacks {lacking[0]}")
        return cls(network)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json` and `model.safetensors`, each whole or not at all."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder, prefix=".saving-") as aside:
            with quietly(), writing_below(folder):
                self.network.save_pretrained(aside)
            for path in Path(aside).iterdir():
                give_usual_rights(path)
                path.replace(folder / path.name)

    @cached_property
    def speech(self) -> SpeechEncoder | None:
        """The speech encoder it was trained with; None: it does not hear."""
        card = self.network.config.speech
        return None if card is None else _same(speech_encoder(str(card["name"])), card)

    @cached_property
    def text(self) -> TextEncoder | None:
        """The text encoder it was trained with; None: it does not read."""
        card = self.network.config.text
        return None if card is None else _same(text_encoder(str(card["name"])), card)

    def _ensure_encoders(self) -> None:
        """Find them once and before any thread does; what is wrong here is wrong for all."""
        _ = self.speech, self.text

    @property
    def normalize(self) -> str:
        """What is done to recordings or their features; see `config.Normalization`."""
        return self.network.config.normalize

    @property
    def needs_voice(self) -> bool:
        """Whether recordings must come with others of the same voice."""
        return self.network.config.speech is not None and self.normalize == "speaker"

    @property
    def equal_loudness(self) -> bool:
        """Whether recordings are brought to one loudness first."""
        return self.normalize == "recording"

    def __call__(
        self,
        audio: str | Path | None = None,
        *,
        text: str | None = None,
        voice: Voice | None = None,
    ) -> Prediction:
        """The emotion of one utterance.

        Args:
            audio: a recording of up to 60 s.
            text: what was said.
            voice: what `voice_in` gave, for a run that normalises per speaker.

        Raises:
            AudioError: the recording cannot be used.
            TextError: the text is empty.
            RunError: neither is given that this run can use, or the voice is missing.
        """
        query = Query(None if audio is None else str(audio), text)
        return self._answer([query], [self._encode(query, voice)])[0]

    def predict(
        self, queries: Iterable[Query], *, voice: Voice | None = None
    ) -> Iterator[Prediction | Failure]:
        """An answer for each query, in order; one that cannot be had does not stop the rest.

        Raises:
            RunError: this version has other encoders than the run was trained with.
        """
        queries = iter(queries)
        self._ensure_encoders()
        encode = partial(self._try_to_encode, voice=voice)
        with ThreadPoolExecutor(os.cpu_count()) as pool, one_thread_each():
            while batch := list(islice(queries, AT_ONCE)):
                yield from self._answer_or_fail(batch, list(pool.map(encode, batch)))

    def voice_in(self, folder: str | Path) -> Voice:
        """What the recordings below a folder tell of a voice; their emotions need not be known.

        Raises:
            AudioError: there are none, or fewer than two can be used.
            RunError: this run compares no voices.
        """
        if self.speech is None or not self.needs_voice:
            raise RunError(
                "this run was not trained with --normalize speaker; a voice is of no use to it"
            )
        vectors = []
        for path in find_recordings([Path(folder)]):
            try:
                vectors.append(hear(path, self.speech, equal_loudness=self.equal_loudness))
            except AudioError:
                continue
        if len(vectors) < 2:
            raise AudioError(
                f"{folder} holds {len(vectors)} usable recording(s); "
                "a voice takes at least 2, in more than one mood if possible"
            )
        return voice_of(np.stack(vectors), self._usual_spread)

    @property
    def _usual_spread(self) -> NDArray[np.float32]:
        return self.network.side("speech").usual_spread.numpy()

    def extract(self, corpus: Corpus) -> Features:
        """Features of a corpus from this run's encoders, before any normalisation per voice."""
        return extract(
            corpus, speech=self.speech, text=self.text, equal_loudness=self.equal_loudness
        )

    def with_known_voices(self, features: Features, speakers: Sequence[str | None]) -> Features:
        """Features normalised with the voices of their own corpus.

        Raises:
            CorpusError: a recording names no speaker.
        """
        return with_known_voices(features, speakers, self._usual_spread)

    def probabilities(self, features: Features) -> NDArray[np.float32]:
        """(utterance, emotion), rows summing to 1."""
        inputs = tensors(features, self.network.inputs)
        return self.network.probabilities(**inputs).numpy()

    def _try_to_encode(self, query: Query, voice: Voice | None) -> Vectors | Failure:
        try:
            return self._encode(query, voice)
        except MaeumError as error:
            return Failure(str(error), query.audio, query.text)

    def _answer_or_fail(
        self, batch: Sequence[Query], encoded: Sequence[Vectors | Failure]
    ) -> Iterator[Prediction | Failure]:
        """Predictions for what could be encoded, failures where they stand, in order."""
        good = [
            (query, vectors)
            for query, vectors in zip(batch, encoded, strict=True)
            if not isinstance(vectors, Failure)
        ]
        queries, vectors = [query for query, _ in good], [vectors for _, vectors in good]
        predictions = iter(self._answer(queries, vectors))
        for item in encoded:
            yield item if isinstance(item, Failure) else next(predictions)

    def _encode(self, query: Query, voice: Voice | None) -> Vectors:
        vectors: Vectors = {}
        if self.speech is not None and query.audio is not None:
            vectors["speech"] = self._hear(Path(query.audio), voice)
        if self.text is not None and query.text is not None:
            text = clean(query.text)
            if text is None:
                raise TextError(f"the text {query.text!r} is empty; expected what was said")
            vectors["text"] = self.text.encode([text])[0]
        if not vectors:
            wanted = " or ".join(self.network.inputs)
            raise RunError(f"this run takes {wanted}; none was given")
        return vectors

    def _hear(self, path: Path, voice: Voice | None) -> NDArray[np.float32]:
        assert self.speech is not None  # noqa: S101 - for the type checker
        if self.needs_voice and voice is None:
            raise RunError(
                "this run compares a recording with others of the same voice: give a folder of "
                "them (--speaker FOLDER), or train with --normalize none"
            )
        vector = hear(path, self.speech, equal_loudness=self.equal_loudness)
        return voice.normalize(vector[None])[0] if voice and self.needs_voice else vector

    def _answer(self, queries: Sequence[Query], vectors: Sequence[Vectors]) -> list[Prediction]:
        if not queries:
            return []
        sides = {side: _stacked(side, vectors, self.network) for side in self.network.inputs}
        inputs: dict[str, Any] = {}
        for side, (values, present) in sides.items():
            inputs[side] = torch.from_numpy(values)
            inputs[f"has_{side}"] = torch.from_numpy(present)
        chances = self.network.probabilities(**inputs).numpy()
        return [
            self._prediction(query, row, tuple(found))
            for query, row, found in zip(queries, chances, vectors, strict=True)
        ]

    def _prediction(
        self, query: Query, chances: NDArray[np.float32], modalities: tuple[str, ...]
    ) -> Prediction:
        best = int(chances.argmax())
        names = self.emotions.names
        by_name = {name: float(chance) for name, chance in zip(names, chances, strict=True)}
        return Prediction(
            names[best], by_name[names[best]], by_name, modalities, query.audio, query.text
        )


def tensors(features: Features, sides: Iterable[str]) -> dict[str, Tensor]:
    """Arguments of the network's `forward` for some features, as far as it has the sides."""
    inputs = {}
    for side in sides:
        values = getattr(features, side)
        if values is not None:
            inputs[side] = torch.from_numpy(values)
            inputs[f"has_{side}"] = torch.from_numpy(getattr(features, f"has_{side}"))
    return inputs


def _stacked(
    side: str, vectors: Sequence[Vectors], network: EmotionNetwork
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """((utterance, dim) with zeros where the side is missing, (utterance,) where it is not)."""
    nothing = np.zeros(network.side(side).dim, dtype=np.float32)
    present = np.array([side in found for found in vectors])
    return np.stack([found.get(side, nothing) for found in vectors]), present


def _same(encoder: Any, card: dict[str, object]) -> Any:  # noqa: ANN401 - either kind
    """The encoder, if it still gives the vectors the run was trained on."""
    if (encoder.version, encoder.dim) != (card["version"], card["dim"]):
        raise RunError(
            f"the run was trained with {card['name']} version {card['version']}, "
            f"this is version {encoder.version}; train it again"
        )
    return encoder


def _refuse_what_is_no_run(path: Path) -> None:
    """A clear word for a local folder that holds no finished run; other names are the hub's."""
    if path.is_file():
        raise RunError(f"{path} is a file; expected the folder of a run")
    if not path.is_dir():
        if path.is_absolute() or len(path.parts) != 2 or path.parent.is_dir():
            raise RunError(f"{path} does not exist; expected the folder of a run")
        return
    if (path / "model.safetensors").is_file() and (path / "config.json").is_file():
        return
    if (path / "maeum.yaml").is_file():
        raise RunError(
            f"{path} holds no network: an unfinished run goes on when the same `maeum train` is "
            "typed again, a cross-validation keeps none"
        )
    raise RunError(f"{path} is no run (it has no config.json and model.safetensors)")
