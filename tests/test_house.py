"""Rules of the house that no single room can keep by itself."""

from __future__ import annotations

import ast
import csv
import doctest
import importlib
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import maeum
from maeum import sample
from maeum.emotions import PAPER

CHECKOUT = Path(__file__).parents[1]
SOURCE = CHECKOUT / "src"
MODULES = sorted((SOURCE / "maeum").rglob("*.py"))

MOST_LINES_OF_A_FUNCTION = 45
MOST_LINES_OF_A_MODULE = 420
MOST_BYTES_OF_THE_SAMPLE = 8 * 2**20

UNWANTED = tuple("".join(parts) for parts in (("TO", "DO"), ("FIX", "ME"), ("sub", "agent")))
MACHINE_PATHS = ("".join(("/wo", "rk/")),)

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def parsed(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """The dotted name of a module, for the names of tests."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def test_importing_maeum_is_silent_and_loads_nothing_heavy():
    code = "import maeum, sys; sys.exit(str(sorted({'torch', 'polars', 'numpy'} & {*sys.modules})))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (ended.stdout, ended.stderr.strip()) == ("", "[]")


@pytest.mark.parametrize("name", maeum.__all__)
def test_a_public_name_resolves_and_is_documented(name):
    value = getattr(maeum, name)
    assert isinstance(value, str) or value.__doc__


def test_what_is_not_public_is_said_as_python_says_it():
    with pytest.raises(AttributeError, match="module 'maeum' has no attribute 'mood'"):
        _ = maeum.mood
    assert dir(maeum) == sorted(maeum.__all__)


@each_module
def test_all_that_is_public_has_a_docstring(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), f"{path} says nothing of itself"
    bare = [item.name for item in _public(tree) if not ast.get_docstring(item)]
    assert bare == []


def _public(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Public functions, classes and methods; what stands inside a function is nobody's business."""
    for item in tree.body:
        if isinstance(item, Definition) and not item.name.startswith("_"):
            yield item
            if isinstance(item, ast.ClassDef):
                yield from _public(item)


@each_module
def test_functions_and_modules_stay_short(path):
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    lengths = {
        item.name: _lines(item) for item in ast.walk(parsed(path)) if isinstance(item, functions)
    }
    long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES_OF_A_FUNCTION}
    assert long == {}
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_A_MODULE


def _lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of signature and body; a docstring may be as long as it has something to say."""
    all_of_it = (function.end_lineno or 0) - function.lineno + 1
    docstring = ast.get_docstring(function, clean=False)
    return all_of_it - (len(docstring.splitlines()) if docstring else 0)


@each_module
def test_the_examples_in_docstrings_run(path):
    failed, _ = doctest.testmod(importlib.import_module(name_of(path)))
    assert failed == 0


def files_of_the_repository() -> list[Path]:
    """Tracked files and new ones that git does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout")
    paths = [CHECKOUT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]


@pytest.mark.parametrize("word", [*UNWANTED, *MACHINE_PATHS])
def test_no_file_puts_off_work_or_names_a_machine(word):
    found = [path for path in files_of_the_repository() if word.encode() in path.read_bytes()]
    assert found == []


def test_the_wheel_has_what_is_no_python():
    build = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "hatch"
    ]
    assert build["build"]["targets"]["wheel"] == {"packages": ["src/maeum"]}  # all of it, that is
    shipped = [path for path in files_of_the_repository() if SOURCE in path.parents]
    assert {".j2", ".csv", ".ogg", ".typed"} <= {path.suffix or path.name for path in shipped}


def test_the_sample_is_whole_and_small():
    with (sample.path() / "sample.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 392
    assert all((sample.path() / row["audio"]).is_file() for row in rows)
    assert {row["emotion"] for row in rows} == set(PAPER.names)
    size = sum(path.stat().st_size for path in sample.path().rglob("*") if path.is_file())
    assert size < MOST_BYTES_OF_THE_SAMPLE
