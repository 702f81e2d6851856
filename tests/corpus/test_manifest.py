"""The manifest holds every field, in one order, and refuses what it is not."""

from __future__ import annotations

from dataclasses import fields

import polars as pl
import pytest

from maeum.corpus.manifest import (
    REJECTED_SCHEMA,
    SCHEMA,
    Rejection,
    Utterance,
    read_manifest,
    rejection_table,
    utterance_table,
    write_table,
)
from maeum.errors import CorpusError

FULL = Utterance(
    id="b",
    emotion="Sad",
    audio="b.wav",
    channel=1,
    start_s=0.5,
    duration_s=2.0,
    sample_rate_hz=48_000,
    text="눈물이 나",
    speaker="s1",
    gender="female",
    age="20~29",
    votes=(("Sad", 3), ("Hurt", 2)),
    intensity=1.5,
    style="구연체",
    dialogue="d1",
    turn=4,
    part="train",
    source="t.csv row 1",
    extra={"Sensitivity": "서럽다"},
)


def test_every_field_of_an_utterance_has_a_column():
    assert {field.name for field in fields(Utterance)} | {"script"} == set(SCHEMA.names())


def test_every_field_comes_back_from_the_file(tmp_path):
    write_table(utterance_table([FULL]), tmp_path / "m.parquet")
    row = read_manifest(tmp_path / "m.parquet").row(0, named=True)
    assert row.pop("script") is None
    assert [(vote["emotion"], vote["count"]) for vote in row.pop("votes")] == list(FULL.votes)
    assert {entry["key"]: entry["value"] for entry in row.pop("extra")} == FULL.extra
    assert row == {name: getattr(FULL, name) for name in row}


def test_what_is_not_known_is_null(tmp_path):
    row = utterance_table([Utterance("a", "Sad")]).row(0, named=True)
    assert {name for name, value in row.items() if value is not None} == {"id", "emotion", "extra"}


def test_rows_stand_in_order_of_id():
    assert utterance_table([FULL, Utterance("a", "Sad")])["id"].to_list() == ["a", "b"]


def test_tables_of_nothing_have_their_columns():
    assert utterance_table([]).schema == SCHEMA
    assert rejection_table([]).schema == REJECTED_SCHEMA


def test_rejections_keep_reason_and_detail():
    [row] = rejection_table([Rejection("a", "no emotion", "row 1 names none")]).rows(named=True)
    assert (row["reason"], row["detail"], row["source"]) == ("no emotion", "row 1 names none", None)


def test_columns_in_another_order_and_type_are_put_right(tmp_path):
    table = utterance_table([FULL]).with_columns(pl.col("channel").cast(pl.Int64))
    table.select(sorted(table.columns)).write_parquet(tmp_path / "m.parquet")
    assert read_manifest(tmp_path / "m.parquet").schema == SCHEMA


def test_a_file_that_is_no_manifest_says_so(tmp_path):
    pl.DataFrame({"id": ["a"]}).write_parquet(tmp_path / "m.parquet")
    with pytest.raises(CorpusError, match=r"lacks the columns audio, channel.*import again"):
        read_manifest(tmp_path / "m.parquet")
    (tmp_path / "m.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorpusError, match="cannot be read as Parquet"):
        read_manifest(tmp_path / "m.parquet")
    with pytest.raises(CorpusError, match="cannot be read as Parquet"):
        read_manifest(tmp_path / "gone.parquet")
