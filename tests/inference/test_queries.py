"""What is asked: recordings, a text, many texts, and how they belong together."""

from pathlib import Path

import polars as pl
import pytest

from maeum.errors import AudioError, CorpusError, SettingsError, TextError
from maeum.inference import Query
from maeum.inference.queries import queries


@pytest.fixture
def calls(tmp_path):
    """`calls/a/1.wav`, `calls/a/2.wav`, `calls/b/1.wav`; what they hold does not matter here."""
    folder = tmp_path / "calls"
    for name in ("a/1.wav", "a/2.wav", "b/1.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


@pytest.fixture
def write(tmp_path):
    def written(name, text):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return written


def asked(*audio, text=None, texts=None):
    return queries(audio, text=text, texts=texts)


# -- without a table -----------------------------------------------------------------------------


def test_recordings_and_folders_are_asked_one_by_one(calls, tmp_path):
    found = asked(tmp_path / "none.wav", calls)
    names = ["none.wav", "calls/a/1.wav", "calls/a/2.wav", "calls/b/1.wav"]
    assert found == [Query(str(tmp_path / name)) for name in names]


def test_a_text_belongs_to_the_one_recording_or_stands_alone(calls):
    one = calls / "a" / "1.wav"
    assert asked(one, text="네") == [Query(str(one), "네")]
    assert asked(calls / "b", text="네") == [Query(str(calls / "b" / "1.wav"), "네")]
    assert asked(text="네") == [Query(None, "네")]


def test_one_text_for_several_recordings_is_refused(calls):
    with pytest.raises(SettingsError, match=r"--text was given for 3 recordings.*--texts"):
        asked(calls, text="네")


def test_nothing_asked_is_refused():
    with pytest.raises(SettingsError, match="nothing to predict"):
        asked()


def test_a_text_and_a_table_of_texts_are_one_too_many(write):
    with pytest.raises(SettingsError, match="both given"):
        asked(text="네", texts=write("a.txt", "네\n"))


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(AudioError, match="holds no recording"):
        asked(tmp_path)


# -- one sentence a line -------------------------------------------------------------------------


def test_lines_are_asked_one_by_one(write):
    assert asked(texts=write("a.txt", "네\n아니요\n")) == [Query(None, "네"), Query(None, "아니요")]


def test_lines_belong_to_recordings_in_order(calls, write):
    found = asked(calls, texts=write("a.txt", "하나\n둘\n셋"))
    assert [query.text for query in found] == ["하나", "둘", "셋"]
    assert [query.audio[-7:] for query in found] == ["a/1.wav", "a/2.wav", "b/1.wav"]


def test_an_empty_line_keeps_its_place_and_fails_by_itself(write):
    found = asked(texts=write("a.txt", "하나\n\n셋\n"))
    assert [query.text for query in found] == ["하나", "", "셋"]


@pytest.mark.parametrize("lines", ["하나\n둘\n", "하나\n둘\n셋\n넷\n"])
def test_lines_and_recordings_must_be_as_many(calls, write, lines):
    with pytest.raises(SettingsError, match=rf"{lines.count(chr(10))} lines for 3 recordings"):
        asked(calls, texts=write("a.txt", lines))


def test_lines_of_a_windows_file_in_korean_are_read(tmp_path):
    path = tmp_path / "a.TXT"
    path.write_bytes("네\r\n아니요\r\n".encode("cp949"))
    assert [query.text for query in asked(texts=path)] == ["네", "아니요"]


def test_a_missing_file_of_lines_is_refused(tmp_path):
    with pytest.raises(TextError, match="does not exist"):
        asked(texts=tmp_path / "none.txt")


# -- a table -------------------------------------------------------------------------------------


def test_a_table_alone_is_asked_row_by_row_its_recordings_beside_it(write, tmp_path):
    table = write("t.csv", "file,문장\ncalls/a/1.wav,하나\n,둘\n/x/3.wav,\n")
    first = str(tmp_path / "calls" / "a" / "1.wav")
    assert asked(texts=table) == [Query(first, "하나"), Query(None, "둘"), Query("/x/3.wav")]


def test_a_workbook_is_asked_row_by_row(tmp_path):
    path = tmp_path / "말.xlsx"
    pl.DataFrame({"문장": ["정말 기뻐", "눈물이 나"]}).write_excel(path)
    assert asked(texts=path) == [Query(None, "정말 기뻐"), Query(None, "눈물이 나")]


def test_a_table_of_texts_or_of_recordings_alone_will_do(write, tmp_path):
    assert asked(texts=write("t.csv", "text\n네\n")) == [Query(None, "네")]
    assert asked(texts=write("a.csv", "audio\n1.wav\n")) == [Query(str(tmp_path / "1.wav"))]


def test_recordings_find_their_texts_by_path_however_it_is_written(calls, write, monkeypatch):
    table = write("t.csv", "audio,text\ncalls/b/1.wav,비\ncalls/a/1.wav,에이\n")
    monkeypatch.chdir(calls)
    for path in (calls / "a" / "1.wav", Path("a/1.wav"), Path("b/../a/1.wav")):
        assert asked(path, texts=table) == [Query(str(path), "에이")]
    assert asked(Path("b"), texts=Path("../t.csv")) == [Query("b/1.wav", "비")]


def test_recordings_find_their_texts_by_name_where_one_has_that_name(calls, write):
    table = write("t.csv", "audio,text\n2.wav,둘\n")
    assert [query.text for query in asked(calls / "a", texts=table)] == [None, "둘"]


def test_a_name_that_stands_twice_in_the_table_gives_no_text(calls, write):
    table = write("t.csv", "audio,text\nx/1.wav,엑스\ny/1.wav,와이\n")
    assert asked(calls / "a" / "1.wav", texts=table)[0].text is None


def test_a_table_without_text_or_audio_is_refused(write):
    with pytest.raises(SettingsError, match=r"has the columns emotion, who; expected audio, text"):
        asked(texts=write("t.csv", "emotion,who\nHappy,나\n"))


@pytest.mark.parametrize("name", ["none.csv", "notes.docx"])
def test_a_table_that_cannot_be_read_is_refused(tmp_path, name):
    if name != "none.csv":
        (tmp_path / name).touch()
    with pytest.raises(CorpusError):
        asked(texts=tmp_path / name)
