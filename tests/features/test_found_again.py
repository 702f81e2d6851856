"""What was made before is found and not made again, and nothing else is taken for it."""

from __future__ import annotations

import logging
import os
import shutil

import numpy as np
import polars as pl
import pytest
from standins import Lengths, Loudness

from maeum.corpus.manifest import Utterance
from maeum.engine import Engine
from maeum.features import extract, stretches


def test_a_second_extraction_encodes_nothing_and_gives_the_same(some, store, caplog):
    caplog.set_level(logging.INFO, logger="maeum")
    speech, text = Loudness(), Lengths()
    first = extract(some, speech=[speech], text=[text], store=store)
    assert (speech.given, text.given) == (5, 5)
    again = extract(some, speech=[speech], text=[text], store=store)
    assert (speech.given, text.given) == (5, 5)
    assert again.counts == {"test:loudness": (5, 0, 0), "test:lengths": (5, 0, 0)}
    for side in ("speech", "text"):
        assert np.array_equal(first.vectors(side), again.vectors(side))
    assert "features: 0 found, 5 encoded by test:loudness" in caplog.messages
    assert "features: 5 found, 0 encoded by test:loudness" in caplog.messages


def test_a_copy_of_the_corpus_elsewhere_finds_all(some, store, tmp_path):
    from dataclasses import replace

    extract(some, speech=[Loudness()], store=store)
    copied = shutil.copytree(some.audio_root, tmp_path / "copy")
    ids = [f"other{place}" for place in range(5)]
    other = some.with_utterances(some.utterances.with_columns(pl.Series("id", ids)))
    found = extract(replace(other, audio_root=copied), speech=[Loudness()], store=store)
    assert found.counts["test:loudness"] == (5, 0, 0)


@pytest.mark.parametrize("years_ago", [0, 2])
def test_a_changed_recording_is_encoded_again_and_no_other(some, store, write_wav, years_ago):
    def settle():
        for path, _ in stretches(some):
            then = path.stat().st_mtime - years_ago * 3e7
            os.utime(path, (then, then))

    settle()
    extract(some, speech=[Loudness()], store=store)
    write_wav("3.wav", seed=99, duration_s=0.5)
    found = extract(some, speech=[Loudness()], store=store)
    assert found.counts["test:loudness"] == (4, 1, 0)
    expected = extract(some, speech=[Loudness()], store=None)
    assert np.array_equal(found.vectors("speech"), expected.vectors("speech"))


def test_a_recording_that_lies_there_unchanged_is_not_read_again(some, store, monkeypatch):
    for path, _ in stretches(some):
        os.utime(path, (1e9, 1e9))
    extract(some, speech=[Loudness()], store=store)
    monkeypatch.setattr("maeum.features.digests.file_digest", None)
    found = extract(some, speech=[Loudness()], store=store)
    assert found.counts["test:loudness"] == (5, 0, 0)


def test_an_encoder_joined_with_another_finds_what_it_made_alone(some, store):
    extract(some, speech=[Loudness("test:one")], store=store)
    both = [Loudness("test:two"), Loudness("test:one")]
    assert extract(some, speech=both, store=store).counts == {
        "test:two": (0, 5, 0),
        "test:one": (5, 0, 0),
    }


def test_another_version_or_number_of_layers_finds_nothing(some, store):
    extract(some, speech=[Loudness()], store=store)
    for other in (Loudness(version="2"), Loudness(layers=3)):
        assert extract(some, speech=[other], store=store).counts["test:loudness"] == (0, 5, 0)


def test_a_folder_typed_otherwise_finds_the_same_vectors(some, store):
    extract(some, speech=[Loudness("models/w2v")], store=store)
    (count,) = extract(some, speech=[Loudness("/far/away/w2v/")], store=store).counts.values()
    assert count == (5, 0, 0)


@pytest.mark.parametrize("stored", [True, False])
def test_equal_recordings_and_sentences_are_encoded_once(corpus_of, write_wav, store, stored):
    for name in ("a.wav", "b.wav", "c.wav"):
        write_wav(name, seed=name == "c.wav")
    twice = corpus_of(
        Utterance("1", "Sad", audio="a.wav", text="마음"),
        Utterance("2", "Sad", audio="b.wav", text="\u1106\u1161\u110b\u1173\u11b7"),
        Utterance("3", "Sad", audio="c.wav", text="몸"),
        Utterance("4", "Sad", audio="a.wav", text="마음"),
    )
    speech, text = Loudness(), Lengths()
    kept_in = store if stored else None
    found = extract(twice, speech=[speech], text=[text], store=kept_in)
    assert (speech.given, text.given) == (2, 2)
    assert found.counts == {"test:loudness": (2, 2, 0), "test:lengths": (2, 2, 0)}
    heard, read = found.vectors("speech"), found.vectors("text")
    assert (heard[0] == heard[1]).all()
    assert (heard[0] == heard[3]).all()
    assert (heard[0] != heard[2]).any()
    assert read[:, 0].tolist() == [2, 2, 1, 2]


def test_a_cheap_encoder_is_kept_nowhere_and_computed_again(some, store):
    for _ in range(2):
        text = Lengths(cheap=True)
        assert extract(some, text=[text], store=store).counts["test:lengths"] == (0, 5, 0)
        assert text.given == 5
    assert store.contents() == []


def test_an_encoder_that_learns_is_kept_nowhere(some, store):
    import torch

    class Learning(Loudness):
        tower, base, engine = torch.nn.Linear(1, 1), None, Engine()

        def version_with(self, engine):
            """Never asked for."""

        def prepare(self, batch):
            """Never asked for."""

        def save(self, folder):
            """Never asked for."""

    extract(some, speech=[Learning()], store=store)
    assert store.contents() == []
    Learning.tower.requires_grad_(False)
    extract(some, speech=[Learning()], store=store)
    assert [one.vectors for one in store.contents()] == [5]


def test_without_a_store_nothing_is_written(some, tmp_path, monkeypatch):
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "cache"))
    extract(some, speech=[Loudness()], text=[Lengths()], store=None, frames=True)
    assert not (tmp_path / "cache").exists()
    extract(some, speech=[Loudness()])
    assert (tmp_path / "cache" / "features").is_dir()


def test_a_cache_that_cannot_be_written_to_stops_nobody(some, tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MAEUM_CACHE", str(tmp_path / "file"))
    assert extract(some, speech=[Loudness()]).present("speech").all()
    assert "vectors are not kept" in caplog.text
