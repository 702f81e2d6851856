"""export: a run as a folder that answers without torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, say
from maeum.cli.options import PrecisionChoice

if TYPE_CHECKING:
    from maeum.encoders.graphs.engines import Precision
    from maeum.evaluation.agreement import Limits


class FormatName(StrEnum):
    """What computes the graphs; typer takes no list of literals here."""

    ONNX = "onnx"
    OPENVINO = "openvino"


Measured = Annotated[
    Path | None,
    typer.Argument(
        metavar="CORPUS",
        help="Folder of a corpus to compare with the run on; bfloat16 and int8 take one.",
    ),
]

Format = Annotated[
    FormatName, typer.Option("--format", help="What computes it: ONNX Runtime or OpenVINO.")
]

PrecisionOption = Annotated[
    PrecisionChoice,
    typer.Option(help="In what: onnx takes float32 or int8, openvino float32 or bfloat16."),
]

LeastCosine = Annotated[
    float | None,
    typer.Option(
        min=-1,
        max=1,
        help="Lowest cosine of any vector with the run's. "
        "[default: float32 0.99999, bfloat16 0.9999, int8 0.999]",
    ),
]

LeastSame = Annotated[
    float | None,
    typer.Option(
        min=0, max=1, help="Share of answers that are the run's. [default: float32 1, others 0.98]"
    ),
]


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a run.")],
    corpus: Measured = None,
    *,
    to: Annotated[Path, typer.Option("--to", help="Folder to write.")],
    format_: Format = FormatName.ONNX,
    precision: PrecisionOption = PrecisionChoice.FLOAT32,
    most: Annotated[
        int, typer.Option(min=1, help="Utterances compared at most, the run's test part first.")
    ] = 200,
    seed: Annotated[int, typer.Option(help="Draws them.")] = 0,
    least_cosine: LeastCosine = None,
    least_same: LeastSame = None,
    json_: JsonFlag = False,
) -> None:
    """Write a run as a folder that answers without torch.

    The commands predict, evaluate and compare take the folder as they take a run. On a CORPUS it is
    compared with the run; where it is too far from it, nothing is written and the exit status is 1.

    **Examples**

    `maeum export runs/first --to first-onnx`

    `maeum export runs/first corpora/ko --to first-bf16 --format openvino --precision bfloat16`

    `maeum export runs/first corpora/ko --to first-int8 --precision int8 --least-cosine 0.9995`
    """
    from maeum.corpus import Corpus
    from maeum.exporting import export as write

    done = write(
        run,
        to,
        engine=format_.value,
        precision=precision.value,
        corpus=None if corpus is None else Corpus.open(corpus),
        most=most,
        seed=seed,
        limits=_limits(precision.value, least_cosine, least_same),
    )
    if json_:
        answer_json(done.to_dict())
        return
    if done.agreement is None:
        say("note: not compared with the run; name a corpus to do so")
    else:
        answer(done.agreement.sentence())
    answer(f"{done.folder}: {done.size_bytes / 1e6:,.1f} MB")


def _limits(precision: Precision, cosine: float | None, same: float | None) -> Limits:
    from dataclasses import replace

    from maeum.evaluation.agreement import LIMITS

    typed = {"cosine": cosine, "same": same}
    return replace(LIMITS[precision], **{k: v for k, v in typed.items() if v is not None})
