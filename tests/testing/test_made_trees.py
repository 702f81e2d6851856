"""Made trees come from a seed, and no kind of dirt is left out of one."""

from __future__ import annotations

import pytest

from maeum.corpus.workbooks import read_workbook
from maeum.testing import make_aihub86, make_aihub263, make_kemdy19, make_kemdy20

MAKERS = {
    "aihub263": make_aihub263,
    "aihub86": make_aihub86,
    "kemdy19": make_kemdy19,
    "kemdy20": make_kemdy20,
}
each = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def content(planted):
    """Path -> what is in it; of workbooks, which carry the time they were made at, the cells."""
    return {
        str(path.relative_to(planted.source)): cells(path) or path.read_bytes()
        for path in planted.source.rglob("*")
        if path.is_file()
    }


def cells(path):
    if path.suffix != ".xlsx":
        return None
    return {name: sheet.rows() for name, sheet in read_workbook(path).items()}


@each
def test_equal_seeds_give_equal_files_and_others_do_not(make, tmp_path):
    seeds = {"a": 1, "b": 1, "c": 2}
    one, same, other = (make(tmp_path / name, seed=seed) for name, seed in seeds.items())
    assert content(one) == content(same)
    assert (one.emotions, one.rejected) == (same.emotions, same.rejected)
    assert content(one) != content(other)


@each
def test_every_reason_is_planted_and_every_option_changes_what_is_kept(make, tmp_path):
    planted = make(tmp_path)
    assert min(planted.rejected.values()) >= 1
    assert planted.otherwise
    assert all(kept != planted.emotions for kept in planted.otherwise.values())
