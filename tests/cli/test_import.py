"""`maeum import` of corpora people hold: found by itself, and said."""

from __future__ import annotations

import pytest

from maeum.cli.corpora import READER_OPTIONS, READERS_HELP
from maeum.corpus.readers import AUTO, READERS
from maeum.testing import make_aihub86, make_aihub263, make_kemdy19, make_kemdy20

MAKERS = {
    "aihub263": make_aihub263,
    "aihub86": make_aihub86,
    "kemdy19": make_kemdy19,
    "kemdy20": make_kemdy20,
}


def test_the_help_names_every_reader_and_every_option_of_one():
    assert all(name in READERS_HELP for name in (*READERS, AUTO))
    named = {option for reader in READERS.values() for option in reader.options}
    assert named == {*READER_OPTIONS, "columns"}


@pytest.mark.parametrize("reader", MAKERS)
def test_a_tree_is_imported_counted_and_audited_without_being_named(maeum, tmp_path, reader):
    planted = MAKERS[reader](tmp_path / "tree")
    said = maeum("import", "auto", planted.source, "--to", tmp_path / "c", "--json")
    assert f"read as {reader}: " in said.err
    assert said.json["utterances"] == len(planted.emotions)
    assert said.json["rejected"] == planted.rejected
    stats = maeum("stats", tmp_path / "c", "--json").json
    assert (stats["reader"], stats["rejected"]) == (reader, said.json["rejected"])
    assert maeum("audit", tmp_path / "c").code == 0


def test_a_choice_typed_reaches_the_reader(maeum, tmp_path):
    planted = make_kemdy20(tmp_path / "tree")
    command = ("import", "auto", planted.source, "--to", tmp_path / "c", "--ties")
    said = maeum(*command, "first", "--json")
    assert said.json["utterances"] == len(planted.otherwise["--ties first"])
    complaint = maeum(*command, "last").complaint
    assert complaint == "unknown ties 'last'; --ties takes reject, first"


def test_what_nobody_recognises_is_one_sentence(maeum, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    complaint = maeum("import", "auto", tmp_path, "--to", tmp_path / "c").complaint
    assert complaint.startswith(f"no reader recognises {tmp_path}; name the one you mean (aihub466")
    assert not (tmp_path / "c").exists()
