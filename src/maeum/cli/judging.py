"""evaluate, compare: how good a run is, for whom, and whether another is better."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say, table
from maeum.cli.corpora import CorpusFolder
from maeum.cli.options import EngineOption, PrecisionOption, engine_of
from maeum.cli.using import AbstainOption, RunFolder
from maeum.config import Modality, Part

if TYPE_CHECKING:
    from maeum.evaluation.compare import Comparison
    from maeum.evaluation.groups import Groups


class GroupColumn(StrEnum):
    """By what results are told apart; typer takes no list of literals."""

    GENDER = "gender"
    AGE = "age"
    STYLE = "style"
    SPEAKER = "speaker"


MapFile = Annotated[
    Path | None,
    typer.Option("--map", help="YAML: emotion of the corpus: emotion of the run, or null."),
]


def evaluate(
    run: RunFolder,
    corpus: CorpusFolder,
    part: Annotated[
        Part | None,
        typer.Option(help="What is tested. [default: test; of another corpus: all]"),
    ] = None,
    modality: Annotated[
        Modality | None, typer.Option(help="What the network is given. [default: all it takes]")
    ] = None,
    map_: MapFile = None,
    by: Annotated[
        list[GroupColumn] | None,
        typer.Option(help="Tell the results apart by it too. May be repeated."),
    ] = None,
    abstain: AbstainOption = None,
    engine: EngineOption = None,
    precision: PrecisionOption = None,
    json_: JsonFlag = False,
) -> None:
    """Test a run on the test part of its own corpus, or on another corpus.

    A classifier of recordings that others published is tested on all of any corpus, and so is
    builtin:starter, which reads.

    **Examples**

    `maeum evaluate runs/first corpora/ko`

    `maeum evaluate runs/first corpora/ko --by gender --by speaker`

    `maeum evaluate runs/first corpora/ko --abstain 0.6`

    `maeum evaluate runs/first corpora/calls --map names.yaml --json`

    `maeum evaluate runs/paper corpora/ko --precision bfloat16`

    `maeum evaluate superb/hubert-base-superb-er corpora/ko`

    `maeum evaluate builtin:starter corpora/ko`
    """
    from maeum.cli.training import print_evaluation
    from maeum.corpus import Corpus
    from maeum.evaluation import evaluate as judge
    from maeum.evaluation.mapping import read_mapping
    from maeum.inference.prediction import refuse_no_confidence
    from maeum.inference.run import judged

    refuse_no_confidence(abstain)
    evaluation = judge(
        judged(run, engine=engine_of(engine, precision)),
        Corpus.open(corpus),
        part=part,
        modality=modality,
        mapping=None if map_ is None else read_mapping(map_),
    )
    held = None if abstain is None else evaluation.abstaining(abstain)
    if json_:
        told = {} if held is None else {"abstain": held.to_dict()}
        answer_json({**evaluation.to_dict(), **told})
        return
    for column in dict.fromkeys(by or ()):
        _print_groups(column, evaluation.groups.get(column))
    print_evaluation(evaluation)
    if held is not None:
        answer(held.sentence())


def compare(
    first: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run or crossval.")],
    second: Annotated[str, typer.Argument(metavar="RUN", help="Folder of another.")],
    corpus: Annotated[
        Path | None,
        typer.Argument(
            metavar="CORPUS",
            help="That both runs answer. [default: the answers kept when they were tested]",
        ),
    ] = None,
    map_: MapFile = None,
    json_: JsonFlag = False,
) -> None:
    """Say whether one run beats another, on utterances that neither was trained on.

    Both are compared utterance by utterance: the interval is from a bootstrap that draws the same
    speakers for both. On a small corpus, compare two cross-validations. A classifier that others
    published can stand for a RUN where a corpus is given.

    **Examples**

    `maeum compare runs/both runs/speech`

    `maeum compare runs/loso-both runs/loso-speech --json`

    `maeum compare runs/both runs/speech corpora/calls`

    `maeum compare runs/speech superb/hubert-base-superb-er corpora/calls`
    """
    from maeum.corpus import Corpus
    from maeum.evaluation import compare_runs
    from maeum.evaluation.mapping import read_mapping

    found = compare_runs(
        first,
        second,
        None if corpus is None else Corpus.open(corpus),
        mapping=None if map_ is None else read_mapping(map_),
    )
    if json_:
        answer_json(found.to_dict())
        return
    _print_comparison(found)


def _print_comparison(found: Comparison) -> None:
    from maeum.evaluation.report import COLUMN_WORDS

    rows = [
        (COLUMN_WORDS[name], one.first, one.second, one.difference + 0.0, _span(*one.ci95))
        for name, one in found.differences.items()
    ]
    columns = ("score", *found.names, "difference", "95 % interval")
    table(f"{found.n:,} utterances answered by both", columns, rows)
    answer(found.sentence())
    for note in found.notes:
        answer(f"note: {note}")


def _print_groups(column: str, groups: Groups | None) -> None:
    if groups is None:
        say(
            f"note: no groups by {column}: fewer than two values of it are known of the utterances "
            "tested here; --part all tests them all, and a cross-validation's report has groups"
        )
        return
    rows = [
        (
            f"{group.value} (too few to judge)" if group.few else group.value,
            group.n,
            group.accuracy,
            _span(*group.ci95),
            group.ci95_over,
            group.uar,
            group.macro_f1,
        )
        for group in groups.shown
    ]
    columns = (column, "n", "accuracy", "95 % interval", "drawn over", "UAR", "macro F1")
    table(f"By {column}", columns, rows)
    for sentence in groups.sentences:
        answer(sentence)


def _span(low: float, high: float) -> str:
    return f"{low:.3f} to {high:.3f}"
