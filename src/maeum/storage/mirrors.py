"""A folder here for one elsewhere: fetched before it is worked in, put up while and after it is.

Work that is killed leaves its mirror, and goes on from it; on another machine it goes on from what
was put up. A file is taken for changed where its size or time is not what it was.
"""

from __future__ import annotations

import inspect
import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import wraps
from hashlib import blake2b
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ParamSpec, TypeVar

from maeum.cache import cache_folder
from maeum.errors import StorageError
from maeum.files import write_json, written_aside
from maeum.progress import bar
from maeum.storage.addresses import address_of, blamed_on, is_far, reached
from maeum.storage.far_files import FarFile, file_now, files_below

logger = logging.getLogger(__name__)

PUT_UP_EVERY_S = 30.0
"""What a lost machine loses at most of a folder that is being written."""

SETTLED_S = 2.0
"""A file changed less than this ago may still be written, and waits."""

AT_ONCE = 64
"""Files on their way beside each other."""

EVERYTHING = ("*",)

Given = ParamSpec("Given")
Made = TypeVar("Made")


def fetched(
    folder: str | Path, wanted: Sequence[str] = EVERYTHING, *, may_lack: bool = False
) -> Path:
    """The folder, or for a far one its mirror with the files as they are now.

    Args:
        folder: a folder, far or not.
        wanted: patterns of the files to fetch, as paths from the folder on.
        may_lack: whether there may be none.

    Raises:
        StorageError: storage does not answer, or holds no such files.
    """
    if not is_far(folder):
        return Path(folder)
    mirror = Mirror(address_of(folder))
    if not mirror.pull(wanted) and not may_lack:
        raise StorageError(
            f"{mirror.address} holds nothing that is looked for; see that the address is right"
        )
    return mirror.here


@contextmanager
def kept(folder: str | Path) -> Iterator[Path]:
    """A folder to work in: the one that is named, or for a far one its mirror.

    What is written to a mirror is put up every `PUT_UP_EVERY_S`, and when the block ends, well or
    not.

    Raises:
        StorageError: storage does not answer, or takes nothing.
    """
    if not is_far(folder):
        yield Path(folder)
        return
    mirror = Mirror(address_of(folder))
    mirror.pull()
    ended = threading.Event()
    thread = threading.Thread(target=mirror.push_until, args=(ended,), daemon=True)
    thread.start()
    try:
        yield mirror.here
    finally:
        ended.set()
        thread.join()
        mirror.push()


def send(path: Path, folder: Path) -> None:
    """Copy a file into a folder, far or not; it is there whole or not at all.

    Raises:
        StorageError: storage does not answer, or takes nothing.
    """
    if is_far(folder):
        address = f"{address_of(folder)}/{path.name}"
        with blamed_on(address):
            reached(address).put_file(str(path), address)
        return
    with written_aside(folder / path.name) as aside:
        shutil.copyfile(path, aside)


def working_folder(folder: Path) -> Path:
    """Where `kept` works, from the root on."""
    return Mirror(address_of(folder)).here.absolute() if is_far(folder) else folder.absolute()


