"""What tests of training share."""

from __future__ import annotations

from pathlib import Path

import interrupted
import numpy as np
import pytest

from maeum.corpus import Corpus, import_corpus

EMOTIONS = ("Happy", "Angry", "Sad")
SPEAKERS, SCRIPTS = 6, 18


@pytest.fixture(scope="session", autouse=True)
def _processes() -> None:
    """Make them ready while other tests run."""
    interrupted.prepare()


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """108 texts: 6 speakers say 18 sentences; a sentence decides the emotion, its words do not."""
    rng = np.random.default_rng(0)
    syllables = [chr(code) for code in rng.integers(0xAC00, 0xD7A3, 400)]
    sentences = [" ".join("".join(rng.choice(syllables, 3)) for _ in range(4)) for _ in range(18)]
    rows = [
        f"{sentence},{EMOTIONS[number % 3]},s{speaker}"
        for speaker in range(SPEAKERS)
        for number, sentence in enumerate(sentences)
    ]
    table = Path(tmp_path_factory.mktemp("told")) / "told.csv"
    table.write_text("\n".join(["text,emotion,speaker", *rows]), encoding="utf-8")
    return import_corpus("table", table)


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than learning a little; for tests of something else."""
    monkeypatch.setattr("maeum.training.single.write_report", lambda *_: None)
    monkeypatch.setattr("maeum.training.folding.write_report", lambda *_: None)
