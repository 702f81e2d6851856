"""Two people can tell whether they hold the same split, and nothing of the corpus is given away."""

from __future__ import annotations

import json

import polars as pl
import pytest

from maeum.corpus.split_files import agreement, read_split, save_split
from maeum.corpus.splits import PARTS, SET_ASIDE, split
from maeum.errors import SplitError


def corpus(count=60, first=0):
    numbers = range(first, first + count)
    return pl.DataFrame(
        {
            "id": [f"kim-{number:04}" for number in numbers],
            "speaker": [f"voice {number % 10}" for number in numbers],
            "script": [f"sentence {number % 12}" for number in numbers],
            "emotion": [("Happy", "Sad")[number % 2] for number in numbers],
            "part": [("Training", "Validation")[number % 3 == 0] for number in numbers],
        }
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "split.json"


@pytest.mark.parametrize("protocol", ["random", "speaker", "script", "speaker+script", "none"])
def test_a_split_read_again_is_the_same(path, protocol):
    drawn = split(corpus(), protocol, seed=3)
    save_split(drawn, path)
    saved = read_split(path)
    assert (saved.protocol, saved.seed, saved.fingerprint) == (protocol, 3, drawn.fingerprint)
    found = agreement(drawn, saved)
    assert found.same
    assert str(found) == (
        f"the same split: {protocol}, seed 3, 60 utterances, fingerprint {drawn.fingerprint}"
    )


def test_the_file_gives_nothing_of_the_corpus_away(path):
    drawn = split(corpus(), "speaker+script")
    save_split(drawn, path)
    text = path.read_text(encoding="utf-8")
    assert not any(word in text for word in ("kim", "voice", "sentence", "Happy"))
    content = json.loads(text)
    assert content.keys() == {"maeum split", "protocol", "seed", "fingerprint", "counts", "parts"}
    assert content["counts"] == drawn.counts
    assert content["parts"].keys() <= {*PARTS, SET_ASIDE}
    assert all(ids == sorted(ids) for ids in content["parts"].values())


def test_the_same_split_gives_the_same_file_whatever_the_row_order(path, tmp_path):
    save_split(split(corpus(), "random"), path)
    save_split(split(corpus().reverse(), "random"), tmp_path / "other.json")
    assert path.read_bytes() == (tmp_path / "other.json").read_bytes()


def test_an_utterance_in_another_part_is_counted_and_named(path):
    here = split(corpus(), "random", seed=0)
    save_split(split(corpus(), "random", seed=1), path)
    found = agreement(here, read_split(path))
    other = dict(split(corpus(), "random", seed=1).parts.iter_rows())
    moved = {name for name, part in here.parts.iter_rows() if other[name] != part}
    assert set(found.moved["id"]) == moved
    first = found.moved["id"][0]
    assert str(found) == (
        f"another split (random, seed 0; there random, seed 1): {len(moved)} in another part "
        f"(as {first}: {dict(here.parts.iter_rows())[first]} here, {other[first]} there)"
    )
    assert found.to_dict()["in_another_part"] == len(moved)
    assert found.to_dict()["same"] is False


def test_utterances_only_here_and_only_there_are_counted(path):
    save_split(split(corpus(60), "none"), path)
    found = agreement(split(corpus(60, first=2), "none"), read_split(path))
    assert (len(found.only_here), found.only_there, len(found.moved)) == (2, 2, 0)
    assert str(found) == (
        "another split (none, seed 0): 2 utterances only here (as kim-0060), 2 only there"
    )


def spoilt(change):
    def spoil(content):
        change(content)
        return json.dumps(content)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda _: "", "holds no whole split .Invalid JSON"),
        (lambda _: "\x00\x01", "Invalid JSON"),
        (lambda _: "[" * 100_000, "Invalid JSON"),
        (lambda _: "[]", "expected a file of `maeum split CORPUS --save`"),
        (lambda _: '{"a": 1}', "maeum split: Field required"),
        (spoilt(lambda c: c.update({"maeum split": 9})), "maeum split: Input should be 1"),
        (spoilt(lambda c: c.update(protocol="by mood")), "protocol: Input should be 'random'"),
        (spoilt(lambda c: c.update(protocol=["random"])), "protocol: Input should be"),
        (spoilt(lambda c: c.update(seed="0")), "seed: Input should be a valid integer"),
        (spoilt(lambda c: c.update(seed=-1)), "seed: Input should be greater"),
        (spoilt(lambda c: c.update(fingerprint=None)), "fingerprint: Input should be"),
        (spoilt(lambda c: c.update(more=1)), "more: Extra inputs"),
        (spoilt(lambda c: c.pop("parts")), "parts: Field required"),
        (spoilt(lambda c: c.update(parts={}, counts={})), "parts: Dictionary should have at least"),
        (
            spoilt(lambda c: c["parts"].update(holdout=[])),
            "parts: holdout: Input should be 'train'",
        ),
        (spoilt(lambda c: c["parts"].update(test="all")), "parts: test: Input should be a valid"),
        (spoilt(lambda c: c["parts"]["test"].append("kim-0001")), "parts: test: String should"),
        (spoilt(lambda c: c["parts"]["test"].append(3)), "parts: test: Input should be"),
        (spoilt(lambda c: c["parts"]["test"].pop()), "counts are not those of its parts"),
        (
            spoilt(lambda c: c["parts"]["test"].__setitem__(0, c["parts"]["train"][0])),
            "an utterance stands in it twice",
        ),
    ],
)
def test_what_is_no_split_file_is_refused_in_a_sentence(path, spoil, says):
    save_split(split(corpus(), "random"), path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(spoil(content), encoding="utf-8")
    with pytest.raises(SplitError, match=says) as error:
        read_split(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for place in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(SplitError, match="is no file"):
            read_split(place)


def test_a_file_of_another_size_of_order_is_not_read(path, monkeypatch):
    save_split(split(corpus(), "random"), path)
    monkeypatch.setattr("maeum.corpus.split_files.MOST_BYTES", 100)
    with pytest.raises(SplitError, match="has at most 100"):
        read_split(path)


def test_a_fingerprint_that_is_not_that_of_the_parts_is_found(path):
    drawn = split(corpus(), "random")
    save_split(drawn, path)
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, "fingerprint": "0" * 16}), encoding="utf-8")
    found = agreement(drawn, read_split(path))
    assert not found.same
    assert "its fingerprint is not that of its parts" in str(found)
