"""`import auto`: the reader that recognises a source, and why; otherwise one sentence."""

from __future__ import annotations

import os
import shutil
from zipfile import ZipFile

import polars as pl
import pytest

from maeum.corpus.importing import import_corpus
from maeum.corpus.readers import READERS, emotiontts, settled, table, trees
from maeum.corpus.readers.trees import files_below, glance
from maeum.errors import CorpusError
from maeum.testing import make_aihub86, make_aihub263, make_corpus, make_kemdy19, make_kemdy20
from maeum.testing.aihub466 import make_aihub466


def made_emotiontts(folder):
    for emotional in ("plain-to-emotional", "emotional-to-emotional"):
        (folder / "Emotional" / emotional / "nea").mkdir(parents=True)
    return folder


def made_aihub466(folder):
    make_aihub466(folder, pairs=200)
    return folder


MAKERS = {
    "aihub466": made_aihub466,
    "emotiontts": made_emotiontts,
    "aihub263": lambda folder: make_aihub263(folder, per_emotion=1).source,
    "aihub86": lambda folder: make_aihub86(folder, per_emotion=1).source,
    "kemdy19": lambda folder: make_kemdy19(folder, sessions=2).source,
    "kemdy20": lambda folder: make_kemdy20(folder, sessions=2).source,
    "table": lambda folder: make_corpus(folder, speakers=1, scripts_per_emotion=1, audio=False),
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return {name: make(tmp_path_factory.mktemp(name)) for name, make in MAKERS.items()}


@pytest.mark.parametrize("name", MAKERS)
def test_a_made_tree_is_recognised_by_its_own_reader_alone(name, sources):
    claims = {
        reader: reason
        for reader, row in READERS.items()
        if row.recognise and (reason := row.recognise(sources[name]))
    }
    assert list(claims) == [name]


def test_a_corpus_that_lies_in_zips_alone_is_recognised_by_what_they_hold(tmp_path):
    with ZipFile(tmp_path / "TL1.zip", "w") as archive:
        archive.writestr("1.기쁨/0001_G1A3E1S0C0_PSB/0001_G1A3E1S0C0_PSB_000001.json", "{}")
    (tmp_path / "broken.zip").write_bytes(b"PK")
    assert settled("auto", tmp_path) == settled("auto", tmp_path / "TL1.zip") == "aihub466"


def test_auto_imports_and_says_why(sources, caplog):
    caplog.set_level("INFO", "maeum")
    corpus = import_corpus("auto", sources["aihub263"])
    assert corpus.reader == "aihub263"
    assert "read as aihub263: 4차년도.csv has wav_id, 발화문 and 상황" in caplog.messages


def test_options_are_checked_against_the_reader_that_was_found(sources):
    with pytest.raises(
        CorpusError, match="reader kemdy20 takes no option --label; it takes --ties"
    ):
        import_corpus("auto", sources["kemdy20"], label="majority")


def test_a_name_stays_what_it_is(tmp_path):
    assert settled("table", tmp_path / "gone") == "table"


def test_a_source_nobody_recognises_names_the_readers(tmp_path):
    with pytest.raises(
        CorpusError, match=r"no reader recognises .*emotiontts, .*import table TABLE"
    ):
        settled("auto", tmp_path)


def test_a_table_without_known_columns_is_named_in_what_to_type(tmp_path):
    (tmp_path / "q.csv").write_text("Q,A\n가,나\n")
    with pytest.raises(CorpusError, match=r"`maeum import table .*q\.csv --to CORPUS`"):
        settled("auto", tmp_path / "q.csv")


def test_a_table_within_a_folder_is_named_in_what_to_type(sources):
    table = sources["table"]
    with pytest.raises(CorpusError) as refused:
        settled("auto", table.parent)
    assert f"`maeum import table {table} --to CORPUS`" in str(refused.value)


def test_a_folder_that_may_not_be_read_spoils_no_guess(tmp_path, monkeypatch):
    make_kemdy20(tmp_path / "tree", sessions=2)
    (tmp_path / "locked").mkdir()
    scandir = os.scandir

    def refused(folder):
        if folder.name == "locked":
            raise PermissionError(folder)
        return scandir(folder)

    monkeypatch.setattr(trees.os, "scandir", refused)
    assert settled("auto", tmp_path) == "kemdy20"


def test_a_source_that_two_readers_claim_names_both_and_what_to_type(sources, tmp_path):
    for name in ("kemdy19", "kemdy20"):
        shutil.copytree(sources[name], tmp_path / name)
    with pytest.raises(CorpusError) as refused:
        settled("auto", tmp_path)
    said = str(refused.value)
    assert "as kemdy19 (Session01_F_res.csv has" in said
    assert "and as kemdy20 (Sess01_eval.csv has" in said
    assert said.endswith(f"`maeum import kemdy19 {tmp_path} --to CORPUS`")


@pytest.mark.parametrize("name", ["aihub263", "kemdy20"])
def test_a_table_of_a_tree_is_recognised_and_the_folder_asked_for(sources, name):
    table = next(path for path in sorted(sources[name].rglob("*.csv")))
    with pytest.raises(CorpusError, match=r"\.csv is no folder; point to the one with"):
        import_corpus("auto", table)


def test_a_source_that_does_not_exist_is_said(tmp_path):
    with pytest.raises(CorpusError, match="does not exist"):
        settled("auto", tmp_path / "gone")


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".ndjson", ".xlsx", ".parquet"])
def test_a_table_is_recognised_in_every_format(tmp_path, ending):
    rows = pl.DataFrame({"문장": ["가"], "감정": ["기쁨"]})
    path = tmp_path / f"t{ending}"
    writers = {
        ".csv": rows.write_csv,
        ".tsv": lambda path: rows.write_csv(path, separator="\t"),
        ".xlsx": rows.write_excel,
        ".parquet": rows.write_parquet,
    }
    writers.get(ending, rows.write_ndjson)(path)
    assert table.recognise(path) == f"{path.name} is a table with text in 문장, emotion in 감정"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", b""),
        ("t.csv", b"\xff\xfe\xff"),
        ("t.csv", b"a" * 2**20),
        ("t.jsonl", b"[1, 2"),
        ("t.jsonl", b"3\n"),
        ("t.parquet", b"PAR1"),
        ("t.xlsx", b"PK"),
        ("t.bin", b"text,emotion\n"),
    ],
)
def test_a_broken_table_is_recognised_by_nobody(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CorpusError, match="no reader recognises"):
        settled("auto", tmp_path / name)


