"""The folder of a study: what it says of itself, and what it keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from maeum.corpus import Corpus
from maeum.corpus.manifest import write_table
from maeum.errors import RunError, SettingsError, TextError
from maeum.evaluation.report import flattened
from maeum.evaluation.writing import versions
from maeum.files import read_yaml, write_text
from maeum.studies.grid import Study
from maeum.studies.planning import Plan
from maeum.training.folder import changed_in, claim_for

CARD = "study.yaml"
LEFT_OUT = pl.Schema({"id": pl.String, "why": pl.String})


@dataclass(frozen=True)
class StudyFolder:
    """Where a study is kept; see `running` for the files."""

    path: Path

    def claim(self, study: Study, corpus: Corpus, *, overwrite: bool) -> None:
        """See that it is new, holds this very study of this corpus, or may be replaced.

        A card that cannot be read is written again: runs are known by the hash of what decides
        them, so nothing of another study is taken for this one's.

        Raises:
            RunError: it holds other files or another study; the message says what differs.
        """
        now = {
            "study": dict(flattened(study.to_dict())),
            "corpus": {"fingerprint": corpus.fingerprint},
        }

        def differences() -> list[str]:
            before = self.card
            if before is None:
                return []
            if before["study"].get("name") != study.name:
                return [f"name ({before['study'].get('name')}, now {study.name})"]
            known = {**before, "study": dict(flattened(_as_now(before["study"])))}
            asked = {**now, "study": {**dict.fromkeys(known["study"]), **now["study"]}}
            return [words for part in now for words in changed_in(part, known, asked)]

        claim_for("study", self.path / CARD, differences, overwrite=overwrite)

    @property
    def card(self) -> dict[str, Any] | None:
        """What `study.yaml` says; None where it is missing or cannot be read."""
        try:
            card = read_yaml(self.path / CARD)
        except (TextError, OSError):
            return None
        whole = isinstance(card, dict) and {"study", "corpus", "splits"} <= card.keys()
        return card if whole else None

    def opened(self) -> dict[str, Any]:
        """What `study.yaml` says.

        Raises:
            RunError: the folder holds no study.
        """
        card = self.card
        if card is None:
            what = "is no folder of a study" if self.path.exists() else "does not exist"
            raise RunError(
                f"{self.path} {what} (a whole {CARD} is missing); run one with "
                f"`maeum study run table6 CORPUS --to {self.path}`"
            )
        return card

    def write_card(self, study: Study, plan: Plan) -> None:
        """Write `study.yaml`."""
        corpus = plan.corpus
        card = {
            "kind": "study",
            "study": study.to_dict(),
            "corpus": {
                "fingerprint": corpus.fingerprint,
                "reader": corpus.reader,
                "source": corpus.source,
                "utterances": len(corpus),
                "lacking": plan.lacking,
                "unheard": len(plan.unheard),
                "emotions": corpus.emotions.to_dict(),
            },
            "splits": {
                parting.protocol: {
                    "folds": parting.folds,
                    "turns": len(parting.turns),
                    "tested": parting.tested,
                    "fingerprint": parting.fingerprint,
                    "failure": parting.failure,
                }
                for parting in plan.partings
            },
            "versions": versions(),
        }
        text = yaml.safe_dump(card, sort_keys=False, allow_unicode=True, width=100)
        write_text(self.path / CARD, text)

    def tidy(self) -> None:
        """Remove what processes that were killed left half written; see `files.written_aside`."""
        for left in (*self.path.glob(".*.*"), *self.path.glob("runs/*/.*.*")):
            left.unlink(missing_ok=True)

    def of(self, key: str) -> Path:
        """The folder of a run."""
        return self.path / "runs" / key

    def answers(self, key: str, turn: int) -> Path:
        """The answers of a turn of a run."""
        return self.of(key) / f"{turn:04d}.parquet"

    def left_out(self) -> dict[str, str]:
        """Id -> why, of utterances that could not be heard or read before."""
        try:
            return dict(
                pl.read_parquet(self.path / "left_out.parquet").select(*LEFT_OUT).iter_rows()
            )
        except (OSError, pl.exceptions.PolarsError):
            return {}

    def keep_left_out(self, unheard: Mapping[str, str]) -> None:
        """Write `left_out.parquet`."""
        rows = pl.DataFrame(sorted(unheard.items()), schema=LEFT_OUT, orient="row")
        write_table(rows, self.path / "left_out.parquet")


def _as_now(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields of a study kept before, with those that have come since at their defaults."""
    try:
        return Study.of(**fields).to_dict()
    except SettingsError:
        return fields
