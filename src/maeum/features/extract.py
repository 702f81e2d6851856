"""Features: one vector per utterance and modality, computed once and shared by every run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np
import polars as pl
from jaxtyping import Bool, Float32
from numpy import ndarray

from maeum.corpus import Corpus
from maeum.corpus.audio import ensure_audible, load
from maeum.encoders import SpeechEncoder, TextEncoder
from maeum.errors import AudioError, CorpusError
from maeum.progress import track

logger = logging.getLogger(__name__)

MAX_UTTERANCE_S = 60.0
"""Longer than this is no utterance."""

TARGET_RMS = 0.05
"""Loudness, -26 dBFS, every recording is brought to under `normalize="recording"`."""

TEXTS_AT_ONCE = 4096


@dataclass(frozen=True)
class Features:
    """Vectors of some utterances; a modality that is not used is None.

    Attributes:
        ids: utterances, in order.
        speech: (utterance, dim); zeros where `has_speech` is False.
        text: (utterance, dim); zeros where `has_text` is False.
        has_speech: which utterances could be heard.
        has_text: which utterances have a text.
        failures: id -> sentence, for recordings that could not be used.
        made_by: what decides the vectors; see `recipe`.
    """

    ids: tuple[str, ...]
    speech: Float32[ndarray, "utterance speech"] | None
    text: Float32[ndarray, "utterance text"] | None
    has_speech: Bool[ndarray, " utterance"]
    has_text: Bool[ndarray, " utterance"]
    failures: dict[str, str] = field(default_factory=dict)
    made_by: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def usable(self) -> Bool[ndarray, " utterance"]:
        """Which utterances have at least one modality."""
        return self.has_speech | self.has_text

    def take(self, ids: Sequence[str]) -> Features:
        """The same features for some utterances, in the order given.

        Raises:
            CorpusError: they are not of these utterances.
        """
        place = {name: row for row, name in enumerate(self.ids)}
        if strangers := [name for name in ids if name not in place]:
            raise CorpusError(
                f"the features are of another corpus: {len(strangers)} of {len(ids)} utterances "
                f"are not in them, {strangers[0]} among them; extract them anew"
            )
        rows = np.array([place[name] for name in ids], dtype=np.int64)
        return replace(
            self,
            ids=tuple(ids),
            speech=None if self.speech is None else self.speech[rows],
            text=None if self.text is None else self.text[rows],
            has_speech=self.has_speech[rows],
            has_text=self.has_text[rows],
            failures={name: self.failures[name] for name in ids if name in self.failures},
        )

    def only(self, modality: str) -> Features:
        """The same utterances with one modality kept from the network, unless it is `both`."""
        nothing = np.zeros(len(self), dtype=bool)
        return replace(
            self,
            has_speech=nothing if modality == "text" else self.has_speech,
            has_text=nothing if modality == "speech" else self.has_text,
        )


def recipe(
    speech: SpeechEncoder | None, text: TextEncoder | None, *, equal_loudness: bool
) -> frozenset[str]:
    """What decides the vectors, an entry per modality; where it is equal they can be shared."""
    heard = [f"{speech.name} {speech.version}, equal loudness {equal_loudness}"] if speech else []
    written = [f"{text.name} {text.version}"] if text else []
    return frozenset([*heard, *written])


def extract(
    corpus: Corpus,
    *,
    speech: SpeechEncoder | None = None,
    text: TextEncoder | None = None,
    equal_loudness: bool = False,
) -> Features:
    """Encode every utterance of a corpus.

    Args:
        corpus: what to encode.
        speech: None leaves recordings alone.
        text: None leaves texts alone.
        equal_loudness: bring every recording to `TARGET_RMS` first.

    A recording that cannot be used does not stop the rest: it stands in `failures`.

    Raises:
        CorpusError: the folder of the recordings is gone.
    """
    ids = tuple(corpus.utterances["id"])
    nothing = np.zeros(len(ids), dtype=bool)
    heard, has_speech, failures = (
        _hear_all(corpus, speech, equal_loudness) if speech else (None, nothing, {})
    )
    written, has_text = _read_all(corpus.utterances["text"], text) if text else (None, nothing)
    if failures:
        logger.warning(
            "%d of %d recordings cannot be heard, the first because %s",
            len(failures),
            len(ids),
            next(iter(failures.values())),
        )
    return Features(
        ids=ids,
        speech=heard,
        text=written,
        has_speech=has_speech,
        has_text=has_text,
        failures=failures,
        made_by=recipe(speech, text, equal_loudness=equal_loudness),
    )


def _hear_all(
    corpus: Corpus, encoder: SpeechEncoder, equal_loudness: bool
) -> tuple[Float32[ndarray, "utterance dim"], Bool[ndarray, " utterance"], dict[str, str]]:
    rows = corpus.utterances
    _ensure_recordings(corpus)
    vectors = np.zeros((len(rows), encoder.dim), dtype=np.float32)
    heard, failures = np.zeros(len(rows), dtype=bool), {}
    outcomes = _outcomes(corpus, encoder, equal_loudness)
    for place, outcome in enumerate(track(outcomes, total=len(rows), label="hearing")):
        if isinstance(outcome, AudioError):
            failures[rows["id"][place]] = str(outcome)
        elif outcome is not None:
            vectors[place], heard[place] = outcome, True
    return vectors, heard, failures


def _ensure_recordings(corpus: Corpus) -> None:
    """All recordings gone is no fault of single ones: nothing should be learnt without them."""
    root = corpus.audio_root
    if root is not None and not root.is_dir():
        raise CorpusError(
            f"the recordings of the corpus lay in {root}, which is no folder any more; "
            "move them back, import again, or use text alone (--modality text)"
        )


def _outcomes(
    corpus: Corpus, encoder: SpeechEncoder, equal_loudness: bool
) -> Iterator[Float32[ndarray, " dim"] | AudioError | None]:
    """Per utterance, in order: its vector, what went wrong, or None where there is no recording."""
    root = corpus.audio_root or Path()

    def outcome(
        audio: str | None, channel: int | None, start_s: float | None, duration_s: float | None
    ) -> Float32[ndarray, " dim"] | AudioError | None:
        if audio is None:
            return None
        stretch = Stretch(channel) if start_s is None else Stretch(channel, start_s, duration_s)
        try:
            return hear(root / audio, encoder, stretch, equal_loudness=equal_loudness)
        except AudioError as error:
            return error

    columns = corpus.utterances.select("audio", "channel", "start_s", "duration_s")
    with ThreadPoolExecutor(os.cpu_count()) as pool, one_thread_each():
        yield from pool.map(lambda row: outcome(*row), columns.iter_rows())


def one_thread_each() -> AbstractContextManager[object]:
    """While several threads encode, each product of matrices stays on its own."""
    from threadpoolctl import threadpool_limits

    return cast(AbstractContextManager[object], threadpool_limits(1))


@dataclass(frozen=True)
class Stretch:
    """The part of a recording an utterance is: a channel (None: mixed), from where, how long."""

    channel: int | None = None
    start_s: float = 0.0
    duration_s: float | None = None


WHOLE = Stretch()


def hear(
    path: Path, encoder: SpeechEncoder, stretch: Stretch = WHOLE, *, equal_loudness: bool = False
) -> Float32[ndarray, " dim"]:
    """The vector of one recording.

    Raises:
        AudioError: it is missing, broken, silent, too short or longer than `MAX_UTTERANCE_S`.
    """
    wave = load(
        path,
        rate_hz=encoder.rate_hz,
        channel=stretch.channel,
        start_s=stretch.start_s,
        duration_s=stretch.duration_s,
        max_duration_s=MAX_UTTERANCE_S,
    )
    ensure_audible(wave, str(path))
    return encoder.encode([with_equal_loudness(wave) if equal_loudness else wave])[0]


def with_equal_loudness(wave: Float32[ndarray, " sample"]) -> Float32[ndarray, " sample"]:
    """The wave at `TARGET_RMS`, so that the distance to the microphone tells nothing."""
    return (wave * (TARGET_RMS / np.sqrt(np.mean(wave**2)))).astype(np.float32)


def _read_all(
    texts: pl.Series, encoder: TextEncoder
) -> tuple[Float32[ndarray, "utterance dim"], Bool[ndarray, " utterance"]]:
    present = texts.is_not_null().to_numpy()
    vectors = np.zeros((len(texts), encoder.dim), dtype=np.float32)
    places = np.flatnonzero(present)
    for start in range(0, len(places), TEXTS_AT_ONCE):
        batch = places[start : start + TEXTS_AT_ONCE]
        vectors[batch] = encoder.encode(texts[batch.tolist()].to_list())
    return vectors, present
