"""What the command line prints: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from maeum.storage import as_typed

if TYPE_CHECKING:
    from maeum.studies.table import Line

JsonFlag = Annotated[bool, typer.Option("--json", help="Answer as JSON on standard output.")]


def say(text: str) -> None:
    """One line for a person, on standard error, so that piped answers stay clean."""
    print(as_typed(text), file=sys.stderr)  # noqa: T201


class Notes(logging.Handler):
    """What maeum's rooms log, as lines for a person: warnings as notes, the rest as it is."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        say(f"{'note: ' if record.levelno >= logging.WARNING else ''}{record.getMessage()}")


def show_notes() -> None:
    """Print what maeum logs from now on; other libraries' logs are their own affair."""
    logger = logging.getLogger("maeum")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.handlers = [Notes()]


def hide_notes() -> None:
    """Leave them to another process that does the same work."""
    logging.getLogger("maeum").handlers = [logging.NullHandler()]


def answer(text: str) -> None:
    """One line of the answer itself, on standard output."""
    print(as_typed(text), flush=True)  # noqa: T201


def answer_json(value: Mapping[str, Any] | Sequence[Any], *, indent: int | None = 2) -> None:
    """The answer as one JSON object, Hangul readable."""
    answer(json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False))


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a person, numbers to the right, on standard output."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(header_style="bold")
    rows = [tuple(row) for row in rows]
    for place, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[place], int | float) for row in rows)
        drawn.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(_cell(value) for value in row))
    console = Console()
    console.print(Text(title, "bold"), soft_wrap=True)
    console.print(drawn)


def grid(title: str, head: Sequence[str], lines: Iterable[Line]) -> None:
    """A wide table of figures whose rows take several lines, on standard output."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(header_style="bold", box=box.SIMPLE, padding=(0, 1), pad_edge=False)
    drawn.add_column("", no_wrap=True)
    for column in head[2:]:
        broken = column.replace(" → ", " →\n").replace("-", "-\n")
        drawn.add_column(Text(broken), justify="right", overflow="fold")
    for line in lines:
        if line.row:
            drawn.add_section()
            drawn.add_row(Text(line.row, "bold"))
        drawn.add_row(
            Text(line.whose if line.whose == "paper" else f"ours,\n{line.whose}"),
            *map(Text, line.cells),
        )
    console = Console()
    console.print(Text(title, "bold"), soft_wrap=True)
    console.print(drawn)


def _cell(value: object) -> str:
    from rich.markup import escape

    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.3f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))
