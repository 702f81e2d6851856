"""From a corpus to features: every encoder of every side, each looked up by itself.

features = extract(corpus, speech=speech_encoders("A+B"), text=text_encoders("C"))
kept = keep(corpus, speech=speech_encoders("A+B"))      # into the store, no table is made
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray

from maeum.corpus import Corpus
from maeum.corpus.dialogue import previous_turns
from maeum.encoders import Encoder, SpeechEncoder, TextEncoder, Tunable
from maeum.errors import CorpusError
from maeum.features.database import bytes_of
from maeum.features.drawer import Drawer
from maeum.features.encoding import Pass, width_of
from maeum.features.features import Count, Features
from maeum.features.frames import ComputedFrames, FrameTable, HeldFrames, StoredFrames
from maeum.features.sources import Recordings, Sentences, Source
from maeum.features.store import Store, usual_store
from maeum.features.tables import new_table

logger = logging.getLogger(__name__)

StoreOrUsual: TypeAlias = Store | Literal["usual"] | None
"""`usual`: the one in the cache folder; None: vectors are made anew and kept nowhere."""

Sources: TypeAlias = list[tuple[Source, Sequence[Encoder]]]
"""The sides of a corpus, each with its encoders."""

REFUSED = {
    "speech": "%d of %d recordings cannot be heard, the first because %s",
    "text": "%d of %d sentences cannot be read, the first because %s",
}
"""How those that fail are spoken of: how many, of how many, why."""


def extract(
    corpus: Corpus,
    *,
    speech: Sequence[SpeechEncoder] = (),
    text: Sequence[TextEncoder] = (),
    equal_loudness: bool = False,
    store: StoreOrUsual = "usual",
    context: int = 0,
    frames: bool = False,
) -> Features:
    """Vectors of every utterance of a corpus.

    What the store has is found, what it lacks is encoded and kept; a process that is killed loses
    seconds of work. Equal recordings and sentences are encoded once. A recording or sentence that
    cannot be used does not stop the rest: it stands in `failures`, and is tried again next time.

    Args:
        corpus: what to encode.
        speech: encoders of recordings, whose vectors stand side by side; none leaves them alone.
        text: of sentences, likewise.
        equal_loudness: bring every recording to `hearing.TARGET_RMS` first.
        store: where to look and to keep; encoders that are cheap, or that learn, do without.
        context: how many previous utterances of the dialogue `Features.context` names.
        frames: give vectors over time too; the tables then hold their means.

    Raises:
        CorpusError: the folder of the recordings is gone, or context is asked of a corpus without
            dialogues.
        EncoderError: an encoder makes vectors of another shape than it says.
        StoreError: a file of the store is broken; the message says which to delete.
        OSError: the disk is full; what was made before stays in the store.
    """
    turns, kept_in = turns_before(corpus, context), _chosen(store)
    with sources_of(corpus, speech, text, equal_loudness, kept_in) as sources:
        sides = {
            source.side: _side(source, encoders, kept_in, frames) for source, encoders in sources
        }
    return Features(
        ids=tuple(corpus.utterances["id"]),
        tables={name: side.table for name, side in sides.items()},
        has={name: side.has for name, side in sides.items()},
        rows=np.arange(len(corpus)),
        context=turns,
        frames={name: side.frames for name, side in sides.items() if frames},
        failures=_by_id(corpus, {name: side.failures for name, side in sides.items()}),
        made_by=recipe(speech, text, equal_loudness=equal_loudness, context=context, frames=frames),
        counts={name: count for side in sides.values() for name, count in side.counts.items()},
    )


class Kept(NamedTuple):
    """What became of a corpus.

    Attributes:
        counts: name of an encoder whose vectors are kept -> how many were found and made.
        size_bytes: name of the encoder -> what all its vectors take on the disk.
        failures: id -> sentence, for what could not be used.
    """

    counts: dict[str, Count]
    size_bytes: dict[str, int]
    failures: dict[str, str]


def keep(
    corpus: Corpus,
    *,
    speech: Sequence[SpeechEncoder] = (),
    text: Sequence[TextEncoder] = (),
    equal_loudness: bool = False,
    store: Store,
    frames: bool = False,
) -> Kept:
    """Encode what the store lacks of a corpus, and give nothing back but numbers.

    Encoders that are never kept are left out. For the arguments and errors see `extract`.
    """
    counts: dict[str, Count] = {}
    sizes: dict[str, int] = {}
    failures: dict[str, dict[int, str]] = {}
    with sources_of(corpus, speech, text, equal_loudness, store) as sources:
        for source, encoder, drawer in with_drawers(sources, store, over_time=frames):
            done = _passed(source, encoder, drawer, over_time=frames)
            counts[encoder.name], sizes[encoder.name] = done.count, bytes_of(drawer.path)
            failures.setdefault(source.side, {}).update(done.failures)
    return Kept(counts, sizes, _by_id(corpus, failures))


def recipe(
    speech: Sequence[SpeechEncoder] = (),
    text: Sequence[TextEncoder] = (),
    *,
    equal_loudness: bool = False,
    context: int = 0,
    frames: bool = False,
) -> frozenset[str]:
    """What decides the features, an entry per side and one for context.

    Features serve whoever needs a part of what made them, as
    `recipe(text=text) <= recipe(speech=speech, text=text)`.
    """
    over_time = ", frames" if frames else ""
    heard = f"speech: {_named(speech)}, equal loudness {equal_loudness}{over_time}"
    read = f"text: {_named(text)}{over_time}"
    back = f"context: {context}"
    entries = ((heard, bool(speech)), (read, bool(text)), (back, context > 0))
    return frozenset(entry for entry, used in entries if used)


def _named(encoders: Sequence[Encoder]) -> str:
    return " + ".join(f"{encoder.name} {encoder.version}" for encoder in encoders)


@contextmanager
def sources_of(
    corpus: Corpus,
    speech: Sequence[SpeechEncoder],
    text: Sequence[TextEncoder],
    equal_loudness: bool,
    store: Store | None,
) -> Iterator[Sources]:
    """The sides there are encoders for; recordings known from before are not read again."""
    with ExitStack() as stack:
        sources: Sources = []
        if speech:
            digests = None if store is None else stack.enter_context(store.digests.opened())
            heard = Recordings(corpus, equal_loudness=equal_loudness, digests=digests)
            sources.append((heard, speech))
        if text:
            sources.append((Sentences(corpus), text))
        yield sources


def with_drawers(
    sources: Sources, store: Store, *, over_time: bool
) -> Iterator[tuple[Source, Encoder, Drawer]]:
    """The encoders whose vectors are kept, with what they encode and where they are kept."""
    for source, encoders in sources:
        for encoder in encoders:
            drawer = drawer_for(encoder, store, over_time=over_time)
            if drawer is not None:
                yield source, encoder, drawer


def drawer_for(encoder: Encoder, store: Store | None, *, over_time: bool) -> Drawer | None:
    """Where an encoder's vectors are kept; None: nowhere."""
    if store is None or encoder.cheap or _learns(encoder):
        return None
    return store.drawer(encoder, frames=over_time)


