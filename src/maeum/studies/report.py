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
from maeum.studies.results import DONE, SHORT
from maeum.studies.showing import Entry, Shown
from maeum.studies.telling import notes


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
    from maeum.studies.table import table_of

    study = shown.study
    return render_page(
        "study.html.j2",
        room="maeum.studies",
        shown=shown,
        study=study,
        table=table_of(shown),
        notes=notes(shown),
        curves=curves,
        counts=list(_counts(shown)),
        confusions=list(_confusions(shown)),
        unfilled=[(_words(shown, entry), entry.message) for entry in shown.unfilled],
        questions=open_questions(study),
        settings=dict(flattened(study.to_dict())),
        statuses=(DONE, SHORT),
    )


def _words(shown: Shown, entry: Entry) -> str:
    column = shown.study.column_label(entry.column)
    return f"{shown.row_label(entry.row)}, {column}, {entry.protocol}"


def _counts(shown: Shown) -> Iterator[dict[str, Any]]:
    """Per row and protocol, what each column was trained on."""
    for row in shown.rows:
        for protocol in shown.protocols:
            entries = [shown.entries.get((row, column, protocol)) for column in shown.columns]
            if any(entry is not None and entry.found is not None for entry in entries):
                yield {"row": shown.row_label(row), "protocol": protocol, "entries": entries}


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
