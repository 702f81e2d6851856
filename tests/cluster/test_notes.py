"""What is said elsewhere is told here, once, as it comes."""

from __future__ import annotations

import logging

import pytest

from maeum.cluster import notes


@pytest.fixture
def told(monkeypatch):
    """What is told here."""
    monkeypatch.setattr(notes, "LOOK_EVERY_S", 0.01)
    found = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append((record.levelname, record.getMessage()))
    monkeypatch.setattr(notes.logger, "handlers", [handler])
    monkeypatch.setattr(notes.logger, "level", logging.INFO)
    return found


def record(level, sentence):
    return logging.LogRecord("maeum", level, "", 0, sentence, (), None)


def test_notes_are_told_once_and_in_order(told, tmp_path):
    path = tmp_path / "notes.txt"
    elsewhere = notes.Written(path)
    with notes.followed(path):
        elsewhere.emit(record(logging.INFO, "split speaker"))
        elsewhere.emit(record(logging.WARNING, "two\nlines 100% 마음"))
    assert told == [("INFO", "split speaker"), ("WARNING", "two lines 100% 마음")]


def test_half_a_line_waits_for_its_rest(told, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("20 whole\n20 ha", encoding="utf-8")
    with notes.followed(path):
        pass
    assert told == [("INFO", "whole")]


def test_where_nothing_is_said_nothing_is_told(told, tmp_path):
    with notes.followed(tmp_path / "none.txt"):
        pass
    assert told == []
