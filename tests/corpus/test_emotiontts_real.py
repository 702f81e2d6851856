"""The published corpus, where it is at hand: its size, its sentences, its leak."""

from __future__ import annotations

import pytest

from maeum.corpus.audit import audit
from maeum.corpus.importing import import_corpus


@pytest.fixture(scope="module")
def source(real_corpora):
    folder = real_corpora / "emotiontts"
    if not folder.is_dir():
        pytest.skip(f"no emotiontts: {folder} is no folder")
    return folder


def titles(source, name):
    corpus = import_corpus("emotiontts", source, set=name)
    return {finding.kind: finding.title for finding in audit(corpus)}


@pytest.mark.parametrize(
    ("name", "counts"),
    [("both", (200, 10, 25)), ("emotional", (140, 7, 20)), ("plain", (60, 3, 5))],
)
def test_utterances_speakers_and_scripts_are_those_published(name, counts, source):
    rows = import_corpus("emotiontts", source, set=name).utterances
    assert (len(rows), rows["speaker"].n_unique(), rows["script"].n_unique()) == counts


def test_the_spellings_of_a_sentence_are_merged(source):
    rows = import_corpus("emotiontts", source).utterances
    assert rows["text"].n_unique() > rows["script"].n_unique() == 25


def test_the_note_about_the_swapped_blocks_comes_along(source):
    corpus = import_corpus("emotiontts", source)
    assert any("00201" in note for note in corpus.notes)
    blocks = corpus.utterances.group_by(corpus.utterances["id"].str.slice(3, 3).alias("block"))
    found = {block: set(rows["emotion"]) for (block,), rows in blocks}
    assert (found["002"], found["003"]) == ({"Sad"}, {"Angry"})


def test_the_audit_names_the_leak(source):
    found = titles(source, "both")["text decides the emotion"]
    assert "140 of 200 utterances read a sentence that occurs with one emotion only" in found
    assert "20 of 25 sentences" in found


def test_the_audit_says_which_sentences_recur(source):
    found = titles(source, "emotional")["sentences recur over speakers"]
    assert found.startswith("the same 20 sentences recur over 7 speakers: a split by speaker")


def test_the_plain_set_has_no_such_leak(source):
    found = titles(source, "plain")
    assert "text decides the emotion" not in found
    assert "text tells nothing" in found


def test_no_recording_is_at_fault(source):
    findings = audit(import_corpus("emotiontts", source))
    assert [finding.title for finding in findings if finding.severity == "fault"] == []
