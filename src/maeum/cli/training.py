"""train, crossval: learning, and saying how well it went."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, hide_notes, say, table
from maeum.cli.corpora import CorpusFolder
from maeum.cli.options import JobsOption, OnOption, executor_of, on_cluster, takes_settings
from maeum.config import PAPER_SPEECH, PAPER_TEXT, Grouping, Settings

if TYPE_CHECKING:
    from maeum.evaluation import Evaluation
    from maeum.training import Run

ConfigFile = Annotated[
    Path | None, typer.Option("--config", help="YAML file of settings; options stand over it.")
]
Overwrite = Annotated[
    bool, typer.Option("--overwrite", help="Replace what the folder holds of another run.")
]

FEW = 100
"""Tests of fewer utterances are called small."""


@takes_settings()
def train(
    corpus: CorpusFolder,
    to: Annotated[Path, typer.Option("--to", help="Folder of the run to write.")],
    config: ConfigFile = None,
    overwrite: Overwrite = False,
    on: OnOption = "local",
    processes_: Annotated[
        int | None,
        typer.Option(
            "--processes",
            min=1,
            help="--on ray: train encoders in so many. [default: one per accelerator, or 1]",
        ),
    ] = None,
    json_: JsonFlag = False,
    **settings: Any,  # noqa: ANN401 - one per setting
) -> None:
    """Train a classifier and test it on what it has not seen.

    An interrupted run goes on when the same command is typed again.

    **Examples**

    `maeum train corpora/ko --to runs/first`

    `maeum train corpora/ko --to runs/voice --modality speech --split speaker --seed 1`

    `maeum train corpora/ko --to runs/short --order short --per-emotion 50 --recipe paper`

    `maeum train corpora/ko --to runs/tuned --speech models/wav2vec2 --tune lora --batch-size 8`

    `maeum train corpora/calls --to runs/calls --from runs/tuned`

    `maeum train corpora/ko --to runs/tuned --speech models/wav2vec2 --tune full --on ray
    --processes 8`

    `torchrun --nproc-per-node 2 -m maeum train corpora/ko --to runs/tuned --speech
    models/wav2vec2 --tune full`
    """
    Settings.of(config, **settings)  # what cannot be is said before anything heavy is loaded
    from maeum.training import processes

    if processes.is_first():
        _note_encoders(config, settings)
    else:
        hide_notes()
    given = {"config": config, "overwrite": overwrite, **settings}
    run = _trained(corpus, to, on, processes_, given)
    if not processes.is_first():
        return
    tested = run.metrics if run.card["used"]["test"] else None
    if json_:
        answer_json({"run": str(to), "split": run.card["split"], "test": tested})
        return
    answer(f"{to}: {run.result}")
    if tested and tested["n"] < FEW:
        say(
            f"note: {tested['n']} utterances are few to judge by; `maeum crossval` tests them all, "
            "and --split none trains on all of them once the number is known"
        )
    if tested:
        answer(f"report: {run.folder / 'report' / 'report.html'}")


def _trained(corpus: Path, to: Path, on: str, processes: int | None, given: dict[str, Any]) -> Run:
    """The run, trained here or on a cluster."""
    from maeum.corpus import Corpus
    from maeum.training import train

    with on_cluster(on) as there:
        if not there:
            return train(Corpus.open(corpus), to, **given)
        from maeum.cluster.training import train_on_ray

        return train_on_ray(corpus, to, processes=processes, **given)


@takes_settings(but=("split", "patience", "tensorboard"))
def crossval(
    corpus: CorpusFolder,
    to: Annotated[
        Path | None, typer.Option("--to", help="Folder to keep it in, and to go on from.")
    ] = None,
    by: Annotated[Grouping, typer.Option(help="What a network must not have met.")] = "speaker",
    folds: Annotated[
        str, typer.Option(help="How many, or loso: leave one speaker (or script) out.")
    ] = "5",
    config: ConfigFile = None,
    overwrite: Overwrite = False,
    jobs: JobsOption = None,
    on: OnOption = "local",
    json_: JsonFlag = False,
    **settings: Any,  # noqa: ANN401 - one per setting
) -> None:
    """Test every utterance once, each by a network that never met its group.

    The right way to a number from a small corpus. Finished folds are not done again.

    **Example** `maeum crossval corpora/ko --to runs/loso --folds loso --modality speech`
    """
    tuned = Settings.of(config, **settings).tune != "frozen"
    from maeum.corpus import Corpus
    from maeum.training import crossval as cross

    count = _folds(folds)
    _note_encoders(config, settings)
    with on_cluster(on) as there:
        result = cross(
            Corpus.open(corpus),
            to,
            by=by,
            folds=count,
            config=config,
            overwrite=overwrite,
            executor=executor_of(jobs, tuned=tuned, cluster=there, beside=to),
            **settings,
        )
    if json_:
        answer_json(result.to_dict())
        return
    figures = [tuple(fold.values()) for fold in result.folds]
    table(f"Folds by {by}", ("fold", "n", "accuracy", "UAR", "macro F1"), figures)
    print_evaluation(result.evaluation)
    answer(f"report: {result.folder / 'report' / 'report.html'}")


def print_evaluation(evaluation: Evaluation) -> None:
    """The numbers for a person, what they rest on, and what leaked."""
    from maeum.evaluation.writing import summary

    labels = dict(zip(evaluation.emotions.names, evaluation.emotions.labels, strict=True))
    columns = ("n", "recall", "precision", "f1")
    rows = [
        (labels[name], *(figures[column] for column in columns))
        for name, figures in evaluation.scores.by_emotion.items()
    ]
    table("By emotion", ("emotion", *columns), rows)
    answer(summary(evaluation))
    if evaluation.calibration is not None:
        answer(evaluation.calibration.sentence())
    for shared in evaluation.leaks.found:
        answer(f"leak: {shared}")
    for note in evaluation.leaks.notes:
        answer(f"note: {note}")


def _folds(text: str) -> int | Literal["loso"]:
    if text == "loso":
        return "loso"
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a number nor loso", param_hint="--folds")
    return int(text)


def _note_encoders(config: Path | None, settings: dict[str, Any]) -> None:
    """Say what the paper's encoders are where none is named."""
    named = ("speech", "text", "recipe", "start")
    if config is None and all(settings.get(name) is None for name in named):
        say(
            "note: the built-in encoders are used; the paper's pair would be "
            f"--speech {PAPER_SPEECH} --text {PAPER_TEXT}"
        )
