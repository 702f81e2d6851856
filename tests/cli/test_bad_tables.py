"""Tables and corpora that cannot be used as they are: one sentence each, and nothing lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from maeum.corpus.readers import READERS
from maeum.testing import DIRT


@pytest.fixture
def refused(maeum, tmp_path):
    """What `maeum import table` says of a table it cannot import."""

    def complaint(source: Path, *words: object) -> str:
        return maeum("import", "table", source, "--to", tmp_path / "c", *words).complaint

    return complaint


def rejected(corpus: Path) -> dict[str, str]:
    """Reason -> sentence of what was left out."""
    found = pl.read_parquet(corpus / "rejected.parquet")
    return dict(found.select("reason", "detail").iter_rows())


def test_an_unknown_emotion_is_left_out_and_counted(maeum, table, tmp_path):
    rows = table("text,emotion", "정말 기뻐,기쁨", "슬퍼,슬픔", "음,어리둥절")
    said = maeum("import", "table", rows, "--to", tmp_path / "c")
    assert said.code == 0
    kept, left_out = said.out.splitlines()
    assert kept.startswith("2 utterances")
    assert left_out.startswith("left out, unknown emotion: 1, the first: calls.csv row 3: ")
    assert rejected(tmp_path / "c")["unknown emotion"].startswith(
        "calls.csv row 3: unknown emotion '어리둥절'; name the emotions of the corpus"
    )


def test_nothing_but_unknown_emotions_names_the_option(table, refused):
    said = refused(table("text,emotion", "음,어리둥절"))
    assert "gave no usable utterance: 1 rejected, the first because calls.csv row 1" in said
    assert said.endswith("name the emotions of the corpus, as --emotions happy,sad,calm:평온")


def test_a_corpus_of_one_emotion_is_refused(table, refused):
    said = refused(table("text,emotion", "정말 기뻐,기쁨"))
    assert said == "1 emotion(s) given: Happy; a classifier tells at least two apart"


@pytest.mark.parametrize(
    ("emotions", "sentence"),
    [
        ("happy", "no emotion set is called 'happy'; name one of paper, emotiontts"),
        ("happy,", "1 emotion(s) given: happy; a classifier tells at least two apart"),
        ("happy,기쁨", "an emotion stands twice in Happy, Happy; name each once"),
    ],
)
def test_emotions_that_are_no_set(table, refused, emotions, sentence):
    assert sentence in refused(table("text,emotion", "기뻐,기쁨"), "--emotions", emotions)


def test_texts_of_spaces_are_left_out_and_counted(maeum, table, tmp_path):
    rows = table("text,emotion", "   ,기쁨", "정말 기뻐,기쁨", "슬퍼,슬픔")
    said = maeum("import", "table", rows, "--to", tmp_path / "c")
    assert "left out, neither recording nor text: 1" in said.out


BROKEN = {
    "empty_file": "is empty (0 bytes) where a recording was expected; copy it again",
    "text_named_wav": "is no recording or a broken one",
    "truncated_wav": "is no recording or a broken one",
    "absurd_rate_wav": "states a rate of 1 Hz, recordings have 1,000 to 768,000 Hz",
    "soundless_mp4": "holds no sound; give a recording or a video with sound",
    "zero_samples_wav": "lasts 0.00 s; from 0 s on it holds no sound",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_recording_is_left_out_with_its_reason(maeum, table, tmp_path, kind):
    name = DIRT[kind](tmp_path).name
    rows = table("audio,text,emotion", f"{name},기뻐,기쁨", ",정말 기뻐,기쁨", ",슬퍼,슬픔")
    said = maeum("import", "table", rows, "--to", tmp_path / "c")
    assert said.out.startswith("2 utterances")
    (detail,) = rejected(tmp_path / "c").values()
    assert BROKEN[kind] in detail
    assert name in detail


def test_a_missing_recording_is_left_out_with_its_path(maeum, table, tmp_path):
    rows = table("audio,text,emotion", "gone.wav,기뻐,기쁨", ",정말 기뻐,기쁨", ",슬퍼,슬픔")
    maeum("import", "table", rows, "--to", tmp_path / "c")
    assert rejected(tmp_path / "c") == {
        "recording missing": f"{tmp_path / 'gone.wav'} does not exist"
    }


def test_an_audio_root_that_is_nowhere_names_the_first_path_tried(table, refused):
    said = refused(table("audio,emotion", "take.wav,기쁨"), "--audio-root", "/nowhere")
    assert "the first because /nowhere/take.wav does not exist" in said


TABLES = {
    "a table of no bytes": ("t.csv", b"", "cannot be read as .csv: empty CSV"),
    "a header alone": (
        "t.csv",
        b"text,emotion\n",
        "gave no usable utterance: it holds none at all",
    ),
    "other columns": ("t.csv", b"a,b\n1,2\n", "it has a, b: name them, as --column emotion=label"),
    "more cells than columns": ("t.csv", b"text,emotion\na,b,c\n", "found more fields than"),
    "broken JSON": ("t.jsonl", b'{"text": "a"}\n{bro', "cannot be read as .jsonl"),
    "no Parquet": ("t.parquet", b"no", "cannot be read as .parquet: "),
    "another ending": ("t.ods", b"no", "ends in '.ods'; expected .csv, .tsv, .jsonl"),
    "no workbook": ("t.xlsx", b"no", "t.xlsx cannot be read as .xlsx (File is not a zip file)"),
    "another encoding": ("t.csv", "text,emotion\n음,기쁨\n".encode("utf-16"), "save it as UTF-8"),
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_that_cannot_be_read(refused, tmp_path, kind):
    name, content, sentence = TABLES[kind]
    (tmp_path / name).write_bytes(content)
    assert sentence in refused(tmp_path / name)


def test_a_table_in_a_wrong_encoding_is_named_once(refused, tmp_path):
    source = DIRT["undecodable_csv"](tmp_path)
    assert refused(source) == (
        f"{source} cannot be read as .csv: neither UTF-8 nor cp949 (the encoding Excel uses in "
        "Korea); save it as UTF-8"
    )


def test_a_source_that_does_not_exist(refused):
    assert refused(Path("gone.csv")) == (
        "gone.csv does not exist; expected the tree or table to import"
    )


@pytest.mark.parametrize("words", [("--column", "emotion"), ("--column", "=label")])
def test_half_a_column_is_wrong_usage(maeum, table, tmp_path, words):
    said = maeum("import", "table", table("text,emotion"), "--to", tmp_path / "c", *words)
    assert "is no FIELD=COLUMN, as text=문장" in said.misuse


def test_a_column_or_field_that_is_not_there(table, refused):
    rows = table("text,emotion", "음,기쁨")
    assert "has no column 'label'; it has text, emotion" in refused(
        rows, "--column", "emotion=label"
    )
    assert "unknown field 'mood'; expected id, audio" in refused(rows, "--column", "mood=emotion")


def test_an_unknown_reader_option_or_set(maeum, table, tmp_path):
    to = ("--to", tmp_path / "c")
    rows = table("text,emotion", "음,기쁨")
    unknown = maeum("import", "tabel", rows, *to).complaint
    assert unknown == f"unknown reader 'tabel'; expected {', '.join(READERS)}, auto"
    assert (
        "reader table takes no option --set"
        in maeum("import", "table", rows, *to, "--set", "plain").complaint
    )
    assert (
        "unknown set 'sung'; --set takes plain, emotional, both"
        in maeum("import", "emotiontts", tmp_path, *to, "--set", "sung").complaint
    )


def test_import_writes_neither_over_a_file_nor_among_other_files(maeum, table, tmp_path):
    rows = table("text,emotion", "음,기쁨", "슬퍼,슬픔")
    assert maeum("import", "table", rows, "--to", rows).complaint == (
        f"{rows} is a file; --to expects a folder"
    )
    assert maeum("import", "table", rows, "--to", tmp_path).complaint == (
        f"{tmp_path} holds other files; --to expects a new folder or a corpus"
    )


@pytest.mark.parametrize("command", ["stats", "audit", "split"])
def test_a_folder_that_is_no_corpus_is_told_how_one_is_made(maeum, tmp_path, command):
    assert maeum(command, tmp_path).complaint == (
        f"{tmp_path} is no corpus (it has no corpus.json); make one with "
        f"`maeum import READER SOURCE --to {tmp_path}`"
    )


def test_a_table_in_place_of_a_corpus(maeum, calls):
    said = maeum("stats", calls).complaint
    assert said == f"{calls} is a file; expected the folder `maeum import` wrote"


CARDS = {
    "half-written": ('{"format": 1, "emo', "cannot be read (Unterminated string"),
    "no JSON object": ("[]", "is not what `maeum import` writes; import again"),
    "without its keys": ('{"format": 1}', "lacks audio_root, emotions, notes, reader"),
    "of another version": ('{"format": 99}', "has corpus format 99, this version reads 1"),
}


@pytest.mark.parametrize("kind", CARDS)
def test_a_spoilt_corpus_card(maeum, own_corpus, kind):
    content, sentence = CARDS[kind]
    (own_corpus / "corpus.json").write_text(content, encoding="utf-8")
    assert sentence in maeum("stats", own_corpus).complaint


@pytest.mark.parametrize("name", ["manifest.parquet", "rejected.parquet"])
@pytest.mark.parametrize("spoil", [Path.unlink, lambda path: path.write_bytes(b"no")])
def test_a_spoilt_table_of_a_corpus(maeum, own_corpus, name, spoil):
    spoil(own_corpus / name)
    said = maeum("stats", own_corpus).complaint
    assert said.startswith(f"{own_corpus / name} cannot be read as Parquet (")
    assert said.endswith("; import again")


def test_a_card_and_a_manifest_of_two_corpora(maeum, own_corpus):
    card = json.loads((own_corpus / "corpus.json").read_text(encoding="utf-8"))
    card["emotions"] = card["emotions"][:2]
    (own_corpus / "corpus.json").write_text(json.dumps(card), encoding="utf-8")
    assert "do not belong together; import again" in maeum("stats", own_corpus).complaint


@pytest.fixture
def moved(maeum, calls, tmp_path):
    """A corpus whose recordings were moved after the import."""
    shutil.copytree(calls.parent, tmp_path / "before")
    table = tmp_path / "before" / calls.name
    assert maeum("import", "table", table, "--to", tmp_path / "c").code == 0
    (tmp_path / "before").rename(tmp_path / "after")
    return tmp_path / "c"


def test_recordings_that_were_moved_are_a_fault_of_the_corpus(maeum, moved):
    assert "fault: unreadable recordings: 72 of 72" in maeum("audit", moved).out
    assert maeum("audit", moved, "--strict").code == 1


def test_nothing_is_learnt_or_tested_without_the_recordings_that_were_moved(maeum, moved, run):
    sentence = "which is no folder any more; move them back, import again, or use text alone"
    assert sentence in maeum("train", moved, "--to", moved.parent / "run").complaint
    assert sentence in maeum("evaluate", run, moved).complaint


def test_text_can_be_learnt_where_the_recordings_were_moved(maeum, moved):
    words = ("--modality", "text", "--epochs", 1)
    assert maeum("train", moved, "--to", moved.parent / "run", *words).code == 0


FINDINGS = {
    "silent_wav": "fault: silence: 1 of 1 recordings are silent",
    "nan_wav": "fault: unreadable recordings: 1 of 1",
    "clipped_wav": "note: clipping: 1 of 1 recordings",
}


@pytest.mark.parametrize("kind", FINDINGS)
def test_what_listening_tells_is_a_finding_and_no_error(maeum, table, tmp_path, kind):
    name = DIRT[kind](tmp_path).name
    rows = table("audio,text,emotion", f"{name},기뻐,기쁨", ",정말 기뻐,기쁨", ",슬퍼,슬픔")
    assert maeum("import", "table", rows, "--to", tmp_path / "c").code == 0
    said = maeum("audit", tmp_path / "c")
    assert said.code == 0
    assert FINDINGS[kind] in said.out
    assert f"e.g. {Path(name).stem}" in said.out or name in said.out


def test_a_misspelt_emotion_is_met_with_the_one_it_resembles(maeum, table, tmp_path):
    rows = table("문장,감정", "정말 기뻐,기쁨", "슬퍼,슬픔", "신나,기뿜")
    said = maeum("import", "table", rows, "--to", tmp_path / "c")
    assert "unknown emotion '기뿜' (is it 기쁨?)" in said.out


def test_a_table_without_recordings_is_said_to_have_none(maeum, table, tmp_path):
    rows = table("clip,문장,감정", "a.wav,정말 기뻐,기쁨", "b.wav,슬퍼,슬픔")
    said = maeum("import", "table", rows, "--to", tmp_path / "c")
    assert "0 with a recording, 2 with text" in said.out
    assert "kept as extra: clip" in said.err
    assert "note: no recordings" in said.err
