"""Two ways to do the same work, in turn, in one process: how many times faster, and how surely.

A machine that others use too drifts, so nothing here is a time alone. Each pair runs one way and
then the other; a ratio is that of one pair, what is reported is their median and their range.
Results are kept in the docs, each with the command that made it.
"""

from __future__ import annotations

import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

PAIRS = 5
DOCS = Path(__file__).parent.parent / "docs"

Work = Callable[[], object]


@dataclass(frozen=True)
class Ratio:
    """How many times faster one way is than another.

    Attributes:
        values: one for each pair.
        plain_s: median seconds of the plain way.
        fast_s: median seconds of the other.
    """

    values: tuple[float, ...]
    plain_s: float
    fast_s: float

    @property
    def median(self) -> float:
        """Of the pairs."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        """As a cell of a table."""
        return f"{self.median:.2f} ({min(self.values):.2f} to {max(self.values):.2f})"


def in_turn(plain: Work, fast: Work, *, pairs: int = PAIRS) -> Ratio:
    """Do both, again and again; which one begins changes from pair to pair."""
    return all_in_turn({"plain": plain, "fast": fast}, pairs=pairs)["fast"]


def all_in_turn(
    works: dict[str, Work], *, pairs: int = PAIRS, warm: bool = True
) -> dict[str, Ratio]:
    """The first way against each other one; the first runs once for all of them in each round."""
    (first, *others) = works
    for work in works.values() if warm else ():
        work()
    taken: dict[str, list[float]] = {name: [] for name in works}
    for round_ in range(pairs):
        names = list(works) if round_ % 2 == 0 else list(works)[::-1]
        for name in names:
            taken[name].append(seconds_of(works[name]))
        _tell(round_, pairs, {name: ones[-1] for name, ones in taken.items()})
    return {
        name: Ratio(
            tuple(a / b for a, b in zip(taken[first], taken[name], strict=True)),
            statistics.median(taken[first]),
            statistics.median(taken[name]),
        )
        for name in others
    }


def _tell(done: int, of: int, seconds: dict[str, float]) -> None:
    """How far it is, for whoever waits."""
    told = ", ".join(f"{name} {one:.3g} s" for name, one in seconds.items())
    print(f"{done + 1} of {of}: {told}; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)


def seconds_of(work: Work) -> float:
    """How long it takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def peak_gb(script: str, *arguments: str) -> float:
    """The most memory that a script of its own process ever held, as it says itself.

    Args:
        script: whose last line of output is what `own_peak_gb` gives.
        arguments: of the script.
    """
    ended = subprocess.run(
        [sys.executable, script, *arguments], capture_output=True, text=True, check=True
    )
    return float(ended.stdout.splitlines()[-1])


def own_peak_gb() -> float:
    """The most memory this process has held so far, whatever the one that started it held."""
    found = re.search(r"VmHWM:\s*(\d+)", _read("/proc/self/status"))
    if found is None:  # no Linux
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return int(found[1]) / 2**20


class OwnMemory:
    """The most this process holds of memory that lies in no file, while the block runs.

    Pages of a file that is mapped count as memory of the process, but the system takes them back
    when it needs them; these it cannot.
    """

    EVERY_S = 0.05

    def __enter__(self) -> OwnMemory:
        """Look from now on."""
        self.gb, self._over = 0.0, threading.Event()
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no longer."""
        self._over.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._over.wait(self.EVERY_S):
            found = re.search(r"RssAnon:\s*(\d+)", _read("/proc/self/status"))
            self.gb = max(self.gb, int(found[1]) / 2**20 if found else float("nan"))


def machine() -> str:
    """What it ran on: processors, their model, memory, what else was running."""
    names = re.findall(r"model name\s*: (.*)", _read("/proc/cpuinfo")) or [platform.processor()]
    flags = [one for one in ("avx512_bf16", "avx512_vnni", "amx_bf16") if one in _flags()]
    total = re.findall(r"MemTotal:\s*(\d+)", _read("/proc/meminfo")) or ["0"]
    return (
        f"{os.cpu_count()} cores ({names[0]}{', ' if flags else ''}{', '.join(flags)}), "
        f"{int(total[0]) / 2**20:.0f} GiB, load {os.getloadavg()[0]:.1f}"
    )


def versions(*packages: str) -> str:
    """Names with their versions, of those that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in packages:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def keep(name: str, text: str) -> None:
    """Print a result, and put it into the page of the docs that has a place of its name.

    A place begins with `<!-- begin NAME -->` and ends with `<!-- end NAME -->`.
    """
    when = datetime.now(UTC).date().isoformat()
    command = f"python benchmarks/{Path(sys.argv[0]).name} {' '.join(sys.argv[1:])}".strip()
    whole = f"`{command}`, {when}, {machine()}\n\n{text}"
    print(whole)
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    for path in DOCS.glob("*.md"):
        page = path.read_text(encoding="utf-8")
        if begin in page:
            before, after = page.split(begin)[0], page.split(end)[1]
            path.write_text(f"{before}{begin}\n{whole}\n{end}{after}", encoding="utf-8")


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).is_file() else ""


def _flags() -> set[str]:
    found = re.search(r"flags\s*: (.*)", _read("/proc/cpuinfo"))
    return set(found[1].split()) if found else set()
