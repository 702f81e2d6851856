"""Files are whole or not there."""

import json
import os
import stat

import pytest

from maeum.errors import TextError
from maeum.files import files_written_aside, read_text, write_json, write_text, written_aside


def write_half(path):
    with written_aside(path) as aside:
        aside.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")


def test_a_failed_write_leaves_the_old_file_whole_and_nothing_beside_it(tmp_path):
    path = tmp_path / "kept.txt"
    write_text(path, "old")
    with pytest.raises(OSError, match="No space left"):
        write_half(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_first_write_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        write_half(tmp_path / "new.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "kept.txt"
    write_text(path, "old")
    with written_aside(path) as aside:
        aside.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"


def test_folders_above_are_made(tmp_path):
    write_text(tmp_path / "a" / "b" / "c.txt", "deep")
    assert (tmp_path / "a" / "b" / "c.txt").read_text(encoding="utf-8") == "deep"
    with files_written_aside(tmp_path / "d" / "e") as aside:
        (aside / "f.txt").write_text("deep")
    assert (tmp_path / "d" / "e" / "f.txt").read_text() == "deep"


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_others_may_read_what_they_could_read_of_a_plain_file(tmp_path):
    (tmp_path / "plain").touch()
    write_text(tmp_path / "ours", "")
    with files_written_aside(tmp_path) as aside:
        (aside / "private").touch(mode=0o600)
    rights = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert len(rights) == 1


def test_files_written_together_come_when_all_are_whole_and_leave_others_alone(tmp_path):
    for name in ("kept", "replaced"):
        (tmp_path / name).write_text("old")
    with files_written_aside(tmp_path) as aside:
        for name in ("new", "replaced"):
            (aside / name).write_text("new")
        assert (tmp_path / "replaced").read_text() == "old"
        assert not (tmp_path / "new").exists()
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"kept": "old", "replaced": "new", "new": "new"}


def write_some(folder):
    with files_written_aside(folder) as aside:
        (aside / "replaced").write_text("new")
        raise OSError(28, "No space left on device")


def test_of_files_written_together_none_comes_if_one_fails(tmp_path):
    (tmp_path / "replaced").write_text("old")
    with pytest.raises(OSError, match="No space left"):
        write_some(tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"replaced": "old"}


def test_json_keeps_hangul_readable(tmp_path):
    write_json(tmp_path / "a.json", {"감정": ["기쁨", 1.5, None]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "기쁨" in text
    assert json.loads(text) == {"감정": ["기쁨", 1.5, None]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_korean_text_is_read_in_the_encodings_it_comes_in(tmp_path, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("정말 마음이 아프다".encode(encoding))
    assert read_text(path) == "정말 마음이 아프다"


def test_marks_at_the_start_are_removed_however_many(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeff\ufeff말".encode("utf-8-sig"))
    assert read_text(path) == "말"


def test_another_encoding_is_named_as_unreadable(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xff\xfe\x00\xac\xff")
    with pytest.raises(TextError, match=r"a\.txt is neither UTF-8 nor cp949"):
        read_text(path)
