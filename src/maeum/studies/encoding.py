"""The vectors that all runs of a study share: every encoder is loaded once and let go again.

A run needs of an encoder no more than its vectors and its card, so that six encoders never have to
be in memory at once.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.encoders import (
    Encoder,
    Reading,
    Tunable,
    ensure_there,
    speech_encoders,
    text_encoders,
)
from maeum.engine import Engine
from maeum.errors import EncoderError
from maeum.features import Features, extract
from maeum.features.extract import StoreOrUsual, turns_before
from maeum.features.frames import FrameTable
from maeum.features.tables import in_parts, new_table
from maeum.studies.planning import COLUMNS, Plan, Planned
from maeum.training.clips import usable_recordings
from maeum.training.encoders import Encoders, Spent, reading_of
from maeum.training.learn import Material, refuse_flat_voices

logger = logging.getLogger(__name__)


class Want(NamedTuple):
    """What a run needs of one side.

    Attributes:
        side: speech or text.
        names: of its encoders, `A+B`.
        reading: how they are read.
        equal_loudness: whether recordings are brought to one loudness.
        frames: whether vectors over time are wanted.
        learns: whether the pretrained ones are tuned; then only who has the side counts.
        engine: that computes pretrained ones which do not learn.
    """

    side: str
    names: str
    reading: Reading
    equal_loudness: bool
    frames: bool
    learns: bool
    engine: Engine | None


def wants_of(settings: Settings) -> list[Want]:
    """What a run with these settings needs, of each side it takes."""
    tuned, usual, own = settings.tune != "frozen", Reading(), reading_of(settings)
    frames, engine = settings.fusion == "cross" and not tuned, settings.answering_engine
    found = []
    if settings.hears_speech:
        loud = settings.normalize == "recording"
        heard = replace(own, max_tokens=usual.max_tokens)
        found.append(Want("speech", settings.speech, heard, loud, frames, tuned, engine))
    if settings.reads_text:
        read = replace(own, cut_s=usual.cut_s)
        found.append(Want("text", settings.text, read, False, frames, tuned, engine))
    return found


class Side(NamedTuple):
    """One side of the utterances, encoded as one want asks.

    Attributes:
        encoders: all that were named.
        done: (row,) of which utterances it was asked.
        has: (row,) which have this side.
        table: (row, width); None where all encoders learn.
        frames: per encoder, where they are wanted.
    """

    encoders: tuple[Spent, ...]
    done: NDArray[np.bool_]
    has: NDArray[np.bool_]
    table: NDArray[np.float32] | None = None
    frames: tuple[FrameTable, ...] = ()


class Shared:
    """What runs of a study learn from.

    Args:
        corpus: in order of id.
        store: where vectors are looked up and kept.
    """

    def __init__(self, corpus: Corpus, store: StoreOrUsual = "usual") -> None:
        self._corpus, self._store = corpus, store
        self._ids: list[str] = []
        self._sides: dict[Want, Side] = {}
        self._broken: dict[Want, str] = {}

    @property
    def versions(self) -> dict[str, list[str]]:
        """Encoders as named -> their versions, of those that were loaded."""
        return {
            f"{want.side} {want.names}": [one.version for one in side.encoders]
            for want, side in self._sides.items()
        }

    def look_for(self, runs: Iterable[Planned]) -> None:
        """See that all encoders can be had before any is read.

        Raises:
            EncoderError: one cannot, and the study compares it with no other, or none can.
        """
        wants = list(dict.fromkeys(want for run in runs for want in wants_of(run.cell.settings)))
        errors = {want: error for want in wants if (error := _missing(want)) is not None}
        for want, error in errors.items():
            there = {one.names for one in wants if one.side == want.side and one not in errors}
            if not there:
                raise error
            self._broken[want] = str(error)
            logger.warning("%s", error)

    def encode(self, plan: Plan, runs: Sequence[Planned]) -> dict[str, str]:
        """Encode what some runs need and was not encoded yet.

        Returns:
            id -> sentence, of what cannot be heard or read.

        Raises:
            EncoderError: an encoder cannot be read, and the study compares it with no other.
        """
        needs = self._needs(plan, runs)
        todo = {want: rows for want, rows in needs.items() if self._lacks(want, rows)}
        if not todo:
            return {}
        if self._take_in(plan, todo):  # vectors over time cannot be put together from two tables
            todo |= {want: rows for want, rows in needs.items() if want.frames}
        rows = _rows_of(self._ids, plan.corpus)
        corpus = plan.corpus.with_utterances(plan.corpus.utterances[rows])
        failures: dict[str, str] = {}
        for want, wanted in todo.items():
            try:
                self._sides[want], failed = self._encoded(want, corpus, wanted[rows])
            except EncoderError as error:
                self._lose(want, error, needs)
                continue
            failures = failed | failures
        return failures

    def _take_in(self, plan: Plan, needs: Mapping[Want, NDArray[np.bool_]]) -> bool:
        """Make room for utterances that were not among those encoded; whether there are any."""
        known = set(self._ids)
        needed = plan.ids(np.flatnonzero(np.logical_or.reduce(list(needs.values()))))
        new = [name for name in needed if name not in known]
        self._ids += new
        if new:
            self._sides = {want: _grown(side, len(self._ids)) for want, side in self._sides.items()}
        return bool(new)

    def _lacks(self, want: Want, wanted: NDArray[np.bool_]) -> bool:
        """Whether something that is wanted was not asked of the encoders yet."""
        if want not in self._sides:
            return True
        done = np.zeros_like(wanted)
        done[_rows_of(self._ids, self._corpus)[self._sides[want].done]] = True
        return bool((wanted & ~done).any())

    def material(self, settings: Settings) -> Material:
        """What a run with these settings learns from.

        Raises:
            EncoderError: one of its encoders cannot be had.
            SettingsError: its normalisation does not fit the corpus.
            CorpusError: it looks at dialogues, and the corpus has none.
        """
        wants = wants_of(settings)
        for want in wants:
            if want in self._broken:
                raise EncoderError(self._broken[want])
        sides = {want.side: self._sides[want] for want in wants}
        rows = _rows_of(self._ids, self._corpus)
        corpus = self._corpus.with_utterances(self._corpus.utterances[rows])
        if settings.normalize == "speaker" and settings.hears_speech:
            refuse_flat_voices(corpus.select(pl.Series(sides["speech"].has)))
        features = self._features(sides, rows, settings)
        encoders = Encoders(
            speech=cast(Any, sides["speech"].encoders if "speech" in sides else ()),
            text=cast(Any, sides["text"].encoders if "text" in sides else ()),
            settings=settings,
        )
        return Material(
            corpus=corpus,
            features=features,
            settings=settings,
            versions=encoders.versions,
            encoders=encoders if settings.tune == "frozen" else None,
        )

    def _features(
        self, sides: Mapping[str, Side], rows: NDArray[np.int64], settings: Settings
    ) -> Features:
        place = np.full(len(self._corpus), -1)
        place[rows] = np.arange(len(rows))
        before = turns_before(self._corpus, settings.context)[rows]  # (utterance, turn)
        return Features(
            ids=tuple(self._ids),
            tables={name: one.table for name, one in sides.items() if one.table is not None},
            has={name: one.has for name, one in sides.items()},
            rows=np.arange(len(rows)),
            context=np.where(before >= 0, place[before], -1),
            frames={name: one.frames for name, one in sides.items() if one.frames},
        )

    def _lose(self, want: Want, error: EncoderError, wants: Iterable[Want]) -> None:
        """Go on without an encoder where others are compared with it."""
        others = {one.names for one in wants if one.side == want.side and one not in self._broken}
        if others <= {want.names}:
            raise error
        self._broken[want] = str(error)
        logger.warning("%s", error)

    def _needs(self, plan: Plan, runs: Sequence[Planned]) -> dict[Want, NDArray[np.bool_]]:
        """Want -> (row,) which utterances of the corpus it is needed of."""
        needs: dict[Want, NDArray[np.bool_]] = {}
        for run in runs:
            for want in wants_of(run.cell.settings):
                if want in self._broken:
                    continue
                wanted = needs.setdefault(want, np.zeros(len(plan.corpus), dtype=bool))
                for rows in run.needed():
                    wanted[rows] = True
                if run.cell.settings.normalize == "speaker" and want.side == "speech":
                    wanted |= plan.usable  # a voice is told by all it said
        return needs

    def _encoded(
        self, want: Want, corpus: Corpus, wanted: NDArray[np.bool_]
    ) -> tuple[Side, dict[str, str]]:
        """The side, encoded where it is wanted and was not yet; what it had before stays."""
        before = self._sides.get(want)
        if before is None or want.frames:
            return _made(want, _of_some(corpus, want.side, wanted), self._store)
        new = wanted & ~before.done
        side, failures = _made(want, _of_some(corpus, want.side, new), self._store)
        if side.table is not None and before.table is not None:
            for part in in_parts(np.flatnonzero(before.done)):
                side.table[part] = before.table[part]
        return side._replace(done=before.done | new, has=before.has | side.has), failures


def _grown(side: Side, rows: int) -> Side:
    """A side with room for more utterances, of which nothing is known yet."""
    more = rows - len(side.done)
    done, has = np.pad(side.done, (0, more)), np.pad(side.has, (0, more))
    if side.table is None:
        return side._replace(done=done, has=has)
    table = new_table(rows, side.table.shape[1])
    for part in in_parts(np.flatnonzero(side.done)):
        table[part] = side.table[part]
    return side._replace(done=done, has=has, table=table)


def _missing(want: Want) -> EncoderError | None:
    try:
        ensure_there(cast(Any, want.side), want.names)
    except EncoderError as error:
        return error
    return None


def _made(want: Want, corpus: Corpus, store: StoreOrUsual) -> tuple[Side, dict[str, str]]:
    """Load the encoders, encode, and let them go."""
    find: Any = {"speech": speech_encoders, "text": text_encoders}[want.side]
    encoders: tuple[Encoder, ...] = find(want.names, want.reading, want.engine)
    fixed = tuple(one for one in encoders if not (want.learns and isinstance(one, Tunable)))
    known = tuple(map(Spent.of, encoders))
    done = corpus.utterances[COLUMNS[want.side]].is_not_null().to_numpy()
    if not fixed:
        has, failures = _present(want, corpus, encoders)
        return Side(known, done, has), failures
    how: dict[str, Any] = {want.side: fixed, "equal_loudness": want.equal_loudness}
    features = extract(corpus, store=store, frames=want.frames, **how)
    return (
        Side(
            known,
            done,
            features.has[want.side],
            features.tables[want.side],
            features.frames.get(want.side, ()),
        ),
        features.failures,
    )


def _present(
    want: Want, corpus: Corpus, encoders: Sequence[Any]
) -> tuple[NDArray[np.bool_], dict[str, str]]:
    """Who has a side of which all encoders learn."""
    if want.side == "text":
        return corpus.utterances["text"].is_not_null().to_numpy(), {}
    return usable_recordings(corpus, encoders[0].rate_hz)


def _of_some(corpus: Corpus, side: str, rows: NDArray[np.bool_]) -> Corpus:
    """The corpus in which only some utterances have a side, so that no other is encoded."""
    column = COLUMNS[side]
    kept = pl.when(pl.Series(rows)).then(column).alias(column)
    return corpus.with_utterances(corpus.utterances.with_columns(kept))


def _rows_of(ids: Sequence[str], corpus: Corpus) -> NDArray[np.int64]:
    """Numbers of utterances in a corpus."""
    number = corpus.utterances.select("id").with_row_index("row")
    found = pl.DataFrame({"id": list(ids)}, schema={"id": pl.String})
    rows = found.join(number, on="id", maintain_order="left")["row"]
    return np.asarray(rows.cast(pl.Int64).to_numpy())
