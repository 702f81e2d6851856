"""AI-Hub 263: five raters, three tables, and recordings that are where they are."""

from __future__ import annotations

import shutil
import unicodedata
from zipfile import ZipFile

import pytest
from imported import by_id, imported, kept, left_out

from maeum.corpus.audio import load
from maeum.corpus.manifest import Rejection
from maeum.corpus.readers.aihub263 import read, recognise
from maeum.errors import ArchiveError, CorpusError
from maeum.testing import make_aihub263

HEADER = (
    "wav_id,발화문,상황,1번 감정,1번 감정세기,2번 감정,2번 감정세기,3번 감정,3번 감정세기,"
    "4번 감정,4번감정세기,5번 감정,5번 감정세기,나이,성별"
)
ALL_SAD = "sad,1,Sadness,2,sad ,0,SAD,1,sadness,1"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return make_aihub263(tmp_path_factory.mktemp("aihub263"))


@pytest.fixture(scope="module")
def corpus(planted):
    return imported("aihub263", planted)


@pytest.fixture
def tree(tmp_path):
    """Write a table of these rows and an empty file for each recording named."""

    def write(*rows, wavs=("4차년도/a.wav",), table="4차년도.csv", encoding="cp949"):
        for wav in wavs:
            (tmp_path / wav).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / wav).touch()
        (tmp_path / table).write_text("\n".join([HEADER, *rows]) + "\n", encoding=encoding)
        return tmp_path

    return write


def test_all_that_was_planted_is_kept_and_nothing_else(planted, corpus):
    assert kept(corpus) == planted.emotions


def test_what_is_left_out_is_counted_by_reason_as_it_was_planted(planted, corpus):
    assert left_out(corpus) == planted.rejected


@pytest.mark.parametrize("typed", ["--label situation", "--ties situation"])
def test_an_option_settles_what_it_says(planted, typed):
    assert kept(imported("aihub263", planted, typed)) == planted.otherwise[typed]


def test_the_situation_differs_from_the_raters_in_a_third_of_the_rows(planted):
    heard, meant = planted.emotions, planted.otherwise["--label situation"]
    differs = sum(heard[name] != meant[name] for name in heard)
    assert differs / len(heard) == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("encoding", ["cp949", "utf-8", "utf-8-sig"])
def test_a_table_reads_the_same_in_every_encoding(tree, encoding):
    [found] = read(tree(f"a,눈물이 나,sad,{ALL_SAD},30,female", encoding=encoding))
    assert (found.text, found.emotion, found.age, found.gender) == (
        "눈물이 나",
        "Sad",
        "30",
        "female",
    )


def test_how_often_the_raters_heard_another_emotion_is_said(tree, caplog):
    caplog.set_level("INFO", "maeum")
    rows = (
        f"a,말,sad,{ALL_SAD},30,male",
        f"b,말,Angry,{ALL_SAD},30,male",
        f"c,말,,{ALL_SAD},30,male",
    )
    list(read(tree(*rows, wavs=("a.wav", "b.wav", "c.wav"))))
    said = "most raters heard another emotion than 상황 names in 1 of 3 labelled rows"
    assert said in caplog.messages


def test_spellings_of_one_emotion_are_counted_together(tree):
    [found] = read(tree("a,말,anger,anger,1,Angry,2,ANGRY,0,sad,1,sadness\t,2,30,male"))
    assert found.emotion == "Angry"
    assert found.votes == (("Angry", 3), ("Sad", 2))


def test_the_strength_is_the_mean_of_those_who_heard_the_emotion(tree):
    """The fourth rater's column is written without its space."""
    [found] = read(tree("a,말,sad,angry,2,angry,1,sad,0,angry,0,sad,2,30,male"))
    assert found.intensity == pytest.approx((2 + 1 + 0) / 3)


def test_a_label_nobody_heard_has_no_strength(tree):
    [found] = read(tree(f"a,말,Fear,{ALL_SAD},30,male"), label="situation")
    assert (found.emotion, found.intensity, found.votes) == ("Fear", None, (("Sad", 5),))


def test_two_votes_win_where_no_other_emotion_has_two(tree):
    [found] = read(tree("a,말,sad,sad,1,sad,1,fear,1,angry,1,neutral,1,30,male"))
    assert found.emotion == "Sad"


EVEN = "sad,1,sad,1,fear,1,fear,1,neutral,1,30,male"


def test_even_raters_are_said(tree):
    [found] = read(tree(f"a,말,Sadness,{EVEN}"))
    assert isinstance(found, Rejection)
    assert found.reason == "raters disagree"
    assert "a is Fear or Sad to equally many raters" in found.detail


def test_the_situation_settles_even_raters_only_if_some_of_them_heard_it(tree):
    rows = (f"a,말,Sadness,{EVEN}", f"b,말,angry,{EVEN}")
    source = tree(*rows, wavs=("a.wav", "b.wav"))
    settled, open_ = read(source, ties="situation")
    assert (settled.emotion, open_.reason) == ("Sad", "raters disagree")


def test_a_header_in_the_middle_is_said(tree):
    _, repeated = read(tree(f"a,말,sad,{ALL_SAD},30,male", HEADER))
    assert repeated.reason == "repeated header"


