"""Readers give what a tree or table says, and a rejection for what they cannot give."""

from __future__ import annotations

import codecs
import json

import polars as pl
import pytest

from maeum.corpus.manifest import Rejection, Utterance
from maeum.corpus.readers import READERS
from maeum.corpus.readers.emotiontts import read as read_tree
from maeum.corpus.readers.table import load_table, match_columns
from maeum.corpus.readers.table import read as read_table
from maeum.errors import CorpusError

FOLDER_OF = {"em": "plain-to-emotional", "ne": "emotional-to-emotional"}
ROWS = [
    {"audio": "a/1.wav", "text": "정말 기뻐", "emotion": "happy", "speaker": "s1"},
    {"audio": "a/2.wav", "text": "눈물이 나", "emotion": "슬픔", "speaker": "s2"},
]


def put(tree, stem, *, text="마음이 아프다", marks=2, wav=True, script=True):
    """One recording of the published tree; files of text begin with stray marks."""
    place = tree / "Emotional" / FOLDER_OF[stem[:2]] / stem[:3]
    for kind in ("wav", "script", "transcript"):
        (place / kind).mkdir(parents=True, exist_ok=True)
    if wav:
        (place / "wav" / f"{stem}.wav").write_bytes(b"")
    if script:
        content = codecs.BOM_UTF8 * marks + text.encode()
        (place / "script" / f"{stem}.txt").write_bytes(content)
        (place / "transcript" / f"{stem}.txt").write_bytes(content)


@pytest.fixture
def tree(tmp_path):
    for stem in ("nea00001", "nea00101", "nea00201", "nea00301", "nef00002", "emg00001"):
        put(tmp_path, stem)
    return tmp_path


def by_id(items):
    return {item.id: item for item in items}


def utterances(items):
    return [item for item in items if isinstance(item, Utterance)]


