"""Hashes tell who is who and nothing else."""

import polars as pl
import pytest

from maeum.corpus.identity import KINDS, hashed
from maeum.corpus.manifest import Utterance

FIRST = Utterance("a", "Happy", text="정말 마음이 아파요", audio="a.wav", speaker="김하나")
SECOND = Utterance("b", "Sad", text="정말 마음이 아파요", audio="b.wav", speaker="김하나")
SILENT = Utterance("c", "Sad", audio="c.wav")


@pytest.fixture
def keys(corpus_of):
    return lambda *utterances: hashed(corpus_of(*utterances).utterances)


def test_each_row_has_sixteen_hexadecimal_digits_of_each_kind(keys):
    found = keys(FIRST, SECOND)
    assert found.columns == list(KINDS)
    for kind in KINDS:
        assert found[kind].str.contains("^[0-9a-f]{16}$").all()


def test_equal_speakers_and_sentences_are_equal_and_utterances_differ(keys):
    found = keys(FIRST, SECOND)
    assert found.select(pl.all().n_unique()).row(0) == (2, 1, 1)


def test_hashes_do_not_depend_on_the_company(keys):
    assert keys(FIRST, SECOND).row(0) == keys(FIRST).row(0)


def test_what_is_unknown_has_no_hash(keys):
    assert keys(SILENT).row(0)[1:] == (None, None)
    assert keys(SILENT)["utterance"].null_count() == 0


@pytest.mark.parametrize(
    "other",
    [
        Utterance("x", "Happy", text=FIRST.text, audio="a.wav", speaker="김하나"),
        Utterance("a", "Happy", text="다른 말", audio="a.wav", speaker="김하나"),
        Utterance("a", "Happy", text=FIRST.text, audio="z.wav", speaker="김하나"),
        Utterance("a", "Happy", text=FIRST.text, audio="a.wav", duration_s=1.5, speaker="김하나"),
    ],
)
def test_an_utterance_is_another_when_its_content_is(keys, other):
    assert keys(FIRST)["utterance"][0] != keys(other)["utterance"][0]


def test_an_utterance_stays_itself_under_another_label(keys):
    other = Utterance("a", "Angry", text=FIRST.text, audio="a.wav", speaker="이두리")
    assert keys(FIRST)["utterance"][0] == keys(other)["utterance"][0]


def test_no_name_and_no_sentence_can_be_read_out(keys):
    text = keys(FIRST, SECOND, SILENT).write_csv()
    assert not any(word in text for word in ("김하나", "정말", "마음이", "a.wav"))
