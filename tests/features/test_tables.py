"""Features: rows of tables, taken without copying."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from standins import Loudness

from maeum.errors import CorpusError
from maeum.features import Features, extract, tables
from maeum.features.tables import new_table


@pytest.fixture
def three():
    return Features.of(
        ids=["a", "b", "c"],
        tables={"speech": np.arange(6, dtype=np.float32).reshape(3, 2)},
        has={"speech": np.array([True, False, True]), "text": np.array([False, True, True])},
        failures={"b": "b.wav is silent"},
        made_by=frozenset(["test"]),
    )


def test_some_are_taken_in_the_order_asked_for(three):
    taken = three.take(["c", "b"])
    assert (len(taken), taken.ids) == (2, ("c", "b"))
    assert taken.vectors("speech").tolist() == [[4, 5], [0, 0]]
    assert taken.present("speech").tolist() == [True, False]
    assert taken.failures == {"b": "b.wav is silent"}
    assert taken.made_by == three.made_by
    assert three.take(["a"]).failures == {}
    assert three.take([]).vectors("speech").shape == (0, 2)
    assert three.take(["c", "a"]).take(["a"]).vectors("speech").tolist() == [[0, 1]]


def test_taking_copies_no_table_and_vectors_are_a_copy(three):
    assert three.take(["c"]).tables["speech"] is three.tables["speech"]
    vectors = three.vectors("speech")
    vectors[:] = 7
    assert three.vectors("speech")[0].tolist() == [0, 1]


def test_utterances_of_another_corpus_are_refused(three):
    with pytest.raises(CorpusError, match="1 of 2 utterances are not in them, z among them"):
        three.take(["a", "z"])


def test_one_side_is_kept_from_the_network_and_the_tables_stay(three):
    assert three.only("text").present("speech").tolist() == [False] * 3
    assert three.only("text").present("text").tolist() == [False, True, True]
    assert three.only("speech").present("text").tolist() == [False] * 3
    assert three.only("speech").usable.tolist() == [True, False, True]
    assert three.only("both").usable.all()
    assert three.only("text").tables["speech"] is three.tables["speech"]
    assert not three.only("text").vectors("speech").any()


def test_some_utterances_are_asked_for_a_side_by_their_place(three):
    places = np.array([2, 1, 2])
    assert three.present("speech", places).tolist() == [True, False, True]
    assert three.take(["c", "a"]).present("text", places[1:] - 1).tolist() == [True, False]
    assert three.present("face", places).tolist() == [False] * 3


def test_features_of_wrong_shape_are_noticed(three):
    with pytest.raises(Exception, match="tables"):
        replace(three, tables={"speech": three.tables["speech"].astype(np.float64)})
    with pytest.raises(Exception, match="context"):
        replace(three, context=np.zeros((2, 1), dtype=np.int64))


def test_a_large_table_lies_in_a_file_that_leaves_no_trace(some, store, tmp_path, monkeypatch):
    expected = extract(some, speech=[Loudness()], store=store)
    assert not isinstance(expected.tables["speech"], np.memmap)
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tables, "LARGEST_IN_MEMORY", 10)
    for kept_in in (store, None):
        found = extract(some, speech=[Loudness()], store=kept_in)
        assert isinstance(found.tables["speech"], np.memmap)
        vectors = found.take(["u3", "u1"]).vectors("speech")
        assert type(vectors) is np.ndarray
        assert np.array_equal(vectors, expected.take(["u3", "u1"]).vectors("speech"))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_disk_without_room_for_a_table_says_so_before_it_is_filled(monkeypatch, tmp_path):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path))
    monkeypatch.setattr(tables, "LARGEST_IN_MEMORY", 10)
    with pytest.raises(OSError, match=r"No space left|File too large"):
        new_table(2**40, 2**10)
    assert list(tmp_path.iterdir()) == []


def test_a_system_that_cannot_reserve_room_writes_zeros(monkeypatch, tmp_path):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path))
    monkeypatch.setattr(tables, "LARGEST_IN_MEMORY", 10)
    monkeypatch.delattr("os.posix_fallocate", raising=False)
    table = new_table(300_000, 2)
    assert table.shape == (300_000, 2)
    assert not table.any()
