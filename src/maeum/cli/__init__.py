"""The command line: translates what is typed into calls, and failures into one line.

Exit status: 0 done, 1 failed or some inputs failed, 2 wrong usage.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from maeum import __version__
from maeum.cli import (
    cluster,
    corpora,
    demo,
    encoders,
    exporting,
    features,
    following,
    judging,
    planning,
    serving,
    studies,
    suggesting,
    training,
    using,
)
from maeum.cli.console import say, show_notes
from maeum.errors import MaeumError

app = typer.Typer(
    name="maeum",
    help="Emotions from a little speech and text, Korean first, honestly measured.\n\n"
    "Start with `maeum demo`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "import": corpora.import_,
    "stats": corpora.stats,
    "audit": corpora.audit,
    "split": corpora.split,
    "train": training.train,
    "crossval": training.crossval,
    "evaluate": judging.evaluate,
    "compare": judging.compare,
    "predict": using.predict,
    "suggest": suggesting.suggest,
    "timeline": following.timeline,
    "serve": serving.serve,
    "export": exporting.export,
    "features": features.features,
    "encoders": encoders.encoders,
    "study run": studies.run,
    "study show": studies.show,
    "study list": studies.list_,
    "cluster check": cluster.check,
    "plan": planning.plan,
}
"""Commands in the order of the journey; two words are a command of a group."""

GROUPS = {
    "study": "Whole experiments: the paper's tables, and your own.",
    "cluster": "Several machines, on Ray.",
}
"""Groups of commands and what they are for."""


def _add_commands() -> None:
    groups = {
        name: typer.Typer(name=name, help=words, no_args_is_help=True, rich_markup_mode="markdown")
        for name, words in GROUPS.items()
    }
    for name, command in COMMANDS.items():
        group, _, last = name.rpartition(" ")
        (groups[group] if group else app).command(last)(command)
    for sub in groups.values():
        app.add_typer(sub)


_add_commands()


def _print_version(wanted: bool) -> None:
    if wanted:
        print(__version__)  # noqa: T201
        raise typer.Exit


@app.callback()
def _everywhere(
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version)
    ] = False,
) -> None:
    if debug:
        os.environ["MAEUM_DEBUG"] = "1"


INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it."""


LEFT_OUT = (
    "accelerate",
    "fontTools",
    "jinja2",
    "koreanize_matplotlib",
    "matplotlib",
    "safetensors",
    "torch",
    "transformers",
)
"""Packages that a machine may do without that only answers; see docs/export.md."""


def main() -> None:
    """Run a command; a failure is one line on standard error and exit status 1."""
    _write_utf8()
    show_notes()
    try:
        app()
    except MaeumError as error:
        _fail(str(error))
    except OSError as error:
        _fail(_sentence(error))
    except ModuleNotFoundError as error:
        if error.name not in LEFT_OUT:
            raise
        _fail(
            f"this takes {error.name}, which is not installed: pip install maeum; without it "
            "there are `maeum predict` and `maeum evaluate` with an exported folder"
        )
    except SystemExit as end:
        if end.code == INTERRUPTED:
            say("maeum: interrupted; long work goes on when the same command is typed again")
        raise


def _write_utf8() -> None:
    """Hangul and any file name can be printed, whatever the terminal's or pipe's encoding."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


ADVICE: dict[int | None, str] = {
    errno.ENOSPC: "; what was there before is whole: make room and type the same command again",
    errno.EACCES: "; name a place you have the right to",
    errno.EPERM: "; name a place you have the right to",
    errno.EROFS: "; name a place that can be written to",
}
"""What to do where the system refuses."""


def _sentence(error: OSError) -> str:
    where = f": {error.filename}" if error.filename else ""
    return f"{error.strerror or error}{where}{ADVICE.get(error.errno, '')}"


def _fail(sentence: str) -> None:
    if os.environ.get("MAEUM_DEBUG"):
        raise
    say(f"maeum: {sentence}")
    sys.exit(1)
