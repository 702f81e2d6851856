"""An exported run beside the run it was made of, in the same precision; and int8 beside bfloat16.

    python benchmarks/exported.py FOLDER [--pairs 5]

FOLDER holds the paper's encoders at their real size with random weights, and is filled if it is
empty; exported folders (5 GB) are kept there too.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import soundfile as sf
from real_size import RATE_HZ, make_corpus, make_run
from side_by_side import PAIRS, all_in_turn, keep, table, versions

from maeum.engine import Engine
from maeum.exporting import export
from maeum.inference import Classifier, EmotionClassifier, ExportedClassifier, Query

FORMATS = {
    "openvino, float32": Engine("openvino", "float32"),
    "onnx, float32": Engine("onnx", "float32"),
    "openvino, bfloat16": Engine("openvino", "bfloat16"),
    "onnx, int8": Engine("onnx", "int8"),
}
BESIDE = {"float32": "float32", "bfloat16": "bfloat16", "int8": "bfloat16"}
"""Precision of a folder -> that of the run it is measured beside."""

CLIPS = 12


def main() -> None:
    """Each format on one clip, and on some of mixed lengths."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    asked = parser.parse_args()
    clips = make_corpus(asked.folder / f"calls-{CLIPS}", CLIPS, "calls")
    run = make_run(asked.folder / "run", asked.folder, clips)
    rows = [
        row
        for precision in ("float32", "bfloat16")
        for row in _beside_run(run, precision, clips, asked)
    ]
    head = ("folder", "beside the run in", "work", "times as fast", "seconds, run / folder")
    found = versions("torch", "onnxruntime", "openvino")
    keep("exported", f"{asked.pairs} pairs\n\n{table(head, rows)}\n\n{found}")


def _beside_run(
    run: Path, precision: str, clips: Path, asked: argparse.Namespace
) -> list[tuple[object, ...]]:
    """All folders that are measured beside the run in a precision."""
    plain = EmotionClassifier.from_pretrained(run, engine=Engine("torch", precision))
    folders = {
        name: ExportedClassifier.open(exported_folder(run, engine, clips, asked.folder))
        for name, engine in FORMATS.items()
        if BESIDE[engine.precision] == precision
    }
    rows = []
    for work, queries in _works(clips, asked.folder).items():
        ways = {"run": plain, **folders}
        ratios = all_in_turn(
            {name: partial(_answers, way, queries) for name, way in ways.items()},
            pairs=asked.pairs,
        )
        rows += [
            (name, precision, work, ratio, f"{ratio.plain_s:.2f} / {ratio.fast_s:.2f}")
            for name, ratio in ratios.items()
        ]
    return rows


def _answers(way: Classifier, queries: Sequence[Query]) -> None:
    assert len(list(way.predict(queries))) == len(queries)


def exported_folder(run: Path, engine: Engine, clips: Path, folder: Path) -> Path:
    """Where a run lies as graphs for an engine; made if need be."""
    from maeum.corpus import import_corpus

    to = folder / f"exported-{engine.name}-{engine.precision}"
    if not to.is_dir():
        corpus = None if engine.precision == "float32" else import_corpus("table", clips)
        export(run, to, engine=engine.name, precision=engine.precision, corpus=corpus)
    return to


def _works(clips: Path, folder: Path) -> dict[str, Sequence[Query]]:
    path = folder / "one.wav"
    if not path.is_file():
        sf.write(path, np.random.default_rng(0).normal(0, 0.1, 4 * RATE_HZ), RATE_HZ)
    rows = [line.split(",") for line in clips.read_text(encoding="utf-8").splitlines()[1:]]
    mixed = [Query(str(clips.parent / row[0]), row[1]) for row in rows]
    return {
        "one clip of 4 s": [Query(str(path), "오늘 정말 마음이 아프다")],
        f"{CLIPS} clips of 0.8 to 8 s": mixed,
    }


if __name__ == "__main__":
    main()
