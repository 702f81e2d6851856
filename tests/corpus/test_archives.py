"""A file inside a zip is read like one beside it, and a broken zip is one sentence."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import pytest
import soundfile as sf

from maeum.corpus.archives import archive, indirect, is_file, open_file, zip_of
from maeum.corpus.audio import load, read_header
from maeum.errors import ArchiveError, AudioError
from maeum.features.digests import known, sign_of
from maeum.testing import made_tone
from maeum.testing.aihub466_disks import KoreanName


@pytest.fixture
def zipped(tmp_path):
    """A zip with a recording below a Korean folder, its name in cp949 and unmarked."""
    sf.write(tmp_path / "a.wav", made_tone(), 16_000)
    with zipfile.ZipFile(tmp_path / "TS1.zip", "w") as file:
        file.writestr(KoreanName("1.기쁨/a.wav", "cp949"), (tmp_path / "a.wav").read_bytes())
        file.writestr("empty.wav", b"")
    return tmp_path / "TS1.zip"


def test_a_path_through_a_zip_is_told_from_one_through_a_folder_of_that_name(tmp_path, zipped):
    (tmp_path / "b.zip").mkdir()
    assert zip_of(zipped / "1.기쁨" / "a.wav") == zipped
    assert zip_of(tmp_path / "b.zip" / "a.wav") is None
    assert zip_of(zipped) is None


def test_a_recording_in_a_zip_sounds_as_it_does_beside_it(tmp_path, zipped):
    inside = zipped / "1.기쁨" / "a.wav"
    assert read_header(inside) == read_header(tmp_path / "a.wav")
    assert np.array_equal(load(inside, rate_hz=16_000), load(tmp_path / "a.wav", rate_hz=16_000))


@pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
def test_names_come_out_in_hangul_whatever_the_zip_says_of_them(tmp_path, encoding):
    with zipfile.ZipFile(tmp_path / "n.zip", "w") as file:
        file.writestr(KoreanName("상처/똠방각하.json", encoding), b"{}")
    assert list(archive(tmp_path / "n.zip").members) == ["상처/똠방각하.json"]


def test_what_is_inside_is_known_again_until_the_zip_changes(zipped):
    inside = zipped / "1.기쁨" / "a.wav"
    before = known(inside, None)
    assert known(inside, before) is before
    os.utime(zipped, ns=(0, 0))
    assert sign_of(inside) != before.sign
    assert known(inside, before).digest == before.digest


def test_what_is_not_inside_is_no_file_and_says_so(zipped):
    gone = zipped / "1.기쁨" / "b.wav"
    assert not is_file(gone)
    assert is_file(zipped / "1.기쁨" / "a.wav")
    assert sign_of(gone) is None
    with pytest.raises(ArchiveError, match="no such file"):
        indirect(gone)
    with pytest.raises(AudioError, match="no such file"):
        read_header(gone)


def test_an_empty_recording_inside_is_called_empty(zipped):
    with pytest.raises(AudioError, match="empty"):
        read_header(zipped / "empty.wav")


def test_a_zip_that_was_cut_off_is_one_sentence(zipped):
    zipped.write_bytes(zipped.read_bytes()[:200])
    with pytest.raises(ArchiveError, match="is no zip or a broken one"):
        open_file(zipped / "1.기쁨" / "a.wav")


def test_a_member_with_spoilt_bytes_is_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.wav", bytes(range(256)) * 40)
    data = bytearray((tmp_path / "s.zip").read_bytes())
    data[60:90] = bytes(30)
    (tmp_path / "s.zip").write_bytes(data)
    with pytest.raises(ArchiveError, match="cannot be read out of its zip"):
        open_file(tmp_path / "s.zip" / "a.wav")


def test_a_member_that_would_fill_the_memory_is_refused(zipped, monkeypatch):
    monkeypatch.setattr("maeum.corpus.archives.MOST_BYTES", 1000)
    with pytest.raises(ArchiveError, match="at most 1,000"):
        open_file(zipped / "1.기쁨" / "a.wav")
