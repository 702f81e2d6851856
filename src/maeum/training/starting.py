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
from maeum.encoders import card, findable, split_names
from maeum.errors import SettingsError
from maeum.inference import EmotionClassifier, Run
from maeum.inference.run import BEFORE, run_that_tuned
from maeum.model import EmotionNetwork

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

    network: EmotionNetwork
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
    met = [Run.open(folder).met.select(KINDS) for folder in _earlier_runs(settings)]
    return pl.concat([nothing, *met]).unique(maintain_order=True).with_columns(part=pl.lit(BEFORE))


def _earlier_runs(settings: Settings) -> list[Path]:
    """Folders of the runs whose weights a run begins with."""
    named = [settings.speech] if settings.hears_speech else []
    named += [settings.text] if settings.reads_text else []
    tuned_in = [run_that_tuned(name) for names in named for name in split_names(names)]
    start = None if settings.start is None else Path(settings.start)
    return [folder for folder in (start, *tuned_in) if folder is not None]


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
