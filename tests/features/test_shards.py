"""Vectors that come as shards are those of the drawer, whatever happens on the way."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from maeum.encoders import speech_encoders
from maeum.features import Store
from maeum.features.shards import SCHEMA, Shard, folder_of, take_in, take_in_left_over

KEYS = [bytes([number]) * 32 for number in range(4)]


@pytest.fixture
def drawer(tmp_path):
    (encoder,) = speech_encoders("builtin:acoustic")
    return Store(tmp_path).drawer(encoder, frames=True)


def vector(number, drawer):
    return np.full(drawer.width, number, dtype=np.float32)


def written(drawer, numbers):
    shard = Shard(drawer)
    for number in numbers:
        frames = np.full((number + 1, drawer.dim), number, dtype=np.float32)
        shard.put(KEYS[number], vector(number, drawer), frames)
    return folder_of(drawer) / shard.write(folder_of(drawer))


def test_what_a_shard_holds_is_found_in_the_drawer(drawer):
    path = written(drawer, (0, 2))
    with drawer.opened() as opened:
        assert take_in(path, opened) == 2
        assert not path.exists()
        assert opened.stored(KEYS) == {KEYS[0], KEYS[2]}
        assert np.array_equal(opened.vectors([KEYS[2]])[KEYS[2]], vector(2, drawer))
        assert opened.frames([KEYS[2]])[KEYS[2]].shape == (3, drawer.dim)


def test_a_piece_done_twice_has_one_shard_and_one_place(drawer):
    first, again = written(drawer, (1, 3)), written(drawer, (3, 1))
    assert first == again
    with drawer.opened() as opened:
        take_in(first, opened)
        take_in(written(drawer, (1,)), opened)
        assert opened.stored(KEYS) == {KEYS[1], KEYS[3]}


def test_a_shard_knows_what_is_in_the_drawer_already(drawer):
    shard = Shard(drawer)
    assert shard.stored(KEYS) == set()
    assert shard.vectors(KEYS) == {}
    with drawer.opened() as opened:
        take_in(written(drawer, (0,)), opened)
    assert shard.stored(KEYS) == {KEYS[0]}
    assert np.array_equal(shard.vectors(KEYS)[KEYS[0]], vector(0, drawer))


def test_where_nothing_was_made_nothing_is_written(drawer):
    assert Shard(drawer).write(folder_of(drawer)) == ""
    assert not folder_of(drawer).exists()


@pytest.mark.parametrize("broken", [b"", b"PAR1 cut", None], ids=["empty", "cut", "other"])
def test_a_broken_shard_is_removed_and_made_again(drawer, broken, caplog):
    path = written(drawer, (0,))
    if broken is None:
        pl.DataFrame({"other": [1]}).write_parquet(path)
    else:
        path.write_bytes(broken)
    good = written(drawer, (1, 2))
    with drawer.opened() as opened:
        assert take_in_left_over(opened) == 2
        assert opened.stored(KEYS) == {KEYS[1], KEYS[2]}
    assert "is made again" in caplog.text
    assert not good.exists()


def test_a_shard_has_a_row_per_vector(drawer):
    assert pl.read_parquet(written(drawer, (0, 1))).schema == SCHEMA
