"""Files that are whole or not there: written aside, then renamed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from maeum.errors import TextError

KOREAN_ENCODINGS = ("utf-8-sig", "cp949")
"""What Korean text files come in: UTF-8 with or without a mark, and what Excel writes in Korea."""


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A path to write to; renamed to `path` when the block ends well, removed when it does not.

    A reader sees the old file or the new one, never half of it, and a full disk leaves the old
    one whole.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _blamed_on(path):
        aside = _new_file_beside(path)
    try:
        with _blamed_on(path):
            yield aside
        _give_usual_rights(aside)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def files_written_aside(folder: Path) -> Iterator[Path]:
    """A folder to write files to; they are renamed into `folder` when the block ends well.

    Each of them is whole or not there, and where the block fails `folder` is left as it was.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder, prefix=".saving-") as aside:
        yield Path(aside)
        for path in sorted(Path(aside).iterdir()):
            _give_usual_rights(path)
            path.replace(folder / path.name)


def _new_file_beside(path: Path) -> Path:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    return Path(name)


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    """What goes wrong with the hidden file beside a path, said of the path itself."""
    try:
        yield
    except OSError as error:
        named = None if error.filename is None else Path(str(error.filename))
        if named is None or named.name.startswith(f".{path.name}."):
            error.filename = str(path)
        raise


def _give_usual_rights(path: Path) -> None:
    """The rights a plainly opened file would have; temporary files are the owner's alone."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text whole or not at all."""
    with written_aside(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 - anything JSON can hold
    """Write a value as indented JSON, Hangul readable, whole or not at all."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def read_yaml(path: Path) -> Any:  # noqa: ANN401 - anything YAML can hold
    """The value a YAML file holds.

    Raises:
        TextError: it is missing, not text, or not YAML; one line says where.
    """
    import yaml

    if not path.is_file():
        raise TextError(f"{path} cannot be read: it is no file; expected lines like `name: value`")
    try:
        return yaml.safe_load(read_text(path))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise TextError(
            f"{path} cannot be read as YAML ({where}{error.problem}); mend it"
        ) from error
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise TextError(f"{path} cannot be read as YAML ({reason}); mend it") from error


def read_text(path: Path) -> str:
    """Text of a file in UTF-8 (marks at its start removed, however many) or cp949.

    Raises:
        TextError: neither encoding fits.
    """
    return decoded(path.read_bytes(), path)


def decoded(data: bytes, path: Path) -> str:
    """What bytes from a file say, as `read_text` reads them.

    Raises:
        TextError: they are neither UTF-8 nor cp949.
    """
    for encoding in KOREAN_ENCODINGS:
        try:
            return data.decode(encoding).lstrip("\ufeff")
        except UnicodeDecodeError:
            continue
    raise TextError(
        f"{path} is neither UTF-8 nor cp949 (the encoding Excel uses in Korea); save it as UTF-8"
    )
