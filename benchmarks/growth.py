"""How cost grows with the length of recordings and with their number.

    python benchmarks/growth.py FOLDER [--most 100000]

FOLDER holds the paper's encoders at their real size with random weights, and is filled if it is
empty. Length: seconds to hear one recording of 1 s to 3 h, from its file, pretrained and built in;
beyond 60 s, the longest utterance, in stretches of 15 s. Number: predicting from
and training on made recordings of 0.3 s with the built-in encoders, 10 to 100,000 of them, memory
each time in a process of its own. Curves are drawn into docs/growth.png.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import soundfile as sf
from real_size import RATE_HZ, WORDS, make_encoders
from side_by_side import DOCS, OwnMemory, keep, own_peak_gb, seconds_of, table

from maeum.encoders import Reading, SpeechEncoder, speech_encoders
from maeum.engine import Engine
from maeum.features.hearing import Stretch, hear

LENGTHS_S = (1, 2, 4, 8, 15, 30, 60, 600, 3600, 10_800)
LONGEST_UTTERANCE_S, STRETCH_S = 60, 15
LONGEST_PRETRAINED_S = 600
CLIP_S = 0.3
COLUMNS = (("seconds", 1), ("gb", 2), ("own_gb", 2))
"""Of each work, with digits."""


def main() -> None:
    """Measure both and draw them."""
    asked = _asked()
    if asked.count is not None:
        print(json.dumps(_counted(asked.count, asked.work)))
        return
    by_length = _by_length(asked.folder)
    counts = [count for count in (10, 100, 1_000, 10_000, 100_000) if count <= asked.most]
    by_count = {
        count: {work: _in_own_process(asked, count, work) for work in ("train", "predict")}
        for count in counts
    }
    _draw(by_length, by_count)
    keep("growth", _told(by_length, by_count))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--most", type=int, default=100_000)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    return parser.parse_args()


def _by_length(folder: Path) -> dict[str, dict[float, float]]:
    speech = str(make_encoders(folder)[0])
    whole = Reading(cut_s=LONGEST_UTTERANCE_S)
    encoders = {
        "wav2vec2-large, bfloat16": speech_encoders(speech, whole, Engine("torch", "bfloat16"))[0],
        "wav2vec2-large, float32": speech_encoders(speech, whole, Engine())[0],
        "builtin:acoustic": speech_encoders("builtin:acoustic")[0],
    }
    taken: dict[str, dict[float, float]] = {name: {} for name in encoders}
    with tempfile.TemporaryDirectory() as temporary:
        for seconds in LENGTHS_S:
            path = _noise(Path(temporary) / "noise.wav", seconds)
            for name, encoder in encoders.items():
                if seconds > LONGEST_PRETRAINED_S and not name.startswith("builtin"):
                    continue
                repeats = 3 if seconds <= LONGEST_UTTERANCE_S else 1
                work = partial(_hear_all, path, encoder, seconds)
                taken[name][seconds] = float(np.median([seconds_of(work) for _ in range(repeats)]))
    return taken


def _noise(path: Path, seconds: int) -> Path:
    """A recording, written a second at a time."""
    rng = np.random.default_rng(0)
    with sf.SoundFile(path, "w", RATE_HZ, 1) as file:
        for _ in range(seconds):
            file.write(rng.normal(0, 0.1, RATE_HZ))
    return path


def _hear_all(path: Path, encoder: SpeechEncoder, seconds: int) -> None:
    step_s = seconds if seconds <= LONGEST_UTTERANCE_S else STRETCH_S
    for start_s in range(0, seconds, step_s):
        hear(path, [encoder], Stretch(None, start_s, step_s))


def _in_own_process(asked: argparse.Namespace, count: int, work: str) -> dict[str, float]:
    own = [sys.executable, __file__, str(asked.folder), "--count", str(count), "--work", work]
    ended = subprocess.run(own, capture_output=True, text=True, check=True)
    return json.loads(ended.stdout.splitlines()[-1])


def _counted(count: int, work: str) -> dict[str, float]:
    """Seconds and memory of one kind of work on so many made recordings."""
    with tempfile.TemporaryDirectory() as temporary:
        here = Path(temporary)
        os.environ["MAEUM_CACHE"] = str(here / "cache")
        table_ = _many(here, count)
        with OwnMemory() as own:
            done = {"train": _train, "predict": _predict}[work](table_)
        return {"seconds": done, "gb": own_peak_gb(), "own_gb": own.gb}


def _many(here: Path, count: int) -> Path:
    """A table of recordings that all differ, each a file of its own."""
    rng, rows = np.random.default_rng(0), ["audio,text,emotion,speaker"]
    (here / "wav").mkdir()
    for place in range(count):
        wave = rng.integers(-9000, 9000, round(CLIP_S * RATE_HZ), dtype=np.int16)
        sf.write(here / "wav" / f"{place}.wav", wave, RATE_HZ)
        sentence = " ".join(rng.choice(WORDS, 4))
        rows.append(f"wav/{place}.wav,{sentence},{('Happy', 'Sad')[place % 2]},{place % 20}")
    (here / "clips.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return here / "clips.csv"


def _train(clips: Path) -> float:
    from maeum import train
    from maeum.corpus import import_corpus

    corpus = import_corpus("table", clips)
    begin = time.perf_counter()
    train(corpus, to=clips.parent / "run", split="random", epochs=10)
    return time.perf_counter() - begin


def _predict(clips: Path) -> float:
    from maeum import train
    from maeum.corpus import import_corpus
    from maeum.inference import Query

    corpus = import_corpus("table", clips)
    few = corpus.select(corpus.utterances["id"].is_in(sorted(corpus.utterances["id"])[:10]))
    model = train(few, to=clips.parent / "run", split="none", epochs=1).model
    lines = clips.read_text(encoding="utf-8").splitlines()[1:]
    begin = time.perf_counter()
    for line in model.predict(
        Query(str(clips.parent / audio), text)
        for audio, text, *_ in (line.split(",") for line in lines)
    ):
        assert line.emotion
    return time.perf_counter() - begin


def _told(by_length: dict, by_count: dict) -> str:
    lengths = [
        (f"{seconds:,}", *(f"{taken[seconds]:.3f}" if seconds in taken else "-"
                           for taken in by_length.values()))
        for seconds in LENGTHS_S
    ]  # fmt: skip
    counts = [
        (
            f"{count:,}",
            *(f"{works[work][what]:.{digits}f}" for work in works for what, digits in COLUMNS),
        )
        for count, works in by_count.items()
    ]
    what = ("s", "GB", "own GB")
    head = ("recordings", *(f"{work}, {one}" for work in ("train", "predict") for one in what))
    return (
        "Seconds to hear one recording, by its length; beyond 60 s in stretches of 15 s\n\n"
        + table(("length, s", *by_length), lengths)
        + "\n\nRecordings of 0.3 s with the built-in encoders, by their number\n\n"
        + table(head, counts)
        + "\n\nOwn: without pages of mapped files, which the system takes back when it needs them."
        "\n\n![curves](growth.png)"
    )


def _draw(by_length: dict, by_count: dict) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4))
    for name, taken in by_length.items():
        left.loglog(list(taken), list(taken.values()), marker="o", label=name)
    left.set(xlabel="length of a recording, s", ylabel="seconds", title="encoding one recording")
    counts = list(by_count)
    for work in ("train", "predict"):
        seconds = [by_count[count][work]["seconds"] for count in counts]
        middle.loglog(counts, seconds, marker="o", label=work)
        for what, style, kind in (("gb", "-", "all"), ("own_gb", ":", "own")):
            held = [by_count[count][work][what] for count in counts]
            right.semilogx(counts, held, style, marker="o", label=f"{work}, {kind}")
    middle.set(xlabel="recordings", ylabel="seconds", title="built-in encoders, clips of 0.3 s")
    right.set(
        xlabel="recordings",
        ylabel="GB at most",
        title="memory (own: without mapped files)",
        ylim=(0, None),
    )
    for axes in (left, middle, right):
        axes.legend(fontsize=8)
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(DOCS / "growth.png", dpi=80)


if __name__ == "__main__":
    main()
