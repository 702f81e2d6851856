"""Tables of vectors: in memory, or in a file of their own where they would fill it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from tempfile import TemporaryFile, gettempdir
from typing import IO

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray

from maeum.cache import cache_folder

LARGEST_IN_MEMORY = 2**28
"""Bytes; larger tables lie in a file without a name, which is gone when nobody uses them."""

ROWS_AT_ONCE = 4096
"""Rows handled together where a table may be larger than memory."""


def new_table(rows: int, width: int) -> Float32[ndarray, "row width"]:
    """A table of zeros.

    Raises:
        OSError: it needs a file, and the disk has no room for it.
    """
    if rows * width * np.float32().nbytes <= LARGEST_IN_MEMORY:
        return np.zeros((rows, width), dtype=np.float32)
    with TemporaryFile(dir=_folder_for_files()) as file:
        _reserve(file, rows * width * np.float32().nbytes)
        return np.memmap(file, np.float32, "r+", shape=(rows, width))


def _folder_for_files() -> str:
    """The cache folder where it can be written to; temporary folders may lie in memory."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return gettempdir()
    return str(folder) if os.access(folder, os.W_OK) else gettempdir()


def _reserve(file: IO[bytes], size: int) -> None:
    """Make the file as large as it will be now: a full disk found later would end the process."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.fileno(), 0, size)
        return
    block = bytes(2**20)
    for start in range(0, size, len(block)):
        file.write(block[: size - start])
    file.flush()


def in_parts(
    rows: Int64[ndarray, " row"], size: int = ROWS_AT_ONCE
) -> Iterator[Int64[ndarray, " _"]]:
    """The rows, some at a time.

    >>> [part.tolist() for part in in_parts(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    return (rows[start : start + size] for start in range(0, len(rows), size))
