"""What it takes to import AI-Hub 466 at its size, on a made tree; `make bench` runs it.

    python benchmarks/aihub466.py [--pairs 453365] [--folder DIR]

The tree is made first, unless the folder has it: as many labels and recordings as the paper counts,
with every naming, zip and kind of dirt of `maeum.testing.make_aihub466`; recordings are headers
with silence that takes no room. Then, each in a process of its own and as a person would type it:
the import, twice, of which the second has a warm cache; one that is killed in the middle and typed
again; one of what has not changed; `maeum stats`. Sampling and splits are timed in this process.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
from side_by_side import keep

from maeum.corpus import Corpus
from maeum.corpus.sampling import Sample, sample
from maeum.corpus.splits import split
from maeum.testing.aihub466 import PAIRS, make_aihub466

TOLD: list[str] = []

LIMITS = {"import": 180.0, "memory": 2.0, "sampling": 1.0}
"""Seconds, GB and seconds that are promised."""

SAMPLES = {
    "random, 5,000 per emotion": Sample("random", per_emotion=5_000),
    "longest, 5,000 per emotion": Sample("long", per_emotion=5_000),
    "shortest, 30,000 in all": Sample("short", total=30_000),
    "each sentence once": Sample("random", distinct_text=True),
    "longest, each sentence once, 2,000 per emotion": Sample(
        "long", per_emotion=2_000, distinct_text=True
    ),
}


def main() -> None:
    """Make the tree, run everything, print figures beside the machine's."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--folder", type=Path, help="where the tree is made, or is already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        home = asked.folder or Path(scratch)
        run(home, Path(scratch), asked.pairs)


def run(home: Path, scratch: Path, pairs: int) -> None:
    """All figures for a tree of some size."""
    planted = made(home, pairs)
    tree = home / "tree"
    once, twice = scratch / "once", scratch / "killed"
    imported(tree, scratch / "warm")  # fills the cache of the system
    wall_s, memory_gb = imported(tree, once)
    verdict(f"import of {pairs:,} pairs", wall_s, "s", LIMITS["import"])
    verdict("  its memory", memory_gb, "GB", LIMITS["memory"])
    killed(tree, twice, wall_s / 2)
    again_s, _ = imported(tree, twice)
    tell(f"killed after {wall_s / 2:.0f} s and typed again: {again_s:.1f} s more")
    same = Corpus.open(once).utterances.equals(Corpus.open(twice).utterances)
    tell(f"  the same corpus as one that was not killed: {same}")
    unchanged_s, _ = imported(tree, once)
    tell(f"import of what has not changed: {unchanged_s:.1f} s")
    counted(once, planted)
    sampled(Corpus.open(once))
    keep("import", "\n".join(f"- {line.strip()}" for line in TOLD))


def tell(line: str) -> None:
    """Print a figure, and keep it for the page."""
    print(line, flush=True)
    TOLD.append(line)


def made(home: Path, pairs: int) -> dict[str, object]:
    """What is planted in the tree, which is made where it is not there yet."""
    told = home / "planted.json"
    if not told.is_file():
        began = time.monotonic()
        planted = make_aihub466(home / "tree", pairs=pairs)
        told.write_text(json.dumps(asdict(planted), default=str), encoding="utf-8")
        tell(f"the tree of {pairs:,} pairs was made in {time.monotonic() - began:.0f} s")
    return json.loads(told.read_text(encoding="utf-8"))


def command(tree: Path, to: Path) -> list[str]:
    """The import as it is typed."""
    return [sys.executable, "-m", "maeum", "import", "aihub466", str(tree), "--to", str(to)]


def imported(tree: Path, to: Path) -> tuple[float, float]:
    """Seconds and GB of one import."""
    began = time.monotonic()
    process = subprocess.Popen(
        command(tree, to), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    assert status == 0, f"the import ended with {status}"
    unit = 1 if sys.platform == "darwin" else 1024
    return time.monotonic() - began, usage.ru_maxrss * unit / 1e9


def killed(tree: Path, to: Path, after_s: float) -> None:
    """An import that is killed while it works."""
    with subprocess.Popen(
        command(tree, to), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        time.sleep(after_s)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it had ended before it was killed"
    assert not (to / "corpus.json").exists()


def counted(folder: Path, planted: dict[str, object]) -> None:
    """Whether what was found is what was planted; and the tables of the paper."""
    corpus = Corpus.open(folder)
    rejected = dict(corpus.rejected["reason"].value_counts().iter_rows())
    tell(f"found {len(corpus):,} utterances, planted {planted['imported']:,}")
    tell(f"left out by reason as planted: {rejected == planted['rejected']}: {rejected}")
    subprocess.run([sys.executable, "-m", "maeum", "stats", str(folder)], check=True)


def sampled(corpus: Corpus) -> None:
    """Seconds of sampling and of splitting, median of five."""
    rows = corpus.utterances
    for name, wanted in SAMPLES.items():
        enough = Sample(wanted.order, wanted.per_emotion, wanted.total, wanted.distinct_text, True)
        wall_s = median(lambda w=enough: sample(rows, w, rng=np.random.default_rng(0)))
        verdict(f"sample: {name}", wall_s, "s", LIMITS["sampling"])
    for protocol in ("random", "speaker", "script", "speaker+script"):
        tell(f"split by {protocol}: {median(lambda p=protocol: split(rows, p)):.2f} s")


def median(work: Callable[[], object]) -> float:
    """Seconds."""
    taken = []
    for _ in range(5):
        began = time.monotonic()
        work()
        taken.append(time.monotonic() - began)
    return statistics.median(taken)


def verdict(what: str, value: float, unit: str, limit: float) -> None:
    """A figure beside its limit."""
    held = "within" if value <= limit else "OVER"
    tell(f"{what}: {value:.2f} {unit} ({held} {limit:g} {unit})")


if __name__ == "__main__":
    main()
