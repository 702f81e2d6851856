"""Recordings and sentences in, emotions out; whatever computes the network and the encoders."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from maeum.ahead import batches
from maeum.corpus import Corpus
from maeum.corpus.audio import find_recordings
from maeum.corpus.text import clean
from maeum.emotions import EmotionSet
from maeum.encoders import SpeechEncoder, TextEncoder
from maeum.errors import AudioError, MaeumError, RunError, TextError
from maeum.features import Features, encoding_workers, extract
from maeum.features.extract import StoreOrUsual
from maeum.features.hearing import WHOLE, Clip
from maeum.features.normalize import Voice, voice_of, with_known_voices
from maeum.inference.contributions import contributions
from maeum.inference.makeup import Makeup
from maeum.inference.prediction import Failure, Prediction, Query
from maeum.inference.temperatures import temperatures_for, tempered
from maeum.inference.vectors import (
    QueryVectors,
    SideVectors,
    features_of,
    heard,
    heard_together,
    read_together,
)

ReadTexts: TypeAlias = Mapping[str, SideVectors | MaeumError]
"""Cleaned text -> what was made of it, or why nothing was."""


class Together(NamedTuple):
    """What was made of several queries at once.

    Attributes:
        read: of their texts.
        heard: of their recordings, as far as that pays; others are heard by themselves.
    """

    read: ReadTexts
    heard: Mapping[Clip, SideVectors] = {}


AT_ONCE = 64
"""Utterances encoded before the network sees them; keeps memory flat."""

ROWS_AT_ONCE = 1024
"""Utterances of a corpus the network sees at once."""


class Classifier(ABC):
    """Answers for recordings, texts, or both.

    `EmotionClassifier` computes with torch, `ExportedClassifier` without.

    Attributes:
        makeup: what the network takes and tells apart.
    """

    def __init__(self, makeup: Makeup) -> None:
        self.makeup = makeup

    @property
    def emotions(self) -> EmotionSet:
        """What it tells apart, in class order."""
        return self.makeup.emotions

    @cached_property
    def speech(self) -> tuple[SpeechEncoder, ...]:
        """The speech encoders it was trained with; empty: it does not hear."""
        return self._encoders("speech")

    @cached_property
    def text(self) -> tuple[TextEncoder, ...]:
        """The text encoders it was trained with; empty: it does not read."""
        return self._encoders("text")

    @abstractmethod
    def _encoders(self, side: str) -> tuple[Any, ...]:
        """The encoders of a side, in order."""

    @abstractmethod
    def _chances(self, features: Features, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """(place, emotion), what the network answers for some of the utterances."""

    @property
    @abstractmethod
    def usual_spread(self) -> NDArray[np.float32]:
        """(width,) spread of the speech vectors within a voice, where voices are compared."""

    def _ensure_encoders(self) -> None:
        """Find them once and before any thread does; what is wrong here is wrong for all."""
        _ = self.speech, self.text

    @property
    def normalize(self) -> str:
        """What is done to recordings or their features; see `config.Normalization`."""
        return self.makeup.normalize

    @property
    def needs_voice(self) -> bool:
        """Whether recordings must come with others of the same voice."""
        return "speech" in self.makeup.cards and self.normalize == "speaker"

    @property
    def needs_others(self) -> bool:
        """Whether the features of an utterance depend on others of its corpus."""
        return self.needs_voice or self.context > 0

    @property
    def sides(self) -> list[str]:
        """What it takes, `speech`, `text` or both, in order."""
        return list(self.makeup.cards)

    @property
    def context(self) -> int:
        """How many previous utterances of a dialogue it looks at."""
        return self.makeup.context

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
        explain: bool = False,
    ) -> Prediction:
        """The emotion of one utterance.

        Args:
            audio: a recording of up to 60 s.
            text: what was said.
            voice: what `voice_in` gave, for a run that normalises per speaker.
            explain: say how much each side contributed, where there are both.

        Raises:
            AudioError: the recording cannot be used.
            TextError: the text is empty.
            RunError: neither is given that this run can use, or the voice is missing.
        """
        query = Query(None if audio is None else str(audio), text)
        encoded = self._encode(query, voice, Together(self._read([query])))
        return self._answer([query], [encoded], explain=explain)[0]

    def predict(
        self, queries: Iterable[Query], *, voice: Voice | None = None, explain: bool = False
    ) -> Iterator[Prediction | Failure]:
        """An answer for each query, in order; one that cannot be had does not stop the rest.

        Args:
            queries: what is asked.
            voice: as in a call.
            explain: as in a call.

        Raises:
            RunError: this version has other encoders than the run was trained with.
        """
        self._ensure_encoders()
        for batch in batches(queries, AT_ONCE):
            encoded = self._encode_all(batch, voice)
            yield from self._answer_or_fail(batch, encoded, explain=explain)

    def _encode_all(
        self, batch: Sequence[Query], voice: Voice | None
    ) -> list[QueryVectors | Failure]:
        """Each on a core of its own, the longest first; a single one on all cores."""
        read = self._read(batch)
        if len(batch) == 1:
            return [self._try_to_encode(batch[0], voice, Together(read))]
        order = sorted(range(len(batch)), key=lambda place: -_size(batch[place]))
        with encoding_workers() as pool:
            together = Together(read, self._heard_together(batch, pool))
            encode = partial(self._try_to_encode, voice=voice, together=together)
            encoded = dict(zip(order, pool.map(encode, [batch[at] for at in order]), strict=True))
        return [encoded[place] for place in range(len(batch))]

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
                vectors.append(self._heard((path, WHOLE)).vector)
            except AudioError:
                continue
        if len(vectors) < 2:
            raise AudioError(
                f"{folder} holds {len(vectors)} usable recording(s); "
                "a voice takes at least 2, in more than one mood if possible"
            )
        return voice_of(np.stack(vectors), self.usual_spread)

    def extract(self, corpus: Corpus, *, store: StoreOrUsual = "usual") -> Features:
        """Features of a corpus from this run's encoders, before any normalisation per voice.

        Args:
            corpus: what to encode.
            store: where to look and to keep; vectors of encoders that only this run has are
                kept nowhere.
        """
        return extract(
            corpus,
            speech=self.speech,
            text=self.text,
            equal_loudness=self.equal_loudness,
            context=self.context,
            frames=self._reads_frames,
            store=None if self._has_own_encoders else store,
        )

    @property
    def _has_own_encoders(self) -> bool:
        return any("kept" in card for cards in self.makeup.cards.values() for card in cards)

    @property
    def _reads_frames(self) -> bool:
        return self.makeup.fusion == "cross"

    def with_known_voices(self, features: Features, speakers: Sequence[str | None]) -> Features:
        """Features normalised with the voices of their own corpus.

        Raises:
            CorpusError: a recording names no speaker.
        """
        return with_known_voices(features, speakers, self.usual_spread)

    def probabilities(self, features: Features) -> NDArray[np.float32]:
        """(utterance, emotion), rows summing to 1, at the temperatures of the run."""
        return tempered(self.untempered(features), self.temperatures(features))

    def temperatures(self, features: Features) -> NDArray[np.float64]:
        """(utterance,), by what each rests on; 1 where the run has none."""
        has = {side: features.present(side) for side in self.sides}
        return temperatures_for(has, self.makeup.temperatures)

    def untempered(self, features: Features) -> NDArray[np.float32]:
        """(utterance, emotion), rows summing to 1, as the network gives them."""
        every = np.arange(len(features))
        parts = [
            self._chances(features, every[start : start + ROWS_AT_ONCE])
            for start in range(0, len(every), ROWS_AT_ONCE)
        ]
        return np.concatenate(parts or [np.zeros((0, len(self.emotions)), np.float32)])

    def _try_to_encode(
        self, query: Query, voice: Voice | None, together: Together
    ) -> QueryVectors | Failure:
        try:
            return self._encode(query, voice, together)
        except MaeumError as error:
            return Failure(str(error), query.audio, query.text)

    def _answer_or_fail(
        self,
        batch: Sequence[Query],
        encoded: Sequence[QueryVectors | Failure],
        *,
        explain: bool,
    ) -> Iterator[Prediction | Failure]:
        """Predictions for what could be encoded, failures where they stand, in order."""
        good = [
            (query, vectors)
            for query, vectors in zip(batch, encoded, strict=True)
            if not isinstance(vectors, Failure)
        ]
        queries, vectors = [query for query, _ in good], [vectors for _, vectors in good]
        predictions = iter(self._answer(queries, vectors, explain=explain))
        for item in encoded:
            yield item if isinstance(item, Failure) else next(predictions)

    def _encode(self, query: Query, voice: Voice | None, together: Together) -> QueryVectors:
        encoded: dict[str, SideVectors] = {}
        if self.speech and query.clip is not None:
            encoded["speech"] = self._hear(query.clip, voice, together.heard)
        if self.text and query.text is not None:
            text = clean(query.text)
            if text is None:
                raise TextError(f"the text {query.text!r} is empty; expected what was said")
            encoded["text"] = _or_raised(together.read[text])
        if not encoded:
            wanted = " or ".join(self.sides)
            raise RunError(f"this run takes {wanted}; none was given")
        return encoded

    def _hear(
        self, clip: Clip, voice: Voice | None, heard: Mapping[Clip, SideVectors]
    ) -> SideVectors:
        if self.needs_voice and voice is None:
            raise RunError(
                "this run compares a recording with others of the same voice: give a folder of "
                "them (--speaker FOLDER), or train with --normalize none"
            )
        found = heard[clip] if clip in heard else self._heard(clip)
        return found.in_voice(voice) if self.needs_voice and voice is not None else found

    def _heard_together(
        self, batch: Sequence[Query], pool: ThreadPoolExecutor
    ) -> dict[Clip, SideVectors]:
        """Recordings of the batch, where encoders gain from many at once and not from threads."""
        if not any(one.at_once > 1 and not one.threaded for one in self.speech):
            return {}
        clips = list(dict.fromkeys(query.clip for query in batch if query.clip is not None))
        how = {"equal_loudness": self.equal_loudness, "over_time": self._reads_frames}
        return heard_together(clips, self.speech, pool, **how)

    def _heard(self, clip: Clip) -> SideVectors:
        how = {"equal_loudness": self.equal_loudness, "over_time": self._reads_frames}
        return heard(clip, self.speech, **how)

    def _read(self, queries: Sequence[Query]) -> ReadTexts:
        """The texts that queries have, cleaned: together, or where one fails each by itself."""
        cleaned = [clean(query.text) for query in queries if query.text is not None]
        texts = [text for text in cleaned if text is not None] if self.text else []
        try:
            return read_together(texts, self.text, over_time=self._reads_frames)
        except MaeumError as error:
            if len(texts) == 1:
                return {texts[0]: error}
            alone = [self._read([Query(None, text)]) for text in texts]
            return {text: found for one in alone for text, found in one.items()}

    def _answer(
        self, queries: Sequence[Query], encoded: Sequence[QueryVectors], *, explain: bool
    ) -> list[Prediction]:
        if not queries:
            return []
        features = features_of(encoded, self.makeup.widths, self.context)
        chances = self.probabilities(features)
        asked = explain and len(self.sides) > 1
        shares = contributions(features, chances, self.probabilities) if asked else {}
        return [
            self._prediction(query, chances[place], tuple(found), shares.get(place))
            for place, (query, found) in enumerate(zip(queries, encoded, strict=True))
        ]

    def _prediction(
        self,
        query: Query,
        chances: NDArray[np.float32],
        modalities: tuple[str, ...],
        shares: Mapping[str, float] | None,
    ) -> Prediction:
        best = int(chances.argmax())
        names = self.emotions.names
        by_name = {name: float(chance) for name, chance in zip(names, chances, strict=True)}
        return Prediction(
            names[best],
            by_name[names[best]],
            by_name,
            modalities,
            query.audio,
            query.text,
            shares,
        )


def _size(query: Query) -> float:
    """How long a recording is among others: its seconds where they are stated, else its bytes."""
    if query.stretch.duration_s is not None:
        return query.stretch.duration_s
    with suppress(OSError):
        return 0 if query.audio is None else os.path.getsize(query.audio)
    return 0


def _or_raised(found: SideVectors | MaeumError) -> SideVectors:
    if isinstance(found, MaeumError):
        raise found
    return found
