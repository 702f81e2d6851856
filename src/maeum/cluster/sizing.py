"""What a corpus will cost on some machines, before anything is encoded; takes no Ray.

Seconds are operations over what a machine reaches. What processors reach was measured
(docs/benchmarks.md); of accelerators the makers' peaks are known and a share of them is assumed,
which the answer says.
"""

from __future__ import annotations

import heapq
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from maeum.encoders.known import KNOWN, KnownEncoder
from maeum.errors import SettingsError
from maeum.features.space import KEPT_PER_BYTE

ASSUMED_SHARE = 0.3
"""Of an accelerator's peak, that batches by length reach; not measured here."""

READ_FIXED_S, READ_REAL_TIMES = 0.001, 1300
"""Seconds of a processor to open a recording, and how many times faster than real time it is
decoded and resampled."""

STATISTICS_FIXED_S, STATISTICS_REAL_TIMES = 0.008, 200
"""The same of `builtin:acoustic`, measured on clips of 0.6 and of 4 s."""

CLIP_S, SENTENCE_TOKENS, TOKENS_PER_LETTER = 4.0, 32, 0.6
"""What the operations of a known encoder are counted for, and how long sentences are to it."""

LEAST_PROCESS_GB = 1.5
"""Memory of a process beside the weights it holds: torch, transformers, what is on its way."""


@dataclass(frozen=True)
class Kind:
    """A kind of machine.

    Attributes:
        name: as typed.
        float32, bfloat16: billions of operations a second that one of it reaches.
        processors: that read recordings beside it, itself among them.
        memory_gb: it has for weights; 0: what the machine has.
        measured: whether the two figures were, or come from a peak.
    """

    name: str
    float32: float
    bfloat16: float
    processors: int
    memory_gb: float
    measured: bool


def _accelerator(name: str, peak_tflops: float, memory_gb: float) -> Kind:
    reached = ASSUMED_SHARE * peak_tflops * 1000
    return Kind(name, reached / 2, reached, 12, memory_gb, measured=False)


KINDS = {
    kind.name: kind
    for kind in (
        Kind("cpu", 90, 166, 1, 0, measured=True),
        _accelerator("H100", 989, 80),
        _accelerator("A100", 312, 80),
        _accelerator("L4", 121, 24),
        _accelerator("T4", 65, 16),
    )
}
"""A processor (a core of a server with AVX512-BF16), and accelerators by their peak in 16 bits."""


@dataclass(frozen=True)
class Machines:
    """So many of a kind."""

    count: int
    kind: Kind


class Work(NamedTuple):
    """What a corpus asks of encoders.

    Attributes:
        clips: recordings.
        audio_s: their seconds in all.
        sentences: that are read.
        letters: of theirs in all.
    """

    clips: int
    audio_s: float
    sentences: int
    letters: int


@dataclass(frozen=True)
class Cost:
    """What one encoder costs.

    Attributes:
        name: of the encoder.
        hours: on all of the machines.
        by: what decides them: computing, or reading.
        process_gb: memory of a process that holds it.
        storage_gb: of the vectors that are kept.
    """

    name: str
    hours: float
    by: str
    process_gb: float
    storage_gb: float


def machines_of(typed: str) -> Machines:
    """From `8xH100`, `64xcpu`.

    Raises:
        SettingsError: it is not of that form, or nobody knows the kind.
    """
    found = re.fullmatch(r"(\d{1,6})x(\w+)", typed.strip())
    by_lower = {name.lower(): kind for name, kind in KINDS.items()}
    if found is None or not int(found[1]) or found[2].lower() not in by_lower:
        raise SettingsError(
            f"machines are {typed!r}; expected a number, x and one of {', '.join(KINDS)}, as 8xH100"
        )
    return Machines(int(found[1]), by_lower[found[2].lower()])


def cost_of(name: str, work: Work, on: Machines, precision: str = "bfloat16") -> Cost:
    """What a known encoder costs.

    Args:
        name: of the encoder, as `maeum encoders` lists it.
        work: of the corpus.
        on: what it runs on.
        precision: float32 or bfloat16.

    Raises:
        SettingsError: nothing is known of it.
    """
    if name not in KNOWN:
        raise SettingsError(
            f"nothing is known of what {name} costs; known are {', '.join(KNOWN)}: name the one "
            "nearest to it"
        )
    encoder = KNOWN[name]
    reached = getattr(on.kind, precision) * on.count
    computing_s = _gflop(encoder, work) / reached
    reading_s = _reading_s(encoder, work) / (on.count * on.kind.processors)
    if on.kind.measured:  # the same processors do both
        seconds, by = computing_s + reading_s, "computing"
    else:
        seconds = max(computing_s, reading_s)
        by = "computing" if computing_s >= reading_s else "reading recordings"
    items = work.clips if encoder.side == "speech" else work.sentences
    return Cost(
        name=name,
        hours=seconds / 3600,
        by=by,
        process_gb=LEAST_PROCESS_GB + encoder.parameters_millions * 4 / 1000,
        storage_gb=items * encoder.dim * 4 * KEPT_PER_BYTE / 1e9,
    )


