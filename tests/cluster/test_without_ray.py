"""What is said where a cluster was asked for and cannot be had."""

from __future__ import annotations

import sys

import pytest

from maeum import cli
from maeum.cluster import connection
from maeum.cluster.check import Node, Offer
from maeum.cluster.serving import Replicas
from maeum.errors import SettingsError

COMMANDS = {
    "features": ("features", "CORPUS"),
    "predict": ("predict", "RUN", "CORPUS", "--to", "TO"),
    "study": ("study", "run", "equal-n", "CORPUS", "--to", "TO"),
    "crossval": ("crossval", "CORPUS", "--to", "TO"),
    "train": ("train", "CORPUS", "--to", "TO"),
    "serve": ("serve", "RUN", "--no-page"),
    "check": ("cluster", "check"),
}


@pytest.fixture
def typed(monkeypatch, capsys, made_corpus, made_run, tmp_path):
    made_corpus.save(tmp_path / "corpus")
    places = {"CORPUS": tmp_path / "corpus", "RUN": made_run.folder, "TO": tmp_path / "to"}

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["maeum", *(str(places.get(w, w)) for w in words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code, capsys.readouterr().err

    return run


USUAL = ("features", "check")
"""The others are much like these."""


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(words, id=name, marks=() if name in USUAL else pytest.mark.slow)
        for name, words in COMMANDS.items()
    ],
)
def test_without_ray_one_line_says_what_to_install(typed, words, monkeypatch):
    monkeypatch.setattr(connection, "find_spec", lambda name: None)
    code, said = typed(*words, "--on", "ray")
    assert code == 1
    expected = "maeum: --on ray takes Ray, which is not installed: pip install 'maeum[ray]'"
    assert said.splitlines()[-1] == expected


def test_another_place_is_refused(typed):
    code, said = typed(*COMMANDS["features"], "--on", "slurm")
    assert (code, said.splitlines()[-1]) == (
        1,
        "maeum: --on is 'slurm'; expected local, ray, or ray://HOST",
    )


def node(**changed):
    told = {"name": "one", "cpus": 8, "gpus": 1, "memory_gb": 32.0, "maeum": "1", "python": "3.11"}
    return Node(**{**told, "shares": True, **changed})


@pytest.mark.parametrize(
    ("nodes", "usable", "missing"),
    [
        ([node()], True, []),
        ([node(), node(name="two", shares=False)], False, ["two does not see /cache"]),
        ([node(maeum="")], False, ["one has no maeum"]),
        ([node(python="3.12")], False, ["one has maeum 1 on Python 3.12, here are 1 and 3.11"]),
        ([node(maeum="", shares=False, problem="gone")], False, ["one does not answer: gone"]),
        ([node(gpus=0)], True, ["no node has an accelerator"]),
    ],
)
def test_what_a_cluster_lacks_is_said_in_words(nodes, usable, missing):
    offer = Offer(nodes, "/cache", ("1", "3.11"))
    assert offer.usable == usable
    assert len(offer.missing) == len(missing)
    for said, begins in zip(offer.missing, missing, strict=True):
        assert said.startswith(begins)


@pytest.mark.parametrize("typed_", ["0", "3-1", "many", "-2", ""])
def test_replicas_that_make_no_sense_are_refused(typed_):
    with pytest.raises(SettingsError, match="replicas"):
        Replicas.of(typed_)
