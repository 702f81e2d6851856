"""What keeping and finding vectors costs, beside making them.

    python benchmarks/store.py [ROWS]

First what `extract` adds to decoding and encoding, per utterance of the packaged sample, in turn
with the same recordings decoded and encoded by threads alone: in processor time, for
`builtin:acoustic` and for an encoder that costs nothing, where the difference is not lost in the
noise of a busy machine. Then ROWS made recordings (default 20,000) by the one that costs nothing,
and a second run over them: seconds, and memory.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np
import polars as pl
import soundfile as sf

from maeum import sample
from maeum.corpus import Corpus, import_corpus
from maeum.corpus.manifest import Utterance, utterance_table
from maeum.emotions import PAPER
from maeum.encoders import speech_encoders
from maeum.features import Store, encoding_workers, extract, listen, stretches
from maeum.features.tables import LARGEST_IN_MEMORY

DIM, RATE_HZ, CLIP_S = 1024, 16_000, 0.2
LARGE_ENCODER_MS = 300.0
"""A clip of 4 s through wav2vec2-large on two cores."""


class Nothing:
    """An encoder that costs nothing, called like one of torch on a processor: one by one."""

    name, version, standardize, rate_hz = "benchmark:nothing", "1", "each", RATE_HZ
    cheap, threaded, at_once, layers, dim = False, False, 1, 1, DIM

    def encode(self, waves: Sequence[np.ndarray]) -> np.ndarray:  # noqa: D102
        return np.stack([np.resize(wave, DIM) for wave in waves])

    def frames(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:  # noqa: D102
        return list(self.encode(waves)[:, None])


def main() -> None:
    count = int(sys.argv[1]) if sys.argv[1:] else 20_000
    print(f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        _beside_the_sample(Path(folder))
        corpus = _made(Path(folder) / "recordings", count)
        _beside_nothing(corpus, Store(Path(folder) / "store"))


def _beside_the_sample(folder: Path) -> None:
    corpus = import_corpus("table", sample.path() / "sample.csv")
    acoustic, nothing = speech_encoders("builtin:acoustic")[0], Nothing()
    nothing.threaded = True
    own_ms, measured_ms = _own_and_added_ms(corpus, acoustic, folder / "acoustic", rounds=3)
    empty_ms, added_ms = _own_and_added_ms(corpus, nothing, folder / "nothing", rounds=15)
    print(
        f"{len(corpus)} recordings of the sample, processor time each: decoding {empty_ms:.2f} ms, "
        f"with builtin:acoustic {own_ms:.2f} ms\n"
        f"`extract` with an empty store adds {added_ms:.2f} ms: {added_ms / own_ms:.1%} of "
        f"builtin:acoustic (where {measured_ms:+.2f} ms were measured), "
        f"{added_ms / LARGE_ENCODER_MS:.2%} of {LARGE_ENCODER_MS:.0f} ms"
    )


def _own_and_added_ms(
    corpus: Corpus, encoder: object, folder: Path, *, rounds: int
) -> tuple[float, float]:
    """Per utterance: decoding and encoding by threads alone, and what `extract` adds."""
    plain, kept = [], []
    for turn in range(rounds):
        store = Store(folder / str(turn))
        plain.append(_cpu_s(lambda: _plainly(corpus, encoder)))
        kept.append(_cpu_s(lambda store=store: extract(corpus, speech=[encoder], store=store)))
    own_s, added_s = statistics.median(plain), statistics.median(np.subtract(kept, plain))
    return 1000 * own_s / len(corpus), 1000 * added_s / len(corpus)


def _plainly(corpus: Corpus, encoder: object) -> None:
    def work(clip: tuple) -> object:
        return encoder.encode([listen(clip[0], encoder.rate_hz, clip[1])])

    with encoding_workers() as pool:
        list(pool.map(work, stretches(corpus)))


def _beside_nothing(corpus: Corpus, store: Store) -> None:
    first_s = _seconds(lambda: extract(corpus, speech=[Nothing()], store=store))
    each_ms = 1000 * first_s / len(corpus)
    print(
        f"an encoder that costs nothing, {len(corpus):,} recordings of {CLIP_S} s: {first_s:.1f} s,"
        f" {each_ms:.2f} ms each, decoding included"
    )
    _settle(corpus)
    extract(corpus, speech=[Nothing()], store=store)  # what was too new to be trusted is read again
    with _watched_memory() as grown_mib:
        again_s = _seconds(lambda: extract(corpus, speech=[Nothing()], store=store))
    table_mib = len(corpus) * DIM * 4 / 2**20
    where = "in memory" if table_mib * 2**20 <= LARGEST_IN_MEMORY else "in a file"
    print(
        f"found again: {again_s:.2f} s, {1000 * again_s / len(corpus):.3f} ms each; "
        f"a table of {table_mib:.0f} MiB {where}, memory grew by {max(grown_mib):.0f} MiB at most"
    )
    size = sum(one.size_bytes for one in store.contents()) / len(corpus)
    print(f"{size:,.0f} bytes on the disk for a vector of {DIM * 4:,}")


def _made(folder: Path, count: int) -> Corpus:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for place in range(count):
        wave = rng.integers(-9000, 9000, round(CLIP_S * RATE_HZ), dtype=np.int16)
        sf.write(folder / f"{place:06}.wav", wave, RATE_HZ)
    rows = [Utterance(f"{place:06}", "Happy", audio=f"{place:06}.wav") for place in range(count)]
    return Corpus(utterance_table(rows).with_columns(pl.lit(None).alias("script")), PAPER, folder)


def _settle(corpus: Corpus) -> None:
    """Make the recordings old enough to be known by their time."""
    for path, _ in stretches(corpus):
        os.utime(path, (1_600_000_000, 1_600_000_000))


def _cpu_s(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _seconds(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _anonymous_mib() -> float:
    """Memory of this process that no file stands for."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("RssAnon")]
    return int(line.split()[1]) / 1024


@contextmanager
def _watched_memory() -> Iterator[list[float]]:
    """By how much memory grew, looked at a hundred times a second."""
    before, done, grown = _anonymous_mib(), Event(), [0.0]

    def watch() -> None:
        while not done.wait(0.01):
            grown.append(_anonymous_mib() - before)

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield grown
    finally:
        done.set()
        watcher.join()


if __name__ == "__main__":
    main()
