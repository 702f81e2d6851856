"""study run, study show, study list: whole experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, grid, say, table
from maeum.cli.corpora import CorpusFolder
from maeum.cli.options import JobsOption, OnOption, executor_of, on_cluster, takes_settings

if TYPE_CHECKING:
    from maeum.studies import Study
    from maeum.studies.showing import Shown

DECIDED = (
    "modality",
    "order",
    "seed",
    "split",
    "per_emotion",
    "total",
    "allow_fewer",
    "start",
    "tensorboard",
)
"""Settings that the grid decides."""


Name = Annotated[
    str, typer.Argument(metavar="STUDY", help="table3 … table6, equal-n, or a YAML file.")
]
To = Annotated[Path, typer.Option("--to", help="Folder of the study, and to go on from.")]
Scale = Annotated[
    str | None, typer.Option(help="Multiply all sizes, rounded up, at least 2: 0.02.")
]
Seeds = Annotated[int | None, typer.Option(min=1, help="Train every cell so often. [default: 3]")]
By = Annotated[
    Literal["random", "speaker", "script", "speaker+script", "given"] | None,
    typer.Option("--split", help="One protocol alone. [default: random and speaker+script]"),
]
Folds = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="0: one split; else cross-validation. [default: 0 where that tests 1,000, else 5, "
        "of speaker+script 3]",
    ),
]
Count = Annotated[Literal["per-emotion", "total"] | None, typer.Option(help="What sizes count.")]
Distinct = Annotated[
    Literal["training", "corpus"] | None,
    typer.Option(help="Where --distinct-text drops what is repeated. [default: training]"),
]
Tested = Annotated[
    int | None,
    typer.Option("--test-per-emotion", min=1, help="Sample the test too. [default: all of it]"),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print what would be run, and encode nothing.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace another study in the folder.")
]


@takes_settings(but=DECIDED, defaults=False)
def run(
    name: Name,
    corpus: CorpusFolder,
    to: To,
    scale: Scale = None,
    seeds: Seeds = None,
    by: By = None,
    folds: Folds = None,
    count: Count = None,
    distinct: Distinct = None,
    test_per_emotion: Tested = None,
    dry_run: DryRun = False,
    overwrite: Overwrite = False,
    jobs: JobsOption = None,
    on: OnOption = "local",
    json_: JsonFlag = False,
    **settings: Any,  # noqa: ANN401 - one per setting
) -> None:
    """Run an experiment of many trainings, and show its table beside the paper's.

    Finished runs are not done again when the same command is typed again; failed ones are tried
    again. Options of settings stand over those of the study (`maeum study list STUDY`); of a
    setting that is an axis they replace the values, several by commas.

    **Examples**

    `maeum study run table6 corpora/ko --to studies/table6`

    `maeum study run table6 corpora/small --to studies/small --scale 0.02 --speech builtin:acoustic
    --text builtin:letters`

    `maeum study run table5 corpora/ko --to studies/two --text klue/bert-base,klue/roberta-small`

    `maeum study run mine.yaml corpora/ko --to studies/mine --seeds 5 --on ray`
    """
    from maeum.studies import named

    fields = {
        "scale": scale,
        "seeds": seeds,
        "protocols": None if by is None else [by],
        "folds": folds,
        "count": None if count is None else count.replace("-", "_"),
        "distinct": distinct,
        "test_per_emotion": test_per_emotion,
    }
    study = named(name).changed(**fields).with_settings(**settings)
    if dry_run:
        _plan(study, corpus)
        return
    from maeum.corpus import Corpus
    from maeum.studies.running import run_study

    tuned = any(cell.settings.tune != "frozen" for cell in study.cells())
    with on_cluster(on) as there:
        executor = executor_of(jobs, tuned=tuned, cluster=there, beside=to)
        run_study(study, Corpus.open(corpus), to, overwrite=overwrite, executor=executor)
    show(to, json_)


def show(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study.")],
    json_: JsonFlag = False,
) -> None:
    """Show a study's table, finished or not, and write its report.

    Exits with 1 where a run failed.

    **Example** `maeum study show studies/table6`
    """
    from maeum.studies.report import write_report
    from maeum.studies.showing import Shown

    shown = Shown.of(folder)
    page = write_report(shown)
    if json_:
        answer_json({**shown.to_dict(), "report": str(page)})
    else:
        print_study(shown)
        answer(f"report: {page}")
    if shown.failed:
        raise typer.Exit(1)


def list_(
    name: Annotated[
        str | None, typer.Argument(metavar="[STUDY]", help="Write this one as a YAML file.")
    ] = None,
    json_: JsonFlag = False,
) -> None:
    """Show the studies that come with maeum and what each asks; or one of them, to be changed.

    **Examples**

    `maeum study list`

    `maeum study list table6 > mine.yaml`
    """
    from maeum.studies import STUDIES, named

    if name is not None:
        study = named(name)
        if json_:
            answer_json(study.to_dict())
        else:
            answer(study.to_yaml().rstrip())
        return
    rows = [(study.name, len(study.cells()), study.title, study.asks) for study in STUDIES.values()]
    if json_:
        answer_json(
            [dict(zip(("study", "runs", "title", "asks"), row, strict=True)) for row in rows]
        )
        return
    table("Studies", ("study", "runs", "title", "asks"), rows)


def print_study(shown: Shown) -> None:
    """The table, what has to be said of it, and what was not filled or failed."""
    from maeum.studies.paper import open_questions
    from maeum.studies.table import table_of
    from maeum.studies.telling import how, whose

    drawn = table_of(shown)
    grid(shown.study.title, drawn.head, drawn.lines)
    for number, words in enumerate(drawn.footnotes, 1):
        answer(f"[{number}] {words}")
    for note in (*whose(shown), *how(shown)):
        answer(note)
    questions = open_questions(shown.study)
    if questions:
        answer("The paper leaves open, and here:")
        for question in questions:
            answer(f"- {question.asked}: {question.default} ({question.option})")
    for row in shown.failed:
        say(f"failed: {shown.words(row)}: {row['message']}")
    if shown.failed:
        say(f"{len(shown.failed)} failed; the same `maeum study run` tries them again")


def _plan(study: Study, corpus: Path) -> None:
    """What would be run, from the manifest alone."""
    from maeum.corpus import Corpus
    from maeum.studies.planning import plan

    drawn = plan(study, Corpus.open(corpus))
    rows = [
        (
            drawn.words(run, seed=True),
            "all" if run.asked is None else f"{run.asked:,}",
            run.sampled.found,
            round(run.sampled.distinct_scripts),
            len(run.parting.turns),
            run.parting.tested,
            run.parting.failure or run.sampled.lacking or "",
        )
        for run in drawn.runs
    ]
    columns = ("run", "asked", "found", "sentences", "networks", "tested", "cannot, because")
    table(study.title, columns, rows)
    filled = [run for run in drawn.runs if run.can_run]
    answer(
        f"{len({run.key for run in filled})} runs, {len(drawn.needed(filled)):,} of "
        f"{len(drawn.corpus):,} utterances to encode"
    )
