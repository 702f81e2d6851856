"""What tests of features share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from maeum.corpus import Corpus
from maeum.corpus.manifest import Utterance
from maeum.features import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store of the test's own."""
    return Store(tmp_path / "store")


@pytest.fixture
def some(corpus_of: Callable[..., Corpus], write_wav: Callable[..., str]) -> Corpus:
    """Five recordings with sentences, all different."""
    return corpus_of(
        *(
            Utterance(
                f"u{place}",
                "Happy",
                audio=write_wav(f"{place}.wav", seed=place, duration_s=0.2 + place / 10),
                text="가" * (place + 1),
                duration_s=0.2 + place / 10,
            )
            for place in range(5)
        )
    )
