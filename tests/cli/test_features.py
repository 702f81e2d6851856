"""`maeum features`: computing vectors ahead, listing and deleting those that are kept."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of the test's own."""
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_second_time_everything_is_found(maeum, corpus, cache):
    first = maeum("features", corpus, "--json")
    (told,) = first.json["encoders"]
    assert (told["encoder"], told["found"], told["failed"]) == ("builtin:acoustic", 0, 0)
    assert told["encoded"] > 0
    assert told["bytes"] > told["encoded"] * 301 * 4
    assert first.json["folder"] == str(cache / "features")
    assert "will be kept in" in first.err
    assert f"features: 0 found, {told['encoded']} encoded by builtin:acoustic" in first.err
    again = maeum("features", corpus, "--json").json["encoders"][0]
    assert (again["found"], again["encoded"]) == (told["encoded"], 0)


def test_training_finds_what_was_computed_ahead(maeum, corpus, tmp_path):
    maeum("features", corpus)
    trained = maeum(
        "train", corpus, "--to", tmp_path / "run", "--epochs", 1, "--modality", "speech"
    )
    assert " found, 0 encoded by builtin:acoustic" in trained.err


def test_a_person_sees_a_table_and_what_is_never_kept(maeum, corpus):
    told = maeum("features", corpus)
    assert (told.code, "builtin:acoustic" in told.out) == (0, True)
    assert "note: builtin:letters is quicker than looking its vectors up" in told.err
    only_text = maeum("features", corpus, "--modality", "text")
    assert (only_text.code, only_text.out) == (0, "")


def test_recordings_that_cannot_be_used_end_with_status_1(maeum, calls, tmp_path):
    own = shutil.copytree(calls.parent, tmp_path / "own")
    folder = tmp_path / "corpus"
    assert maeum("import", "table", own / calls.name, "--to", folder).code == 0
    first = sorted(own.rglob("*.wav"))[0]
    first.write_bytes(first.read_bytes()[:100])
    told = maeum("features", folder, "--modality", "speech", "--json")
    assert told.code == 1
    assert told.json["encoders"][0]["failed"] == 1
    (sentence,) = told.json["failures"].values()
    assert first.name in sentence
    assert "cannot be heard" in told.err


def test_without_a_corpus_it_lists_what_is_kept(maeum, corpus, cache):
    assert maeum("features", "--json").json["encoders"] == []
    maeum("features", corpus)
    maeum("features", corpus, "--frames", "--modality", "speech")
    told = maeum("features", "--json").json
    assert sorted(one["kind"] for one in told["encoders"]) == ["frames", "means"]
    assert {one["encoder"] for one in told["encoders"]} == {"builtin:acoustic"}
    assert told["kept_bytes"] == sum(one["bytes"] for one in told["encoders"])
    assert "kept in" in maeum("features").out


def test_pruning_deletes_and_says_what_it_freed(maeum, corpus, cache):
    maeum("features", corpus)
    assert "0 B freed" in maeum("features", "--prune").out
    (drawer,) = (cache / "features").glob("*.sqlite")
    os.utime(drawer, (1e9, 1e9))
    freed = maeum("features", "--prune", "--json").json
    assert [one["encoder"] for one in freed["encoders"]] == ["builtin:acoustic"]
    assert freed["freed_bytes"] > 1_000
    assert maeum("features", "--json").json["encoders"] == []


@pytest.mark.parametrize("words", [["--older-than", 0], ["--encoder", "builtin:acoustic"]])
def test_pruning_may_take_what_was_just_used(maeum, corpus, words):
    maeum("features", corpus)
    assert maeum("features", "--prune", "--encoder", "other", "--json").json["encoders"] == []
    assert len(maeum("features", "--prune", *words, "--json").json["encoders"]) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--older-than", 3],
        ["--encoder", "builtin:acoustic"],
        ["CORPUS", "--prune"],
        ["--speech", "builtin:acoustic"],
        ["--prune", "--older-than", -1],
    ],
)
def test_what_does_not_go_together_is_wrong_usage(maeum, corpus, words):
    typed = [corpus if word == "CORPUS" else word for word in words]
    assert "Invalid value" in maeum("features", *typed).misuse


def test_a_disk_without_room_is_refused_before_anything_is_made(maeum, corpus, cache, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage(10**6, 10**6 - 10, 10))
    told = maeum("features", corpus)
    assert (told.code, told.out) == (1, "")
    assert "has 10 B left; make room" in told.err
    assert list((cache / "features").glob("*.sqlite")) == []


def test_a_broken_file_is_listed_and_named(maeum, corpus, cache):
    maeum("features", corpus)
    (drawer,) = (cache / "features").glob("*.sqlite")
    drawer.write_bytes(b"no database at all, " * 300)
    listed = maeum("features")
    assert (listed.code, f"{drawer} is broken; delete this file" in listed.err) == (0, True)
    told = maeum("features", corpus)
    assert told.code == 1
    assert f"{drawer} is broken" in told.err.splitlines()[-1]


def test_a_cache_that_cannot_be_written_to_is_told(maeum, corpus, cache):
    cache.touch()
    told = maeum("features", corpus)
    assert told.code == 1
    assert told.err.splitlines()[-1].endswith("name one in MAEUM_CACHE")
