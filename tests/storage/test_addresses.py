"""Which paths are far, and what is said where nothing can be had."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pytest

from maeum.errors import StorageError
from maeum.storage import absolute, address_of, far_file, files_below, is_far, spelled


@pytest.mark.parametrize("path", ["s3://b/c", Path("s3://b/c"), "gs://b", "memory://b/마음.wav"])
def test_paths_that_begin_like_an_address_are_far(path):
    assert is_far(path)
    assert "://" in address_of(path)
    assert absolute(Path(path)) == Path(path)
    assert spelled(Path(path)) == address_of(path)


@pytest.mark.parametrize(
    "path", ["b/c", "/b/c", "s3", "s3/b", "s3:b", "https://b/c", "file:///b", "c:/b", "s3://", ""]
)
def test_others_are_not(path):
    assert not is_far(path)


def test_an_address_names_nobody():
    with pytest.raises(StorageError, match="leave them to the environment"):
        address_of("s3://KEY:SECRET@bucket/corpus")


def test_a_kind_that_is_not_installed_says_what_to_install():
    with pytest.raises(StorageError, match=r"takes ossfs, which is not installed: pip install"):
        far_file(Path("oss://bucket/1.wav"))


def test_what_storage_says_of_a_file_changes_with_it(in_memory):
    path = Path(f"{in_memory}/1.bin")
    fsspec.filesystem("memory").pipe_file(f"{in_memory}/1.bin", b"0123456789")
    found = far_file(path)
    assert (found.size, found.head(4), found.open().read()) == (10, b"0123", b"0123456789")
    assert found.head(99) == b"0123456789"
    fsspec.filesystem("memory").pipe_file(f"{in_memory}/1.bin", b"9876543210")
    ((name, now),) = files_below(Path(in_memory))
    assert (name, now.tag != found.tag) == ("1.bin", True)


def test_there_is_no_file_where_there_is_none_or_a_folder(in_memory):
    fsspec.filesystem("memory").pipe_file(f"{in_memory}/folder/1.bin", b"0")
    assert far_file(Path(f"{in_memory}/2.bin")) is None
    assert far_file(Path(f"{in_memory}/folder")) is None
    assert far_file(Path("folder/1.bin")) is None


def test_names_that_lead_out_of_a_folder_are_refused(bucket):
    s3 = fsspec.filesystem("s3")
    s3.pipe_file(f"{bucket}/corpus/../../outside", b"0")
    with pytest.raises(StorageError, match="leads out of it"):
        list(files_below(Path(f"{bucket}/corpus")))


def test_a_server_that_does_not_answer_is_one_sentence(bucket, monkeypatch):
    fsspec.filesystem("s3").clear_instance_cache()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StorageError, match=r"cannot be used .* AWS_ENDPOINT_URL"):
        far_file(Path(f"{bucket}/1.wav"))
    fsspec.filesystem("s3").clear_instance_cache()
