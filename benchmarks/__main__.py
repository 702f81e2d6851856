"""All benchmarks, one after another, each in a process of its own; `make bench` runs this.

    python benchmarks [NAME …] [--folder .bench]

Without names all of them run, which takes about two and a half hours on two cores, 16 GB of memory
and 9 GB of disk. FOLDER keeps encoders of real size with random weights between runs. What one
finds is printed and put into the docs.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

ALL: dict[str, list[list[str]]] = {
    "limits": [["limits.py"]],
    "answers": [
        ["answers.py", "FOLDER"],
        ["answers.py", "FOLDER", "--mix", "uniform", "--mix-only", "--pairs", "3"],
    ],
    "exported": [["exported.py", "FOLDER"]],
    "tuning": [["tuning.py", "FOLDER"]],
    "grid": [["grid.py", "FOLDER"]],
    "growth": [["growth.py", "FOLDER"]],
    "startup": [["startup.py"]],
    "acoustic": [["acoustic.py"]],
    "tables": [["tables.py"]],
    "store": [["store.py"]],
    "serving": [["serving.py"], ["serving.py", "--malformed", "5000"]],
    "cluster": [
        ["cluster.py", "FOLDER/cluster"],
        ["cluster.py", "FOLDER/cluster-10", "--clips", "10240", "--played"],
    ],
    "aihub466": [["aihub466.py"]],
}
"""Name -> what is run for it, FOLDER standing for where encoders lie."""


def main() -> None:
    """Run what was asked for; one that fails does not stop the others."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ALL))
    parser.add_argument("--folder", type=Path, default=Path(".bench"))
    asked = parser.parse_args()
    if unknown := set(asked.names) - ALL.keys():
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(ALL)}")
    failed = [name for name in asked.names or ALL if not _run(name, asked.folder)]
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


def _run(name: str, folder: Path) -> bool:
    begin, good = time.perf_counter(), True
    for script, *arguments in ALL[name]:
        given = [one.replace("FOLDER", str(folder)) for one in arguments]
        print(f"\n== {script} {' '.join(given)}", flush=True)
        here = str(Path(__file__).parent / script)
        good &= subprocess.run([sys.executable, here, *given], check=False).returncode == 0
    print(f"== {name}: {time.perf_counter() - begin:.0f} s", flush=True)
    return good


if __name__ == "__main__":
    main()
