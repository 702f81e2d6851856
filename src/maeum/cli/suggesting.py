"""suggest: which recordings to label next."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say
from maeum.cli.corpora import CorpusFolder

if TYPE_CHECKING:
    from maeum.inference.suggesting import Suggestion


class WayChoice(StrEnum):
    """How to choose; typer takes no list of literals."""

    LONG = "long"
    DIVERSE = "diverse"
    UNCERTAIN = "uncertain"


RunOption = Annotated[
    Path | None,
    typer.Option(
        "--run",
        help="Run that says what each is taken for; what it was trained on is left out. "
        "[default: what the corpus says]",
    ),
]


def suggest(
    corpus: CorpusFolder,
    by: Annotated[
        WayChoice,
        typer.Option(
            help="long: the longest; diverse: one of each group that is alike; uncertain: those "
            "--run cannot decide on."
        ),
    ] = WayChoice.DIVERSE,
    per_emotion: Annotated[
        int | None, typer.Option(min=1, help="So many of each emotion. [default: 10]")
    ] = None,
    total: Annotated[int | None, typer.Option(min=1, help="So many in all.")] = None,
    run: RunOption = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write them as a table (.csv).")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides which groups are found.")] = 0,
    json_: JsonFlag = False,
) -> None:
    """Suggest which recordings to label next, and say why.

    The emotions of the corpus may be guesses, as of what was asked for; with --run they are what
    it answers.

    **Examples**

    `maeum suggest corpora/calls --per-emotion 50`

    `maeum suggest corpora/calls --per-emotion 50 --by uncertain --run runs/first --to next.csv`
    """
    from maeum.corpus import Corpus
    from maeum.inference import Run
    from maeum.inference.suggesting import suggest as choose

    found = choose(
        Corpus.open(corpus),
        by.value,
        per_emotion=per_emotion if per_emotion or total else 10,
        total=total,
        run=None if run is None else Run.open(run),
        seed=seed,
    )
    if to is not None:
        _write(found, to)
        say(f"{len(found):,} suggestions in {to}")
    if json_:
        answer_json({"suggestions": [one.to_dict() for one in found]})
    elif to is None:
        for one in found:
            answer(f"{' '.join(filter(None, (one.audio, one.text)))}: {one.emotion}, {one.reason}")


def _write(found: list[Suggestion], to: Path) -> None:
    """A table that Excel opens with its Hangul."""
    import polars as pl

    from maeum.files import written_aside

    rows = pl.DataFrame([one.to_dict() for one in found])
    with written_aside(to) as aside:
        aside.write_bytes(b"\xef\xbb\xbf" + rows.write_csv().encode())