@pytest.mark.parametrize("wav", ["4차년도/a.wav", "5차년도/5차_wav/a.WAV", "a.wav", "x/y/z/a.wav"])
def test_a_recording_is_found_by_its_name_wherever_it_lies(tree, wav):
    [found] = read(tree(f"a,말,sad,{ALL_SAD},30,male", wavs=(wav,)))
    assert found.audio == wav


def test_of_two_recordings_of_a_name_the_one_in_the_tables_folder_is_used(tree):
    wavs = ("1/a.wav", unicodedata.normalize("NFD", "4차년도") + "/a.wav")
    found, copy = read(tree(f"a,말,sad,{ALL_SAD},30,male", wavs=wavs))
    assert found.audio == wavs[1]
    assert (copy.reason, copy.source) == ("recording stands twice", wavs[0])


def test_a_row_without_recording_and_a_recording_without_row_are_said(tree):
    missing, extra = read(tree(f"b,말,sad,{ALL_SAD},30,male"))
    assert (missing.id, missing.reason) == ("b", "recording missing")
    assert (extra.id, extra.reason) == ("a", "label missing")


def packed(source, folder):
    """The recordings of a folder in a zip of its name, as the corpus is handed out."""
    with ZipFile(source / f"{folder}.zip", "w") as archive:
        for path in sorted((source / folder).rglob("*.*")):
            archive.write(path, path.relative_to(source / folder))
    return source


def test_recordings_are_read_out_of_their_zips(tmp_path):
    planted = make_aihub263(tmp_path)
    before = kept(imported("aihub263", planted))
    for folder in ("4차년도", "5차년도"):
        shutil.rmtree(packed(tmp_path, folder) / folder)
    corpus = imported("aihub263", planted)
    assert kept(corpus) == before == planted.emotions
    assert left_out(corpus) == planted.rejected
    rows = by_id(corpus)
    assert sum(".zip/" in row["audio"] for row in rows.values()) > len(rows) / 2
    name = next(row["audio"] for row in rows.values() if ".zip/" in row["audio"])
    assert len(load(corpus.audio_root / name, rate_hz=16_000)) > 8_000


def test_a_recording_that_lies_unpacked_stands_over_its_twin_in_a_zip(tree):
    source = packed(tree(f"a,말,sad,{ALL_SAD},30,male"), "4차년도")
    assert [item.audio for item in read(source)] == ["4차년도/a.wav"]


def test_of_two_zips_the_one_named_as_the_table_is_used(tree):
    source = tree(f"a,말,sad,{ALL_SAD},30,male", wavs=("4차년도/a.wav", "1/a.wav"))
    for folder in ("4차년도", "1"):
        shutil.rmtree(packed(source, folder) / folder)
    found, copy = read(source)
    assert (found.audio, copy.source) == ("4차년도.zip/a.wav", "1.zip/a.wav")


def test_a_broken_zip_is_one_sentence(tree):
    source = tree(f"a,말,sad,{ALL_SAD},30,male")
    (source / "5차년도.zip").write_bytes(b"PK")
    with pytest.raises(ArchiveError, match=r"5차년도\.zip is no zip or a broken one"):
        list(read(source))


def test_what_macos_hides_beside_a_recording_is_none(tree):
    source = tree(f"a,말,sad,{ALL_SAD},30,male", wavs=("a.wav", "._a.wav", "__MACOSX/a.wav"))
    assert [item.audio for item in read(source)] == ["a.wav"]


def test_nobody_is_taken_for_a_speaker_and_a_note_says_so(corpus):
    assert corpus.utterances["speaker"].null_count() == len(corpus)
    assert "names no speakers" in corpus.notes[0]


def test_the_situation_stays_with_the_utterance(tree):
    [found] = read(tree(f"a,말,anger,{ALL_SAD},30,male"))
    assert found.extra == {"상황": "Angry"}


def test_tables_are_known_by_their_columns_whatever_they_are_called(tree):
    [found] = read(tree(f"a,말,sad,{ALL_SAD},30,male", table="labels.csv"))
    assert found.source == "labels.csv row 1"


def test_a_folder_without_tables_or_recordings_is_refused(tree, tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(CorpusError, match=r"no table with the columns wav_id.*1 .csv were looked"):
        list(read(tmp_path))
    with pytest.raises(CorpusError, match="no recording, unpacked or in a zip; put them there"):
        list(read(tree(f"a,말,sad,{ALL_SAD},30,male", wavs=())))
    with pytest.raises(CorpusError, match="is no folder"):
        list(read(tmp_path / "other.csv"))


def test_unknown_ways_are_refused_and_the_known_ones_named(tmp_path):
    with pytest.raises(
        CorpusError, match="unknown label 'mean'; --label takes majority, situation"
    ):
        list(read(tmp_path, label="mean"))
    with pytest.raises(CorpusError, match="unknown ties 'first'; --ties takes reject, situation"):
        list(read(tmp_path, ties="first"))


def test_the_tables_give_the_corpus_away(planted, tmp_path):
    assert recognise(planted.source) == "4차년도.csv has wav_id, 발화문 and 상황"
    assert recognise(tmp_path) is None


def test_rows_of_one_emotion_are_spread_over_the_corpus(corpus):
    rows = by_id(corpus)
    assert {row["sample_rate_hz"] for row in rows.values()} == {16_000}
    assert all(row["text"] for row in rows.values())
