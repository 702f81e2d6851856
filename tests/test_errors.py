"""The tree of errors, as its module draws it."""

import re

import pytest

from maeum import errors
from maeum.errors import MaeumError

EVERY = [thing for thing in vars(errors).values() if isinstance(thing, type)]


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_one_root_catches_all(kind):
    assert issubclass(kind, MaeumError)


def test_the_drawing_shows_every_error_under_its_parent():
    parent_at, drawn = {}, {}
    for line in errors.__doc__.splitlines():
        if found := re.search(r"\w*Error", line):
            depth = found.start()
            parent_at[depth] = found[0]
            above = [parent_at[place] for place in sorted(parent_at) if place < depth]
            drawn[found[0]] = above[-1] if above else None
    actual = {
        kind.__name__: next(
            (base.__name__ for base in kind.__bases__ if issubclass(base, MaeumError)), None
        )
        for kind in EVERY
    }
    assert drawn == actual


def test_they_are_value_errors_to_those_who_know_only_python():
    assert all(issubclass(kind, ValueError) for kind in EVERY if kind is not MaeumError)
