"""Where what can be computed again is kept."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "MAEUM_CACHE"
"""Names the cache folder; else it is where the system keeps such things."""


def cache_folder() -> Path:
    """The folder of all that can be computed again."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("maeum")
