"""Answers over HTTP: `maeum serve`, and the page on it.

Each name is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from maeum.lazily import imported_from

_HOMES = {
    "Limits": "maeum.serving.limits",
    "Service": "maeum.serving.service",
    "Serving": "maeum.serving.running",
    "create_app": "maeum.serving.app",
    "serve": "maeum.serving.running",
}

__all__ = list(_HOMES)

if TYPE_CHECKING:
    from maeum.serving.app import create_app as create_app
    from maeum.serving.limits import Limits as Limits
    from maeum.serving.running import Serving as Serving
    from maeum.serving.running import serve as serve
    from maeum.serving.service import Service as Service


__getattr__ = imported_from(__name__, _HOMES)


def __dir__() -> list[str]:
    return sorted(_HOMES)
