"""Starting from another run: its encoders, its settings where nothing else is said, its weights.

And what those weights have met, so that no test is called unseen that is not.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from maeum.config import Settings
from maeum.corpus.identity import KINDS
from maeum.corpus.manifest import write_table
from maeum.encoders import card, findable, split_names
from maeum.encoders.known import Side
from maeum.encoders.pretrained.places import MET, cached_folder, named_folder
from maeum.errors import SettingsError
from maeum.inference import EmotionClassifier, Run
from maeum.inference.run import BEFORE, read_hashes
from maeum.model import Network

logger = logging.getLogger(__name__)

INHERITED = (
    "modality",
    "layers",
    "cut_s",
    "max_tokens",
    "normalize",
    "hidden_size",
    "fusion",
    "context",
)
"""Settings that decide what the weights of a run mean."""


@dataclass(frozen=True)
class Start:
    """A run that another one starts from.

    Attributes:
        network: its weights, their cards saying which encoders they are for.
        digest: of its weights.
    """

    network: Network
    digest: str


def settings_and_start(
    config: str | Path | None, given: Mapping[str, Any]
) -> tuple[Settings, Start | None]:
    """The settings of a run, and what it starts from.

    Args:
        config: YAML file of settings.
        given: settings by name.

    Raises:
        SettingsError: a setting is unknown or out of range.
        RunError: there is no finished run to start from.
    """
    settings, start = Settings.of(config, **given), None
    if settings.start is not None:
        run = Run.open(settings.start)
        _name_by_folder(run.model)
        start = Start(run.model.network, _digest(run.folder / "model.safetensors"))
        settings = Settings.of(config, below=_inherited(run), **given)
    for sentence in settings.ignored([name for name, value in given.items() if value is not None]):
        logger.warning("%s", sentence)
    return settings, start


def refuse_its_own_start(folder: Path, settings: Settings) -> None:
    """Before a folder is replaced that what comes into it starts from.

    Raises:
        SettingsError: they are one.
    """
    if settings.start is not None and Path(settings.start).resolve() == folder.resolve():
        raise SettingsError(
            f"{folder} was given as the run to start from and as the folder to write; "
            "name another folder with --to"
        )


def met_before(settings: Settings) -> pl.DataFrame:
    """What the weights a run begins with were trained on.

    They are those of the run it starts from, and of encoders that other runs tuned.

    Returns:
        Hashed columns utterance, speaker and script, and part `BEFORE`; no rows for new weights.

    Raises:
        RunError: an earlier run no longer says what it was trained on.
    """
    nothing = pl.DataFrame(schema=dict.fromkeys(KINDS, pl.String))
    met = [read_hashes(folder / MET) for folder in _tuned_folders(settings)]
    if settings.start is not None:
        met.append(Run.open(settings.start).met)
    known = pl.concat([nothing, *(table.select(KINDS) for table in met)])
    return known.unique(maintain_order=True).with_columns(part=pl.lit(BEFORE))


def _tuned_folders(settings: Settings) -> list[Path]:
    """Folders of encoders that a run tuned, wherever they lie now."""
    named: list[tuple[Side, str]] = []
    if settings.hears_speech:
        named += [("speech", name) for name in split_names(settings.speech)]
    if settings.reads_text:
        named += [("text", name) for name in split_names(settings.text)]
    folders = [named_folder(name) or cached_folder(name, side) for side, name in named]
    return [folder for folder in folders if folder is not None and (folder / MET).is_file()]


def leave_word(run: Run) -> None:
    """Beside each encoder that a run tunes, what it was trained on: the folder may be copied."""
    for encoder in run.folder.glob("encoders/*/"):
        write_table(run.met.select(KINDS).unique(maintain_order=True), encoder / MET)


def _inherited(run: Run) -> dict[str, Any]:
    settings = run.settings
    names = {side: "+".join(run.model.encoder_names(side)) for side in run.model.network.inputs}
    return {name: getattr(settings, name) for name in INHERITED} | names


def _name_by_folder(model: EmotionClassifier) -> None:
    """Let the cards of tuned encoders say what the encoders are now, not what they were before."""
    for side in model.network.inputs:
        cards = getattr(model.network.config, side)
        for known, encoder in zip(cards, getattr(model, side), strict=True):
            if "kept" in known:
                known.update(card(encoder), name=findable(encoder.name))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]
