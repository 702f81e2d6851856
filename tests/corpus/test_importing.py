"""An import keeps what is usable, counts what is not, and never leaves half a corpus."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import pytest

from maeum.corpus.corpus import Corpus
from maeum.corpus.importing import import_corpus
from maeum.emotions import EmotionSet
from maeum.errors import CorpusError

HEADER = "id,audio,text,emotion,speaker,start,duration"
GOOD = ("a,a.wav,정말 기뻐요,happy,s1,,", "b,b.wav,눈물이 나요,슬픔,s2,,")

REJECTED = {
    "x,x.wav,말,furious,s1,,": "unknown emotion",
    "x,x.wav,말,,s1,,": "no emotion",
    "x,x.wav,말,Sad,s1,,long": "not a number",
    "x,gone.wav,말,Sad,s1,,": "recording missing",
    "x,broken.wav,말,Sad,s1,,": "recording unreadable",
    "x,a.wav,말,Sad,s1,9,": "recording empty",
    "x,a.wav,말,Sad,s1,9,0.2": "recording empty",
    "x,a.wav,말,Sad,s1,-1,0.2": "recording empty",
    "x,, ,Sad,s1,,": "neither recording nor text",
    "a,b.wav,말,Sad,s1,,": "id stands twice",
    "id,audio,text,emotion,speaker,start,duration": "repeated header",
}


@pytest.fixture
def table(tmp_path, write_wav):
    """Write a table of these rows beside two good recordings and a broken one."""
    for seed, name in enumerate(("a", "b", "x")):
        write_wav(f"in/{name}.wav", seed=seed)
    (tmp_path / "in" / "broken.wav").write_bytes(b"RIFF")

    def write(*rows, name="t.csv"):
        path = tmp_path / "in" / name
        path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
        return path

    return write


def content(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_an_import_measures_cleans_and_names(table, tmp_path):
    corpus = import_corpus("table", table(*GOOD), tmp_path / "out")
    assert corpus.emotions.names == ("Happy", "Sad")
    assert corpus.utterances["emotion"].to_list() == ["Happy", "Sad"]
    assert corpus.utterances["duration_s"].to_list() == [0.5, 0.5]
    assert corpus.utterances["sample_rate_hz"].to_list() == [16_000, 16_000]
    assert corpus.utterances["script"].n_unique() == 2


def test_what_is_saved_opens_equal(table, tmp_path):
    made = import_corpus("table", table(*GOOD), tmp_path / "out")
    opened = Corpus.open(tmp_path / "out")
    assert opened.utterances.equals(made.utterances)
    assert (opened.fingerprint, opened.emotions) == (made.fingerprint, made.emotions)
    assert opened.audio_root.samefile(tmp_path / "in")


@pytest.mark.parametrize(("row", "reason"), REJECTED.items())
def test_each_row_that_cannot_be_used_is_counted_by_its_reason(row, reason, table, tmp_path):
    corpus = import_corpus("table", table(*GOOD, row), tmp_path / "out")
    assert corpus.utterances["id"].to_list() == ["a", "b"]
    assert corpus.rejected["reason"].to_list() == [reason]
    assert all(corpus.rejected["detail"].str.len_chars() > 10)
    card = json.loads((tmp_path / "out" / "corpus.json").read_text("utf-8"))
    assert card["rejected"] == {reason: 1}


def test_a_stretch_ends_where_its_recording_does(table):
    corpus = import_corpus("table", table(*GOOD, "c,a.wav,말,Sad,s1,0.2,9"))
    assert corpus.utterances["duration_s"].to_list() == pytest.approx([0.5, 0.5, 0.3])


def test_importing_twice_gives_the_same_files(table, tmp_path):
    source = table(*GOOD, *REJECTED)
    import_corpus("table", source, tmp_path / "one")
    import_corpus("table", source, tmp_path / "two")
    import_corpus("table", source, tmp_path / "two")
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_rows_in_another_order_give_the_same_corpus(table):
    one = import_corpus("table", table(*GOOD))
    other = import_corpus("table", table(*reversed(GOOD), name="u.csv"))
    assert one.fingerprint == other.fingerprint


def test_the_fingerprint_does_not_depend_on_the_row_order(table):
    corpus = import_corpus("table", table(*GOOD))
    assert replace(corpus, utterances=corpus.utterances.reverse()).fingerprint == corpus.fingerprint


def test_another_label_or_text_gives_another_fingerprint(table):
    changed = (GOOD[0], GOOD[1].replace("슬픔", "분노")), (GOOD[0], GOOD[1].replace("눈물", "콧물"))
    prints = {import_corpus("table", table(*rows)).fingerprint for rows in (GOOD, *changed)}
    assert len(prints) == 3


def test_a_relative_source_is_found_again_from_anywhere(table, tmp_path, monkeypatch):
    table(*GOOD)
    monkeypatch.chdir(tmp_path)
    import_corpus("table", "in/t.csv", "out")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    opened = Corpus.open("../out")
    assert (opened.audio_root / opened.utterances["audio"][0]).is_file()


def test_recordings_may_lie_elsewhere(table, tmp_path):
    source = table(*GOOD)
    moved = source.rename(tmp_path / "t.csv")
    corpus = import_corpus("table", moved, audio_root=tmp_path / "in")
    assert len(corpus) == 2


def test_own_emotions_are_taken_when_named(table):
    rows = ("a,a.wav,말,평온,s1,,", "b,b.wav,말,기쁨,s1,,", "c,b.wav,말,슬픔,s1,,")
    corpus = import_corpus("table", table(*rows), emotions=EmotionSet.of(["happy", "serene:평온"]))
    assert corpus.utterances["emotion"].to_list() == ["serene", "Happy"]
    assert corpus.rejected["reason"].to_list() == ["unknown emotion"]


def test_a_table_of_text_alone_has_no_audio_root(tmp_path):
    source = tmp_path / "t.csv"
    source.write_text("text,emotion\n정말 기뻐,happy\n눈물이 나,sad\n", encoding="utf-8")
    corpus = import_corpus("table", source, tmp_path / "out")
    assert corpus.audio_root is None
    assert Corpus.open(tmp_path / "out").audio_root is None


@pytest.mark.parametrize("name", ["thesis.docx", ".hidden"])
def test_a_folder_with_other_files_is_refused_and_untouched(name, table, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(CorpusError, match="holds other files"):
        import_corpus("table", table(*GOOD), tmp_path / "out")
    assert content(tmp_path / "out") == {name: b"mine"}


def test_a_file_is_refused_as_a_folder(table, tmp_path):
    (tmp_path / "out").write_text("mine")
    with pytest.raises(CorpusError, match="is a file; --to expects a folder"):
        import_corpus("table", table(*GOOD), tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("tabel", "t.csv"), "unknown reader 'tabel'; expected aihub466"),
        (("table", "gone.csv"), "gone.csv does not exist; expected the tree or table"),
    ],
)
def test_an_import_that_cannot_start_says_why(arguments, says, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusError, match=says):
        import_corpus(*arguments)


def test_an_option_of_another_reader_is_refused(table):
    with pytest.raises(CorpusError, match="takes no option --set; it takes --columns"):
        import_corpus("table", table(*GOOD), set="both")


def test_nothing_usable_is_an_error_with_the_first_reason(table):
    with pytest.raises(CorpusError, match=r"no usable utterance: 1 rejected, the first because"):
        import_corpus("table", table("x,gone.wav,말,Sad,s1,,"))


def test_a_full_disk_leaves_the_old_corpus_whole(table, tmp_path, monkeypatch):
    import_corpus("table", table(*GOOD), tmp_path / "out")
    before = content(tmp_path / "out")

    def full_disk(self, data):
        with self.open("wb") as file:
            file.write(data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        import_corpus("table", table(GOOD[0], "c,b.wav,새 말,Sad,s2,,"), tmp_path / "out")
    assert content(tmp_path / "out") == before


def test_a_first_import_cut_off_is_no_corpus_and_can_be_done_again(table, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("maeum.corpus.corpus.write_json", full_disk)
        with pytest.raises(OSError, match="No space left"):
            import_corpus("table", table(*GOOD), tmp_path / "out")
    with pytest.raises(CorpusError, match="is no corpus"):
        Corpus.open(tmp_path / "out")
    assert len(import_corpus("table", table(*GOOD), tmp_path / "out")) == 2
