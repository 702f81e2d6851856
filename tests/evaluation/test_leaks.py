"""What test and training share, counted by hand."""

import polars as pl
import pytest

from maeum.corpus.identity import hashed
from maeum.corpus.manifest import Utterance
from maeum.evaluation.leaks import Leaks, leaks, leaks_of_folds

SENTENCES = ("정말 마음이 아파요", "오늘은 하늘이 참 맑네요", "어제는 비가 많이 왔어요")


@pytest.fixture
def keys(corpus_of):
    """Hashes of utterances told as (id, sentence or None, speaker or None)."""

    def build(*told):
        rows = [
            Utterance(name, "Happy", text=None if text is None else SENTENCES[text], speaker=who)
            for name, text, who in told
        ]
        return hashed(corpus_of(*rows).utterances)

    return build


def counted(found):
    return {entry.kind: (entry.shared, entry.tested, entry.utterances) for entry in found.shared}


def test_shared_utterances_speakers_and_sentences_are_counted(keys):
    train = keys(("1", 0, "a"), ("2", 1, "a"), ("3", 1, "b"))
    test = keys(("1", 0, "a"), ("4", 1, "c"), ("5", 1, "a"), ("6", 2, "d"))
    assert counted(leaks(train, test)) == {
        "utterance": (1, 4, 1),  # 1
        "speaker": (1, 3, 2),  # a, of a c d, in 1 and 5
        "script": (2, 3, 3),  # the first two sentences, in 1, 4 and 5
    }


def test_where_nothing_is_shared_nothing_is_said(keys):
    found = leaks(keys(("1", 0, "a")), keys(("2", 1, "b")))
    assert found.found == []
    assert found.sentences == []
    assert counted(found)["speaker"] == (0, 1, 0)


def test_what_is_unknown_is_shared_with_nobody(keys):
    found = leaks(keys(("1", None, None)), keys(("2", None, None), ("3", 0, "a")))
    assert counted(found) == {"utterance": (0, 2, 0), "speaker": (0, 1, 0), "script": (0, 1, 0)}


def test_the_sentences_a_person_reads(keys):
    found = leaks(keys(("1", 0, "a")), keys(("2", 0, "a"), ("3", 0, "b")), notes=("and mind.",))
    assert found.sentences == [
        "1 of 2 speakers of the test (1 utterances) are in the training too",
        "1 of 1 sentences of the test (2 utterances) are in the training too",
        "and mind.",
    ]


def test_for_json_every_kind_is_told_shared_or_not(keys):
    told = leaks(keys(("1", 0, "a")), keys(("2", 0, "b"))).to_dict()
    assert told["utterances"] == {"shared": 0, "tested": 1, "utterances": 0}
    assert told["speakers"] == {"shared": 0, "tested": 1, "utterances": 0}
    assert told["scripts"] == {"shared": 1, "tested": 1, "utterances": 1}
    assert len(told["sentences"]) == 1


def test_what_folds_share_is_counted_once_however_many_folds_share_it(keys):
    folds = [
        (keys(("1", 0, "a")), keys(("2", 0, "b"))),
        (keys(("2", 0, "b")), keys(("1", 0, "a"), ("3", 1, "a"))),
    ]
    together = leaks_of_folds(folds, notes=("note",))
    assert counted(together) == {
        "utterance": (0, 3, 0),
        "speaker": (0, 2, 0),
        "script": (1, 2, 2),
    }
    assert together.notes == ("note",)


def test_a_corpus_without_a_single_speaker_can_be_compared(keys):
    nobody = keys(("1", 0, None))
    assert nobody["speaker"].dtype == pl.String
    assert counted(leaks(nobody, nobody))["speaker"] == (0, 0, 0)


def test_no_leaks_at_all_can_be_told():
    assert Leaks(()).to_dict() == {"sentences": []}
