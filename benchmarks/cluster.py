"""Features on a Ray cluster of this machine beside features without it.

    python benchmarks/cluster.py FOLDER [--clips 100000] [--pairs 1] [--played]

FOLDER gets that many clips of 0.5 to 0.7 s, made up, unless it has them. Each pair encodes all of
them by `builtin:acoustic` into an empty store, first here, then in processes of a Ray cluster that
is begun with as many processors; starting the cluster counts. Memory is the most that this process
and all that it starts held at a time, shared pages counted once. `--played` compares what `maeum
plan` plays through with runs of one and two workers: one worker on a quarter and on all of the
clips tells how long it takes to begin and how long a piece takes, and two are foreseen from that.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf
from side_by_side import keep, table, versions

from maeum.cluster.sizing import PIECE, Failing, simulated
from maeum.corpus import Corpus, import_corpus
from maeum.encoders import speech_encoders
from maeum.features import Store
from maeum.machine import VARIABLE

RATE_HZ = 16_000
EVERY_S = 1.0


def main() -> None:
    """Encode both ways."""
    asked = _asked()
    if asked.way:
        _encode(asked.folder, asked.way, asked.clips)
        return
    _corpus(asked.folder, asked.clips)
    if asked.played:
        _play(asked.folder, asked.clips)
        return
    rows, ratios = [], []
    for _ in range(asked.pairs):
        pair = {way: _measured(asked.folder, way, asked.clips) for way in ("local", "ray")}
        ratios.append(pair["local"][0] / pair["ray"][0])
        for way, (seconds, gb) in pair.items():
            paces = f"{asked.clips / seconds:.0f}"
            rows.append((way, f"{seconds:.0f}", paces, f"{gb[len(gb) // 4]:.2f}", f"{max(gb):.2f}"))
    keep(
        "cluster",
        f"{asked.clips:,} clips; on Ray {statistics.median(ratios):.2f} times as fast\n\n"
        + table(("on", "s", "clips/s", "GB after a quarter", "GB at the most"), rows)
        + f"\n\n{versions('ray')}",
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clips", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=1)
    parser.add_argument("--played", action="store_true", help="compare a simulation with runs")
    parser.add_argument("--way", choices=("local", "ray"), help=argparse.SUPPRESS)
    return parser.parse_args()


def _corpus(folder: Path, clips: int) -> None:
    if (folder / "corpus" / "corpus.json").is_file():
        return
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, RATE_HZ).astype(np.float32)
    lines = ["audio,text,emotion,speaker"]
    for number in range(clips):
        place = folder / "clips" / f"{number // 1000:04d}" / f"{number}.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        length = round(rng.uniform(0.5, 0.7) * RATE_HZ)
        tone = 0.2 * np.sin(np.arange(length) * rng.uniform(0.02, 0.2))
        sf.write(place, noise[:length] * rng.uniform(0.2, 1) + tone, RATE_HZ)
        emotion = "Sad" if number % 2 else "Happy"
        audio = place.relative_to(folder)
        lines.append(f"{audio},말 {number},{emotion},{number % 50}")
    (folder / "clips.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    import_corpus("table", folder / "clips.csv", folder / "corpus")


def _play(folder: Path, clips: int) -> None:
    quarter, whole, both = (
        _measured(folder, "ray", count, processors=workers)[0]
        for count, workers in ((clips // 4, 1), (clips, 1), (clips, 2))
    )
    pieces = {count: -(-count // PIECE) for count in (clips // 4, clips)}
    piece_s = (whole - quarter) / (pieces[clips] - pieces[clips // 4])
    how = Failing(every_hours=math.inf, begin_s=whole - piece_s * pieces[clips])
    played = simulated(pieces[clips], piece_s, nodes=1, workers=2, failing=how).seconds
    rows = [
        ("1, a quarter", f"{quarter:.0f}", ""),
        ("1", f"{whole:.0f}", ""),
        ("2", f"{both:.0f}", f"{played:.0f}"),
    ]
    keep(
        "cluster-simulated",
        f"{clips:,} clips; {how.begin_s:.1f} s to begin, {piece_s:.2f} s a piece of {PIECE}\n\n"
        + table(("workers", "s, measured", "s, played through"), rows),
    )


def _measured(
    folder: Path, way: str, clips: int, processors: int | None = None
) -> tuple[float, list[float]]:
    """Seconds, and GB held second after second."""
    command = [sys.executable, __file__, str(folder), "--way", way, "--clips", str(clips)]
    with tempfile.TemporaryDirectory() as cache:
        env = os.environ | {"MAEUM_CACHE": cache}
        if processors is not None:
            env[VARIABLE] = str(processors)
        begun = time.perf_counter()
        with subprocess.Popen(command, env=env) as process:
            gb = []
            while process.poll() is None:
                gb.append(_tree_gb(process.pid))
                time.sleep(EVERY_S)
        assert process.returncode == 0
        return time.perf_counter() - begun, gb


def _tree_gb(pid: int) -> float:
    """What a process and its descendants hold, shared pages by their share."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            found = re.search(r"Pss:\s*(\d+)", Path(f"/proc/{one}/smaps_rollup").read_text())
            total += int(found[1]) if found else 0
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += map(int, (task / "children").read_text().split())
        except (OSError, ProcessLookupError):
            continue
    return total / 2**20


def _encode(folder: Path, way: str, clips: int) -> None:
    whole = Corpus.open(folder / "corpus")
    corpus = whole.with_utterances(whole.utterances.head(clips))
    store = Store(Path(os.environ["MAEUM_CACHE"]))
    what = {"speech": speech_encoders("builtin:acoustic"), "store": store}
    if way == "local":
        from maeum.features import keep as keep_here

        kept = keep_here(corpus, **what)
    else:
        from maeum.cluster.connection import connected
        from maeum.cluster.features import keep_on_ray

        with connected("ray"):
            kept = keep_on_ray(corpus, **what)
    (count,) = kept.counts.values()
    assert count.encoded == len(corpus), count


if __name__ == "__main__":
    main()
