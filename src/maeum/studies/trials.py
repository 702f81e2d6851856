"""One run of a study: every turn trained and answered for, all answers judged together."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from maeum.corpus.identity import KINDS, hashed
from maeum.errors import MaeumError
from maeum.evaluation import Evaluation
from maeum.evaluation.evaluate import TRANSDUCTIVE, judge
from maeum.evaluation.leaks import Leaks, leaks_of_folds
from maeum.studies.encoding import Shared
from maeum.studies.folder import StudyFolder
from maeum.studies.planning import Plan, Planned
from maeum.studies.results import DONE, FAILED, Result, figures_of
from maeum.training.starting import met_before
from maeum.training.turns import ANSWERED, Turn, kept_answers, learn_and_answer


@dataclass(frozen=True)
class Trials:
    """What all runs have in common, wherever each is done.

    Attributes:
        plan: they are of.
        shared: the vectors they learn from.
        folder: their answers are kept in.
    """

    plan: Plan
    shared: Shared
    folder: StudyFolder

    def result(self, run: Planned) -> Result:
        """What becomes of one run; that it failed is a result too."""
        begun_s = time.monotonic()
        try:
            status, message, figures = DONE, None, figures_of(self._tested(run))
        except (MaeumError, OSError) as error:
            status, message, figures = FAILED, " ".join(str(error).split()), {}
        return Result(
            run.key,
            status,
            message,
            figures=figures,
            encoders=self._versions(run),
            duration_s=time.monotonic() - begun_s,
        )

    def _tested(self, run: Planned) -> Evaluation:
        """Train every turn, unless it was, and judge all answers together."""
        own = run.cell.settings
        answered = []
        for number in range(len(run.parting.turns)):
            path = self.folder.answers(run.key, number)
            found = kept_answers(path)
            if found is None:
                material = self.shared.material(own)
                found = learn_and_answer(material, self._turn(run, number), path, columns=ANSWERED)
            answered.append(found)
        return judge(
            pl.concat(answered),
            self.plan.corpus.emotions,
            protocol=run.parting.protocol,
            part="all, in folds" if run.parting.folds else "test",
            modality=own.modality,
            leaks=self._leaks(run),
        )

    def _turn(self, run: Planned, number: int) -> Turn:
        """Ids of one turn of a run."""
        turn, ids = run.parting.turns[number], self.plan.ids
        return Turn(
            train=ids(run.sampled.rows[number]),
            test=ids(turn.test),
            validation=ids(turn.validation) if run.looks_while_training else (),
        )

    def _leaks(self, run: Planned) -> Leaks:
        """What tests and trainings share, over all turns."""
        settings, hashes = run.cell.settings, self._hashes
        before = met_before(settings).select(KINDS)
        turns = zip(run.sampled.rows, run.parting.turns, strict=True)
        folds = [(pl.concat([hashes[rows], before]), hashes[turn.test]) for rows, turn in turns]
        voices = settings.normalize == "speaker" and settings.hears_speech
        return leaks_of_folds(folds, notes=(TRANSDUCTIVE,) if voices else ())

    @cached_property
    def _hashes(self) -> pl.DataFrame:
        """Columns of `hashed`, in order of rows."""
        return hashed(self.plan.corpus.utterances)

    def _versions(self, run: Planned) -> Mapping[str, list[str]]:
        named = {f"{side} {getattr(run.cell.settings, side)}" for side in run.sides}
        return {name: own for name, own in self.shared.versions.items() if name in named}
