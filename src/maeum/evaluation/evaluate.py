"""A run on a corpus: its answers, the numbers, and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.config import Modality, Part
from maeum.corpus import Corpus
from maeum.corpus.identity import hashed
from maeum.corpus.splits import MEANING
from maeum.emotions import EmotionSet
from maeum.errors import CorpusError, EmotionError, RunError
from maeum.evaluation.answered import class_indices, described
from maeum.evaluation.calibration import Calibration, calibration
from maeum.evaluation.coverage import Abstention, Coverage, abstention, coverage
from maeum.evaluation.groups import Groups, grouped
from maeum.evaluation.leaks import Leaks, leaks, unknown_leaks
from maeum.evaluation.metrics import Scores, scores
from maeum.features import Features
from maeum.inference import Classifier, Run
from maeum.inference.run import Judged, judged
from maeum.inference.temperatures import tempered

OTHER_CORPUS = "other corpus"

BOOTSTRAP_SEED = 0
"""Fixes the intervals: the same answers have the same ones."""

TRANSDUCTIVE = (
    "voices were normalised with the recordings that are tested (transductive): the numbers are "
    "for a system that has heard the voice before, without labels"
)


@dataclass(frozen=True)
class Evaluation:
    """What came of a test.

    Attributes:
        scores: numbers with intervals.
        answers: columns id, speaker, text, truth, answer, confidence; of a test of a corpus also
            what `answered.described` puts beside them, and `chances` and `temperature` as
            `answers` gives them.
        emotions: in class order.
        protocol: how training and test were kept apart; `other corpus` for another one.
        part: train, validation, test or all.
        modality: what the network was given.
        leaks: what training and test share.
        left_out: utterances without a usable recording or text.
    """

    scores: Scores
    answers: pl.DataFrame
    emotions: EmotionSet
    protocol: str
    part: str
    modality: str
    leaks: Leaks
    left_out: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            **self.scores.to_dict(),
            "split": self.protocol,
            "part": self.part,
            "modality": self.modality,
            "leaks": self.leaks.to_dict(),
            "left_out": self.left_out,
            "by_group": {column: groups.to_dict() for column, groups in self.groups.items()},
            "calibration": self._calibration_to_dict(),
        }

    def _calibration_to_dict(self) -> dict[str, Any] | None:
        if self.calibration is None:
            return None
        before = self.calibration_before
        return {
            **self.calibration.to_dict(),
            "before": None if before is None else before.to_dict(),
            "coverage": self.coverage.to_dict(),
        }

    @cached_property
    def groups(self) -> dict[str, Groups]:
        """Results by gender, age, style and speaker, of those columns that have values."""
        return grouped(self.answers, self.emotions)

    @cached_property
    def calibration(self) -> Calibration | None:
        """How far the probabilities are from what came true; None: they were not kept."""
        if self._chances is None:
            return None
        even = tempered(self._chances, self.answers["temperature"].to_numpy())
        return calibration(even, class_indices(self.answers, "truth", self.emotions))

    @cached_property
    def calibration_before(self) -> Calibration | None:
        """The same before any temperature; None: there was none, or nothing was kept."""
        if self._chances is None or (self.answers["temperature"] == 1).all():
            return None
        return calibration(self._chances, class_indices(self.answers, "truth", self.emotions))

    @property
    def _chances(self) -> NDArray[np.float32] | None:
        """(answer, emotion), as the network gave them."""
        if "chances" not in self.answers.columns or self.answers["chances"].null_count():
            return None
        return np.array(self.answers["chances"].to_list(), dtype=np.float32)

    @cached_property
    def coverage(self) -> Coverage:
        """How many answers are right when only the surest are given."""
        return coverage(self.answers["confidence"].to_numpy(), self._right)

    def abstaining(self, least: float) -> Abstention:
        """What comes of answering only where it is sure enough.

        Args:
            least: confidence, in [0, 1].

        Raises:
            SettingsError: it is no confidence.
        """
        return abstention(least, self.answers["confidence"].to_numpy(), self._right)

    @property
    def _right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = (self.answers["truth"] == self.answers["answer"]).to_numpy()
        return right

    @property
    def meaning(self) -> str:
        """What the numbers say: what the protocol keeps apart, or that it was met all the same."""
        apart = self.protocol.split("+")
        if broken := [str(entry) for entry in self.leaks.found if entry.kind in apart]:
            return "; ".join(broken)
        if not self.leaks.known:
            return "what it was trained on is not at hand"
        return MEANING.get(self.protocol, "the run was trained on another corpus")


def evaluate(
    run: Judged | str | Path,
    corpus: Corpus,
    *,
    part: Part | None = None,
    modality: Modality | None = None,
    mapping: Mapping[str, str | None] | None = None,
    features: Features | None = None,
) -> Evaluation:
    """Test a run, or a classifier that others published.

    Args:
        run: a finished run or its folder; or a published one, by its folder or name.
        corpus: its own, of which `part` is tested, or another, of which all is.
        part: None: test for the run's own corpus, all for another.
        modality: what to give the network; None: all it takes.
        mapping: emotion of the corpus -> emotion of the run; None as a value leaves it out.
        features: of the corpus, if they are at hand.

    Raises:
        RunError: no finished run, or it cannot take the modality, or has no such part.
        CorpusError: nothing in it can be used.
        EmotionError: the corpus has emotions the run does not tell apart.
    """
    run = judged(run) if isinstance(run, str | Path) else run
    own = isinstance(run, Run) and run.fingerprint == corpus.fingerprint
    part = part or ("test" if own else "all")
    tested = _in_words_of(
        run.classifier.emotions, _part_of(run, corpus, part, own=own), mapping or {}
    )
    given = _modality_for(run.classifier, modality)
    features = features_for(run.classifier, corpus, tested, features).only(given)
    if not features.usable.any():
        raise CorpusError("nothing to test: no utterance has a usable recording or text")
    notes = (TRANSDUCTIVE,) if run.classifier.needs_voice else ()
    return judge(
        described(answers(run.classifier, tested, features), tested.utterances),
        run.classifier.emotions,
        protocol=run.protocol if isinstance(run, Run) and own else OTHER_CORPUS,
        part=part,
        modality=given,
        leaks=_leaks_of(run, tested, notes),
        left_out=int((~features.usable).sum()),
    )


def answers(classifier: Classifier, corpus: Corpus, features: Features) -> pl.DataFrame:
    """What the classifier answers, utterance by utterance.

    Args:
        classifier: with the corpus' emotions or more.
        corpus: what is tested.
        features: of these utterances, in their order, normalised as the classifier wants them.

    Returns:
        Columns id, speaker, text, truth, answer, confidence; `chances` of every emotion as the
        network gave them, and the `temperature` at which the answer was given. Utterances without
        a usable modality are not in it.
    """
    usable = pl.Series(features.usable)
    given = classifier.untempered(features)[features.usable]
    temperatures = classifier.temperatures(features)[features.usable]
    chances = tempered(given, temperatures)
    names = np.array(classifier.emotions.names)
    rows = corpus.utterances.filter(usable).select("id", "speaker", "text", truth="emotion")
    return rows.with_columns(
        answer=pl.Series(names[chances.argmax(axis=1)]),
        confidence=pl.Series(chances.max(axis=1)),
        chances=pl.Series(given).arr.to_list(),
        temperature=pl.Series(temperatures),
    )


def judge(
    answers: pl.DataFrame,
    emotions: EmotionSet,
    *,
    protocol: str,
    part: str,
    modality: str,
    leaks: Leaks,
    left_out: int = 0,
) -> Evaluation:
    """Numbers and intervals for some answers; arguments as in `Evaluation`."""
    truth, answer = (class_indices(answers, column, emotions) for column in ("truth", "answer"))
    rng = np.random.default_rng(BOOTSTRAP_SEED)
    return Evaluation(
        scores=scores(truth, answer, answers["speaker"].to_list(), emotions.names, rng),
        answers=answers,
        emotions=emotions,
        protocol=protocol,
        part=part,
        modality=modality,
        leaks=leaks,
        left_out=left_out,
    )


def _leaks_of(run: Judged, tested: Corpus, notes: tuple[str, ...]) -> Leaks:
    if not isinstance(run, Run):
        return unknown_leaks(notes)
    return leaks(run.met, hashed(tested.utterances), notes=notes)


def _part_of(run: Judged, corpus: Corpus, part: str, *, own: bool) -> Corpus:
    if part == "all":
        return corpus
    if not isinstance(run, Run) or not own:
        raise RunError(
            f"part {part!r} was asked for, but this is not the corpus of the run; use all"
        )
    chosen = run.part(corpus, part)
    if len(chosen) == 0:
        raise RunError(
            f"the run has no {part} part (its split was {run.protocol}); "
            "test it on another corpus, or on all of this one with --part all"
        )
    return chosen


def _in_words_of(emotions: EmotionSet, corpus: Corpus, mapping: Mapping[str, str | None]) -> Corpus:
    """The corpus with its emotions named as the run names them; mapped to None: left out.

    Raises:
        EmotionError: an emotion is neither the run's nor mapped.
    """
    _refuse_unknown_aims(emotions, mapping)
    present = sorted(corpus.utterances["emotion"].unique())
    names = {name: mapping.get(name, name) for name in present}
    if not any(names.values()):
        raise EmotionError(f"the mapping leaves out all there is: {', '.join(present)}")
    unknown = [name for name, to in names.items() if to is not None and to not in emotions.names]
    if unknown:
        raise EmotionError(
            f"the run tells {', '.join(emotions.names)} apart; the corpus also has "
            f"{', '.join(unknown)}: map them with --map FILE, lines like `{unknown[0]}: "
            f"{emotions.names[0]}`, or `{unknown[0]}: null` to leave them out"
        )
    renamed = corpus.utterances.with_columns(pl.col("emotion").replace_strict(names))
    return corpus.with_utterances(renamed.drop_nulls("emotion"))


def _refuse_unknown_aims(emotions: EmotionSet, mapping: Mapping[str, str | None]) -> None:
    wrong = [f"{theirs}: {to}" for theirs, to in mapping.items() if to and to not in emotions.names]
    if wrong:
        raise EmotionError(
            f"the mapping says `{wrong[0]}`, but the run tells {', '.join(emotions.names)} apart"
        )


def _modality_for(classifier: Classifier, asked: str | None) -> str:
    sides = classifier.sides
    whole = "both" if len(sides) > 1 else sides[0]
    if asked in (None, whole):
        return whole
    if asked not in sides:
        raise RunError(f"modality {asked!r} was asked for, but the run takes {' and '.join(sides)}")
    return str(asked)


def features_for(
    classifier: Classifier, corpus: Corpus, tested: Corpus, features: Features | None
) -> Features:
    """Features of what is tested, as the network takes them.

    The whole corpus is encoded where the run compares an utterance with others: those of the same
    voice, or those said before it.
    """
    ids = list(tested.utterances["id"])
    if features is None:
        features = classifier.extract(corpus if classifier.needs_others else tested)
    if classifier.needs_voice:
        speakers = dict(corpus.utterances.select("id", "speaker").iter_rows())
        voices = [speakers[name] for name in features.ids]
        features = classifier.with_known_voices(features, voices)
    return features.take(ids).apart()
