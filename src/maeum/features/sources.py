"""What is encoded: the recordings of a corpus or its sentences, told apart by content."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
from jaxtyping import Float32, Int64, UInt8
from numpy import ndarray

from maeum.ahead import THREADS, ahead
from maeum.corpus import Corpus
from maeum.encoders import Encoder, SpeechEncoder
from maeum.errors import AudioError, CorpusError, TextError
from maeum.features.digests import Known, Remembering, known, sign_of
from maeum.features.drawer import clip_key, sentence_key
from maeum.features.hearing import Clip, listen, stretches
from maeum.features.tables import in_parts
from maeum.storage import is_far

WINDOW = 64
"""Rows identified and looked up together."""

KEY_BYTES = 32

UNUSABLE = (AudioError, TextError)
"""What is raised of a single recording or sentence, and does not stop the others."""


class Refusal(NamedTuple):
    """Why a recording or a sentence cannot be used, in a sentence."""

    why: str


class Loaded(NamedTuple):
    """What an encoder is given of a row: a wave or a sentence, or why there is none."""

    row: int
    given: Any | Refusal


class Source(ABC):
    """What is encoded of one side of a corpus.

    Attributes:
        side: `speech` or `text`.
        rows: (item,) of the corpus, that have this side.
        keys: (row, byte) by which vectors are found, zeros where nothing is to be found; filled
            by `windows`.
        first: (row,) the first row with equal content, itself where there is none before; filled
            by `windows`.
    """

    side: str

    def __init__(self, rows: Int64[ndarray, " item"], count: int) -> None:
        self.rows = rows
        self.keys: UInt8[ndarray, "row 32"] = np.zeros((count, KEY_BYTES), dtype=np.uint8)
        self.first: Int64[ndarray, " row"] = np.arange(count)
        self._identified = False

    def windows(self, pool: ThreadPoolExecutor) -> Iterator[Int64[ndarray, " _"]]:
        """The rows, some at a time, in order, once it is known what they hold."""
        if self._identified:
            yield from in_parts(self.rows, WINDOW)
            return
        seen: dict[bytes, int] = {}
        for rows, keys in self._identify(pool):
            for row, key in zip(rows.tolist(), keys, strict=True):
                if key is not None:
                    self.keys[row] = np.frombuffer(key, np.uint8)
                    self.first[row] = seen.setdefault(key, row)
            yield rows
        self._identified = True

    def key(self, row: int) -> bytes | None:
        """By which the vector of a row is found; None: nothing is to be kept of it."""
        key = self.keys[row].tobytes()
        return key if any(key) else None

    @abstractmethod
    def _identify(
        self, pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Int64[ndarray, " _"], Sequence[bytes | None]]]:
        """The rows with their keys, some at a time, in order."""

    @abstractmethod
    def known_keys(self, rows: Int64[ndarray, " _"]) -> Sequence[bytes | None]:
        """The keys of some rows as far as they are known without reading recordings."""

    @abstractmethod
    def load(self, row: int, encoder: Encoder) -> Any:  # noqa: ANN401 - a wave or a sentence
        """What the encoder is given.

        Raises:
            AudioError: the recording cannot be used.
        """

    def try_to_load(self, row: int, encoder: Encoder) -> Loaded:
        """What the encoder is given, or why there is none."""
        try:
            return Loaded(row, self.load(row, encoder))
        except UNUSABLE as error:
            return Loaded(row, Refusal(str(error)))

    @abstractmethod
    def loaded(
        self, rows: Iterable[int], encoder: Encoder, pool: ThreadPoolExecutor
    ) -> Iterator[Loaded]:
        """What the encoder is given of some rows, in order, made ready ahead of it."""

    @abstractmethod
    def name(self, row: int) -> str:
        """What a person knows the row by."""


class Recordings(Source):
    """The recordings of a corpus.

    Args:
        corpus: whose.
        equal_loudness: bring every one to one loudness.
        digests: what is known of them from before; None: nothing.

    Raises:
        CorpusError: the folder of the recordings is gone.
    """

    side = "speech"

    def __init__(
        self, corpus: Corpus, *, equal_loudness: bool, digests: Remembering | None
    ) -> None:
        _ensure_folder(corpus)
        there = corpus.utterances["audio"].is_not_null().to_numpy()
        super().__init__(np.flatnonzero(there), len(there))
        self._clips = stretches(corpus)
        self._equal_loudness, self._digests = equal_loudness, digests
        self._signs: Int64[ndarray, "row 3"] = np.zeros((len(there), 3), dtype=np.int64)

    def known_keys(self, rows: Int64[ndarray, " _"]) -> list[bytes | None]:
        """See `Source`."""
        clips = self._some(rows)
        before = self._before(clips)
        same = {path for path, one in before.items() if one.sign == sign_of(path)}
        return [self._key(clip, before[clip[0]] if clip[0] in same else None) for clip in clips]

    def load(self, row: int, encoder: Encoder) -> Float32[ndarray, " sample"]:
        """See `Source`."""
        path, stretch = self._clip(row)
        rate_hz = cast(SpeechEncoder, encoder).rate_hz
        wave = listen(path, rate_hz, stretch, equal_loudness=self._equal_loudness)
        if sign_of(path) != tuple(self._signs[row]):
            raise AudioError(f"{path} was changed while it was read; start again")
        return wave

    def loaded(
        self, rows: Iterable[int], encoder: Encoder, pool: ThreadPoolExecutor
    ) -> Iterator[Loaded]:
        """See `Source`; every thread has one to load while the encoder is busy with a batch."""
        begun = encoder.at_once + THREADS
        return ahead(pool, lambda row: self.try_to_load(row, encoder), rows, begun)

    def name(self, row: int) -> str:
        """See `Source`."""
        return str(self._clip(row)[0])

    def _identify(
        self, pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Int64[ndarray, " _"], list[bytes | None]]]:
        windows = ((rows, self._before(self._some(rows))) for rows in in_parts(self.rows, WINDOW))
        for rows, before, now in ahead(pool, self._read, windows, 2 * THREADS):
            if self._digests is not None:
                self._digests.put(
                    {path: now[path] for path in now if now[path] != before.get(path)}
                )
            yield rows, [self._key(clip, now.get(clip[0])) for clip in self._some(rows)]

    def _read(
        self, window: tuple[Int64[ndarray, " _"], dict[Path, Known]]
    ) -> tuple[Int64[ndarray, " _"], dict[Path, Known], dict[Path, Known]]:
        """The rows with what was known of their files before, and what is known now."""
        rows, before = window
        now: dict[Path, Known] = {}
        for row, (path, _) in zip(rows.tolist(), self._some(rows), strict=True):
            found = now.get(path) or known(path, before.get(path))
            if found is not None:
                now[path] = found
                self._signs[row] = found.sign
        return rows, before, now

    def _before(self, clips: Sequence[Clip]) -> dict[Path, Known]:
        return {} if self._digests is None else self._digests.before([path for path, _ in clips])

    def _key(self, clip: Clip, content: Known | None) -> bytes | None:
        if content is None:
            return None
        return clip_key(content.digest, clip[1], equal_loudness=self._equal_loudness)

    def _some(self, rows: Int64[ndarray, " _"]) -> list[Clip]:
        return [self._clip(row) for row in rows.tolist()]

    def _clip(self, row: int) -> Clip:
        clip = self._clips[row]
        assert clip is not None  # noqa: S101 - for the type checker; `rows` has only such
        return clip


def _ensure_folder(corpus: Corpus) -> None:
    """All recordings gone is no fault of single ones: nothing should be learnt without them."""
    root = corpus.audio_root
    if root is not None and not (is_far(root) or root.is_dir()):
        raise CorpusError(
            f"the recordings of the corpus lay in {root}, which is no folder any more; "
            "move them back, import again, or use text alone (--modality text)"
        )


class Sentences(Source):
    """The texts of a corpus."""

    side = "text"

    def __init__(self, corpus: Corpus) -> None:
        self._texts = corpus.utterances["text"]
        there = self._texts.is_not_null().to_numpy()
        super().__init__(np.flatnonzero(there), len(there))

    def known_keys(self, rows: Int64[ndarray, " _"]) -> list[bytes | None]:
        """See `Source`."""
        return [sentence_key(self._texts[row]) for row in rows.tolist()]

    def load(self, row: int, encoder: Encoder) -> str:
        """See `Source`."""
        return unicodedata.normalize("NFC", self._texts[row])

    def loaded(
        self, rows: Iterable[int], encoder: Encoder, pool: ThreadPoolExecutor
    ) -> Iterator[Loaded]:
        """See `Source`."""
        return (self.try_to_load(row, encoder) for row in rows)

    def name(self, row: int) -> str:
        """See `Source`."""
        return repr(self._texts[row])

    def _identify(
        self, pool: ThreadPoolExecutor
    ) -> Iterator[tuple[Int64[ndarray, " _"], list[bytes | None]]]:
        return ((rows, self.known_keys(rows)) for rows in in_parts(self.rows, WINDOW))
