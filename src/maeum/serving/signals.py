"""Being told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from maeum.serving.service import Service

_TOLD = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def drained_at_the_end(service: Service) -> Iterator[None]:
    """While the block runs, a service drains as soon as its process is told to stop.

    What the server does at these signals it still does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is told
        return
    before = {sign: signal.getsignal(sign) for sign in _TOLD}

    def drain(sign: int, frame: FrameType | None) -> None:
        service.drain()
        following: Any = before[signal.Signals(sign)]
        if callable(following):
            following(sign, frame)

    for sign in _TOLD:
        signal.signal(sign, drain)
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)
