"""What tests of several rooms share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile as sf

from maeum.corpus.corpus import Corpus
from maeum.corpus.manifest import Utterance, utterance_table
from maeum.corpus.text import script_ids
from maeum.emotions import EmotionSet

CHECKOUT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of real corpora: MAEUM_CORPORA, else shared/corpora beside the checkout."""
    named = os.environ.get("MAEUM_CORPORA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"no real corpora: {folder} is no folder; name one in MAEUM_CORPORA")
    return folder


@pytest.fixture
def corpus_of(tmp_path: Path) -> Callable[..., Corpus]:
    """Build a corpus in memory from utterances, with scripts; its recordings lie in tmp_path."""

    def build(*utterances: Utterance, emotions: tuple[str, ...] = (), **fields: object) -> Corpus:
        table = utterance_table(utterances)
        scripts = pl.Series("script", script_ids(table["text"].to_list()), pl.String)
        return Corpus(
            utterances=table.with_columns(scripts),
            emotions=EmotionSet.of(emotions or ("Happy", "Angry", "Sad", "Neutrality")),
            audio_root=tmp_path,
            **fields,
        )

    return build


@pytest.fixture
def write_wav(tmp_path: Path) -> Callable[..., str]:
    """Write noise (or given samples) below tmp_path; returns the path as a manifest has it."""

    def write(
        name: str,
        *,
        seed: int = 0,
        duration_s: float = 0.5,
        rate_hz: int = 16_000,
        wave: np.ndarray | None = None,
    ) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(seed).uniform(-0.3, 0.3, round(duration_s * rate_hz))
        samples = (noise if wave is None else wave) * 32767
        sf.write(path, samples.astype(np.int16), rate_hz)
        return name

    return write
