"""Training in several processes of a cluster, under Ray Train."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from maeum.cluster.connection import own_words
from maeum.cluster.notes import followed, write_notes
from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.errors import JobError, MaeumError, SettingsError
from maeum.files import write_text
from maeum.inference import Run
from maeum.storage import absolute, keeps

TRIES = 3
"""How often training goes on from its last checkpoint when a process or a node was lost."""

MOST_CPUS = 16
"""Processors of one process; more wait for each other."""

PROBLEM, NOTES = "problem.txt", "notes.txt"
"""Files of what a process could not do, and of what it says meanwhile."""


@keeps("to")
def train_on_ray(
    corpus: str | Path,
    to: str | Path,
    *,
    processes: int | None = None,
    config: str | Path | None = None,
    overwrite: bool = False,
    **settings: Any,  # noqa: ANN401 - of `Settings`
) -> Run:
    """Train as `training.train` does, in processes of a connected cluster.

    Args:
        corpus: its folder, which every node sees.
        to: folder of the run, likewise.
        processes: that train together; None: one per accelerator, or one.
        config: YAML file of settings.
        overwrite: replace a run with other settings.
        settings: see `Settings`.

    Raises:
        MaeumError: as `train` does.
        JobError: the cluster was lost, or processes were lost again and again.
    """
    chosen = Settings.of(config, **settings)
    scaling = _scaling(processes, tunes=chosen.tune != "frozen")
    folder = Path(to).absolute()
    home = folder.with_name(f".{folder.name}.ray")
    home.mkdir(parents=True, exist_ok=True)
    given = {
        "corpus": str(absolute(Path(corpus))),
        "to": str(folder),
        "settings": chosen.model_dump(),
        "overwrite": overwrite,
        "home": str(home),
    }
    trainer = TorchTrainer(
        _train,
        train_loop_config=given,
        scaling_config=scaling,
        run_config=RunConfig(
            name="train",
            storage_path=str(home),
            failure_config=FailureConfig(max_failures=TRIES),
        ),
    )
    try:
        with own_words(), followed(home / NOTES):
            trainer.fit()
        _refuse_problem(home / PROBLEM)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return Run.open(folder)


def _scaling(processes: int | None, *, tunes: bool) -> ScalingConfig:
    """What of the cluster each process takes.

    Raises:
        SettingsError: several processes are asked for and nothing is tuned.
        JobError: the cluster is too small.
    """
    import ray

    there = ray.cluster_resources()
    cpus, gpus = int(there.get("CPU", 0)), int(there.get("GPU", 0))
    count = processes or (gpus if tunes and gpus else 1)
    if count > 1 and not tunes:
        raise SettingsError(
            f"a head on frozen encoders trains in one process, {count} were asked for; leave "
            "--processes out"
        )
    if cpus < count:
        raise JobError(
            f"{count} processes were asked for and the cluster has {cpus} processors; ask for fewer"
        )
    return ScalingConfig(
        num_workers=count,
        use_gpu=tunes and gpus >= count,
        resources_per_worker={"CPU": min(cpus // count, MOST_CPUS)},
    )


def _train(given: dict[str, Any]) -> None:
    """What every process does: the same as under torchrun."""
    from maeum.training import processes, train

    home = Path(given["home"])
    if processes.is_first():
        write_notes(home / NOTES)
    try:
        train(
            Corpus.open(given["corpus"]),
            given["to"],
            overwrite=given["overwrite"],
            **given["settings"],
        )
    except MaeumError as error:  # no use in trying it again
        write_text(home / PROBLEM, f"{type(error).__name__}\n{error}")


def _refuse_problem(path: Path) -> None:
    """Raise here what the processes met.

    Raises:
        MaeumError: there was a problem.
    """
    if not path.is_file():
        return
    from maeum import errors

    kind, _, sentence = path.read_text(encoding="utf-8").partition("\n")
    raise getattr(errors, kind)(sentence)
