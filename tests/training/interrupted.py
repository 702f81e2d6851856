"""Work in a process of its own that is killed at a stated or at any moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from importlib import import_module
from itertools import count
from multiprocessing import forkserver

NEEDED = (
    "maeum.training",
    "maeum.encoders.builtin.acoustic",
    "maeum.encoders.builtin.letters",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "fontTools.subset",
)
"""Imported once; every process begins as a copy of one that has them."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([*NEEDED])

PATIENCE_S = 120
"""A process that lives longer hangs."""


def prepare() -> None:
    """Begin to import what the processes need; returns at once, so that others can go on."""
    forkserver.ensure_running()


def killed_at(place: str, call: int, work: Callable[..., object], *args: object) -> None:
    """Do work in a process that is killed at the so-many-th call of a function.

    Args:
        place: `module:name` or `module:Class.name` of the function.
        call: from 1.
        work: importable; its arguments are pickled.
        args: its arguments.
    """
    process = _processes.Process(target=_work_and_die, args=(place, call, work, args))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL, f"{place} was called fewer than {call} times"


def killed_after(delay_s: float, work: Callable[..., object], *args: object) -> bool:
    """Do work in a process that is killed after a while; whether it was, before it had done."""
    process = _processes.Process(target=work, args=args)
    process.start()
    process.join(delay_s)
    process.kill()
    process.join(PATIENCE_S)
    return process.exitcode == -signal.SIGKILL


def _work_and_die(
    place: str, call: int, work: Callable[..., object], args: tuple[object, ...]
) -> None:
    module, _, name = place.partition(":")
    *owners, name = name.split(".")
    owner = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    setattr(owner, name, _last_at(getattr(owner, name), call))
    work(*args)


def _last_at(function: Callable[..., object], call: int) -> Callable[..., object]:
    """The function, but the so-many-th call of it is the last thing the process does."""
    calls = count(1)

    def counted(*args: object, **kwargs: object) -> object:
        if next(calls) == call:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return counted