def keeps(argument: str) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Let a function that writes to a folder write to one elsewhere.

    Args:
        argument: of the function, that names the folder; None stays None.
    """

    def decorate(work: Callable[Given, Made]) -> Callable[Given, Made]:
        signature = inspect.signature(work)

        @wraps(work)
        def worked(*given: Given.args, **named: Given.kwargs) -> Made:
            bound = signature.bind(*given, **named)
            folder = bound.arguments.get(argument)
            if folder is None or not is_far(folder):
                return work(*given, **named)
            with kept(folder) as here:
                bound.arguments[argument] = here
                return work(*bound.args, **bound.kwargs)

        return worked

    return decorate


@dataclass
class Mirror:
    """A folder here that holds the files of one elsewhere.

    Attributes:
        address: of the one elsewhere.
    """

    address: str
    _seen: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        try:
            self._seen = json.loads(self._index.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            self._seen = {}

    @property
    def here(self) -> Path:
        """The folder."""
        kind, _, rest = self.address.partition("://")
        return cache_folder() / "mirrors" / kind / rest

    @property
    def _index(self) -> Path:
        name = blake2b(self.address.encode(), digest_size=12).hexdigest()
        return cache_folder() / "mirrors" / f"{name}.json"

    def pull(self, wanted: Sequence[str] = EVERYTHING) -> int:
        """Fetch what is not here, or is another there than it was.

        Returns:
            How many of the files are there.
        """
        there = dict(self._there_of(wanted))
        lacking = {name: file for name, file in there.items() if not self._has(name, file)}
        with (
            TemporaryDirectory(dir=self._shelf(), prefix=".fetching-") as aside,
            bar(total=len(lacking), label=f"fetching {self.address}") as show,
        ):
            done = 0
            for names in _parted(list(lacking)):
                self._fetch({name: lacking[name] for name in names}, Path(aside))
                done += len(names)
                show(done, "")
        if set(wanted) == set(EVERYTHING):
            for name in set(self._seen) - set(there):
                (self.here / name).unlink(missing_ok=True)
                del self._seen[name]
        self._note()
        return len(there)

    def push(self, settled_s: float = 0.0) -> None:
        """Put up what is another here than it was, and take away what is no longer here.

        Args:
            settled_s: files changed less than this ago wait.
        """
        now_ns = time.time_ns()
        present = {name: _sign(self.here / name) for name in self._names()}
        changed = [
            name
            for name, sign in sorted(present.items(), key=lambda one: one[1][1])
            if self._seen.get(name, {}).get("sign") != sign and now_ns - sign[1] >= settled_s * 1e9
        ]
        for names in _parted(changed):
            self._put_up({name: present[name] for name in names})
        if gone := sorted(set(self._seen) - set(present)):
            with blamed_on(self.address):
                reached(self.address).rm([self._there(name) for name in gone])
            for name in gone:
                del self._seen[name]
        if changed or gone:
            self._note()

    def push_until(self, ended: threading.Event) -> None:
        """Put up what settled, again and again; what fails is tried again the next time."""
        told = False
        while not ended.wait(PUT_UP_EVERY_S):
            try:
                self.push(SETTLED_S)
            except (OSError, StorageError) as error:
                if not told:
                    logger.warning("%s; what is made stays in %s meanwhile", error, self.here)
                told = True

    def _there_of(self, wanted: Sequence[str]) -> Iterator[tuple[str, FarFile]]:
        """The files elsewhere that are wanted; of plain names no more than these are asked for."""
        if any("*" in pattern for pattern in wanted):
            for name, file in files_below(Path(self.address)):
                if any(fnmatch(name, pattern) for pattern in wanted):
                    yield name, file
            return
        for name in wanted:
            found = file_now(Path(self.address, name))
            if found is not None:
                yield name, found

    def _fetch(self, files: dict[str, FarFile], aside: Path) -> None:
        asides = [aside / str(place) for place in range(len(files))]
        with blamed_on(self.address):
            reached(self.address).get(
                [self._there(name) for name in files], [str(path) for path in asides]
            )
        for (name, file), path in zip(files.items(), asides, strict=True):
            (self.here / name).parent.mkdir(parents=True, exist_ok=True)
            path.replace(self.here / name)
            self._seen[name] = {"tag": file.tag, "sign": _sign(self.here / name)}

    def _put_up(self, signs: dict[str, list[int]]) -> None:
        storage = reached(self.address)
        with blamed_on(self.address):
            storage.put(
                [str(self.here / name) for name in signs], [self._there(name) for name in signs]
            )
            for name, sign in signs.items():
                info = storage.info(self._there(name), refresh=True)
                tag = FarFile.told(Path(self.address, name), info).tag
                self._seen[name] = {"tag": tag, "sign": sign}

    def _has(self, name: str, file: FarFile) -> bool:
        """Whether the file here comes from the one there; it may have been changed since."""
        return (self.here / name).is_file() and self._seen.get(name, {}).get("tag") == file.tag

    def _names(self) -> Iterator[str]:
        """Files of the mirror; hidden ones are being written, or are of no use elsewhere."""
        for path in self.here.rglob("*"):
            below = path.relative_to(self.here)
            if path.is_file() and not any(part.startswith(".") for part in below.parts):
                yield below.as_posix()

    def _there(self, name: str) -> str:
        return f"{self.address}/{name}"

    def _shelf(self) -> Path:
        self.here.parent.mkdir(parents=True, exist_ok=True)
        return self.here.parent

    def _note(self) -> None:
        write_json(self._index, self._seen)


def _sign(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]


def _parted(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))