def _gflop(encoder: KnownEncoder, work: Work) -> float:
    """Billions of operations in all; Whisper hears 30 s however short a clip is."""
    if encoder.side == "text":
        return encoder.gflop * work.letters * TOKENS_PER_LETTER / SENTENCE_TOKENS
    if encoder.family == "whisper":
        return encoder.gflop * work.clips
    return encoder.gflop * work.audio_s / CLIP_S


def _reading_s(encoder: KnownEncoder, work: Work) -> float:
    """Seconds of one processor, for what no accelerator does."""
    if encoder.side == "text":
        return 0.0001 * work.sentences
    read = READ_FIXED_S * work.clips + work.audio_s / READ_REAL_TIMES
    if not encoder.builtin:
        return read
    return read + STATISTICS_FIXED_S * work.clips + work.audio_s / STATISTICS_REAL_TIMES


# -- nodes that fail ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failing:
    """How often nodes fail, and what that costs.

    Attributes:
        every_hours: of one node, on average.
        away_s: until it is back, or another in its place.
        begin_s: until a process has loaded what it holds.
    """

    every_hours: float = 1000.0
    away_s: float = 300.0
    begin_s: float = 10.0


@dataclass(frozen=True)
class Simulated:
    """How a job went.

    Attributes:
        seconds: from its start to its end.
        again: pieces that were begun and lost.
        failures: of nodes.
        taken_in: share of the time that the one process was busy which takes in what is made.
    """

    seconds: float
    again: int
    failures: int
    taken_in: float


def simulated(
    pieces: int,
    piece_s: float,
    *,
    nodes: int,
    workers: int = 1,
    take_in_s: float = 0.0,
    failing: Failing | None = None,
    seed: int = 0,
) -> Simulated:
    """Play through a job: workers fetch pieces, nodes fail, one process takes in what is made.

    Args:
        pieces: of the corpus.
        piece_s: seconds a worker needs for one.
        nodes: machines.
        workers: on each of them.
        take_in_s: seconds the process that has the store needs for one.
        failing: how nodes fail; None: they never do.
        seed: of chance.
    """
    chance = np.random.default_rng(seed)
    how = failing or Failing(every_hours=math.inf)
    next_failure = [_until_failure(chance, how) for _ in range(nodes)]
    free = [(how.begin_s, node) for node in range(nodes) for _ in range(workers)]
    heapq.heapify(free)
    left, again, failures, store_free, end = pieces, 0, 0, 0.0, 0.0
    while left:
        now, node = heapq.heappop(free)
        if next_failure[node] <= now:
            failures += 1
            back = next_failure[node] + how.away_s + how.begin_s
            next_failure[node] = back + _until_failure(chance, how)
            heapq.heappush(free, (max(now, back), node))
            continue
        done = now + piece_s
        if next_failure[node] < done:
            again += 1
            heapq.heappush(free, (next_failure[node], node))
            continue
        left -= 1
        store_free = max(done, store_free) + take_in_s
        end = max(end, store_free)
        heapq.heappush(free, (done, node))
    return Simulated(end, again, failures, pieces * take_in_s / end if end else 0.0)


def _until_failure(chance: np.random.Generator, how: Failing) -> float:
    """Seconds until a node fails the next time."""
    if math.isinf(how.every_hours):
        return math.inf
    return float(chance.exponential(how.every_hours * 3600))


# -- both together ---------------------------------------------------------------------------------

NODES = (1, 10, 100)
"""How many machines a job is played through on, beside as many as were named."""

PIECE = 256
"""Utterances a process is handed at once; what its loss costs at most."""


@dataclass(frozen=True)
class Estimate:
    """What some encoders will cost, one after another.

    Attributes:
        work: what the corpus asks.
        machines: what they run on.
        costs: of each encoder.
        played: number of machines -> how the job goes there.
    """

    work: Work
    machines: Machines
    costs: Sequence[Cost]
    played: Mapping[int, Simulated]

    @classmethod
    def of(
        cls, names: Sequence[str], work: Work, on: Machines, precision: str, failing: Failing
    ) -> Estimate:
        """Count what encoders cost, and play the job through.

        Raises:
            SettingsError: nothing is known of one of them.
        """
        costs = [cost_of(name, work, on, precision) for name in names]
        pieces = max(1, -(-max(work.clips, work.sentences) // PIECE))
        each_s = sum(cost.hours for cost in costs) * 3600 * on.count / pieces
        played = {
            nodes: simulated(pieces, each_s, nodes=nodes, failing=failing)
            for nodes in sorted({*NODES, on.count})
        }
        return cls(work, on, costs, played)

    @property
    def hours(self) -> float:
        """Of all encoders."""
        return sum(cost.hours for cost in self.costs)

    @property
    def storage_gb(self) -> float:
        """Of all their vectors."""
        return sum(cost.storage_gb for cost in self.costs)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        kind = self.machines.kind
        return {
            "work": self.work._asdict(),
            "machines": {"count": self.machines.count, "kind": kind.name},
            "measured": kind.measured,
            "encoders": [asdict(cost) for cost in self.costs],
            "hours": self.hours,
            "storage_gb": self.storage_gb,
            "simulated": {str(nodes): asdict(one) for nodes, one in self.played.items()},
        }
