"""Label files into a table, and samples out of it: maeum's way beside json, pathlib and pandas.

    python benchmarks/tables.py [FILES] [ROWS]

FILES label files (default 20,000) and a wav header each, as AI-Hub 466 has them, are read by what
the reader is made of and by the plain way: pathlib, json, soundfile.info. ROWS rows (default
453,365) are kept as Parquet and as CSV, and sampled per emotion.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import soundfile as sf
from side_by_side import in_turn, keep, table, versions

from maeum.corpus.sampling import Sample, sample
from maeum.corpus.wav import HEAD_BYTES, wav_header

EMOTIONS = ("Happy", "Anxious", "Angry", "Sad", "Embarrassed", "Neutrality", "Hurt")


def main() -> None:
    """Compare each and keep the table."""
    numbers = [int(one) for one in sys.argv[1:]]
    files, rows = (*numbers, *(20_000, 453_365)[len(numbers) :])
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        _make_files(here, files)
        made = _made_rows(rows)
        lines = [*_labels(here, files), *_tables(made, here)]
    head = ("work", "against", "times as fast", "ours, seconds")
    keep("tables", f"{table(head, lines)}\n\n{versions('polars', 'pandas', 'soundfile')}")


def _make_files(here: Path, count: int) -> None:
    for place in range(count):
        label = {"발화정보": {"stt": f"정말 슬퍼 {place}", "emotion": "Sad", "length": "1.2"}}
        (here / f"{place:06}.json").write_text(json.dumps(label, ensure_ascii=False), "utf-8")
        sf.write(here / f"{place:06}.wav", np.zeros(160, np.int16), 16_000)


def _labels(here: Path, count: int) -> list[tuple[object, ...]]:
    def plainly() -> None:
        for path in sorted(here.glob("*.json")):
            json.loads(path.read_text("utf-8"))
            sf.info(path.with_suffix(".wav"))

    def ours() -> None:
        with os.scandir(here) as entries:
            names = sorted(one.name for one in entries if one.name.endswith(".json"))
        for name in names:
            with open(f"{here}/{name}", "rb") as label:
                json.loads(label.read())
            with open(f"{here}/{name[:-5]}.wav", "rb") as wave:
                found = wav_header(wave.read(HEAD_BYTES), os.fstat(wave.fileno()).st_size)
            assert found is not None

    ratio = in_turn(plainly, ours)
    what = f"{count:,} label files and wav headers"
    return [(what, "pathlib, json, soundfile.info", ratio, f"{ratio.fast_s:.2f}")]


def _made_rows(count: int) -> pl.DataFrame:
    rng = np.random.default_rng(0)
    scripts = rng.integers(0, 3_000, count)
    return pl.DataFrame(
        {
            "id": [f"{place:07}" for place in range(count)],
            "text": [f"문장 {script}" for script in scripts],
            "script": [str(script) for script in scripts],
            "emotion": rng.choice(EMOTIONS, count),
            "duration_s": rng.uniform(0.8, 8, count),
        }
    )


def _tables(made: pl.DataFrame, here: Path) -> list[tuple[object, ...]]:
    made.write_parquet(here / "rows.parquet")
    made.write_csv(here / "rows.csv")
    try:
        import pandas as pd
    except ImportError:
        return []
    frame = pd.read_csv(here / "rows.csv")
    wanted = Sample(per_emotion=500, order="random")
    works = {
        "reading the rows": (
            lambda: pd.read_csv(here / "rows.csv"),
            lambda: pl.read_parquet(here / "rows.parquet"),
        ),
        "500 of each emotion, at random": (
            lambda: frame.groupby("emotion").sample(500, random_state=0),
            lambda: sample(made, wanted, rng=np.random.default_rng(0)),
        ),
    }
    ratios = {name: in_turn(*pair) for name, pair in works.items()}
    return [
        (f"{len(made):,} rows: {name}", "pandas", ratio, f"{ratio.fast_s:.2f}")
        for name, ratio in ratios.items()
    ]


if __name__ == "__main__":
    main()
