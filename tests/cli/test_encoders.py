"""`maeum encoders`: what can be named, what it costs, where it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from maeum.encoders.known import KNOWN


@pytest.fixture(autouse=True)
def nothing_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache and a working folder without encoders."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MAEUM_ENCODERS", raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """$MAEUM_ENCODERS with klue/bert-base in it."""
    folder = tmp_path / "shelf" / "klue" / "bert-base"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "vocab.txt"):
        (folder / name).touch()
    monkeypatch.setenv("MAEUM_ENCODERS", str(tmp_path / "shelf"))
    return folder


def test_all_known_encoders_are_listed_with_what_they_cost(maeum):
    listed = maeum("encoders", "--json").json["encoders"]
    assert [entry["name"] for entry in listed] == list(KNOWN)
    paper = next(entry for entry in listed if entry["name"] == "facebook/wav2vec2-large-robust")
    assert paper == {
        "name": "facebook/wav2vec2-large-robust",
        "modality": "speech",
        "family": "wav2vec2",
        "parameters_millions": 315.4,
        "disk_mb": 1262,
        "dim": 1024,
        "layers": 24,
        "licence": "Apache-2.0",
        "gflop": 147.3,
        "core_seconds": 2.104,
        "here": False,
        "folder": None,
        "note": KNOWN["facebook/wav2vec2-large-robust"].note,
    }


def test_the_table_fits_into_80_columns_and_has_every_name_whole(maeum):
    lines, _ = maeum("encoders").out.split("  1. ")  # places may have long names
    assert max(map(len, lines.splitlines())) <= 80
    first_words = {line.split()[0] for line in lines.splitlines() if line}
    assert KNOWN.keys() <= first_words


def test_the_table_says_what_is_here(maeum, shelf):
    said = {
        line.split()[0]: line.split()[-1] for line in maeum("encoders").out.splitlines() if line
    }
    assert (said["builtin:letters"], said["klue/bert-base"], said["skt/kobert-base-v1"]) == (
        "yes",
        "yes",
        "no",
    )


def test_it_says_where_weights_are_looked_for(maeum, shelf, tmp_path):
    places = maeum("encoders", "--json").json["looked_for_in"]
    assert places == [
        "a folder of that path",
        f"below $MAEUM_ENCODERS, {tmp_path / 'shelf'}",
        f"the model hub's cache, {tmp_path / 'cache'}",
        "the model hub (not asked: HF_HUB_OFFLINE is set)",
    ]
    shown = maeum("encoders").out
    assert all(f"{number}. {place}" in shown for number, place in enumerate(places, start=1))


def test_one_encoder_is_told_of_in_full(maeum, shelf):
    said = maeum("encoders", "klue/bert-base").out
    assert said.startswith("klue/bert-base: compared in the paper; Korean\n")
    assert "each of 12 layers gives a vector of 768" in said
    assert f"\n  {shelf}\n" in said
    assert "maeum train CORPUS --text klue/bert-base" in said
    (entry,) = maeum("encoders", "klue/bert-base", "--json").json["encoders"]
    assert (entry["here"], entry["folder"]) == (True, str(shelf))


def test_a_built_in_encoder_needs_no_place(maeum):
    said = maeum("encoders", "builtin:acoustic").out
    assert "gives a vector of 301" in said
    assert "not on this machine" not in said
    (entry,) = maeum("encoders", "builtin:acoustic", "--json").json["encoders"]
    assert (entry["here"], entry["folder"]) == (True, None)


def test_an_encoder_that_is_not_described_may_be_a_mistyped_one(maeum):
    said = maeum("encoders", "klue/bert-bas").complaint
    assert said.startswith("'klue/bert-bas' is not described here (did you mean klue/bert-base?)")
    assert "maeum encoders lists those that are" in maeum("encoders", "someone/mine").complaint


def test_listing_loads_nothing_heavy():
    code = """
import sys
from maeum.cli import main
sys.argv = ["maeum", "encoders"]
try:
    main()
except SystemExit as end:
    assert not end.code
heavy = {"torch", "transformers", "polars", "sklearn", "scipy", "matplotlib", "av"}
print("loaded:", *sorted(heavy & sys.modules.keys()), file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr.split()) == (0, ["loaded:"])
