"""What tests of several rooms share."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jaxtyping import install_import_hook

install_import_hook(["maeum.model", "maeum.features"], "beartype.beartype")  # checks every shape
os.environ["HF_HUB_OFFLINE"] = "1"

# ruff: noqa: E402 - what follows is imported under the hook
import numpy as np
import polars as pl
import pytest
import soundfile as sf

from maeum import sample
from maeum.config import Settings
from maeum.corpus import import_corpus
from maeum.corpus.audio import load
from maeum.corpus.corpus import Corpus
from maeum.corpus.manifest import Utterance, utterance_table
from maeum.corpus.text import script_ids
from maeum.emotions import EmotionSet
from maeum.testing import make_corpus

if TYPE_CHECKING:
    from maeum.features import Features
    from maeum.inference import Run

CHECKOUT = Path(__file__).parents[1]

LONGEST = ("test_readme.py", "test_tuning.py", "test_export.py", "test_graphs.py")
"""Files that take longest: begun first, so that no process is left with one at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, the others as they stand."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.fixture(scope="session")
def real_corpora() -> Path:
    """The folder of real corpora: MAEUM_CORPORA, else shared/corpora beside the checkout."""
    named = os.environ.get("MAEUM_CORPORA")
    folder = Path(named) if named else CHECKOUT.parent / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip(f"no real corpora: {folder} is no folder; name one in MAEUM_CORPORA")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The user's store of features is not ours to write to."""
    os.environ["MAEUM_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Heads are small, and others compute too."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="module", autouse=True)
def nothing_old_is_searched() -> None:
    """Garbage is looked for among what a module made, not in all that was imported before it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def made_corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """36 clips: 6 speakers say 2 sentences in each of 3 emotions."""
    folder = tmp_path_factory.mktemp("made")
    emotions = ("Happy", "Angry", "Sad")
    table = make_corpus(folder, speakers=6, scripts_per_emotion=2, emotions=emotions)
    return import_corpus("table", table)


@pytest.fixture(scope="session")
def made_features(made_corpus: Corpus) -> Features:
    """Both modalities of `made_corpus`, by the built-in encoders."""
    from maeum.training.encoders import Encoders

    settings = Settings()
    return Encoders.of(settings).extract(made_corpus)


@pytest.fixture(scope="session")
def quick() -> dict[str, object]:
    """Settings of a run that takes a second."""
    return {"split": "speaker", "epochs": 3, "batch_size": 8, "hidden_size": 8}


@pytest.fixture(scope="session")
def made_run(
    made_corpus: Corpus,
    made_features: Features,
    quick: dict[str, object],
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """A finished run of speech and text on `made_corpus`; 4 voices train, 1 validates, 1 tests."""
    from maeum.training import train

    folder = tmp_path_factory.mktemp("runs") / "made"
    return train(made_corpus, folder, features=made_features, **quick)


class Call(NamedTuple):
    """A recording of a call: 8 kHz, a party on each channel, music between.

    Attributes:
        path: of the wav file.
        said: start and end in seconds, channel, words, of everything that is said.
        music_s: when there is music.
    """

    path: Path
    said: list[tuple[float, float, int, str]]
    music_s: tuple[float, float]


@pytest.fixture(scope="session")
def call(tmp_path_factory: pytest.TempPathFactory) -> Call:
    """Six clips of the packaged sample, spoken in turn by two, and a chord in the middle."""
    rate_hz, pause_s, said = 8_000, 1.5, []
    clips = pl.read_csv(sample.path() / "sample.csv").filter(pl.col("speaker") == "s01")[::8]
    parts, at_s, music_s = [np.zeros((int(pause_s * rate_hz), 2), np.float32)], pause_s, (0.0, 0.0)
    for turn, (audio, text) in enumerate(clips.select("audio", "text").head(6).iter_rows()):
        wave = load(sample.path() / audio, rate_hz=rate_hz)
        parts.append(np.zeros((len(wave) + int(pause_s * rate_hz), 2), np.float32))
        parts[-1][: len(wave), turn % 2] = wave
        said.append((at_s, at_s + len(wave) / rate_hz, turn % 2, text))
        at_s += len(parts[-1]) / rate_hz
        if turn == 2:
            times = np.arange(4 * rate_hz)[:, None] / rate_hz
            tones = np.sin(2 * np.pi * np.array([220.0, 277.2, 329.6]) * times).sum(axis=1)
            parts.append(np.repeat(0.1 * tones[:, None], 2, axis=1).astype(np.float32))
            music_s = (at_s, at_s + 4)
            at_s += 4 + pause_s
            parts.append(np.zeros((int(pause_s * rate_hz), 2), np.float32))
    path = tmp_path_factory.mktemp("call") / "call.wav"
    sf.write(path, np.concatenate(parts), rate_hz)
    return Call(path, said, music_s)


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
