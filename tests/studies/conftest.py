"""Corpora so small that a study of them takes seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tinystudies import small, written

from maeum.corpus import Corpus, import_corpus
from maeum.studies.running import Outcome, run_study


@pytest.fixture(scope="session")
def said(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """144 texts: 8 speakers say 18 sentences of three emotions."""
    return import_corpus("table", written(tmp_path_factory.mktemp("said"), speakers=8, scripts=18))


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
