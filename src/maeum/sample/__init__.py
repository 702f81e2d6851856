"""A small synthetic Korean corpus, for trying maeum offline.

``sample.csv`` names 392 short clips under ``audio/``; ``README.md`` is their card.
"""

from pathlib import Path

__all__ = ["path"]


def path() -> Path:
    """Return the folder that holds ``sample.csv`` and ``audio/``."""
    return Path(__file__).parent
