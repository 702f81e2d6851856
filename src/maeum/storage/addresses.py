"""Addresses: which paths are far, how they are spelled, and what reaches them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from maeum.errors import MaeumError, StorageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

KINDS = {
    "s3": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "az": "adlfs",
    "abfs": "adlfs",
    "oss": "ossfs",
    "hdfs": "pyarrow",
    "webhdfs": "requests",
    "sftp": "paramiko",
    "smb": "smbprotocol",
    "memory": "fsspec",
}
"""How an address begins -> the package it takes beside fsspec; none that reads pages of the web."""

_FAR = re.compile(rf"({'|'.join(KINDS)}):/+([^/].*)", re.DOTALL)

_SHORT = re.compile(rf"\b({'|'.join(KINDS)}):/(?=[^/\s])")


def is_far(path: str | Path) -> bool:
    """Whether a path is the address of something elsewhere.

    >>> is_far("s3://calls/1.wav"), is_far(Path("s3://calls/1.wav")), is_far("calls/1.wav")
    (True, True, False)
    """
    return _FAR.fullmatch(str(path)) is not None


def address_of(path: str | Path) -> str:
    """A far path as fsspec takes it.

    Raises:
        StorageError: it names a user or a password.

    >>> address_of(Path("s3://calls/2026/"))
    's3://calls/2026'
    """
    found = _FAR.fullmatch(str(path))
    assert found is not None, path  # noqa: S101 - callers ask `is_far` first
    kind, rest = found.groups()
    if "@" in rest.split("/")[0]:
        raise StorageError(
            f"an address at {kind}:// names a user or a password; leave them to the environment"
        )
    return f"{kind}://{rest.rstrip('/')}"


def as_typed(text: str) -> str:
    """A text for people, in which addresses have the slashes that `pathlib` takes from them.

    >>> as_typed("s3:/calls/1.wav: sad")
    's3://calls/1.wav: sad'
    """
    return _SHORT.sub(r"\1://", text)


def absolute(path: Path) -> Path:
    """The path from the root on; an address is one already."""
    return path if is_far(path) else path.absolute()


def spelled(path: Path) -> str:
    """How a path is written down for others: resolved, or its address."""
    return address_of(path) if is_far(path) else str(path.resolve())


def reached(address: str) -> AbstractFileSystem:
    """What reads and writes at an address.

    Raises:
        StorageError: what it takes is not installed, or the environment does not say who asks.
    """
    kind = address.split(":")[0]
    from fsspec import filesystem

    with blamed_on(address):
        return filesystem(kind)


@contextmanager
def blamed_on(address: str) -> Iterator[None]:
    """What goes wrong at an address as one sentence about it.

    Raises:
        FileNotFoundError: there is nothing.
        StorageError: anything else.
    """
    kind = address.split(":")[0]
    try:
        yield
    except (FileNotFoundError, MaeumError):
        raise
    except ImportError as error:
        extra = "'maeum[s3]'" if kind == "s3" else KINDS[kind]
        raise StorageError(
            f"{address} takes {KINDS[kind]}, which is not installed: pip install {extra}"
        ) from error
    except Exception as error:  # every kind of storage has errors of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StorageError(
            f"{address} cannot be used ({reason}); see that it is right and that the environment "
            "says who asks (for s3://: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL)"
        ) from error
