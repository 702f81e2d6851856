"""A study as one page, `report.html`, and its curves as a picture, `curves.png`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maeum.evaluation.drawing import png
from maeum.evaluation.figures import confusion_figure
from maeum.evaluation.report import data_uri, flattened, render_page
from maeum.files import write_text, written_aside
from maeum.studies.figures import curves_figure
from maeum.studies.paper import open_questions
from maeum.studies.showing import Entry, Shown
from maeum.studies.table import Table, table_of
from maeum.studies.telling import how, whose


def write_report(shown: Shown) -> Path:
    """Write `report.html` and `curves.png` into the study's folder, each whole or not at all.

    Returns:
        Path of the page.
    """
    curves = curves_figure(shown)
    with written_aside(shown.folder.path / "curves.png") as aside:
        aside.write_bytes(png(curves))
    page = shown.folder.path / "report.html"
    write_text(page, _page(shown, data_uri(curves)))
    return page


def _page(shown: Shown, curves: str) -> str:
    study, table = shown.study, table_of(shown)
    return render_page(
        "study.html.j2",
        room="maeum.studies",
        shown=shown,
        study=study,
        table=table,
        whose=whose(shown),
        how=how(shown),
        curves=curves,
        counts=list(_counts(shown)),
        confusions=list(_confusions(shown)),
        unfilled=list(_unfilled(shown, table)),
        questions=open_questions(study),
        settings=dict(flattened(study.to_dict())),
    )


def _words(shown: Shown, entry: Entry) -> str:
    column = shown.study.column_label(entry.column)
    return f"{shown.row_label(entry.row)}, {column}, {entry.protocol}"


def _unfilled(shown: Shown, table: Table) -> Iterator[tuple[str, str, str]]:
    """Signs of the table's footnotes, the cells they stand in, and what they say."""
    for message in table.footnotes:
        cells = [_words(shown, one) for one in shown.entries.values() if one.message == message]
        yield table.note(message), "; ".join(cells), message


def _counts(shown: Shown) -> Iterator[tuple[str, list[tuple[str, list[Entry | None]]]]]:
    """Per row and protocol, what each column was trained on."""
    for row in shown.rows:
        lines = [
            (protocol, [shown.entries.get((row, column, protocol)) for column in shown.columns])
            for protocol in shown.protocols
        ]
        yield shown.row_label(row), lines


def _confusions(shown: Shown) -> Iterator[dict[str, str]]:
    """A matrix per row and protocol: of the largest size that was filled, all seeds together."""
    for row in shown.rows:
        for protocol in shown.protocols:
            largest = _largest(shown, row, protocol)
            if largest is not None and largest.confusion is not None:
                figure = confusion_figure(largest.confusion, shown.emotions, "")
                yield {"title": _words(shown, largest), "picture": data_uri(figure)}


def _largest(shown: Shown, row: tuple[Any, ...], protocol: str) -> Entry | None:
    entries = [shown.entries.get((row, column, protocol)) for column in reversed(shown.columns)]
    return next((one for one in entries if one is not None and one.confusion is not None), None)
