"""A trained network with its encoders: recordings and sentences in, emotions out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from maeum.corpus import Corpus
from maeum.corpus.audio import find_recordings
from maeum.corpus.text import clean
from maeum.emotions import EmotionSet
from maeum.encoders import (
    Reading,
    SpeechEncoder,
    TextEncoder,
    Tunable,
    kept_at,
    speech_encoders,
    text_encoders,
)
from maeum.engine import Engine
from maeum.errors import AudioError, MaeumError, RunError, SettingsError, TextError
from maeum.features import Features, Store, encoding_workers, extract
from maeum.features.normalize import Voice, voice_of, with_known_voices
from maeum.files import files_written_aside
from maeum.inference.fetching import local_folder
from maeum.inference.inputs import network_inputs
from maeum.inference.loading import network_in
from maeum.inference.prediction import Failure, Prediction, Query
from maeum.inference.vectors import QueryVectors, SideVectors, features_of, heard, read
from maeum.model import Network
from maeum.model.saving import save_network, writing_below

AT_ONCE = 64
"""Utterances encoded before the network sees them; keeps memory flat."""

ROWS_AT_ONCE = 1024
"""Utterances of a corpus the network sees at once."""


class EmotionClassifier:
    """Answers for recordings, texts, or both.

    >>> model = EmotionClassifier.from_pretrained("runs/first")     # doctest: +SKIP
    >>> model("take3.wav", text="정말 마음이 아프다").emotion          # doctest: +SKIP
    'Sad'

    Attributes:
        network: equations (1) to (4).
        emotions: what it tells apart, in class order.
    """

    def __init__(
        self, network: Network, encoders: Mapping[str, tuple[Any, ...]] | None = None
    ) -> None:
        """A network with its encoders.

        Args:
            network: trained.
            encoders: side -> what it was trained with; None: found by what its cards say.
        """
        self.network = network.eval()
        self.emotions = EmotionSet.from_dict(network.config.emotions)
        self._folder = Path()
        self._given = encoders
        self._engine: Engine | None = None

    @classmethod
    def from_pretrained(
        cls, name: str | Path, *, engine: Engine | None = None
    ) -> EmotionClassifier:
        """The classifier in a run folder, or of that name on the model hub.

        Only safetensors are read and no code is run.

        Args:
            name: of the folder, or on the hub.
            engine: that computes pretrained encoders; None: the one it was trained with.

        Raises:
            RunError: the folder holds no finished run, or the name cannot be fetched.
        """
        folder = local_folder(str(name))
        classifier = cls(network_in(folder, str(name)))
        classifier._engine = engine
        classifier._folder = folder.absolute()  # encoders are read when they are first needed
        return classifier

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `config.json`, `model.safetensors` and tuned encoders, each whole or not at all."""
        folder = Path(folder)
        with writing_below(folder):
            for kept, encoder in self._kept_encoders():
                encoder.save(folder / kept)
            with files_written_aside(folder) as aside:
                save_network(self.network, aside)

    def _kept_encoders(self) -> Iterator[tuple[str, Tunable]]:
        """Where below the run encoders trained with the network are kept, and they themselves.

        The place is not read off the card: that of a stranger's run could lead anywhere.
        """
        for side in self.network.inputs:
            pairs = zip(self._cards(side), getattr(self, side), strict=True)
            for place, (card, encoder) in enumerate(pairs):
                if "kept" in card:
                    yield kept_at(side, place), encoder

    @cached_property
    def speech(self) -> tuple[SpeechEncoder, ...]:
        """The speech encoders it was trained with; empty: it does not hear."""
        return self._encoders("speech", speech_encoders)

    @cached_property
    def text(self) -> tuple[TextEncoder, ...]:
        """The text encoders it was trained with; empty: it does not read."""
        return self._encoders("text", text_encoders)

    def _cards(self, side: str) -> list[dict[str, Any]]:
        return list(getattr(self.network.config, side))

    def encoder_names(self, side: str) -> list[str]:
        """What the encoders of a side go by; of those that were tuned, the folders they lie in."""
        return [
            str(self._folder / kept_at(side, place)) if "kept" in card else card["name"]
            for place, card in enumerate(self._cards(side))
        ]

    def _encoders(self, side: str, find: Callable[..., tuple[Any, ...]]) -> tuple[Any, ...]:
        if self._given is not None:
            return self._given.get(side, ())
        found: list[Any] = []
        for card, name in zip(self._cards(side), self.encoder_names(side), strict=True):
            engine = self._engine or _engine(card)
            found += (_same(one, card) for one in find(name, _reading(card), engine))
        return tuple(found)

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
        return bool(self.network.config.speech) and self.normalize == "speaker"

    @property
    def needs_others(self) -> bool:
        """Whether the features of an utterance depend on others of its corpus."""
        return self.needs_voice or self.network.config.context > 0

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
        with encoding_workers() as pool:
            while batch := list(islice(queries, AT_ONCE)):
                yield from self._answer_or_fail(batch, list(pool.map(encode, batch)))

    def voice_in(self, folder: str | Path) -> Voice:
        """What the recordings below a folder tell of a voice; their emotions need not be known.

        Raises:
            AudioError: there are none, or fewer than two can be used.
            RunError: this run compares no voices.
        """
        if not self.needs_voice:
            raise RunError(
                "this run was not trained with --normalize speaker; a voice is of no use to it"
            )
        vectors = []
        for path in find_recordings([Path(folder)]):
            try:
                vectors.append(self._heard(path).vector)
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
            corpus,
            speech=self.speech,
            text=self.text,
            equal_loudness=self.equal_loudness,
            context=self.network.config.context,
            frames=self._reads_frames,
            **self._store,
        )

    @property
    def _store(self) -> dict[str, Store | None]:
        """Which store keeps the vectors: of encoders that only this run has, none."""
        every = (card for side in self.network.inputs for card in self._cards(side))
        return {"store": None} if any("kept" in card for card in every) else {}

    @property
    def _reads_frames(self) -> bool:
        return self.network.config.fusion == "cross"

    def with_known_voices(self, features: Features, speakers: Sequence[str | None]) -> Features:
        """Features normalised with the voices of their own corpus.

        Raises:
            CorpusError: a recording names no speaker.
        """
        return with_known_voices(features, speakers, self._usual_spread)

    def probabilities(self, features: Features) -> NDArray[np.float32]:
        """(utterance, emotion), rows summing to 1."""
        every = np.arange(len(features))
        parts = [
            self.network.probabilities(
                **network_inputs(features, self.network, every[start : start + ROWS_AT_ONCE])
            ).numpy()
            for start in range(0, len(every), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts or [np.zeros((0, len(self.emotions)), np.float32)])

    def _try_to_encode(self, query: Query, voice: Voice | None) -> QueryVectors | Failure:
        try:
            return self._encode(query, voice)
        except MaeumError as error:
            return Failure(str(error), query.audio, query.text)

    def _answer_or_fail(
        self, batch: Sequence[Query], encoded: Sequence[QueryVectors | Failure]
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

    def _encode(self, query: Query, voice: Voice | None) -> QueryVectors:
        encoded: dict[str, SideVectors] = {}
        if self.speech and query.audio is not None:
            encoded["speech"] = self._hear(Path(query.audio), voice)
        if self.text and query.text is not None:
            encoded["text"] = self._read(query.text)
        if not encoded:
            wanted = " or ".join(self.network.inputs)
            raise RunError(f"this run takes {wanted}; none was given")
        return encoded

    def _hear(self, path: Path, voice: Voice | None) -> SideVectors:
        if not self.needs_voice:
            return self._heard(path)
        if voice is None:
            raise RunError(
                "this run compares a recording with others of the same voice: give a folder of "
                "them (--speaker FOLDER), or train with --normalize none"
            )
        return self._heard(path).in_voice(voice)

    def _heard(self, path: Path) -> SideVectors:
        how = {"equal_loudness": self.equal_loudness, "over_time": self._reads_frames}
        return heard(path, self.speech, **how)

    def _read(self, given: str) -> SideVectors:
        text = clean(given)
        if text is None:
            raise TextError(f"the text {given!r} is empty; expected what was said")
        return read(text, self.text, over_time=self._reads_frames)

    def _answer(
        self, queries: Sequence[Query], encoded: Sequence[QueryVectors]
    ) -> list[Prediction]:
        if not queries:
            return []
        chances = self.probabilities(
            features_of(encoded, self._widths, self.network.config.context)
        )
        return [
            self._prediction(query, row, tuple(found))
            for query, row, found in zip(queries, chances, encoded, strict=True)
        ]

    @property
    def _widths(self) -> dict[str, int]:
        return {side: self.network.side(side).width for side in self.network.inputs}

    def _prediction(
        self, query: Query, chances: NDArray[np.float32], modalities: tuple[str, ...]
    ) -> Prediction:
        best = int(chances.argmax())
        names = self.emotions.names
        by_name = {name: float(chance) for name, chance in zip(names, chances, strict=True)}
        return Prediction(
            names[best], by_name[names[best]], by_name, modalities, query.audio, query.text
        )


def _reading(card: Mapping[str, Any]) -> Reading:
    """How the encoder of a card was read.

    Raises:
        RunError: the card does not say.
    """
    try:
        return Reading(**card["reading"])
    except (KeyError, TypeError) as error:
        raise RunError(
            f"the run does not say how {card['name']} was read ({error}); train it again"
        ) from error


def _same(encoder: Any, card: dict[str, object]) -> Any:  # noqa: ANN401 - either kind
    """The encoder, if it still gives the vectors the run was trained on."""
    if "kept" in card:
        return encoder
    version = encoder.version
    if isinstance(encoder, Tunable):  # it may answer now with another engine
        version = encoder.version_with(_engine(card))
    if (version, encoder.dim) != (card["version"], card["dim"]):
        raise RunError(
            f"the run was trained with {card['name']} version {card['version']}, "
            f"this is version {version}; train it again, or give it the encoder it knows"
        )
    return encoder


def _engine(card: Mapping[str, Any]) -> Engine:
    """What made the vectors that the run was trained on.

    Raises:
        RunError: the card names an engine that there is not.
    """
    try:
        return Engine(**card.get("engine", {}))
    except (TypeError, KeyError, SettingsError) as error:
        raise RunError(f"the run was trained with an unknown engine: {error}") from error
