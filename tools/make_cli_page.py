"""Write docs/cli.md from the help the commands give of themselves.

    python tools/make_cli_page.py

The page has no widths and no colours, so it is the same on every machine.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer

from maeum.cli import COMMANDS, app

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"

HEAD = """\
# The command line

<!-- Made by tools/make_cli_page.py from the commands' own help; edit that, not this. -->

The answer goes to standard output, progress and notes go to standard error. The exit status is 0
when all is done, 1 when something failed or some inputs failed, 2 for wrong usage, 130 after
Ctrl-C. A failure is one sentence; `maeum --debug COMMAND …` shows where it came from.
"""

_DEFAULT_IN_HELP = re.compile(r"\s*\[default: (?P<value>.*)\]$")
_KINDS: dict[object, str] = {Path: "path", int: "whole number", float: "number", str: "text"}


def page() -> str:
    """The whole page as Markdown."""
    commands = {name: _found(name) for name in COMMANDS}
    sections = [_section(name, command) for name, command in commands.items()]
    return "\n".join([HEAD, *_contents(commands), "", *sections])


def _found(name: str) -> Any:  # noqa: ANN401 - typer's own, or click's
    """The command of that name, of a group by two words."""
    command: Any = typer.main.get_command(app)
    for word in name.split():
        command = command.commands[word]
    return command


def _contents(commands: dict[str, Any]) -> Iterator[str]:
    for name, command in commands.items():
        summary = command.help.split("\n\n")[0]
        yield f"- [`maeum {name}`](#maeum-{name.replace(' ', '-')}): {' '.join(summary.split())}"


def _section(name: str, command: Any) -> str:  # noqa: ANN401 - typer's own, or click's
    kinds = {
        parameter.name: parameter.annotation
        for parameter in inspect.signature(COMMANDS[name], eval_str=True).parameters.values()
    }
    rows = [_row(given, kinds[given.name]) for given in command.params if given.name in kinds]
    return "\n".join([f"## maeum {name}", "", command.help.strip(), "", *_table(rows), ""])


def _table(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for row in (("", "takes", "default", "meaning"), ("---",) * 4, *rows):
        cells = (cell.replace("|", r"\|") for cell in row)
        yield f"| {' | '.join(cells)} |"


def _row(given: Any, annotation: object) -> tuple[str, str, str, str]:  # noqa: ANN401 - as above
    """Name, what it takes, default and meaning of an argument or option."""
    meaning, default = _default(given)
    if given.param_type_name == "argument":
        name = f"`{given.metavar}`"
    else:
        name = ", ".join(f"`{flag}`" for flag in (*given.opts, *given.secondary_opts))
    if given.required:
        default = "required"
    return name, _takes(annotation), default, meaning


def _default(given: Any) -> tuple[str, str]:  # noqa: ANN401 - as above
    """(meaning, default): stated by the parameter, or in brackets at the end of its help."""
    stated = _DEFAULT_IN_HELP.search(given.help)
    if stated:
        return given.help[: stated.start()], stated["value"]
    if given.default is True:
        return given.help, given.opts[0]
    silent = given.default is None or given.default is False or given.required
    return given.help, "" if silent else str(given.default)


def _takes(annotation: object) -> str:
    """What may be typed, in words."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _takes(inside[0])
    if origin in (Union, UnionType):
        return _takes(next(kind for kind in inside if kind is not NoneType))
    if origin is Literal:
        return ", ".join(f"`{choice}`" for choice in inside)
    if origin is list:
        return f"{_takes(inside[0])}, any number of them"
    return _KINDS.get(annotation, "")


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE}\n")
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
