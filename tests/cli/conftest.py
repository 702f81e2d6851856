"""Commands run the way a person types them, in this process, and the things they are run on."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from maeum.cli import main
from maeum.testing import make_corpus


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: exit status, standard output, standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON value."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Standard output as one JSON value a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def complaint(self) -> str:
        """The one line a failed command ends with, without its name.

        Asserts that it failed with status 1 and answered nothing, and that before that line it
        said no more than what it took, and how it is split.
        """
        *before, said = self.err.splitlines()
        assert (self.code, self.out) == (1, ""), self
        assert all(
            line.startswith(
                (
                    "split ",
                    "note: ",
                    "columns: ",
                    "going on ",
                    "finished ",
                    "features: ",
                    "read as ",
                    "most raters ",
                )
            )
            for line in before
        ), self
        assert said.startswith("maeum: "), self
        return said.removeprefix("maeum: ")

    @property
    def misuse(self) -> str:
        """What a command that was typed wrongly says, as one line without its frame.

        Asserts that it ended with status 2 and answered nothing.
        """
        assert (self.code, self.out) == (2, ""), self
        return " ".join(self.err.translate(dict.fromkeys(map(ord, "│╭╮╰╯─"))).split())


Maeum = Callable[..., Outcome]


def run_maeum(*words: object) -> Outcome:
    """Run `maeum` with these words; whatever gets out of `main` unforeseen gets out of this."""
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    typed = ["maeum", *map(str, words)]
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(sys, "argv", typed))
        stack.enter_context(mock.patch.dict(os.environ, {"COLUMNS": "200"}))
        stack.enter_context(redirect_stdout(streams[0]))
        stack.enter_context(redirect_stderr(streams[1]))
        try:
            main()
            code = 0
        except SystemExit as left:
            code = int(left.code or 0)
        out, err = (_content(stream) for stream in streams)
    return Outcome(code, out, err)


def _content(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def maeum() -> Maeum:
    """Run a command: `maeum("stats", corpus, "--json").json`."""
    return run_maeum


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table beside its recordings: six voices, three sentences in each of four emotions."""
    return make_corpus(tmp_path_factory.mktemp("calls"))


@pytest.fixture(scope="session")
def corpus(calls: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder those calls were imported to; nobody writes to it."""
    folder = tmp_path_factory.mktemp("corpora") / "calls"
    assert run_maeum("import", "table", calls, "--to", folder).code == 0
    return folder


@pytest.fixture(scope="session")
def run(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run trained on them; nobody writes to it."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    assert run_maeum("train", corpus, "--to", folder, "--epochs", 4).code == 0
    return folder


@pytest.fixture
def own_corpus(corpus: Path, tmp_path: Path) -> Path:
    """A copy of the corpus folder, to be spoilt."""
    return Path(shutil.copytree(corpus, tmp_path / "own_corpus"))


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write a table of one's own: `table("text,emotion", "정말 기뻐,기쁨")`."""

    def write(*lines: str, name: str = "calls.csv") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write
