"""One sentence is one script however it is spelt, and two short sentences stay two."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maeum.corpus.text import at_most_one_edit, clean, near_duplicates, script_ids, skeleton

LETTERS = st.text(alphabet="가나다", max_size=11)
quickly = settings(deadline=None, derandomize=True, max_examples=60)


def distance(one, other):
    """Edit distance the slow way."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        row, above = [i], row
        for j, b in enumerate(other, 1):
            row.append(min(above[j] + 1, row[-1] + 1, above[j - 1] + (a != b)))
    return row[-1]


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("\ufeff\ufeff정말", "정말"),
        ("정말\xa0\t마음이\n아프다", "정말 마음이 아프다"),
        ("정\u200b말\u00ad", "정말"),
        (unicodedata.normalize("NFD", "마음"), "마음"),
        ("  ", None),
        ("\u200b", None),
        ("", None),
        (None, None),
    ],
)
def test_text_is_cleaned(raw, cleaned):
    assert clean(raw) == cleaned


@quickly
@given(st.text(max_size=30))
def test_cleaning_twice_is_cleaning_once(text):
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("니가 좋아해 주니까 정말 기뻐", "네가 좋아해 주니까 정말 기뻐"),
        ("경치 좋고, 음식도 맛있고", "경치도 좋고, 음식도 맛있고"),
        ("술을 끊으시겠습니까?", "술을 끊으시겠습니까."),
        ("마음이아프다", "마음이 아프다!!"),
        ("OK 알겠어", "ok 알겠어"),
    ],
)
def test_spellings_of_a_sentence_are_one_script(one, other):
    first, second = script_ids([one, other])
    assert first == second


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("뭐야", "뭐해"),
        ("싫어요", "싫어"),
        ("네", "니"),
        ("?", "!"),
        ("시험에 붙어서 정말 기뻐요", "시험에 떨어져 정말 슬퍼요"),
    ],
)
def test_different_sentences_are_different_scripts(one, other):
    first, second = script_ids([one, other])
    assert first != second


def test_no_text_has_no_script():
    assert script_ids([None, "말"])[0] is None


def test_a_script_has_the_same_identity_in_another_corpus_in_any_order():
    said = ["니가 좋아해 주니까 정말 기뻐", "마음이 아프다", "술을 끊으시겠습니까?"]
    alone = script_ids(said)
    among_others = script_ids(["전혀 다른 문장 하나입니다", *reversed(said), "뭐야"])
    assert among_others[1:4] == alone[::-1]


def test_the_commonest_spelling_names_the_script():
    rare, common = "니가 좋아해 주니까 정말 기뻐", "네가 좋아해 주니까 정말 기뻐"
    assert script_ids([rare, common, common])[0] == script_ids([common])[0]


@quickly
@given(LETTERS, LETTERS)
def test_one_edit_is_what_the_slow_way_calls_one(one, other):
    assert at_most_one_edit(one, other) == (distance(one, other) <= 1)


@quickly
@given(st.lists(st.text(alphabet="가나", min_size=8, max_size=11), max_size=12))
def test_neighbours_share_a_group_and_no_string_is_lost(entries):
    groups = near_duplicates(entries)
    home = {entry: number for number, group in enumerate(groups) for entry in group}
    assert sorted(home) == sorted(set(entries))
    for one in home:
        for other in home:
            assert home[one] == home[other] or distance(one, other) > 1


def test_a_text_of_signs_only_is_its_own_skeleton():
    assert skeleton("?!") == "?!"


def test_numbers_are_told_apart_where_syllables_are_not():
    said = ("내일 오후 3시에 만나요", "내일 오후 4시에 만나요", "내일 오후에 3시에 만나요")
    one, other, same = script_ids(said)
    assert one == same
    assert one != other
