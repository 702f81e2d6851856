"""Studies so small that they take a second, and the texts they learn from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from maeum.studies import Study

EMOTIONS = ("Happy", "Angry", "Sad")
BUILTIN = {"speech": "builtin:acoustic", "text": "builtin:letters"}
QUICK = {**BUILTIN, "epochs": 1, "hidden_size": 4}


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
