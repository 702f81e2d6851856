"""Names of a package that are imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module


def imported_from(package: str, homes: Mapping[str, str]) -> Callable[[str], object]:
    """The `__getattr__` of a package.

    Args:
        package: its name.
        homes: name in it -> module that has it.

    >>> imported_from("maeum", {"Corpus": "maeum.corpus"})("Corps")
    Traceback (most recent call last):
    AttributeError: module 'maeum' has no attribute 'Corps'
    """

    def find(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return find