def _learns(encoder: Encoder) -> bool:
    """Whether its weights may have moved from those its version tells."""
    return isinstance(encoder, Tunable) and any(
        weight.requires_grad for weight in encoder.tower.parameters()
    )


class _Side(NamedTuple):
    """One side of a corpus, encoded; rows are those of the corpus."""

    table: Float32[ndarray, "row width"]
    has: Bool[ndarray, " row"]
    frames: tuple[FrameTable, ...]
    failures: dict[int, str]
    counts: dict[str, Count]


def _side(source: Source, encoders: Sequence[Encoder], store: Store | None, frames: bool) -> _Side:
    ends = np.cumsum([width_of(encoder, over_time=frames) for encoder in encoders]).tolist()
    table = new_table(len(source.keys), ends[-1])
    failures: dict[int, str] = {}
    counts: dict[str, Count] = {}
    tables: list[FrameTable] = []
    for encoder, start, end in zip(encoders, [0, *ends], ends, strict=False):
        drawer = drawer_for(encoder, store, over_time=frames)
        part = table[:, start:end]
        done = _passed(source, encoder, drawer, over_time=frames, table=part)
        tables.append(_frame_table(done, drawer))
        failures |= done.failures
        counts[encoder.name] = done.count
    has = np.zeros(len(table), dtype=bool)
    has[source.rows] = True
    has[list(failures)] = False
    table[list(failures)] = 0
    return _Side(table, has, tuple(tables) if frames else (), failures, counts)


def _passed(
    source: Source,
    encoder: Encoder,
    drawer: Drawer | None,
    *,
    over_time: bool,
    table: Float32[ndarray, "row width"] | None = None,
) -> Pass:
    """An encoder's pass through a source, when it is done and told of."""
    with nullcontext() if drawer is None else drawer.opened() as opened:
        done = Pass(source, encoder, over_time, opened, table)
        found, encoded, failed = done.run()
    if drawer is not None:
        logger.info(
            "features: %s found, %s encoded by %s", f"{found:,}", f"{encoded:,}", encoder.name
        )
    if failed:
        first = done.failures[min(done.failures)]
        logger.warning(REFUSED[source.side], failed, len(source.keys), first)
    return done


def _frame_table(done: Pass, drawer: Drawer | None) -> FrameTable:
    source, failed = done.source, list(done.failures)
    if drawer is not None:
        keys = source.keys.copy()
        keys[failed] = 0
        return StoredFrames(drawer, keys)
    if not done.encoder.cheap:
        return HeldFrames(done.held, done.encoder.dim)
    has = np.zeros(len(source.keys), dtype=bool)
    has[source.rows] = True
    has[failed] = False
    return ComputedFrames(done.encoder, source, has)


def _chosen(store: StoreOrUsual) -> Store | None:
    return usual_store() if store == "usual" else store


def turns_before(corpus: Corpus, context: int) -> Int64[ndarray, "utterance turn"]:
    """Rows of the previous utterances of each dialogue; see `Features.context`.

    Raises:
        CorpusError: context is asked of a corpus without dialogues.
    """
    if context and not corpus.utterances["dialogue"].count():
        raise CorpusError(
            f"context={context} was asked for, but no utterance of the corpus names a dialogue; "
            "import it with its dialogues (--column dialogue=COLUMN), or do without context"
        )
    return previous_turns(corpus.utterances, context)


def _by_id(corpus: Corpus, failures: dict[str, dict[int, str]]) -> dict[str, str]:
    """The failures of all sides, id -> sentence, in order of rows."""
    ids = corpus.utterances["id"]
    together: dict[int, str] = {}
    for side in failures.values():
        together = side | together
    return {ids[row]: together[row] for row in sorted(together)}
