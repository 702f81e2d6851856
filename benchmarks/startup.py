"""What starting costs: seconds of processor beside those that importing torch takes.

    python benchmarks/startup.py [ROUNDS]

A small run on the built-in encoders is trained on the packaged sample first.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from side_by_side import PAIRS, keep, table, versions

from maeum import sample, train
from maeum.corpus import import_corpus


def main() -> None:
    """Each command after an import of torch, in turn."""
    rounds = int(sys.argv[1]) if sys.argv[1:] else PAIRS
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(temporary) / "run"
        train(import_corpus("table", sample.path() / "sample.csv"), to=run, epochs=2)
        clip = next((sample.path() / "audio").iterdir())
        here = str(Path(sys.executable).with_name("maeum"))
        commands = {
            "import torch": [sys.executable, "-c", "import torch"],
            "maeum --help": [here, "--help"],
            "maeum predict RUN --text": [here, "predict", str(run), "--text", "오늘 정말 슬퍼"],
            "maeum predict RUN AUDIO --text": [
                here, "predict", str(run), str(clip), "--text", "오늘 정말 슬퍼",
            ],
        }  # fmt: skip
        taken: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, command in commands.items():
                taken[name].append(_cpu_s(command))
    torch_s = statistics.median(taken["import torch"])
    rows = [
        (f"`{name}`", f"{statistics.median(ones):.2f}", f"{min(ones):.2f} to {max(ones):.2f}",
         f"{statistics.median(ones) - torch_s:+.2f}")
        for name, ones in taken.items()
    ]  # fmt: skip
    head = ("command", "seconds of processor", "range", "more than importing torch")
    keep("startup", table(head, rows) + f"\n\n{versions('torch', 'transformers')}")


def _cpu_s(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
