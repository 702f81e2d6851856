"""On two workers of a Ray cluster every job gives what it gives here."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing

import pytest

from maeum.cluster.check import offered
from maeum.cluster.features import keep_on_ray
from maeum.cluster.trials import OnTune
from maeum.corpus import import_corpus
from maeum.encoders import speech_encoders
from maeum.errors import CorpusError
from maeum.features import Store, keep
from maeum.jobs import Here
from maeum.studies import Study
from maeum.studies.running import run_study
from maeum.testing import make_corpus

pytestmark = [pytest.mark.cluster, pytest.mark.usefixtures("cluster")]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """72 clips, the first as the last and one that cannot be heard."""
    table = make_corpus(tmp_path_factory.mktemp("made"), speakers=6, scripts_per_emotion=4)
    return import_corpus("table", table)


def kept(store):
    """Everything in the drawers of a store: file -> rows in order of key."""
    found = {}
    for path in sorted(store.folder.glob("*.sqlite")):
        with closing(sqlite3.connect(path)) as connection:
            question = "SELECT key, vector, frames FROM entries ORDER BY key"
            found[path.name] = connection.execute(question).fetchall()
    return found


def encoders():
    return {"speech": speech_encoders("builtin:acoustic")}


@pytest.fixture(scope="module")
def here(corpus, tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("here"))
    return store, keep(corpus, store=store, **encoders())


def test_vectors_are_those_made_here_to_the_bit(corpus, here, tmp_path, monkeypatch):
    monkeypatch.setattr("maeum.cluster.features.PIECE", 16)
    store = Store(tmp_path)
    found = keep_on_ray(corpus, store=store, **encoders())
    assert kept(store) == kept(here[0])
    assert found.counts == here[1].counts
    assert not list(tmp_path.glob("*.shards"))
    again = keep_on_ray(corpus, store=store, **encoders())
    (count,) = again.counts.values()
    assert (count.found, count.encoded) == (len(corpus), 0)


def square(common, item):
    return common + item * item


def refuse(_, item):
    if item == 2:
        raise CorpusError("the third cannot be done")
    return item


def die_once(folder, item):
    """The second piece kills its process the first time."""
    mark = folder / "died"
    if item == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def collected(work, common, items, beside):
    found = {}
    OnTune(beside).run(work, common, items, found.__setitem__)
    assert not list(beside.glob(".trials-*"))
    return found


def test_pieces_of_work_are_trials(tmp_path):
    assert collected(square, 10, (1, 2, 3), tmp_path) == {1: 11, 2: 14, 3: 19}


def test_what_a_trial_cannot_do_is_told_in_its_own_words(tmp_path):
    with pytest.raises(CorpusError, match="the third cannot be done"):
        collected(refuse, None, (1, 2, 3), tmp_path)


def test_a_trial_whose_process_is_killed_begins_again(tmp_path):
    assert collected(die_once, tmp_path, (0, 1, 2), tmp_path) == {0: 0, 1: 1, 2: 2}
    assert (tmp_path / "died").exists()


def test_a_study_ends_with_the_same_file(corpus, tmp_path):
    study = Study.of(
        **{
            "name": "two",
            "title": "two sizes",
            "asks": "nothing",
            "rows": ["modality"],
            "folds": 0,
            "blocks": [{"modality": "text", "size": [2, 3]}],
            "protocols": ["random"],
            "seeds": 1,
            "settings": {"epochs": 2, "hidden_size": 4},
        }
    )
    for name, executor in (("here", Here()), ("ray", OnTune(tmp_path))):
        run_study(study, corpus, tmp_path / name, executor=executor)
    files = [(tmp_path / name / "results.parquet").read_bytes() for name in ("here", "ray")]
    assert files[0] == files[1]


def test_the_cluster_says_what_it_offers():
    offer = offered()
    (node,) = offer.nodes
    assert (node.cpus, node.shares, offer.usable) == (2, True, True)
    assert offer.missing == ["no node has an accelerator; pretrained encoders run on processors"]
