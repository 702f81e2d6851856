"""The command as a process of its own: what it loads, where it writes, how it ends."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from maeum.cli import COMMANDS
from maeum.errors import CorpusError

MAEUM = Path(sys.executable).with_name("maeum")


def python(code: str, *words: object) -> list[str]:
    """A Python process that runs some code with these words after the command's name."""
    return [sys.executable, "-c", code, *map(str, words)]


def started(command: list[str], **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command run to its end, its output as bytes."""
    surroundings = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, env=surroundings, timeout=120)


def test_help_loads_nothing_heavy():
    code = """
import sys
from maeum.cli import COMMANDS, main
for words in ([], *(name.split() for name in COMMANDS)):
    sys.argv = ["maeum", *words, "--help"]
    try:
        main()
    except SystemExit as end:
        assert not end.code, words
heavy = {"torch", "transformers", "polars", "sklearn", "scipy", "matplotlib", "numpy", "av"}
print("loaded:", *sorted(heavy & sys.modules.keys()), file=sys.stderr)
"""
    ended = started(python(code))
    assert (ended.returncode, ended.stderr.decode().split()) == (0, ["loaded:"])
    for name in COMMANDS:
        assert f"Usage: maeum {name}".encode() in ended.stdout


def test_the_installed_command_answers():
    ended = started([str(MAEUM), "--version"])
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert ended.stdout.decode().strip().count(".") == 2


def test_hangul_gets_through_a_pipe_of_any_encoding(corpus):
    ended = started([str(MAEUM), "stats", str(corpus)], PYTHONIOENCODING="ascii")
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert "기쁨" in ended.stdout.decode("utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell")
def test_a_reader_that_leaves_early_is_no_crash(corpus):
    typed = shlex.join([str(MAEUM), "stats", str(corpus)])
    ended = started(["sh", "-c", f"{typed} | true"])
    assert b"Traceback" not in ended.stderr


def test_debug_shows_where_an_error_came_from(maeum, tmp_path):
    with pytest.raises(CorpusError, match="is no corpus"):
        maeum("--debug", "stats", tmp_path)
    ended = started([str(MAEUM), "--debug", "stats", str(tmp_path)])
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"Traceback" in ended.stderr
    assert b"maeum.errors.CorpusError" in ended.stderr


def test_debug_holds_for_one_command_alone(maeum, tmp_path):
    with pytest.raises(CorpusError):
        maeum("--debug", "stats", tmp_path)
    assert "is no corpus" in maeum("stats", tmp_path).complaint


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_ctrl_c_is_one_sentence_and_130(corpus):
    code = """
import time
from maeum import cli, corpus

def wait(folder):
    print("waiting", flush=True)
    time.sleep(60)

corpus.Corpus.open = wait
cli.main()
"""
    typed = python(code, "stats", corpus)
    with subprocess.Popen(typed, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.decode() == (
        "maeum: interrupted; long work goes on when the same command is typed again\n"
    )


def test_training_interrupted_by_ctrl_c_goes_on(maeum, monkeypatch, corpus, tmp_path):
    from maeum.training.bar import TrainingBar

    words = ("train", corpus, "--to", tmp_path / "run", "--modality", "text", "--epochs", 3)
    epochs: list[float] = []

    def stop_in_the_second(self, args, state, control, **_):
        epochs.append(state.epoch)
        if len(epochs) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingBar, "on_epoch_begin", stop_in_the_second, raising=False)
    assert maeum(*words).code == 130
    assert maeum(*words).code == 0
    assert epochs == [0, 1, 1, 2]  # the first was not done again
