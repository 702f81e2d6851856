"""A command typed outside of a cluster, done on one of its machines.

Ray's client hands single calls over, while jobs speak with their processes all the time: so the
whole command goes there, and what it prints comes back.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from maeum.cluster.connection import RAY, connected, own_words

LOOK_EVERY_S = 0.5
"""How often what was printed is fetched."""

NO_SUCH_FOLDER = 1


def done_there(address: str, words: Sequence[str]) -> int:
    """Do a command of maeum in the cluster, and print what it prints.

    Args:
        address: `ray://HOST[:PORT]`.
        words: of the command, without the program's name; the address among them.

    Returns:
        Its exit status.

    Raises:
        JobError: the cluster does not answer, or was lost.
    """
    import ray

    there = [RAY if word == address else word.replace(f"={address}", f"={RAY}") for word in words]
    with connected(address), own_words():
        make: Any = ray.remote(num_cpus=0)(Command)
        command = make.remote(there, str(Path.cwd()))
        try:
            code = None
            while code is None:
                time.sleep(LOOK_EVERY_S)
                code, out, err = ray.get(command.more.remote())
                print(out, end="", flush=True)  # noqa: T201
                print(err, end="", file=sys.stderr, flush=True)  # noqa: T201
        finally:
            ray.get(command.stop.remote())
    return int(code)


class Command:
    """A command of maeum as a process of its own, on a machine of the cluster."""

    def __init__(self, words: Sequence[str], folder: str) -> None:
        import ray

        self._code: int | None = None
        self._said: dict[str, SimpleQueue[str]] = {"out": SimpleQueue(), "err": SimpleQueue()}
        if not Path(folder).is_dir():
            self._code = NO_SUCH_FOLDER
            self._said["err"].put(
                f"maeum: {folder} is no folder on {os.uname().nodename}; type the command in one "
                "that all machines see\n"
            )
            return
        address = ray.get_runtime_context().gcs_address
        self._process = subprocess.Popen(  # noqa: S603 - what its user typed
            [sys.executable, "-m", "maeum", *words],
            cwd=folder,
            env=os.environ | {"RAY_ADDRESS": address},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("out", self._process.stdout), ("err", self._process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, name: str, stream: Iterable[str]) -> None:
        for line in stream:
            self._said[name].put(line)

    def more(self) -> tuple[int | None, str, str]:
        """The exit status, None while it runs, and what was printed since the last time."""
        if self._code is None and self._process.poll() is not None:
            for reader in self._readers:
                reader.join()
            self._code = self._process.returncode
        out, err = (_emptied(self._said[name]) for name in ("out", "err"))
        return self._code, out, err

    def stop(self) -> None:
        """Tell it to stop, if it still runs."""
        if self._code is None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait()


def _emptied(lines: SimpleQueue[str]) -> str:
    return "".join(lines.get() for _ in range(lines.qsize()))
