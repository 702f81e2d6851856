"""Excel workbooks: read as tables, refused when too large."""

from __future__ import annotations

import zipfile

import polars as pl
import pytest
import xlsxwriter

from maeum.corpus import workbooks
from maeum.corpus.readers.table import columns_of, load_table, read
from maeum.corpus.workbooks import read_workbook
from maeum.errors import CorpusError

TABLE = pl.DataFrame({"문장": ["기뻐 ", "슬퍼"], "감정": ["기쁨", "슬픔"], "turn": [1, 2]})


@pytest.fixture
def book(tmp_path):
    TABLE.write_excel(tmp_path / "calls.xlsx")
    return tmp_path / "calls.xlsx"


def test_a_workbook_reads_as_a_table_does(book):
    found = list(read(book))
    told = [(item.text, item.emotion, item.turn) for item in found]
    assert told == [("기뻐", "기쁨", 1), ("슬퍼", "슬픔", 2)]
    assert columns_of(book) == ("문장", "감정", "turn")


def test_every_cell_is_text_and_rows_of_nothing_are_left_out(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([["a", "b"], [1, 2.5], [], [True, "x"]]):
            sheet.write_row(number, 0, row)
    table = load_table(tmp_path / "a.xlsx")
    assert table.rows() == [("1", "2.5"), ("true", "x")]


def test_of_several_sheets_the_first_with_anything_in_it_is_read_and_that_is_said(tmp_path, caplog):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("empty")
        TABLE.write_excel(book, worksheet="calls")
        pl.DataFrame({"x": ["y"]}).write_excel(book, worksheet="notes")
    assert list(read_workbook(tmp_path / "a.xlsx")) == ["calls", "notes"]
    assert load_table(tmp_path / "a.xlsx").columns == TABLE.columns
    assert "has the sheets calls, notes; the first is read" in caplog.text


def test_a_workbook_of_nothing_is_refused(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("empty")
    with pytest.raises(CorpusError, match="has no sheet with anything in it"):
        load_table(tmp_path / "a.xlsx")


@pytest.mark.parametrize("limit", ["MOST_BYTES", "MOST_BYTES_UNPACKED"])
def test_a_workbook_over_a_limit_is_refused_before_it_is_read(book, limit, monkeypatch):
    monkeypatch.setattr(workbooks, limit, 2**10)
    with pytest.raises(CorpusError, match=r"MiB, a workbook may hold 0; save it as \.csv"):
        load_table(book)


def test_a_small_file_that_unfolds_to_gigabytes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_BYTES_UNPACKED", 2**24)
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(2**25))
    assert (tmp_path / "a.xlsx").stat().st_size < 2**16
    with pytest.raises(CorpusError, match="holds 32 MiB, a workbook may hold 16"):
        load_table(tmp_path / "a.xlsx")


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(CorpusError, match=r"cannot be read as \.xlsx .*save it anew in Excel"):
        load_table(tmp_path / "a.xlsx")
    assert columns_of(tmp_path / "a.xlsx") == ()
