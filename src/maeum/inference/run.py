"""A run on disk: what was trained, on what, and what came of it.

config.json, model.safetensors   the network
maeum.yaml                       settings, corpus, split, versions
partition.parquet                who was in which part, as hashes: leaks can be found in any
                                 corpus, and nothing of the corpus is given away; part `before` is
                                 what the weights it began with were trained on
encoders/speech-0, …             encoders it tuned; `met.parquet` says what they were trained on
log.json                         losses while training
report/                          metrics.json, confusion.png, report.html, and answers.parquet:
                                 what was answered to which utterance, speaker and script (as
                                 hashes), so that runs can be compared; no text, path or id
README.md                        the model card
checkpoints/                     only while training
tensorboard/                     where that was asked for
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl
import yaml

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.corpus.identity import KINDS, hashed
from maeum.corpus.manifest import write_table
from maeum.engine import Engine
from maeum.errors import RunError, TextError
from maeum.files import read_yaml, write_text
from maeum.inference.fetching import (
    FILES,
    foreign_model,
    is_builtin,
    local_folder,
    may_be_on_hub,
    refuse_builtin,
)
from maeum.storage import fetched, is_far

if TYPE_CHECKING:
    from maeum.inference.classifier import Classifier
    from maeum.inference.trained import EmotionClassifier

BEFORE = "before"
"""The part of what the weights that a run began with were trained on."""

_CARD_KEYS = {"kind", "settings", "corpus", "split"}


def read_hashes(path: Path) -> pl.DataFrame:
    """A table of hashed utterances, with columns utterance, speaker and script.

    Raises:
        RunError: it cannot be read, or is another table.
    """
    try:
        table = pl.read_parquet(path)
        table.select(KINDS)
        return table
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{path} cannot be read ({reason}); train again in a new folder") from error


@dataclass(frozen=True)
class Run:
    """A run folder.

    Attributes:
        folder: where it is.
        engine: that computes pretrained encoders; None: the one it was trained with.
    """

    folder: Path
    engine: Engine | None = None

    @classmethod
    def open(cls, folder: str | Path, *, engine: Engine | None = None) -> Run:
        """A finished or interrupted run; for `engine` see the attributes.

        Raises:
            RunError: the folder holds none, or it is no folder but a built-in classifier.
            StorageError: it lies elsewhere and cannot be had.
        """
        refuse_builtin(folder)
        run = cls(fetched(folder, FILES), engine)
        if not run.card_path.is_file():
            raise RunError(f"{folder} is no run (it has no maeum.yaml)")
        return run

    @property
    def card_path(self) -> Path:
        """`maeum.yaml`."""
        return self.folder / "maeum.yaml"

    @property
    def partition_path(self) -> Path:
        """`partition.parquet`."""
        return self.folder / "partition.parquet"

    @property
    def finished(self) -> bool:
        """Whether training and the test are through; the model card is written last."""
        return (self.folder / "README.md").is_file()

    @cached_property
    def card(self) -> dict[str, Any]:
        """What `maeum.yaml` says: settings, corpus, split, training, versions.

        Raises:
            RunError: it cannot be read.
        """
        try:
            card = read_yaml(self.card_path)
        except TextError as error:
            raise RunError(f"{error}, or train again in a new folder") from error
        if not isinstance(card, dict) or not card.keys() >= _CARD_KEYS:
            raise RunError(
                f"{self.card_path} does not describe a run (it lacks one of "
                f"{', '.join(sorted(_CARD_KEYS))}); train again in a new folder"
            )
        return card

    @property
    def kind(self) -> str:
        """`run`, or `crossval`."""
        return str(self.card["kind"])

    @property
    def fingerprint(self) -> str:
        """Of the corpus it was trained on."""
        return str(self.card["corpus"]["fingerprint"])

    @property
    def protocol(self) -> str:
        """How training and test were kept apart."""
        return str(self.card["split"]["protocol"])

    @cached_property
    def settings(self) -> Settings:
        """What decided the run."""
        return Settings.of(**self.card["settings"])

    @cached_property
    def model(self) -> EmotionClassifier:
        """The classifier; callable on a recording, a text, or both.

        Raises:
            RunError: the run is not finished.
        """
        from maeum.inference.trained import EmotionClassifier

        return EmotionClassifier.from_pretrained(self.folder, engine=self.engine)

    @cached_property
    def classifier(self) -> Classifier:
        """What answers: `model`, or of an exported folder what computes without torch."""
        from maeum.inference.exported import classifier_of

        return classifier_of(self.folder, engine=self.engine)

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """What `report/metrics.json` says of the test part.

        Raises:
            RunError: nothing was tested.
        """
        path = self.folder / "report" / "metrics.json"
        if not path.is_file():
            raise RunError(f"{self.folder} has no test; its split was {self.protocol}")
        try:
            metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RunError(f"{path} is no JSON ({error}); train again in a new folder") from error
        return metrics

    @property
    def result(self) -> str:
        """What came of the test, in one sentence; kept in `metrics.json`."""
        if not self.card["used"]["test"]:
            return "trained on everything; test it on another corpus with `maeum evaluate`"
        return str(self.metrics["summary"])

    @cached_property
    def partition(self) -> pl.DataFrame:
        """Columns utterance, speaker, script (hashed) and part, `BEFORE` among them.

        Raises:
            RunError: it cannot be read.
        """
        return read_hashes(self.partition_path)

    @property
    def met(self) -> pl.DataFrame:
        """Of the partition, all that the weights have learnt from, here or before."""
        return self.partition.filter(pl.col("part").is_in(["train", BEFORE]))

    def part(self, corpus: Corpus, part: str) -> Corpus:
        """The utterances of a corpus that were in one part of this run, by their content.

        Args:
            corpus: any; utterances the run never saw are in no part.
            part: train, validation or test.
        """
        wanted = self.partition.filter(pl.col("part") == part)["utterance"]
        return corpus.select(hashed(corpus.utterances)["utterance"].is_in(wanted.implode()))

    def write_card(self, card: dict[str, Any]) -> None:
        """Write `maeum.yaml`."""
        self.__dict__.pop("card", None)  # what was read of an older one
        write_text(self.card_path, yaml.safe_dump(card, sort_keys=False, allow_unicode=True))

    def write_partition(self, partition: pl.DataFrame) -> None:
        """Write `partition.parquet`."""
        write_table(partition, self.partition_path)


@dataclass(frozen=True)
class Published:
    """A classifier that others published, or a built-in one, where a run is judged.

    What it was trained on is not at hand, so every corpus is another than its own.

    Attributes:
        name: of its folder, on the model hub, or of a built-in one.
        engine: that computes it; None: torch in float32.
    """

    name: str
    engine: Engine | None = None

    @property
    def folder(self) -> Path:
        """Its name, as that of a folder."""
        return Path(self.name)

    @cached_property
    def classifier(self) -> Classifier:
        """What answers.

        Raises:
            RunError: it cannot be read.
        """
        from maeum.inference.exported import classifier_of

        return classifier_of(self.name, engine=self.engine)


Judged: TypeAlias = Run | Published
"""What can be tested."""


def judged(name: str | Path, *, engine: Engine | None = None) -> Judged:
    """The run in a folder, or the classifier that others published or that is built in.

    Args:
        name: of the folder, on the model hub, or of a built-in one.
        engine: that computes pretrained encoders; None: the usual one.

    Raises:
        RunError: there is neither.
    """
    if is_builtin(str(name)):
        return Published(str(name), engine)
    path = Path(name)
    there = path.exists() or is_far(path) or not may_be_on_hub(str(name))
    folder = path if there else local_folder(str(name))
    return (
        Published(str(name), engine) if foreign_model(folder) else Run.open(folder, engine=engine)
    )
