"""Two run folders compared: what each answered, and what either has met."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from maeum.corpus import Corpus
from maeum.corpus.identity import KINDS, hashed
from maeum.emotions import EmotionSet
from maeum.errors import EmotionError, RunError
from maeum.evaluation.answered import read_answers, unnamed
from maeum.evaluation.compare import Comparison, compare
from maeum.evaluation.evaluate import evaluate
from maeum.evaluation.leaks import UNKNOWN, leaks
from maeum.inference import Run
from maeum.inference.run import Judged, Published, judged


@dataclass(frozen=True)
class Answered:
    """What one side brings to a comparison.

    Attributes:
        run: its folder, or that of a published classifier.
        answers: as `answered.unnamed` makes them.
        emotions: names that it tells apart.
    """

    run: Judged
    answers: pl.DataFrame
    emotions: tuple[str, ...]


def compare_runs(
    first: Judged | str | Path,
    second: Judged | str | Path,
    corpus: Corpus | None = None,
    *,
    mapping: Mapping[str, str | None] | None = None,
) -> Comparison:
    """Compare two runs, or two cross-validations, on what neither was trained on.

    Args:
        first: a finished run or cross-validation, or its folder; with a corpus also a classifier
            that others published, by its folder or name.
        second: likewise.
        corpus: that both runs answer; None: the answers kept when they were tested.
        mapping: emotion of the corpus -> emotion of the runs; None as a value leaves it out.

    Raises:
        RunError: a folder is no run or keeps no answers, both are one folder, a cross-validation
            is to answer a corpus, or nothing is left to compare.
        EmotionError: the two do not tell the same emotions apart, or the corpus has others.
        CorpusError: nothing in the corpus can be used.
    """
    runs = [judged(run) if isinstance(run, str | Path) else run for run in (first, second)]
    names = distinguishing(runs[0].folder, runs[1].folder)
    met = pl.concat([_met(run) for run in runs])
    if corpus is None:
        sides = [_kept(run) for run in runs]
        left_out = 0
    else:
        fair = ~hashed(corpus.utterances)["utterance"].is_in(met.implode())
        left_out = int((~fair).sum())
        _refuse_none(fair, names)
        sides = [_asked(run, corpus, fair, mapping) for run in runs]
    emotions = _common_emotions(sides, names)
    found = compare(sides[0].answers, sides[1].answers, emotions, names=names, met=met)
    counts = {**found.left_out, "met": found.left_out["met"] + left_out}
    return replace(found, left_out=counts, remarks=tuple(_unequal(sides, names, corpus)))


def distinguishing(first: Path, second: Path) -> tuple[str, str]:
    """Names of two folders: the last part of their paths that is not the same.

    >>> distinguishing(Path("runs/loso/both"), Path("runs/loso/speech"))
    ('both', 'speech')
    >>> distinguishing(Path("monday/both"), Path("tuesday/both"))
    ('monday', 'tuesday')

    Raises:
        RunError: they are one folder.
    """
    paths = (first.resolve(), second.resolve())
    pairs = zip(*(reversed(path.parts) for path in paths), strict=False)
    apart = next(((one, other) for one, other in pairs if one != other), None)
    if paths[0] == paths[1]:
        raise RunError(f"{first} and {second} are one folder; name two runs")
    return apart or (str(first), str(second))


def _is_crossval(run: Judged) -> bool:
    return isinstance(run, Run) and run.kind == "crossval"


def _met(run: Judged) -> pl.Series:
    """Hashes of utterances that its weights learnt from, or that decided when learning ended.

    Of a cross-validation, every answer is of a network that never met the utterance; only what the
    weights it began with had met counts.
    """
    if not isinstance(run, Run) or (_is_crossval(run) and not run.partition_path.is_file()):
        return pl.Series("utterance", [], pl.String)
    return run.partition.filter(pl.col("part") != "test")["utterance"]


def _kept(run: Judged) -> Answered:
    if not isinstance(run, Run):
        raise RunError(
            f"{run.folder} is no run and keeps no answers; name a corpus for both to answer: "
            "`maeum compare RUN RUN CORPUS`"
        )
    names = run.metrics.get("emotions") if (run.folder / "report").is_dir() else None
    answers = read_answers(run.folder)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise RunError(
            f"{run.folder / 'report' / 'metrics.json'} does not name the emotions; "
            "train again in a new folder"
        )
    return Answered(run, answers, tuple(names))


def _asked(
    run: Judged, corpus: Corpus, fair: pl.Series, mapping: Mapping[str, str | None] | None
) -> Answered:
    """What a run answers to the utterances that are fair to both."""
    if _is_crossval(run):
        raise RunError(
            f"{run.folder} is a cross-validation, which keeps no network to answer a corpus; "
            "compare it without one, or train on the whole corpus (`maeum train --split none`)"
        )
    found = evaluate(
        run,
        corpus if run.classifier.needs_others else corpus.select(fair),
        part="all",
        mapping=mapping,
    )
    kept = set(corpus.utterances["id"].filter(fair))
    own = found.answers.filter(pl.col("id").is_in(list(kept)))
    return Answered(run, unnamed(own), found.emotions.names)


def _refuse_none(fair: pl.Series, names: tuple[str, str]) -> None:
    if not fair.any():
        raise RunError(
            f"every utterance of this corpus was in the training of {names[0]} or of {names[1]}, "
            "or validated it; name a corpus that neither has met, or "
            "compare two cross-validations (`maeum crossval`)"
        )


def _common_emotions(sides: list[Answered], names: tuple[str, str]) -> EmotionSet:
    first, second = (side.emotions for side in sides)
    if any(isinstance(side.run, Published) for side in sides):  # the corpus is in words of both
        return EmotionSet.of(dict.fromkeys((*first, *second)))
    if set(first) != set(second):
        raise EmotionError(
            f"{names[0]} tells {', '.join(first)} apart, {names[1]} {', '.join(second)}; only runs "
            "of the same emotions can be compared: train both on corpora with the same --emotions"
        )
    return EmotionSet.of(first)


def _unequal(sides: list[Answered], names: tuple[str, str], corpus: Corpus | None) -> list[str]:
    """Where one had it easier than the other."""
    runs = [side.run for side in sides if isinstance(side.run, Run)]
    if len(runs) < len(sides):
        unknown = [name for name, side in zip(names, sides, strict=True) if side.run not in runs]
        return [f"{' and '.join(unknown)}: {UNKNOWN}", *_unasked(sides, names)]
    protocols = [run.protocol for run in runs]
    if any(map(_is_crossval, runs)):
        if corpus is None and protocols[0] != protocols[1]:
            return [
                f"{names[0]} was tested by {protocols[0]}, {names[1]} by {protocols[1]}: what the "
                "one had to do without, the other may have met"
            ]
        return []
    tested = sides[0].answers.select(KINDS)
    met = [leaks(run.met, tested).shared for run in runs]
    return [
        f"{names[0]} met {one.shared:,} and {names[1]} {other.shared:,} of the {one.tested:,} "
        f"{PLURALS[one.kind]} in training: the two had it unequally easy"
        for one, other in zip(*met, strict=True)
        if one.kind != "utterance" and one.shared != other.shared
    ]


def _unasked(sides: list[Answered], names: tuple[str, str]) -> list[str]:
    """Emotions that one of them alone can answer, to utterances that have none of them."""
    pairs = zip(sides, reversed(sides), names, strict=True)
    own = {name: {*one.emotions} - {*other.emotions} for one, other, name in pairs}
    return [
        f"{name} alone may answer {', '.join(sorted(more))}; no utterance here is one of them, so "
        "it had it harder"
        for name, more in own.items()
        if more
    ]


PLURALS = {"speaker": "speakers", "script": "sentences"}
