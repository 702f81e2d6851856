"""Corpora so small that a study of them takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from maeum.corpus import Corpus, import_corpus
from maeum.studies import Study
from maeum.studies.running import Outcome, run_study

EMOTIONS = ("Happy", "Angry", "Sad")
BUILTIN = {"speech": "builtin:acoustic", "text": "builtin:letters"}
QUICK = {**BUILTIN, "epochs": 1, "hidden_size": 4}


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """144 texts: 8 speakers say 18 sentences of three emotions."""
    return import_corpus("table", written(tmp_path_factory.mktemp("said"), speakers=8, scripts=18))


def written(folder: Path, *, speakers: int, scripts: int) -> Path:
    """A table of texts: a sentence decides the emotion, no two of them are alike."""
    rng = np.random.default_rng(0)
    syllables = [chr(code) for code in rng.integers(0xAC00, 0xD7A3, 900)]
    rows = [
        f"{' '.join(''.join(rng.choice(syllables, 3)) for _ in range(2 + number % 5))},"
        f"{EMOTIONS[number % 3]}"
        for number in range(scripts)
    ]
    lines = [f"{row},s{speaker}" for speaker in range(speakers) for row in rows]
    table = folder / "said.csv"
    table.write_text("\n".join(["text,emotion,speaker", *lines]), encoding="utf-8")
    return table


def small(**fields: Any) -> Study:
    """A study of texts: two sizes, two seeds, one split."""
    given = {
        "name": "small",
        "title": "two sizes of text",
        "asks": "whether more is better",
        "rows": ["modality"],
        "settings": QUICK,
        "blocks": [{"modality": "text", "size": [2, 4]}],
        "seeds": 2,
        "folds": 0,
        "protocols": ["random"],
    }
    return Study.of(**{**given, **fields})


@pytest.fixture(scope="session")
def finished(said: Corpus, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """`small` under both protocols, run to its end; nobody writes to it."""
    study = small(protocols=["random", "speaker+script"])
    return run_study(study, said, tmp_path_factory.mktemp("studies") / "small")


@pytest.fixture
def calls_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Any]]:
    """Record the arguments of every call of `module.name`: `calls_of("maeum.x.f")`."""
    from pkgutil import resolve_name

    def watch(place: str) -> list[Any]:
        function, calls = resolve_name(place), []

        def recorded(*args: Any, **kwargs: Any) -> Any:
            calls.append(args)
            return function(*args, **kwargs)

        monkeypatch.setattr(place, recorded)
        return calls

    return watch
