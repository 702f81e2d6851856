"""Two people see whether they hold the same split, and give nothing of the corpus away."""

from __future__ import annotations

import json

import polars as pl
import pytest

from maeum.corpus.fingerprints import Fingerprint, difference
from maeum.corpus.splits import split
from maeum.errors import SplitError


@pytest.fixture
def rows(made_corpus):
    return made_corpus.utterances


@pytest.fixture
def held(rows, tmp_path):
    """What somebody else wrote of the split by speaker."""
    path = tmp_path / "split.json"
    Fingerprint.of(split(rows, "speaker", seed=3)).save(path)
    return Fingerprint.load(path)


def test_the_same_split_is_known_wherever_the_recordings_lie(rows, held):
    moved = rows.with_columns(audio=pl.lit("elsewhere/") + pl.col("audio")).reverse()
    found = difference(split(moved, "speaker", seed=3), held)
    assert found.same
    assert str(found) == "the same split: all 36 utterances are in the same part"
    assert (held.protocol, held.seed) == ("speaker", 3)


def test_another_seed_moves_utterances_and_one_is_named(rows, held):
    drawn = split(rows, "speaker", seed=3)
    first, other = (
        drawn.parts["id"][0],
        drawn.parts.with_columns(
            part=pl.when(pl.col("id") == drawn.parts["id"][0])
            .then(pl.lit("set aside"))
            .otherwise("part")
        ),
    )
    found = difference(type(drawn)("speaker", 3, other), held)
    assert (found.moved, found.only_here, found.only_there) == (1, 0, 0)
    assert str(found).endswith(f"36 utterances in both, 1 in another part, e.g. {first}")


def test_what_only_one_of_them_has_is_counted_for_each(rows, held):
    drawn = split(rows, "speaker", seed=3)
    renamed = drawn.parts.head(35).with_columns(
        id=pl.when(pl.col("id") == drawn.parts["id"][0]).then(pl.lit("new")).otherwise("id")
    )
    found = difference(type(drawn)("speaker", 3, renamed), held)
    assert (found.utterances, found.only_here, found.only_there) == (34, 1, 2)
    assert found.example == "new"


def test_the_file_holds_hashes_and_counts_and_nothing_else(rows, tmp_path):
    Fingerprint.of(split(rows, "random")).save(tmp_path / "split.json")
    text = (tmp_path / "split.json").read_text(encoding="utf-8")
    for column in ("id", "text", "speaker", "audio"):
        assert not any(value in text for value in rows[column])
    assert set(json.loads(text)) == {"format", "about", "protocol", "seed", "utterances", "parts"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"format": 2, "protocol": "random"}',
        b'{"format": 1, "protocol": "mood", "seed": 0, "parts": {}}',
        b'{"format": 1, "protocol": "random", "seed": 0, "parts": {}}',
        b'{"format": 1, "protocol": "random", "seed": "x", "parts": {"train": "a b"}}',
        b'{"format": 1, "protocol": "random", "seed": 0, "parts": {"train": "a a"}}',
        b'{"format": 1, "protocol": "random", "seed": 0, "parts": {"train": 7}}',
    ],
)
def test_a_file_that_is_none_is_one_sentence(tmp_path, content):
    (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(SplitError, match="is no fingerprint of a split"):
        Fingerprint.load(tmp_path / "x.json")
