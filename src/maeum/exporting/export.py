"""From a run to an exported folder, past the gate.

DIR/
  exported.json             what it is: emotions, encoders, engine, precision, what was measured
  head.onnx | head.xml …    the network
  voice.npy                 of a run that compares voices: how much voices vary
  encoders/speech-0, …      each pretrained encoder: encoder.json, graph.onnx | graph.xml …, and the
                            vocabulary of one that reads
  maeum.yaml, partition.parquet   as in the run: `maeum evaluate` finds leaks by them
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from maeum.corpus import Corpus
from maeum.encoders import kept_at
from maeum.encoders.graphs.engines import Format, Precision
from maeum.encoders.pretrained.conversion import refuse_unserved, write_encoder
from maeum.engine import is_pretrained
from maeum.errors import RunError, SettingsError
from maeum.evaluation.agreement import LIMITS, Agreement, Drawn, Limits, agreement, drawn
from maeum.exporting.head import write_head
from maeum.files import write_json
from maeum.inference import EmotionClassifier, ExportedClassifier, Run
from maeum.inference.exported import FORMAT, VOICE, is_exported
from maeum.inference.fetching import EXPORTED, local_folder
from maeum.storage import keeps

logger = logging.getLogger(__name__)

BESIDE = ("maeum.yaml", "partition.parquet")
"""Files of a run that go with it as they are."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        folder: where.
        engine: what computes it.
        precision: in what.
        size_bytes: of all files.
        agreement: with the run; None: it was not measured.
    """

    folder: Path
    engine: Format
    precision: Precision
    size_bytes: int
    agreement: Agreement | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "folder": str(self.folder),
            "format": self.engine,
            "precision": self.precision,
            "bytes": self.size_bytes,
            "agreement": None if self.agreement is None else self.agreement.to_dict(),
        }


@keeps("to")
def export(
    run: str | Path,
    to: str | Path,
    *,
    engine: Format = "onnx",
    precision: Precision = "float32",
    corpus: Corpus | None = None,
    most: int = 200,
    seed: int = 0,
    limits: Limits | None = None,
) -> Exported:
    """Write a run as a folder that answers without torch.

    Args:
        run: folder of a run, or its name on the model hub.
        to: the folder; an exported one there is replaced.
        engine: what computes it.
        precision: in what.
        corpus: to measure it against the run on; bfloat16 and int8 take one.
        most: utterances of it, of the run's test part first.
        seed: draws them.
        limits: how far it may be from the run; None: those of `LIMITS`.

    Raises:
        SettingsError: the engine does not serve the precision, or is not installed; or there is
            no corpus where one is needed.
        RunError: there is no run; it cannot be exported; or it answers too differently, and
            nothing is written.
        EncoderError: no graph can be made of an encoder.
        CorpusError: nothing in the corpus can be used.
    """
    refuse_unserved(engine, precision)
    if corpus is None and precision != "float32":
        raise SettingsError(
            f"{precision} rounds, and how much that changes differs from run to run; name a "
            "corpus to measure it on, best the run's own"
        )
    to = Path(to)
    _refuse_others(to)
    source = local_folder(str(run))
    if is_exported(source):
        raise RunError(f"{source} is exported already; name the run it was made of")
    classifier = EmotionClassifier.from_pretrained(source, hastened=False)
    some = None if corpus is None else drawn(corpus, _tested(source, corpus), most=most, seed=seed)
    with _written_aside(to) as aside:
        told = _write(classifier, source, aside, engine, precision)
        found = _measured(aside, classifier, some, limits or LIMITS[precision])
        told["agreement"] = None if found is None else found.to_dict()
        write_json(aside / EXPORTED, told)
        size = sum(path.stat().st_size for path in aside.rglob("*") if path.is_file())
    return Exported(to, engine, precision, size, found)


def _write(
    classifier: EmotionClassifier,
    source: Path,
    folder: Path,
    engine: Format,
    precision: Precision,
) -> dict[str, Any]:
    """Write all files; what `exported.json` says is given back too."""
    write_head(classifier.network, folder, engine)
    makeup = classifier.makeup.to_dict()
    for side, cards in makeup["encoders"].items():
        for place, (card, encoder) in enumerate(zip(cards, getattr(classifier, side), strict=True)):
            if is_pretrained(card["name"]):
                logger.info("converting %s", encoder.name)
                made = folder / kept_at(side, place)
                made.mkdir(parents=True)
                card.pop("kept", None)
                card["version"] = write_encoder(encoder, made, engine, precision).version
    if classifier.needs_voice:
        np.save(folder / VOICE, classifier.usual_spread, allow_pickle=False)
    for name in BESIDE:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    told = {
        "format": FORMAT,
        "maeum": version("maeum"),
        "engine": engine,
        "precision": precision,
        **makeup,
    }
    write_json(folder / EXPORTED, told)
    return told


def _tested(source: Path, corpus: Corpus) -> list[str]:
    """Ids of the run's test part, if the corpus is its own."""
    run = Run(source)
    if not run.card_path.is_file() or not run.partition_path.is_file():
        return []
    if run.card["corpus"]["fingerprint"] != corpus.fingerprint:
        return []
    return run.part(corpus, "test").utterances["id"].to_list()


def _measured(
    folder: Path, classifier: EmotionClassifier, some: Drawn | None, limits: Limits
) -> Agreement | None:
    """How far what was written is from the run.

    Raises:
        RunError: too far.
    """
    if some is None:
        return None
    logger.info("comparing %s utterances with the run", f"{len(some.ids):,}")
    found = agreement(ExportedClassifier.open(folder), classifier, some)
    if short := found.beyond(limits):
        raise RunError(
            f"what was made answers too differently from the run: {'; '.join(short)} "
            f"({found.sentence()}); nothing was written: take another precision, or other limits"
        )
    return found


def _refuse_others(to: Path) -> None:
    if to.exists() and not (to.is_dir() and (is_exported(to) or not any(to.iterdir()))):
        raise RunError(f"{to} is there and holds something else; name another folder with --to")


@contextmanager
def _written_aside(to: Path) -> Iterator[Path]:
    """A folder to write to that takes the place of `to` when the block ends well."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as made:
        inner = Path(made) / "made"
        inner.mkdir()
        yield inner
        if to.exists():
            to.rename(Path(made) / "old")
        inner.rename(to)
