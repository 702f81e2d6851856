"""A study's table in the paper's shape, as text."""

from __future__ import annotations

from dataclasses import dataclass, field

from maeum.studies.grid import Value
from maeum.studies.results import DONE, FAILED, SHORT
from maeum.studies.showing import PAPER_LINE, PENDING, Entry, Row, Shown

NOT_DONE = {SHORT: "too few", FAILED: "failed"}
"""What a cell says that has no figure; `short` is also the name of an order."""


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes:
        row: what the row is called; empty where the line above says it.
        whose: `paper`, or the protocol of ours.
        cells: a text per column, interval below the figure.
    """

    row: str
    whose: str
    cells: tuple[str, ...]


@dataclass
class Table:
    """A table of text.

    Attributes:
        head: of the columns.
        lines: three for each row: paper, and ours under each protocol.
        footnotes: what `[1]`, … stand for.
    """

    head: tuple[str, ...]
    lines: list[Line] = field(default_factory=list)
    footnotes: list[str] = field(default_factory=list)

    def note(self, words: str) -> str:
        """The sign of a footnote, which is made where it is new."""
        if words not in self.footnotes:
            self.footnotes.append(words)
        return f"[{self.footnotes.index(words) + 1}]"


def table_of(shown: Shown) -> Table:
    """The table, all figures in per cent."""
    study, columns = shown.study, shown.columns
    drawn = Table(("", "", *(study.column_label(column) for column in columns)))
    for row in shown.rows:
        name = shown.row_label(row)
        if shown.has_published:
            published = tuple(_published(shown, row, column) for column in columns)
            drawn.lines.append(Line(name, PAPER_LINE, published))
            name = ""
        for protocol in shown.protocols:
            entries = [shown.entries.get((row, column, protocol)) for column in columns]
            cells = tuple(_cell(entry, drawn) for entry in entries)
            drawn.lines.append(Line(name, protocol, cells))
            name = ""
    return drawn


def _published(shown: Shown, row: Row, column: Value) -> str:
    share = shown.published(row, column)
    return "–" if share is None else f"{share:.2%}".rstrip("%")


def _cell(entry: Entry | None, drawn: Table) -> str:
    if entry is None:
        return "–"
    if entry.status not in (DONE, PENDING):
        return f"{NOT_DONE[entry.status]}\n{drawn.note(entry.message)}"
    if entry.accuracy is None or entry.low is None or entry.high is None:
        return "…"
    unfinished = f"\n({entry.seeds}/{entry.asked_seeds})" if entry.status == PENDING else ""
    return f"{100 * entry.accuracy:.1f}\n{100 * entry.low:.0f}–{100 * entry.high:.0f}{unfinished}"
