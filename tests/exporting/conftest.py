"""What tests of exporting share."""

from __future__ import annotations

import pytest


@pytest.fixture
def without_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing takes longer than learning a little; for tests of something else."""
    monkeypatch.setattr("maeum.training.single.write_report", lambda *_: None)
