"""Excel workbooks (`.xlsx`), in which people in Korea keep their tables."""

from __future__ import annotations

import logging
import zipfile
from pathlib import Path

import fastexcel
import polars as pl

from maeum.errors import CorpusError

logger = logging.getLogger(__name__)

MOST_BYTES = 256 * 2**20
"""Of a file; what is larger is better kept as `.csv` or `.parquet`."""
MOST_BYTES_UNPACKED = 2 * 2**30
"""Of what the file says it unpacks to: a workbook is a zip, and a small one may fill the memory."""


def read_workbook(path: Path) -> dict[str, pl.DataFrame]:
    """The sheets that hold something, by name, in order; every cell as text, null where empty.

    The first row of a sheet names its columns; rows without any content are left out.

    Raises:
        CorpusError: the file is too large, or no workbook.
    """
    _check_size(path)
    try:
        sheets = pl.read_excel(
            path, engine="calamine", sheet_id=0, infer_schema_length=0, raise_if_empty=False
        )
    except (fastexcel.FastExcelError, pl.exceptions.PolarsError) as error:
        raise _no_workbook(path, str(error)) from error
    return {name: sheet for name, sheet in sheets.items() if sheet.width}


def first_sheet(path: Path) -> pl.DataFrame:
    """The first sheet that holds something; which one is said where there are several.

    Raises:
        CorpusError: the file is too large, no workbook, or an empty one.
    """
    sheets = read_workbook(path)
    if not sheets:
        raise CorpusError(f"{path} has no sheet with anything in it; expected a table")
    if len(sheets) > 1:
        logger.warning(
            "%s has the sheets %s; the first is read, keep another one as a file of its own",
            path.name,
            ", ".join(sheets),
        )
    return next(iter(sheets.values()))


def sheet_columns(path: Path) -> list[list[str]]:
    """The column names of each sheet, read without the rest.

    Raises:
        CorpusError: the file is too large, or no workbook.
    """
    _check_size(path)
    try:
        book = fastexcel.read_excel(path)
        sheets = [book.load_sheet(name, n_rows=1, dtypes="string") for name in book.sheet_names]
    except fastexcel.FastExcelError as error:
        raise _no_workbook(path, str(error)) from error
    return [[column.name for column in sheet.available_columns()] for sheet in sheets]


def _check_size(path: Path) -> None:
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise _too_large(path, size, MOST_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise _no_workbook(path, str(error)) from error
    if unpacked > MOST_BYTES_UNPACKED:
        raise _too_large(path, unpacked, MOST_BYTES_UNPACKED)


def _too_large(path: Path, size: int, most: int) -> CorpusError:
    return CorpusError(
        f"{path} holds {size / 2**20:,.0f} MiB, a workbook may hold {most / 2**20:,.0f}; "
        "save it as .csv"
    )


def _no_workbook(path: Path, reason: str) -> CorpusError:
    return CorpusError(
        f"{path} cannot be read as .xlsx ({reason.splitlines()[0]}); "
        "save it anew in Excel, without a password, or as .csv"
    )
