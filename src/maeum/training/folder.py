"""The folder of a run or a cross-validation: what it says of itself, and who may write to it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from maeum.config import Settings
from maeum.corpus import Corpus
from maeum.errors import RunError
from maeum.evaluation.writing import versions
from maeum.inference import Run
from maeum.training.encoders import Encoders
from maeum.training.starting import Start

PARTS = ("settings", "corpus", "split", "start", "encoders")
"""Of a card, what decides the weights; the versions of encoders stand in it once they were read."""


def folder_card(
    kind: str,
    corpus: Corpus,
    settings: Settings,
    *,
    split: Mapping[str, object],
    start: Start | None = None,
) -> dict[str, Any]:
    """What `maeum.yaml` says; two folders with equal cards, versions aside, hold equal weights.

    Args:
        kind: run or crossval.
        corpus: what is learnt from.
        settings: of the run.
        split: how the corpus is parted.
        start: what is started from; None: new weights.
    """
    return {
        "kind": kind,
        "settings": settings.model_dump(),
        "corpus": {
            "fingerprint": corpus.fingerprint,
            "reader": corpus.reader,
            "utterances": len(corpus),
        },
        "split": dict(split),
        "start": {"weights": start.digest if start else ""},
        "versions": versions(),
    }


def claim(folder: Path, card: Mapping[str, Any], settings: Settings, *, overwrite: bool) -> None:
    """See that the folder is new, holds this very work, or may be replaced.

    Args:
        folder: to write to.
        card: of the work, from `folder_card`.
        settings: of the work.
        overwrite: replace other work, also what other weights of the same encoders learnt.

    Raises:
        RunError: it holds other files, or work that differs; the message says in what.
    """
    run = Run(folder)
    if overwrite and run.card_path.is_file():
        card = {**card, "encoders": Encoders.of(settings).versions}
    claim_for(
        "run", run.card_path, lambda: _differences(run.card, card, PARTS), overwrite=overwrite
    )


def claim_for(
    kind: str, card: Path, differences: Callable[[], Sequence[str]], *, overwrite: bool
) -> None:
    """See that a folder is new, holds this very work, or may be replaced.

    Args:
        kind: of work: run, study.
        card: the file in the folder that says what it holds.
        differences: what differs between that and the work, in words.
        overwrite: replace other work.

    Raises:
        RunError: it holds other files, or work that differs; the message says in what.
    """
    folder = card.parent
    if folder.is_file():
        raise RunError(f"{folder} is a file; --to expects a folder")
    if not folder.is_dir() or all(_is_left_over(path, card.name) for path in folder.iterdir()):
        return
    if not card.is_file():
        raise RunError(f"{folder} holds other files; --to expects a new folder or a {kind}")
    changed = differences()
    if changed and overwrite:
        shutil.rmtree(folder)
    elif changed:
        raise RunError(
            f"{folder} holds a {kind} that differs in {', '.join(changed)}; "
            "name another folder, or replace it with --overwrite"
        )


def same_encoders(run: Run, versions: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The versions of the encoders, if work in the folder was not begun with others.

    Args:
        run: the folder.
        versions: side -> of its encoders, in order, before they learn.

    Raises:
        RunError: it was, and would go on with weights that do not belong together.
    """
    now = {side: list(own) for side, own in versions.items()}
    before = run.card.get("encoders", now) if run.card_path.is_file() else now
    if before != now:
        raise RunError(
            f"{run.folder} was begun with encoders of other weights ({before}, now {now}); "
            "put the old ones back, name another folder, or replace it with --overwrite"
        )
    return now


def _is_left_over(path: Path, card: str) -> bool:
    """Whether it is half a card, of a process killed as it wrote; see `files.written_aside`."""
    return path.name.startswith(f".{card}.")


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], parts: Sequence[str]) -> list[str]:
    """What differs, from the first part of the card that does: a split follows from the others."""
    if old.get("kind") != new["kind"]:
        return [f"kind ({old.get('kind')}, now {new['kind']})"]
    found = ([*changed_in(part, old, new)] for part in parts)
    return next((changes for changes in found if changes), [])


def changed_in(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What differs in one part of two cards, in words."""
    before = old.get(part) or {}
    prefix = "" if part in ("settings", "study") else f"{part} "
    for name, value in new.get(part, {}).items():
        if before.get(name) != value:
            yield f"{prefix}{name} ({before.get(name)!r}, now {value!r})"
