"""`maeum suggest`."""

from __future__ import annotations

import polars as pl


def test_a_person_reads_what_to_label_and_why(maeum, corpus):
    told = maeum("suggest", corpus, "--per-emotion", 2)
    assert (told.code, len(told.out.splitlines())) == (0, 8)
    assert "stands for" in told.out
    (one,) = maeum("suggest", corpus, "--by", "long", "--total", 1, "--json").json["suggestions"]
    assert one.keys() == {"id", "audio", "text", "emotion", "reason"}


def test_a_table_for_whoever_labels(maeum, corpus, run, tmp_path):
    to = tmp_path / "next.csv"
    asked = ("--by", "uncertain", "--run", run, "--per-emotion", 1, "--to", to)
    told = maeum("suggest", corpus, *asked)
    assert (told.code, told.out) == (0, "")
    assert "suggestions in" in told.err
    assert pl.read_csv(to).columns == ["id", "audio", "text", "emotion", "reason"]
    assert to.read_bytes().startswith(b"\xef\xbb\xbf")


def test_uncertain_takes_a_run(maeum, corpus):
    assert "name one with --run" in maeum("suggest", corpus, "--by", "uncertain").complaint
