"""How many work beside each other."""

from __future__ import annotations

import os

from maeum.ahead import ahead, processors, workers


def test_only_processors_that_this_process_may_use_count(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 128)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {3, 77}, raising=False)
    assert processors() == 2


def test_where_the_system_does_not_tell_all_processors_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert processors() == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert processors() == 1


def test_what_is_made_ahead_comes_in_order_and_never_far_ahead():
    begun: list[int] = []
    with workers(2) as pool:
        for number in ahead(pool, lambda item: begun.append(item) or item, range(20), 3):
            assert len(begun) <= number + 3
            assert begun.count(number) == 1
    assert sorted(begun) == list(range(20))
