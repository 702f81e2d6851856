"""SQLite files that stay whole: killed processes, two writers, full disks, broken files.

Nothing in them is ever executed or unpickled: they hold numbers and plain text.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from maeum.errors import StoreError

BUSY_S = 60.0
"""How long one process waits for another that writes."""

MOST_MARKS = 500
"""Values asked for in one question."""

NETWORKED = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "lustre", "gpfs", "beegfs", "fuse.")
"""How kinds of file systems begin that other machines may write to."""

MOUNTS = Path("/proc/self/mounts")
"""Where Linux says what is mounted; other systems are taken to be local."""

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, added to its name."""

BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)

SYSTEM_ERRORS = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EACCES,
    sqlite3.SQLITE_PERM: errno.EACCES,
    sqlite3.SQLITE_CANTOPEN: errno.EACCES,
    sqlite3.SQLITE_BUSY: errno.EBUSY,
    sqlite3.SQLITE_LOCKED: errno.EBUSY,
}
"""What SQLite says -> what the system would have said."""

Answer = TypeVar("Answer")


class Database:
    """An open database; whatever it complains of names its file."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def rows(self, columns: str, table: str, key: str, values: Sequence[object]) -> list[Any]:
        """The rows of a table in which a column has one of some values, in any order."""
        found: list[Any] = []
        with blamed_on(self.path):
            for start in range(0, len(values), MOST_MARKS):
                some = values[start : start + MOST_MARKS]
                marks = ",".join("?" * len(some))
                question = f"SELECT {columns} FROM {table} WHERE {key} IN ({marks})"  # noqa: S608 - our own words
                found += self._connection.execute(question, some)
        return found

    def write(self, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
        """Do a statement with each of some rows; all of them, or none."""
        with blamed_on(self.path), _transaction(self._connection):
            self._connection.executemany(statement, rows)


@contextmanager
def database(path: Path, schema: Sequence[str], version: int) -> Iterator[Database]:
    """The database at a path, made if it is not there.

    Args:
        path: of the file; its folder is made.
        schema: statements that make the tables.
        version: of the schema; kept in the file.

    Raises:
        StoreError: the file is broken.
        OSError: it cannot be written, or the disk is full.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(_connected(path)) as connection:
        with blamed_on(path):
            _choose_journal(connection, path)
            if _version(connection) != version:
                _make(connection, schema, version)
        yield Database(path, connection)


def _make(connection: sqlite3.Connection, schema: Sequence[str], version: int) -> None:
    with _transaction(connection):
        for statement in (*schema, f"PRAGMA user_version={version}"):
            connection.execute(statement)


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def blamed_on(path: Path) -> Iterator[None]:
    """What SQLite complains of as one sentence about the file."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        kind = _kind(error)
        if kind in BROKEN:
            raise StoreError(
                f"{path} is broken ({error}); delete this file, what it held is computed again"
            ) from error
        number = SYSTEM_ERRORS.get(kind, errno.EIO)
        raise OSError(number, f"{os.strerror(number)} ({error})", str(path)) from error


def bytes_of(path: Path) -> int:
    """What a database takes on the disk."""
    files = [path, *_beside(path)]
    return sum(file.stat().st_size for file in files if file.is_file())


def remove(path: Path) -> bool:
    """Delete a database, broken or not; False where a process has it open."""
    connection = _connected(path, timeout_s=0.0)
    try:
        if not _alone(connection):
            return False
        if os.name == "nt":  # which lets nobody delete what is open
            connection.close()
        for file in (path, *_beside(path)):
            file.unlink(missing_ok=True)
    finally:
        connection.close()
    return True


def _alone(connection: sqlite3.Connection) -> bool:
    """Whether no one else has the database open; nobody can begin to while this one has it."""
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        (journal,) = connection.execute("PRAGMA journal_mode=DELETE").fetchone()
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.DatabaseError as error:
        return _kind(error) not in BUSY
    return bool(journal == "delete")


def _connected(path: Path, timeout_s: float = BUSY_S) -> sqlite3.Connection:
    with blamed_on(path):
        return sqlite3.connect(path, timeout=timeout_s, isolation_level=None)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _choose_journal(connection: sqlite3.Connection, path: Path) -> None:
    """A log written ahead where all who write are on this machine, else the plain journal."""
    wanted = "delete" if is_networked(path.parent) else "wal"

    def choose() -> str:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != wanted:
            (mode,) = connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()
        return str(mode)

    mode = _when_free(choose)
    connection.execute(f"PRAGMA synchronous={'NORMAL' if mode == 'wal' else 'FULL'}")


def _when_free(work: Callable[[], Answer]) -> Answer:
    """Do what SQLite refuses at once, instead of waiting, while another process has the file."""
    give_up = time.monotonic() + BUSY_S
    while True:
        try:
            return work()
        except sqlite3.OperationalError as error:
            if _kind(error) not in BUSY or time.monotonic() > give_up:
                raise
            time.sleep(0.01)


def is_networked(folder: Path) -> bool:
    """Whether other machines may write to a folder, as far as the system tells."""
    if not MOUNTS.is_file():
        return False
    resolved, kinds = folder.resolve(), {}
    for line in MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines():
        _, place, kind, *_ = line.split(" ")
        kinds[Path(place.replace(r"\040", " "))] = kind
    nearest = next((place for place in (resolved, *resolved.parents) if place in kinds), None)
    return nearest is not None and kinds[nearest].startswith(NETWORKED)


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + ending) for ending in BESIDE]


def _kind(error: sqlite3.Error) -> int:
    """The primary result code."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
