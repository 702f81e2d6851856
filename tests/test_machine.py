"""What of a machine this process may use."""

from __future__ import annotations

import os

from maeum import machine
from maeum.machine import memory_bytes, processors


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


def test_a_container_has_the_memory_it_was_given(monkeypatch, tmp_path):
    whole = memory_bytes()
    given = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "CGROUPS", (str(given), str(tmp_path / "none")))
    given.write_text("1000000\n")
    assert memory_bytes() == 1e6
    given.write_text("max\n")
    assert memory_bytes() >= whole
