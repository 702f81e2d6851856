"""Independent work gives the same wherever it is done."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

from maeum import jobs, progress
from maeum.errors import CorpusError, JobError
from maeum.jobs import Here, Processes

ITEMS = tuple(range(6))


def row_sum(table, row):
    return float(table["values"][row].sum()), os.getpid(), table["values"].__class__.__name__


def refuse(_, item):
    if item == 3:
        raise CorpusError("the fourth cannot be done")


def die(_, item):
    if item == 3:
        os.kill(os.getpid(), signal.SIGKILL)


def watched(_, __):
    time.sleep(0.01)
    return progress.is_watched()


@pytest.fixture
def collected():
    found = {}
    return found, found.__setitem__


@pytest.fixture
def table():
    """Larger than what a message carries along."""
    return {"values": np.arange(600_000, dtype=np.float64).reshape(6, -1)}


@pytest.mark.parametrize("executor", [Here(), Processes(1), Processes(2)], ids=repr)
def test_every_piece_is_done_once_and_told_of_here(executor, table, collected):
    found, done = collected
    executor.run(row_sum, table, ITEMS, done)
    assert {row: made[0] for row, made in found.items()} == dict(
        enumerate(table["values"].sum(axis=1))
    )


def test_several_processes_look_into_one_table(table, collected, tmp_path, monkeypatch):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path))
    found, done = collected
    Processes(2).run(row_sum, table, ITEMS, done)
    assert os.getpid() not in {made[1] for made in found.values()}
    assert {made[2] for made in found.values()} == {"memmap"}
    assert not list((tmp_path / "jobs").iterdir())


@pytest.mark.parametrize("executor", [Here(), Processes(2)], ids=repr)
def test_what_one_piece_cannot_do_is_told_in_its_own_words(executor, collected):
    with pytest.raises(CorpusError, match="the fourth cannot be done"):
        executor.run(refuse, None, ITEMS, collected[1])


def test_a_process_that_is_killed_is_a_sentence(collected):
    with pytest.raises(JobError, match="one of 2 processes was ended from outside"):
        Processes(2).run(die, None, ITEMS, collected[1])


def test_processes_draw_no_bars(collected, monkeypatch):
    found, done = collected
    Processes(2).run(watched, None, ITEMS, done)
    assert not any(found.values())
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert progress.is_watched()
    with progress.unwatched():
        assert not progress.is_watched()


@pytest.mark.parametrize(
    ("pieces", "processors", "memory_gb", "taken"),
    [(7, 64, 512, 0), (16, 64, 512, 2), (1000, 64, 512, 64), (1000, 64, 6, 4), (1000, 2, 24, 2)],
)
def test_there_are_as_many_processes_as_repay_their_start(
    monkeypatch, pieces, processors, memory_gb, taken
):
    monkeypatch.setattr(jobs, "processors", lambda: processors)
    monkeypatch.setattr(jobs, "memory_bytes", lambda: memory_gb * 1e9)
    assert jobs._worthwhile(pieces) == taken


def test_a_few_pieces_stay_here(collected):
    found, done = collected
    Processes().run(row_sum, {"values": np.ones((6, 2))}, ITEMS, done)
    assert {made[1] for made in found.values()} == {os.getpid()}
