"""Pretrained encoders that another engine than torch computes, made into graphs once and kept."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from maeum.cache import cache_folder
from maeum.encoders.graphs.description import CARD
from maeum.encoders.graphs.speech import GraphSpeech
from maeum.encoders.graphs.text import GraphText
from maeum.encoders.pretrained.conversion import refuse_unserved, write_encoder
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.text import PretrainedText
from maeum.engine import Engine

logger = logging.getLogger(__name__)


def as_graph(encoder: PretrainedSpeech | PretrainedText, engine: Engine) -> GraphSpeech | GraphText:
    """The encoder as an engine computes it; the graph lies in the cache and is made if need be.

    Raises:
        SettingsError: the engine is not installed.
        EncoderError: no graph can be made of the encoder.
        OSError: the cache cannot be written to.
    """
    assert engine.name != "torch"  # noqa: S101 - whoever asks has looked
    refuse_unserved(engine.name, engine.precision)
    folder = cache_folder() / "graphs" / f"{encoder.exact_version}-{engine.name}-{engine.precision}"
    if not (folder / CARD).is_file():
        _make(encoder, engine, folder)
    kind = GraphSpeech if isinstance(encoder, PretrainedSpeech) else GraphText
    made = kind.open(folder)
    made.name, made.engine, made.exact_version = encoder.name, engine, encoder.exact_version
    made.version = engine.version_of(encoder.exact_version)
    return made


def _make(encoder: PretrainedSpeech | PretrainedText, engine: Engine, folder: Path) -> None:
    """Written aside and renamed: another process may look for it, or make it too."""
    assert engine.name != "torch"  # noqa: S101
    logger.info("converting %s for %s, once; it is kept in %s", encoder.name, engine.name, folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        write_encoder(encoder, made, engine.name, engine.precision)
        if folder.is_dir() and not (folder / CARD).is_file():
            shutil.rmtree(folder)  # half of one, by another hand
        if not folder.is_dir():
            made.rename(folder)
