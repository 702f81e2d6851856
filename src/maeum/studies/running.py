"""The runs of a study; killed at any moment it goes on where it was.

study.yaml            the study, the corpus' and the splits' fingerprints, versions
left_out.parquet      utterances that cannot be heard or read, and why
runs/KEY/0000.parquet answers of each turn of a run
runs/KEY/row.json     what came of it; written last
results.parquet       one row per run, made of these after every run
report.html, curves.png   from `maeum study show`
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import polars as pl

from maeum.corpus import Corpus
from maeum.engine import is_pretrained
from maeum.errors import RunError, SettingsError
from maeum.features.extract import StoreOrUsual
from maeum.jobs import Executor, Here
from maeum.storage import keeps
from maeum.studies.encoding import Shared
from maeum.studies.folder import StudyFolder
from maeum.studies.grid import Study
from maeum.studies.planning import Planned, plan
from maeum.studies.results import DONE, FAILED, Result, table_of, write_results
from maeum.studies.trials import Trials
from maeum.training import processes
from maeum.training.turns import kept_answers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of a study.

    Attributes:
        folder: where it is kept.
        results: rows of `results.SCHEMA`.
    """

    folder: Path
    results: pl.DataFrame

    @property
    def failed(self) -> pl.DataFrame:
        """The rows of runs that failed."""
        return self.results.filter(pl.col("status") == FAILED)


@keeps("to")
def run_study(
    study: Study,
    corpus: Corpus,
    to: str | Path,
    *,
    overwrite: bool = False,
    store: StoreOrUsual = "usual",
    executor: Executor | None = None,
) -> Outcome:
    """Run what a study has not run yet, and keep a table of all.

    A run that fails is a row that says why, and is tried again next time; the others go on.

    Args:
        study: what to run.
        corpus: to learn from.
        to: folder; finished runs in it are not done again.
        overwrite: replace another study there.
        store: where vectors are looked up and kept.
        executor: where networks are trained; None: here, one after another.

    Raises:
        SettingsError: there is nothing to tune, or several processes were started.
        CorpusError: no utterance has what the study takes.
        EncoderError: an encoder all runs need cannot be had.
        RunError: the folder holds another study or other files, or was begun with encoders of
            other weights.
        JobError: a process that trained was lost.
    """
    processes.refuse_several("a study")
    _refuse_nothing_to_tune(study)
    folder = StudyFolder(Path(to))
    folder.claim(study, corpus, overwrite=overwrite)
    return _Work(study, corpus, folder, store, executor or Here()).all()


class _Work:
    """A study on its way."""

    def __init__(
        self,
        study: Study,
        corpus: Corpus,
        folder: StudyFolder,
        store: StoreOrUsual,
        executor: Executor,
    ) -> None:
        self._study, self._folder, self._executor = study, folder, executor
        self._plan = plan(study, corpus, folder.left_out())
        self._shared = Shared(self._plan.corpus, store)
        self._results = self._kept()

    def all(self) -> Outcome:
        """Do what is left to do."""
        todo = self._to_do()
        self._shared.look_for(todo)
        self._folder.write_card(self._study, self._plan)
        self._tell(todo)
        if todo:
            todo = self._encode(todo)
            self._begun_s, self._done = time.monotonic(), 0
            trials = Trials(self._plan, self._shared, self._folder)
            self._executor.run(Trials.result, trials, todo, partial(self._keep, of=len(todo)))
        self._folder.tidy()
        return Outcome(self._folder.path, self._table())

    def _kept(self) -> dict[str, Result]:
        """Runs done before whose answers are all there."""
        found = {}
        for run in self._plan.runs:
            result = Result.read(self._folder.of(run.key), run.key)
            if result is not None and result.status == DONE and self._has_answers(run):
                found[run.key] = result
        return found

    def _has_answers(self, run: Planned) -> bool:
        numbers = range(len(run.parting.turns))
        return all(kept_answers(self._folder.answers(run.key, n)) is not None for n in numbers)

    def _to_do(self) -> list[Planned]:
        """Runs that can be filled and are not done, each once, in the order of the grid."""
        left: dict[str, Planned] = {}
        for run in self._plan.runs:
            if run.can_run:
                left.setdefault(run.key, run)
        return [run for key, run in left.items() if key not in self._results]

    def _tell(self, todo: Sequence[Planned]) -> None:
        """What is to be done and what cannot, before anything is trained."""
        for parting in self._plan.partings:
            logger.info("split %s", parting)
        if self._plan.lacking:
            logger.warning(
                "%s of %s utterances lack a recording or text and are left out of all runs",
                f"{self._plan.lacking:,}",
                f"{len(self._plan.corpus):,}",
            )
        for words, lacking in self._plan.shortfalls().items():
            logger.warning("cannot be filled: %s: %s", words, lacking)
        distinct = len({run.key for run in self._plan.runs if run.can_run})
        logger.info("%d runs, %d of them done before", distinct, distinct - len(todo))

    def _encode(self, todo: list[Planned]) -> list[Planned]:
        """Encode what is needed; what cannot be heard is left out of all, and others drawn."""
        study, corpus = self._study, self._plan.corpus
        known = dict(self._plan.unheard)
        while found := self._shared.encode(self._plan, todo):
            known |= found
            self._plan = plan(study, corpus, known)
            todo = self._to_do()
        self._folder.keep_left_out(known)
        self._folder.write_card(study, self._plan)
        self._refuse_other_encoders()
        self._table()
        return todo

    def _refuse_other_encoders(self) -> None:
        """Runs done before had the encoders that are here now."""
        for result in self._results.values():
            for named, versions in result.encoders.items():
                now = self._shared.versions.get(named, versions)
                if now != versions:
                    raise RunError(
                        f"{self._folder.path} was begun with other weights of {named} ({versions}, "
                        f"now {now}); put the old ones back, name another folder, or replace it "
                        "with --overwrite"
                    )

    def _keep(self, run: Planned, result: Result, of: int) -> None:
        """What became of a run, put beside the others and told of."""
        result.save(self._folder.of(run.key))
        self._results[run.key] = result
        self._table()
        self._done += 1
        left_s = (time.monotonic() - self._begun_s) / self._done * (of - self._done)
        logger.info(
            "run %d/%d  %s: %s%s",
            self._done,
            of,
            self._plan.words(run, seed=True),
            _words(result),
            f"  ({_minutes(left_s)} left)" if self._done < of else "",
        )

    def _table(self) -> pl.DataFrame:
        table = table_of(self._plan, self._results)
        write_results(self._folder.path, table)
        return table


def _refuse_nothing_to_tune(study: Study) -> None:
    """Before anything is encoded.

    Raises:
        SettingsError: a run is to tune encoders and has none that can be.
    """
    for cell in study.cells():
        own = cell.settings
        named = [own.speech] * own.hears_speech + [own.text] * own.reads_text
        if own.tune != "frozen" and not any(
            is_pretrained(name.strip()) for names in named for name in names.split("+")
        ):
            raise SettingsError(
                f"tune={own.tune} was asked for, but {' and '.join(named)} have nothing to tune; "
                "name a pretrained encoder with --speech or --text, or use tune=frozen"
            )


def _words(result: Result) -> str:
    if result.status == FAILED:
        return f"failed: {result.message}"
    return f"{result.figures['accuracy']:.1%}"


def _minutes(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
