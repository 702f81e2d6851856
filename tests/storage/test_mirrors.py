"""Folders that are worked in here and lie elsewhere."""

from __future__ import annotations

import threading
from pathlib import Path

import fsspec
import pytest

from maeum.errors import StorageError
from maeum.storage import fetched, keeps, kept, mirrors, send, working_folder


def put(address: str, content: str) -> None:
    fsspec.filesystem("memory").pipe_file(address, content.encode())


def there(address: str) -> dict[str, str]:
    memory = fsspec.filesystem("memory")
    root = memory._strip_protocol(address)
    return {path[len(root) + 1 :]: memory.cat_file(path).decode() for path in memory.find(root)}


def test_what_is_written_is_there_when_the_block_ends(in_memory):
    with kept(in_memory) as folder:
        (folder / "runs" / "1").mkdir(parents=True)
        (folder / "runs" / "1" / "card").write_text("마음")
        (folder / ".half").write_text("half")
        assert folder == working_folder(Path(in_memory))
    assert there(in_memory) == {"runs/1/card": "마음"}


def test_what_was_made_before_a_failure_is_there_too(in_memory):
    def work():
        with kept(in_memory) as folder:
            folder.mkdir(parents=True)
            (folder / "first").write_text("1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert there(in_memory) == {"first": "1"}


def test_what_others_changed_is_fetched_and_what_they_removed_goes(in_memory):
    put(f"{in_memory}/a", "1")
    put(f"{in_memory}/b", "1")
    folder = fetched(in_memory)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "1", "b": "1"}
    put(f"{in_memory}/a", "22")
    fsspec.filesystem("memory").rm(f"{in_memory}/b")
    folder = fetched(in_memory)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a": "22"}


def test_what_is_the_same_is_not_moved_again(in_memory, monkeypatch):
    with kept(in_memory) as folder:
        folder.mkdir(parents=True)
        (folder / "a").write_text("1")
    monkeypatch.setattr(mirrors.Mirror, "_fetch", None)
    monkeypatch.setattr(mirrors.Mirror, "_put_up", None)
    with kept(in_memory) as folder:
        assert (folder / "a").read_text() == "1"


def test_what_a_killed_process_made_is_put_up_the_next_time(in_memory):
    with kept(in_memory) as folder:
        folder.mkdir(parents=True)
        (folder / "a").write_text("1")
    (folder / "a").write_text("22")  # after the last push, before the kill
    (folder / "b").write_text("3")
    with kept(in_memory) as folder:
        assert (folder / "a").read_text() == "22"
    assert there(in_memory) == {"a": "22", "b": "3"}


def test_what_is_removed_is_taken_away_but_only_what_was_known(in_memory):
    with kept(in_memory) as folder:
        folder.mkdir(parents=True)
        (folder / "old").write_text("1")
        (folder / "new").write_text("1")
    with kept(in_memory) as folder:
        (folder / "old").unlink()
        put(f"{in_memory}/of-others", "1")
    assert there(in_memory) == {"new": "1", "of-others": "1"}


def test_another_machine_goes_on_from_what_was_put_up(in_memory, monkeypatch, tmp_path):
    with kept(in_memory) as folder:
        folder.mkdir(parents=True)
        (folder / "fold-1").write_text("1")
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "another"))
    with kept(in_memory) as folder:
        assert (folder / "fold-1").read_text() == "1"


def test_a_long_work_is_put_up_as_it_goes(in_memory, monkeypatch):
    monkeypatch.setattr(mirrors, "PUT_UP_EVERY_S", 0.01)
    monkeypatch.setattr(mirrors, "SETTLED_S", 0.0)
    with kept(in_memory) as folder:
        folder.mkdir(parents=True)
        (folder / "checkpoint").write_text("1")
        waited = threading.Event()
        for _ in range(500):
            if there(in_memory):
                break
            waited.wait(0.01)
        assert there(in_memory) == {"checkpoint": "1"}


def test_what_is_still_being_written_waits(in_memory):
    mirror = mirrors.Mirror(in_memory)
    mirror.here.mkdir(parents=True)
    (mirror.here / "a").write_text("1")
    mirror.push(settled_s=60)
    assert there(in_memory) == {}
    mirror.push()
    assert there(in_memory) == {"a": "1"}


def test_only_what_is_wanted_is_fetched(in_memory):
    put(f"{in_memory}/corpus.json", "{}")
    put(f"{in_memory}/wav/1.wav", "sound")
    folder = fetched(in_memory, ("corpus.json", "rejected.parquet"))
    assert [path.name for path in folder.rglob("*")] == ["corpus.json"]
    with pytest.raises(StorageError, match="holds nothing that is looked for"):
        fetched(in_memory, ("manifest.parquet",))
    assert fetched(in_memory, ("manifest.parquet",), may_lack=True) == folder


def test_folders_of_this_machine_are_themselves(tmp_path):
    assert fetched(tmp_path) == tmp_path
    with kept(tmp_path) as folder:
        assert folder == tmp_path
    (tmp_path / "a").write_text("1")
    send(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b" / "a").read_text() == "1"


def test_a_function_that_writes_to_a_folder_writes_elsewhere(in_memory):
    @keeps("to")
    def write(text, to=None):
        if to is not None:
            Path(to).mkdir(parents=True, exist_ok=True)
            (Path(to) / "a").write_text(text)
        return to

    assert write("1") is None
    assert write("1", to=in_memory) == working_folder(Path(in_memory))
    assert there(in_memory) == {"a": "1"}
