"""The READMEs do what they say: their commands and their Python are run, in order, as printed.

A block under `<!-- not run: reason -->` is left out. Any other `bash` block holds `maeum` commands
alone, a `console` block `$ maeum …` and what it printed, a `python` block a program; programs
share their names. All of them find what the text speaks of: `calls.csv`, `calls/`, `take3.wav`,
`call.wav`.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from maeum.cli import main
from maeum.testing import make_corpus

CHECKOUT = Path(__file__).parents[1]

_BLOCK = re.compile(
    r"(?P<skipped><!-- not run: .*? -->\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMMENT = re.compile(r"(^|\s)#.*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, whether it is to be run."""

    kind: str
    code: str
    is_run: bool

    @property
    def commands(self) -> list[str]:
        """The command lines, continued ones joined; what a `console` block printed left out."""
        lines = self.code.replace("\\\n", " ").splitlines()
        if self.kind == "console":
            return [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if line.strip() and not line.startswith("#")]


def blocks(name: str) -> list[Block]:
    """Every fenced block of a README that holds commands or Python."""
    text = (CHECKOUT / name).read_text(encoding="utf-8")
    found = [
        Block(match["kind"], match["code"], match["skipped"] is None)
        for match in _BLOCK.finditer(text)
    ]
    return [block for block in found if block.kind in ("bash", "console", "python")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Any) -> Path:
    """Where a reader is who has some calls; training is cut short."""
    made = make_corpus(tmp_path / "made")
    shutil.move(made.parent / "audio", tmp_path / "calls")
    table = made.read_text(encoding="utf-8").replace("audio/", "calls/")
    (tmp_path / "calls.csv").write_text(table, encoding="utf-8")
    shutil.rmtree(made.parent)
    shutil.copy(next((tmp_path / "calls").iterdir()), tmp_path / "take3.wav")
    shutil.copy(call.path, tmp_path / "call.wav")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("maeum.config.USUAL_EPOCHS", (2, 2))
    monkeypatch.setenv("MAEUM_PROCESSORS", "1")  # other tests compute beside it
    return tmp_path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable:
    """Type a command line; it must end well."""

    def run(line: str) -> None:
        words, _, target = line.partition(" > ")
        monkeypatch.setattr(sys, "argv", shlex.split(words))
        assert sys.argv[0] == "maeum", f"only maeum is run here; mark the block of `{line}`"
        with pytest.raises(SystemExit) as end:
            main()
        answered, said = capsys.readouterr()
        assert not end.value.code, f"`{line}` ended with {end.value.code}: {said}"
        assert answered, f"`{line}` answered nothing"
        if target:
            Path(target.strip()).write_text(answered, encoding="utf-8")

    return run


def test_the_blocks_of_the_readme_run_as_printed(folder, typed):
    program: dict[str, object] = {}
    for block in blocks("README.md"):
        if not block.is_run:
            continue
        if block.kind == "python":
            exec(compile(block.code, "README.md", "exec"), program)
        else:
            for line in block.commands:
                typed(line)
    assert (folder / "corpora").is_dir()


def test_the_korean_readme_has_the_blocks_of_the_english_one():
    def compared(name: str) -> Iterator[tuple[str, str, bool]]:
        for block in blocks(name):
            yield block.kind, _COMMENT.sub("", block.code), block.is_run

    assert list(compared("README.ko.md")) == list(compared("README.md"))


def test_a_block_that_is_not_run_says_why():
    for name in ("README.md", "README.ko.md"):
        text = (CHECKOUT / name).read_text(encoding="utf-8")
        assert not re.search(r"<!-- not run: *-->", text)


@pytest.mark.parametrize("line", ["maeum stats calls --colour", "maeum paint calls", "rm -r calls"])
def test_a_command_that_does_not_exist_is_noticed(folder, typed, line):
    with pytest.raises(AssertionError, match=r"ended with|only maeum is run here"):
        typed(line)


def test_both_kinds_of_block_give_their_commands():
    assert Block("bash", "# first\nmaeum stats \\\n  c\n\n", True).commands == ["maeum stats    c"]
    assert Block("console", "$ maeum stats c\n3 calls\n", True).commands == ["maeum stats c"]
