"""plan: what a corpus will cost, before anything is encoded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from maeum.cli.console import JsonFlag, answer, answer_json, table
from maeum.config import PAPER_SPEECH, PAPER_TEXT

if TYPE_CHECKING:
    from maeum.cluster.sizing import Simulated, Work
    from maeum.corpus import Corpus


def plan(
    corpus: Annotated[Path, typer.Argument(metavar="CORPUS", help="Folder of a corpus.")],
    encoders: Annotated[
        str, typer.Option(help="Encoders with + between them, of either side.")
    ] = f"{PAPER_SPEECH}+{PAPER_TEXT}",
    machines: Annotated[
        str, typer.Option(help="How many of what: 64xcpu, 8xH100, A100, L4, T4.")
    ] = "2xcpu",
    precision: Annotated[
        Literal["float32", "bfloat16"], typer.Option(help="Of what they compute.")
    ] = "bfloat16",
    times: Annotated[
        float, typer.Option(min=0.001, help="As if the corpus were so many times as large.")
    ] = 1.0,
    fails_every: Annotated[
        float, typer.Option(min=0.1, metavar="HOURS", help="How often one machine fails.")
    ] = 1000.0,
    json_: JsonFlag = False,
) -> None:
    """Say how long the vectors of a corpus will take, and how much memory and disk.

    Operations are counted from the encoders' shapes. What processors reach was measured; of
    accelerators a share of 0.3 of the maker's peak is assumed. Nothing is encoded.

    **Examples**

    `maeum plan corpora/ko --machines 8xH100`

    `maeum plan corpora/ko --encoders openai/whisper-small+klue/roberta-large --times 100`
    """
    from maeum.cluster.sizing import Estimate, Failing, machines_of
    from maeum.corpus import Corpus
    from maeum.encoders import split_names

    on, work = machines_of(machines), _work(Corpus.open(corpus), times)
    failing = Failing(every_hours=fails_every)
    estimate = Estimate.of(split_names(encoders), work, on, precision, failing)
    if json_:
        answer_json(estimate.to_dict())
        return
    columns = ("encoder", "time", "decided by", "GB a process", "GB on the disk")
    rows = [(c.name, _time(c.hours), c.by, c.process_gb, c.storage_gb) for c in estimate.costs]
    table(f"{work.clips:,} recordings, {work.sentences:,} sentences on {machines}", columns, rows)
    answer(f"in all {_time(estimate.hours)}, {estimate.storage_gb:.2f} GB on the disk")
    if not on.kind.measured:
        answer(f"note: of {on.kind.name} 0.3 of the maker's peak is assumed; nothing was measured")
    _show_played(estimate.played, on.kind.name, fails_every)


def _show_played(played: Mapping[int, Simulated], kind: str, fails_every: float) -> None:
    lines = [
        (nodes, _time(one.seconds / 3600), one.failures, one.again) for nodes, one in played.items()
    ]
    title = f"Played through, each failing every {fails_every:g} hours"
    table(title, (kind, "time", "failures", "pieces done again"), lines)


def _work(corpus: Corpus, times: float) -> Work:
    """What the corpus asks, so many times."""
    from maeum.cluster.sizing import Work

    rows = corpus.utterances
    audio, text = rows.drop_nulls("audio"), rows["text"].drop_nulls()
    return Work(
        clips=round(times * len(audio)),
        audio_s=times * float(audio["duration_s"].sum()),
        sentences=round(times * len(text)),
        letters=round(times * int(text.str.len_chars().sum())),
    )


def _time(hours: float) -> str:
    """Hours for people.

    >>> [_time(hours) for hours in (0.001, 0.5, 30, 200)]
    ['4 s', '30 min', '30.0 h', '8.3 days']
    """
    if hours < 1 / 30:
        return f"{hours * 3600:.0f} s"
    if hours < 1:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.1f} days"
