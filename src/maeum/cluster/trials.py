"""Pieces of work as trials of Ray Tune: the runs of a study, the folds of a cross-validation."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from maeum.cluster.connection import own_words
from maeum.cluster.streams import Share
from maeum.errors import JobError, MaeumError

os.environ.setdefault("TUNE_DISABLE_AUTO_CALLBACK_LOGGERS", "1")  # it reads this when imported

from ray import tune

Common = TypeVar("Common")
Item = TypeVar("Item")
Made = TypeVar("Made")

TRIES = 3
"""How often a trial is begun again whose process or node was lost."""

OWN = ".trials-"
"""Begins the name of the folder for files of Tune's; one that a killed command left is removed."""

MADE, PROBLEM = "made", "problem"
"""What a trial tells: what came of it, or why nothing did."""

GIVEN = ("work", "common", "items")


@dataclass(frozen=True)
class OnTune:
    """An executor (`jobs.Executor`) on a connected cluster.

    Attributes:
        beside: a folder that every node sees; Tune keeps its own files in one inside, for as long
            as it runs.
        large: each piece tunes encoders: it takes an accelerator, or several processors.
    """

    beside: Path
    large: bool = False

    def run(
        self,
        work: Callable[[Common, Item], Made],
        common: Common,
        items: Sequence[Item],
        done: Callable[[Item, Made], object],
    ) -> None:
        """See `Executor.run`; a lost node costs the trials that ran there, which begin again."""
        share = Share.of_model(large=self.large)
        self.beside.mkdir(parents=True, exist_ok=True)
        for left in self.beside.glob(f"{OWN}*"):
            shutil.rmtree(left, ignore_errors=True)
        home = tempfile.mkdtemp(prefix=OWN, dir=self.beside)
        trainable = tune.with_parameters(_Trial, work=work, common=common, items=tuple(items))
        told = _Told(items, done)
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": share.cpus, "gpu": share.gpus}),
            param_space={"place": tune.grid_search(list(range(len(items))))},
            tune_config=tune.TuneConfig(reuse_actors=True),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=home,
                failure_config=tune.FailureConfig(max_failures=TRIES),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                callbacks=[told],
                verbose=0,
            ),
        )
        try:
            with own_words():
                ended = tuner.fit()
        finally:
            shutil.rmtree(home, ignore_errors=True)
        if told.problem is not None:
            raise told.problem
        if ended.errors:
            reason = str(ended.errors[0]).strip().splitlines()[-1]
            raise JobError(
                f"{len(ended.errors)} of {len(items)} pieces of work failed {TRIES + 1} times, the "
                f"first: {reason}; what was done is kept: type the same again"
            )


class _Trial(tune.Trainable):
    """One piece at a time; the process stays for the next."""

    def setup(self, config: dict[str, Any], **given: Any) -> None:  # noqa: ANN401
        """Take what all pieces have in common."""
        self._place = config["place"]
        self._work, self._common, self._items = (given[name] for name in GIVEN)

    def step(self) -> dict[str, Any]:
        """Do the piece; what it cannot do is no reason to try it again."""
        try:
            made = self._work(self._common, self._items[self._place])
        except MaeumError as error:
            return {PROBLEM: error, "done": True}
        return {MADE: made, "done": True}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Go on with another piece."""
        self._place = new_config["place"]
        return True


class _Told(tune.Callback):
    """Hands on what comes of each piece."""

    def __init__(self, items: Sequence[Any], done: Callable[[Any, Any], object]) -> None:
        self._items, self._done = items, done
        self.problem: MaeumError | None = None

    def on_trial_result(
        self,
        iteration: int,
        trials: list[Any],
        trial: Any,  # noqa: ANN401
        result: dict[str, Any],
        **_: object,
    ) -> None:
        """A piece is through."""
        if PROBLEM in result:
            self.problem = self.problem or result[PROBLEM]
        else:
            self._done(self._items[trial.config["place"]], result[MADE])
