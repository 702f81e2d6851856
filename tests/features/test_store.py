"""Vectors computed once: whole after any end, shared by processes, and never wrong."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing

import numpy as np
import pytest
from standins import Lengths, Loudness, encode_slowly

from maeum.corpus.manifest import Utterance
from maeum.errors import StoreError
from maeum.features import Store, extract, stretches
from maeum.features import database as databases
from maeum.features.database import is_networked
from maeum.features.drawer import clip_key, sentence_key
from maeum.features.hearing import WHOLE, Stretch
from maeum.features.space import ensure_room, needed_bytes

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["maeum.features", "soundfile", "soxr", "threadpoolctl"])
PATIENCE_S = 60


def key(number: int) -> bytes:
    """Some key."""
    return sentence_key(str(number))


def vector(*values: float) -> np.ndarray:
    """A vector."""
    return np.array(values, dtype=np.float32)


@pytest.fixture
def drawer(store):
    """Of an encoder whose vectors have length 3."""
    return store.drawer(Loudness())


# -- what is kept ----------------------------------------------------------------------------


def test_what_was_put_is_found_when_the_drawer_is_opened_again(drawer):
    with drawer.opened() as opened:
        opened.put(key(1), vector(1, 2, 3))
        opened.put(key(2), vector(4, 5, 6))
        assert opened.vectors([key(1)]) == {}, "it is committed later"
    with drawer.opened() as opened:
        found = opened.vectors([key(2), key(3), key(1)])
        assert {name: values.tolist() for name, values in found.items()} == {
            key(1): [1, 2, 3],
            key(2): [4, 5, 6],
        }
        assert opened.stored([key(1), key(3)]) == {key(1)}


def test_the_first_of_two_under_one_key_stays(drawer):
    for value in (1, 2):
        with drawer.opened() as opened:
            opened.put(key(1), vector(value, 0, 0))
    with drawer.opened() as opened:
        assert opened.vectors([key(1)])[key(1)].tolist() == [1, 0, 0]


def test_more_keys_than_one_question_holds_are_found(drawer):
    keys = [key(number) for number in range(2_000)]
    with drawer.opened() as opened:
        for number, name in enumerate(keys):
            opened.put(name, vector(number, 0, 0))
    with drawer.opened() as opened:
        found = opened.vectors(keys)
    assert [found[name][0] for name in keys] == list(range(2_000))


@pytest.mark.parametrize("wrong", [vector(1, 2), vector(1, 2, 3, 4)])
def test_a_vector_of_another_length_is_refused(drawer, wrong):
    with drawer.opened() as opened, pytest.raises(StoreError, match="needs another version"):
        opened.put(key(1), wrong)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(drawer, value):
    with drawer.opened() as opened, pytest.raises(StoreError, match="not finite"):
        opened.put(key(1), vector(1, value, 3))


def test_a_vector_of_another_length_never_comes_back(drawer):
    with drawer.opened() as opened:
        opened.put(key(1), vector(1, 2, 3))
    with closing(sqlite3.connect(drawer.path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute("UPDATE entries SET vector = ?", (bytes(8),))
    with drawer.opened() as opened, pytest.raises(StoreError, match="delete this file"):
        opened.vectors([key(1)])


def test_what_is_put_is_committed_every_few_seconds(drawer, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with drawer.opened() as opened:
        opened.put(key(1), vector(1, 2, 3))
        assert not opened.stored([key(1)])
        now[0] = 2.5
        opened.put(key(2), vector(1, 2, 3))
        assert opened.stored([key(1), key(2)]) == {key(1), key(2)}


def test_keys_tell_content_stretch_and_loudness_apart():
    stretch = Stretch(0, 1.0, 2.0)
    keys = [
        clip_key(b"a" * 32, WHOLE, equal_loudness=False),
        clip_key(b"b" * 32, WHOLE, equal_loudness=False),
        clip_key(b"a" * 32, WHOLE, equal_loudness=True),
        clip_key(b"a" * 32, stretch, equal_loudness=False),
        clip_key(b"a" * 32, Stretch(1, 1.0, 2.0), equal_loudness=False),
        clip_key(b"a" * 32, Stretch(0, 1.5, 2.0), equal_loudness=False),
        clip_key(b"a" * 32, Stretch(0, 1.0, None), equal_loudness=False),
    ]
    assert len(set(keys)) == len(keys)
    assert {len(one) for one in keys} == {32}


def test_encoders_of_one_folder_name_and_other_weights_share_no_drawer(store):
    paths = {
        store.drawer(encoder, frames=frames).path
        for frames in (False, True)
        for encoder in (
            Loudness("a/w2v", "1"),
            Loudness("a/w2v", "2"),
            Loudness("a/w2v!", "1"),
            Loudness("a/말뭉치", "1"),
            Loudness("a/목소리", "1"),
        )
    }
    assert len(paths) == 10
    assert all(path.name.isascii() and "/" not in path.name for path in paths)


# -- the end of a process --------------------------------------------------------------------


@pytest.fixture
def many(corpus_of, write_wav):
    """150 short recordings, all different."""
    return corpus_of(
        *(
            Utterance(
                f"{place:03}",
                "Sad",
                audio=write_wav(f"{place}.wav", duration_s=0.1, seed=place),
            )
            for place in range(150)
        )
    )


def whole(store: Store) -> int:
    """How many vectors the one drawer has, which must be sound."""
    (contents,) = store.contents()
    with closing(sqlite3.connect(contents.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return contents.vectors


def test_killed_at_any_moment_the_store_is_whole_and_goes_on(many, store):
    rng = np.random.default_rng(0)
    expected = extract(many, speech=[Loudness()], store=None).vectors("speech")
    counts = [0]
    for turn in range(0, 20, 5):
        process = PROCESSES.Process(target=encode_slowly, args=(many, store.folder))
        process.start()
        process.join(float(rng.uniform(0.0, 0.3 + 0.1 * turn)))  # a busy machine begins late
        process.kill()
        process.join(PATIENCE_S)
        if store.contents():
            counts.append(whole(store))
    assert counts == sorted(counts)
    assert counts[-1] > 0, "the processes were killed before they kept anything"
    found = extract(many, speech=[Loudness()], store=store)
    assert found.counts["test:loudness"] == (counts[-1], 150 - counts[-1], 0)
    assert np.array_equal(found.vectors("speech"), expected)


def test_processes_that_write_at_once_give_a_whole_store(many, tmp_path):
    expected = extract(many, speech=[Loudness()], store=None).vectors("speech")
    for turn in range(3):
        store = Store(tmp_path / str(turn))
        processes = [
            PROCESSES.Process(target=encode_slowly, args=(many, store.folder)) for _ in range(3)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join(PATIENCE_S)
        assert [process.exitcode for process in processes] == [0, 0, 0]
        assert whole(store) == 150
        found = extract(many, speech=[Loudness()], store=store)
        assert found.counts["test:loudness"] == (150, 0, 0)
        assert np.array_equal(found.vectors("speech"), expected)


@pytest.mark.parametrize("how", [{"threaded": True}, {"at_once": 1}], ids=str)
def test_interrupted_by_an_exception_what_was_made_is_kept(some, store, how):
    class Stopped(Loudness):
        def encode(self, waves):
            if len(waves[0]) > 0.45 * self.rate_hz:  # the fourth
                raise KeyboardInterrupt
            return super().encode(waves)

    with pytest.raises(KeyboardInterrupt):
        extract(some, speech=[Stopped(**how)], store=store)
    assert whole(store) == 3


# -- the disk --------------------------------------------------------------------------------


@pytest.fixture
def small_disk(monkeypatch):
    """Databases of at most so many pages."""
    usual = databases._connected

    def limit(pages):
        def connected(path, *timeout):
            connection = usual(path, *timeout)
            connection.execute(f"PRAGMA max_page_count={pages}")
            return connection

        monkeypatch.setattr(databases, "_connected", connected)

    yield limit
    monkeypatch.setattr(databases, "_connected", usual)


def test_a_full_disk_says_so_and_what_was_kept_stays(store, small_disk):
    drawer = store.drawer(Loudness(layers=400))
    wide = np.ones(1_200, dtype=np.float32)
    small_disk(40)
    with pytest.raises(OSError, match="No space left") as caught:
        _fill(drawer, wide)
    assert caught.value.filename == str(drawer.path)
    kept = whole(store)
    assert 0 < kept < 100
    small_disk(10_000)
    with drawer.opened() as opened:
        assert len(opened.vectors([key(number) for number in range(100)])) == kept
        opened.put(key(200), wide)
    assert whole(store) == kept + 1


def _fill(drawer, wide):
    with drawer.opened() as opened:
        for number in range(100):
            opened.put(key(number), number * wide)
            opened.commit()


def test_what_is_needed_is_told_from_what_is_missing(some, store):
    wide = [Loudness(layers=1_000)]
    needed = needed_bytes(some, speech=wide, store=store)
    assert 5 * 12_000 <= needed <= 5 * 12_000 * 1.5
    for path, _ in stretches(some):
        os.utime(path, (1e9, 1e9))
    extract(some, speech=wide, store=store)
    assert needed_bytes(some, speech=wide, store=store) == 0
    assert needed_bytes(some, speech=[Loudness()], text=[Lengths(cheap=True)], store=store) < 100
    ensure_room(store, needed)
    with pytest.raises(StoreError, match=r"take about 1000\.0 TB, and the disk of"):
        ensure_room(store, 10**15)


def test_a_sentence_that_cannot_be_read_does_not_stop_the_telling(corpus_of, store):
    told = corpus_of(*(Utterance(said, "Sad", text=said) for said in ("좋아요", " ")))
    needed = needed_bytes(told, text=[Lengths()], store=store, frames=True)
    assert needed >= 2 * (3 + 1) * 2 * 4


def test_what_frames_need_is_told_from_durations_and_tokens(some, store):
    speech_values = sum(2 + place for place in range(5)) * 3 + 5 * 3  # a frame per 0.1 s; means
    needed = needed_bytes(some, speech=[Loudness()], store=store, frames=True)
    assert speech_values * 4 <= needed <= speech_values * 4 * 1.3
    text_values = (1 + 2 + 3 + 4 + 5) * 2 + 5 * 2
    needed = needed_bytes(some, text=[Lengths()], store=store, frames=True)
    assert text_values * 4 <= needed <= text_values * 4 * 1.3


@pytest.mark.parametrize(
    "garbage", [b"no database at all, " * 300, b"SQLite format 3\0" + b"x" * 9000]
)
def test_a_broken_file_is_named_in_one_sentence(some, store, garbage):
    extract(some, speech=[Loudness()], store=store)
    (contents,) = store.contents()
    contents.path.write_bytes(garbage)
    with pytest.raises(StoreError, match=r"is broken .* delete this file") as caught:
        extract(some, speech=[Loudness()], store=store)
    assert str(contents.path) in str(caught.value)
    assert [one.kind for one in store.contents()] == ["broken"]
    contents.path.unlink()
    assert extract(some, speech=[Loudness()], store=store).counts["test:loudness"] == (0, 5, 0)


def test_a_broken_file_of_hashes_is_named_too(some, store):
    extract(some, speech=[Loudness()], store=store)
    store.digests.path.write_bytes(b"no database at all, " * 300)
    with pytest.raises(StoreError, match=r"recordings\.db is broken"):
        extract(some, speech=[Loudness()], store=store)


def test_a_folder_in_the_place_of_a_file_is_told_as_the_system_tells_it(some, store):
    extract(some, speech=[Loudness()], store=store)
    (contents,) = store.contents()
    contents.path.unlink()
    contents.path.mkdir()
    with pytest.raises(OSError, match="unable to open database file") as caught:
        extract(some, speech=[Loudness()], store=store)
    assert caught.value.filename == str(contents.path)


def test_frames_that_were_deleted_meanwhile_are_missed(some, store):
    found = extract(some, speech=[Loudness()], store=store, frames=True)
    store.prune()
    with pytest.raises(StoreError, match="no longer has 2 of the frames"):
        found.frames["speech"][0].of(np.array([1, 3]))


def test_folders_other_machines_write_to_are_known(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    monkeypatch.setattr(databases, "MOUNTS", mounts)
    spaced = str(tmp_path / "far away").replace(" ", r"\040")
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/x {spaced} nfs4 rw 0 0\n", encoding="utf-8")
    assert is_networked(tmp_path / "far away" / "cache")
    assert not is_networked(tmp_path / "near")
    mounts.unlink()
    assert not is_networked(tmp_path / "far away")


@pytest.mark.parametrize("networked", [True, False])
def test_the_journal_suits_the_disk(some, store, monkeypatch, networked):
    monkeypatch.setattr(databases, "is_networked", lambda folder: networked)
    for expected in ((0, 5, 0), (5, 0, 0)):
        found = extract(some, speech=[Loudness()], store=store)
        assert found.counts["test:loudness"] == expected
    (contents,) = store.contents()
    with closing(sqlite3.connect(contents.path)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    assert mode == ("delete" if networked else "wal")


# -- looking after it ------------------------------------------------------------------------


def test_contents_tell_who_made_how_much_and_when(some, store):
    extract(some, speech=[Loudness()], text=[Lengths()], store=store)
    speech, text = sorted(store.contents(), key=lambda one: -len(one.encoder))
    assert (speech.encoder, speech.version, speech.kind) == ("test:loudness", "1", "means")
    assert (text.encoder, text.vectors) == ("test:lengths", 5)
    assert speech.size_bytes > 5 * 12
    assert time.time() - speech.used_s < 100
    assert Store(store.folder / "nothing").contents() == []


def test_pruning_deletes_what_was_not_used_for_long(some, store):
    extract(some, speech=[Loudness()], text=[Lengths()], store=store)
    old = store.drawer(Loudness()).path
    os.utime(old, (time.time() - 10 * 24 * 3600,) * 2)
    assert store.prune(unused_days=20.0) == []
    assert [one.path for one in store.prune(unused_days=5.0)] == [old]
    assert [one.encoder for one in store.contents()] == ["test:lengths"]
    assert [path.name for path in store.folder.glob(f"{old.name}*")] == []


def test_using_vectors_keeps_them_from_being_pruned(some, store):
    extract(some, speech=[Loudness()], store=store)
    os.utime(store.drawer(Loudness()).path, (1e9, 1e9))
    extract(some, speech=[Loudness()], store=store)
    assert store.prune(unused_days=1.0) == []


def test_pruning_an_encoder_leaves_the_others(some, store):
    extract(some, speech=[Loudness()], text=[Lengths()], store=store)
    assert [one.encoder for one in store.prune(encoder="test:lengths")] == ["test:lengths"]
    assert [one.encoder for one in store.contents()] == ["test:loudness"]


def test_a_drawer_in_use_is_not_pruned(some, store, caplog):
    extract(some, speech=[Loudness()], store=store)
    with store.drawer(Loudness()).opened() as opened:
        opened.stored([key(1)])
        assert store.prune() == []
    assert "is in use and stays" in caplog.text
    assert len(store.prune()) == 1


def test_a_broken_drawer_is_pruned(some, store):
    extract(some, speech=[Loudness()], store=store)
    store.drawer(Loudness()).path.write_bytes(b"no database at all, " * 300)
    assert [one.kind for one in store.prune()] == ["broken"]
    assert store.contents() == []


def test_a_process_killed_as_it_began_leaves_an_empty_drawer(store):
    store.folder.mkdir()
    (store.folder / "begun.sqlite").touch()
    assert [(one.kind, one.vectors) for one in store.contents()] == [("empty", 0)]
    assert len(store.prune()) == 1


def test_a_killed_process_is_really_killed(many, store):
    process = PROCESSES.Process(target=encode_slowly, args=(many, store.folder))
    process.start()
    process.join(0.05)
    process.kill()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL
