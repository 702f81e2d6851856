"""AI-Hub 86: workbooks of dialogues."""

from __future__ import annotations

import polars as pl
import pytest
from imported import by_id, imported, kept, left_out

from maeum.corpus.readers.aihub86 import read, recognise
from maeum.errors import CorpusError
from maeum.testing import make_aihub86


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return make_aihub86(tmp_path_factory.mktemp("aihub86"))


@pytest.fixture(scope="module")
def corpus(planted):
    return imported("aihub86", planted)


@pytest.fixture
def book(tmp_path):
    """Write a workbook of one dialogue, given as column=cell."""

    def write(name="말뭉치.xlsx", **cells):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        pl.DataFrame([{"감정_대분류": "슬픔 ", **cells}]).write_excel(path)
        return path

    return write


def test_all_that_was_planted_is_kept_and_nothing_else(planted, corpus):
    assert kept(corpus) == planted.emotions


def test_what_is_left_out_is_counted_by_reason_as_it_was_planted(planted, corpus):
    assert left_out(corpus) == planted.rejected


@pytest.mark.parametrize("typed", ["--sentences first", "--sentences joined"])
def test_an_option_takes_one_utterance_of_a_dialogue(planted, typed):
    corpus = imported("aihub86", planted, typed)
    assert kept(corpus) == planted.otherwise[typed]
    assert corpus.utterances["dialogue"].is_unique().all()


def test_six_emotions_and_no_neutral(corpus):
    assert corpus.emotions.korean == ("기쁨", "불안", "분노", "슬픔", "당황", "상처")
    assert "unknown emotion '중립'" in corpus.rejected.filter(reason="unknown emotion")["detail"][0]


def test_a_sentence_is_a_turn_of_its_dialogue(book):
    first, second = read(book(사람문장1="가", 시스템문장1="네", 사람문장2="나", 시스템문장2="왜요"))
    assert (first.text, first.turn, second.text, second.turn) == ("가", 1, "나", 2)
    assert first.dialogue == second.dialogue == "말뭉치-000001"
    assert (first.extra, second.extra) == ({"시스템문장": "네"}, {"시스템문장": "왜요"})


def test_a_sentence_missing_before_another_is_said_one_behind_the_last_is_none(book):
    path = book(사람문장1=" ", 사람문장2="나", 사람문장3="  ", 사람문장4=None)
    empty, kept_ = read(path)
    assert (empty.reason, empty.detail) == (
        "empty sentence",
        "말뭉치.xlsx row 1: 사람문장1 is empty",
    )
    assert kept_.text == "나"


def test_spaces_behind_a_label_do_not_matter(book):
    [found] = read(book(사람문장1="가"))
    assert found.emotion == "슬픔"


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("감성대화말뭉치(최종데이터)_Training.xlsx", "train"),
        ("Validation/감성대화.xlsx", "validation"),
        ("Training/감성대화_Validation.xlsx", "validation"),
    ],
)
def test_the_part_comes_from_the_name_of_file_or_folder(book, name, part):
    [found] = read(book(name, 사람문장1="가"))
    assert (found.part, found.id) == (part, f"{part}-000001-1")


def test_a_name_without_a_part_gives_none(book, tmp_path):
    [found] = read(book(사람문장1="가"))
    assert found.part is None


def test_columns_are_known_without_their_underscores_and_spaces(tmp_path):
    path = tmp_path / "a.xlsx"
    pl.DataFrame({"감정 대분류": ["기쁨"], "사람문장 1": ["가"], "나이": ["청년"]}).write_excel(
        path
    )
    [found] = read(path)
    assert (found.emotion, found.text) == ("기쁨", "가")


def test_person_and_finer_emotion_stay_with_the_sentence(corpus):
    row = by_id(corpus)["train-000001-1"]
    extra = {entry["key"]: entry["value"] for entry in row["extra"]}
    assert (row["age"], row["gender"], row["speaker"]) == ("청년", "여성", None)
    assert (extra["감정소분류"], extra["상황키워드"]) == ("신이 난", "가족관계")


def test_nothing_but_text_is_kept(corpus):
    assert (corpus.audio_root, corpus.utterances["audio"].count()) == (None, 0)


def test_a_note_says_that_a_label_is_that_of_the_dialogue(corpus):
    assert "a label is that of a whole dialogue" in corpus.notes[0]


def test_a_folder_without_dialogues_and_unknown_sentences_are_refused(tmp_path):
    pl.DataFrame({"a": ["b"]}).write_excel(tmp_path / "a.xlsx")
    with pytest.raises(CorpusError, match=r"holds no workbook .* 감정_대분류 and 사람문장1"):
        list(read(tmp_path))
    with pytest.raises(CorpusError, match="unknown sentences 'last'; --sentences takes all, first"):
        list(read(tmp_path, sentences="last"))


def test_the_columns_give_the_corpus_away(planted, book):
    reason = "감성대화말뭉치(최종데이터)_Training.xlsx has 감정_대분류 and 사람문장1"
    assert recognise(planted.source) == reason
    assert recognise(book(사람문장1="가")) == "말뭉치.xlsx has 감정_대분류 and 사람문장1"