def table_of(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


def test_blocks_201_are_sad_and_301_angry(tree):
    found = {id: item.emotion for id, item in by_id(read_tree(tree)).items()}
    assert found == {
        "nea00001": "Neutrality",
        "nea00101": "Happy",
        "nea00201": "Sad",
        "nea00301": "Angry",
        "nef00002": "Neutrality",
        "emg00001": "Neutrality",
    }
    assert "00201" in READERS["emotiontts"].notes[0]


def test_stray_marks_do_not_reach_the_text(tree):
    assert {item.text for item in read_tree(tree)} == {"마음이 아프다"}


@pytest.mark.parametrize(("name", "count"), [("plain", 1), ("emotional", 5), ("both", 6)])
def test_a_set_is_chosen_by_name(tree, name, count):
    assert len(list(read_tree(tree, set=name))) == count


def test_speaker_gender_and_style_come_from_the_name(tree):
    found = by_id(read_tree(tree))
    told = {id: (u.speaker, u.gender, u.style) for id, u in found.items()}
    assert told["nea00001"] == ("nea", "female", "emotional")
    assert told["nef00002"] == ("nef", "male", "emotional")
    assert told["emg00001"] == ("emg", "male", "plain")


def test_a_script_without_its_recording_is_rejected(tree):
    put(tree, "nea00003", wav=False)
    missing = by_id(read_tree(tree))["nea00003"]
    assert isinstance(missing, Rejection)
    assert missing.reason == "recording missing"


def test_a_recording_without_a_script_stays_without_text(tree):
    put(tree, "nea00004", script=False)
    assert by_id(read_tree(tree))["nea00004"].text is None


@pytest.mark.parametrize("stem", ["nea00401", "nea00000", "nea1", "neA00001x"])
def test_a_name_that_says_no_emotion_is_rejected(tree, stem):
    put(tree, stem)
    assert by_id(read_tree(tree))[stem].reason == "name without an emotion"


def test_a_script_in_no_known_encoding_is_rejected(tree):
    put(tree, "nea00005")
    script = tree / "Emotional" / FOLDER_OF["ne"] / "nea" / "script" / "nea00005.txt"
    script.write_bytes(b"\xff\xff\xff")
    assert by_id(read_tree(tree))["nea00005"].reason == "text cannot be read"


def test_the_tree_may_be_given_from_any_folder_above_or_at_a_set(tree, monkeypatch):
    place = tree / "Emotional" / FOLDER_OF["ne"]
    assert len(list(read_tree(place))) == 5
    monkeypatch.chdir(place)
    assert len(list(read_tree(type(tree)(".")))) == 5


def test_a_folder_without_the_sets_and_an_unknown_set_are_errors(tmp_path):
    with pytest.raises(CorpusError, match="holds no folder plain-to-emotional"):
        list(read_tree(tmp_path))
    with pytest.raises(CorpusError, match="unknown set 'all'; --set takes plain, emotional, both"):
        list(read_tree(tmp_path, set="all"))


def write_csv(path, encoding="utf-8"):
    lines = ["audio,text,emotion,speaker", *(",".join(row.values()) for row in ROWS)]
    return table_of(path, "\n".join(lines) + "\n", encoding)


WRITERS = {
    "csv in utf-8": lambda folder: write_csv(folder / "t.csv"),
    "csv with a mark": lambda folder: write_csv(folder / "t.csv", "utf-8-sig"),
    "csv as Excel writes it in Korea": lambda folder: write_csv(folder / "t.csv", "cp949"),
    "tsv": lambda folder: table_of(
        folder / "t.tsv", write_csv(folder / "t.csv").read_text("utf-8").replace(",", "\t")
    ),
    "csv with Windows line ends": lambda folder: table_of(
        folder / "t.csv", write_csv(folder / "t.csv").read_text("utf-8").replace("\n", "\r\n")
    ),
    "jsonl": lambda folder: table_of(
        folder / "t.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    ),
    "ndjson": lambda folder: table_of(
        folder / "t.ndjson", "".join(json.dumps(row) + "\n" for row in ROWS)
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_table_reads_the_same_in_every_format_and_encoding(kind, tmp_path):
    found = list(read_table(WRITERS[kind](tmp_path)))
    assert [(u.audio, u.text, u.emotion, u.speaker) for u in found] == [
        tuple(row.values()) for row in ROWS
    ]
    assert [u.id for u in found] == ["a/1", "a/2"]


def test_a_parquet_table_reads_the_same_and_nested_columns_are_left_out(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame(
        [{**row, "votes": [1, 2], "bytes": b"\xff", "n": 7} for row in ROWS]
    ).write_parquet(path)
    found = list(read_table(path))
    assert [u.emotion for u in found] == ["happy", "슬픔"]
    assert [u.extra for u in found] == [{"n": "7"}, {"n": "7"}]


def test_columns_go_by_usual_names_in_any_case(tmp_path):
    path = table_of(tmp_path / "t.csv", "WAV_ID,발화문,감정,화자,성별\nx1,안녕,기쁨,s1,여\n")
    [found] = read_table(path)
    assert (found.id, found.text, found.emotion, found.speaker, found.gender) == (
        "x1",
        "안녕",
        "기쁨",
        "s1",
        "여",
    )


def test_columns_can_be_named_and_what_no_field_takes_is_kept(tmp_path):
    path = table_of(tmp_path / "t.csv", "Q,A,label\n배고파,밥 먹어,0\n")
    [found] = read_table(path, columns={"text": "Q"})
    assert (found.id, found.text, found.emotion, found.extra) == (
        "row-000001",
        "배고파",
        "0",
        {"A": "밥 먹어"},
    )


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"txt": "Q"}, "unknown field 'txt'; expected id, audio, text"),
        ({"text": "q2"}, "has no column 'q2'; it has Q, A, label"),
        ({}, "needs a column for the emotion and one for audio or text"),
    ],
)
def test_columns_that_cannot_be_found_are_an_error(columns, says):
    with pytest.raises(CorpusError, match=says):
        match_columns(["Q", "A", "label"], columns, "t.csv")


def test_a_repeated_header_a_missing_emotion_and_no_number_are_rejected(tmp_path):
    lines = [
        "text,emotion ,turn",
        "가,Sad,1",
        "text,emotion ,turn",
        "나,,2",
        "다,Sad,soon",
        "라,Sad,2.5",
    ]
    found = list(read_table(table_of(tmp_path / "t.csv", "\n".join(lines))))
    assert [getattr(item, "reason", "kept") for item in found] == [
        "kept",
        "repeated header",
        "no emotion",
        "not a number",
        "not a number",
    ]
    assert "turn is 'soon', expected a number" in found[3].detail


@pytest.mark.parametrize("cell", ["nan", "inf", "-inf", "1e999", "one"])
def test_a_length_that_is_no_finite_number_is_rejected(cell, tmp_path):
    [found] = read_table(table_of(tmp_path / "t.csv", f"text,emotion,duration\n가,Sad,{cell}\n"))
    assert found.reason == "not a number"


def test_a_channel_no_manifest_can_hold_is_rejected(tmp_path):
    [found] = read_table(table_of(tmp_path / "t.csv", "text,emotion,channel\n가,Sad,99999\n"))
    assert found.reason == "not a number"


def test_numbers_are_numbers_even_where_the_table_made_them_fractions(tmp_path):
    path = table_of(
        tmp_path / "t.csv", "text,emotion,turn,channel,start,duration\n가,Sad,3.0,1,0.5,2\n"
    )
    [found] = read_table(path)
    assert (found.turn, found.channel, found.start_s, found.duration_s) == (3, 1, 0.5, 2.0)
    assert isinstance(found.turn, int)


def test_empty_cells_are_no_value(tmp_path):
    [found] = read_table(table_of(tmp_path / "t.csv", 'text,emotion,speaker,turn\n"  ",Sad, ,\n'))
    assert (found.text, found.speaker, found.turn) == (None, None, None)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.xls", b"PK", "ends in '.xls'; expected .csv, .tsv"),
        ("t.xlsx", b"PK", "cannot be read as .xlsx"),
        ("t.csv", b"", "cannot be read as .csv"),
        ("t.csv", b"\xff\xfe\xff\xff", "cannot be read as .csv"),
        ("t.jsonl", b"{not json", "cannot be read as .jsonl"),
        ("t.parquet", b"PAR1 not", "cannot be read as .parquet"),
    ],
)
def test_a_table_that_cannot_be_read_says_so(name, content, says, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match=says):
        load_table(tmp_path / name)


def test_a_table_that_is_not_there_says_so(tmp_path):
    with pytest.raises(CorpusError, match="is not a file"):
        load_table(tmp_path / "gone.csv")


def test_columns_as_korean_tables_name_them_are_found(tmp_path):
    (tmp_path / "통화.csv").write_text(
        "파일,문장,감정,화자\na.wav,기뻐,기쁨,김\n", encoding="cp949"
    )
    (only,) = read_table(tmp_path / "통화.csv")
    assert (only.audio, only.text, only.emotion, only.speaker) == ("a.wav", "기뻐", "기쁨", "김")
