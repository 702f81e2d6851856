"""Convolutions of an accelerator in whole float32, which torch rounds to TensorFloat-32 by itself.

That keeps 10 bits of a number, too few for vectors that are the same alone and in a batch to 1e-5.
Products of matrices are whole unless a program asks otherwise, and are left as it asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch


class _Exactness:
    """A setting of the process: the first who needs it makes it, the last brings back what was."""

    def __init__(self) -> None:
        self._lock, self._holders, self._before = Lock(), 0, None

    def hold(self) -> None:
        """Make it exact, until `let_go` is called as often as this."""
        with self._lock:
            if not self._holders:
                place, name, exact = _setting()
                self._before = getattr(place, name)
                setattr(place, name, exact)
            self._holders += 1

    def let_go(self) -> None:
        """Bring back what was there, if nobody else holds it."""
        with self._lock:
            self._holders -= 1
            if not self._holders:
                place, name, _ = _setting()
                setattr(place, name, self._before)


_EXACTNESS = _Exactness()


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """Without TensorFloat-32 in convolutions; afterwards as before, when all threads are out."""
    _EXACTNESS.hold()
    try:
        yield
    finally:
        _EXACTNESS.let_go()


def _setting() -> tuple[Any, str, Any]:
    """Where torch keeps it, under which name, and its exact value.

    Not `torch.backends.cudnn.flags`, which sets all other flags too. Torch before 2.9 has one
    setting for everything cuDNN computes.
    """
    cudnn: Any = torch.backends.cudnn
    if hasattr(cudnn, "conv"):
        return cudnn.conv, "fp32_precision", "ieee"
    return cudnn, "allow_tf32", False
