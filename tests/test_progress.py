"""Bars are for those who watch, and for nobody else."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from maeum.progress import bar, track


class Terminal(io.StringIO):
    """Standard error that a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def watch(monkeypatch) -> Callable[[], Terminal]:
    """Someone looks, from when it is called: pytest takes standard error as a test begins."""

    def watched() -> Terminal:
        screen = Terminal()
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "120")
        monkeypatch.setattr("sys.stderr", screen)
        return screen

    return watched


def test_items_come_unchanged_and_are_counted_where_someone_watches(watch):
    terminal = watch()
    assert list(track(iter("abc"), total=3, label="reading")) == ["a", "b", "c"]
    assert "reading" in terminal.getvalue()
    assert "3/3" in terminal.getvalue()


def test_a_bar_moved_by_hand_shows_its_note_and_names_as_they_are(watch):
    terminal = watch()
    with bar(total=9, label="hearing: [/models]") as show:
        show(4, "3 found")
    for shown in ("hearing: [/models]", "4/9", "3 found"):
        assert shown in terminal.getvalue()


def test_nothing_is_drawn_where_no_one_watches(capsys):
    assert list(track("abc", total=3, label="reading")) == ["a", "b", "c"]
    with bar(total=9, label="hearing") as show:
        show(4, "3 found")
    assert capsys.readouterr() == ("", "")


def test_of_several_processes_one_draws(watch, monkeypatch):
    terminal = watch()
    monkeypatch.setenv("RANK", "1")
    assert list(track(iter("abc"), total=3, label="reading")) == ["a", "b", "c"]
    assert not terminal.getvalue()