def test_emotiontts_is_recognised_from_above_and_at_a_set(sources):
    root = sources["emotiontts"]
    assert emotiontts.recognise(root) == (
        "it holds the folder emotional-to-emotional and plain-to-emotional"
    )
    assert emotiontts.recognise(root / "Emotional" / "plain-to-emotional")


def test_a_look_takes_in_the_upper_folders_first_and_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "MOST_PER_FOLDER", 10)
    monkeypatch.setattr(trees, "MOST_LOOKED_AT", 40)
    for number in range(30):
        (tmp_path / f"{number}.wav").touch()
    for place in range(8):
        (tmp_path / f"deep{place}" / "deeper").mkdir(parents=True)
    seen = glance(tmp_path)
    assert seen[0] == tmp_path
    assert len(seen) <= 40
    depths = [len(path.relative_to(tmp_path).parts) for path in seen]
    assert depths == sorted(depths)


def test_a_folder_of_many_recordings_hides_none_of_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(trees, "MOST_PER_FOLDER", 100)
    make_kemdy20(tmp_path, sessions=2)
    (tmp_path / "all").mkdir()
    for number in range(300):
        (tmp_path / "all" / f"{number}.wav").touch()
    assert len(glance(tmp_path)) < 300
    assert settled("auto", tmp_path) == "kemdy20"


def test_a_name_in_another_encoding_is_one_sentence(tmp_path):
    try:
        os.mkdir(os.fsencode(tmp_path) + b"/" + "4차년도".encode("cp949"))
    except OSError:
        pytest.skip("this system takes no such name")
    (tmp_path / os.fsdecode("4차년도".encode("cp949")) / "a.wav").touch()
    with pytest.raises(CorpusError, match="is a name in another encoding than UTF-8"):
        list(files_below(tmp_path))
