"""`maeum timeline` as a person types it."""

import json

import polars as pl


def test_a_call_is_followed_in_words_in_json_in_a_table_and_in_a_picture(
    maeum, run, call, tmp_path
):
    table, picture = tmp_path / "call.csv", tmp_path / "call.png"
    words = ("timeline", run, call.path, "--channel", "each")
    told = maeum(*words, "--csv", table, "--picture", picture)
    assert told.code == 0
    assert len(told.out.splitlines()) == len(call.said)
    assert "channel 1" in told.out
    assert len(pl.read_csv(table)) == len(call.said)
    assert picture.read_bytes().startswith(b"\x89PNG")
    as_json = maeum(*words, "--json").json
    assert len(as_json["segments"]) == len(call.said)
    assert as_json["smooth_s"] == 5.0


def test_a_transcript_gives_the_words(maeum, run, call, tmp_path):
    said = [{"start": start, "end": end, "text": text} for start, end, _, text in call.said]
    (tmp_path / "call.json").write_text(json.dumps(said), encoding="utf-8")
    told = maeum("timeline", run, call.path, "--transcript", tmp_path / "call.json")
    assert told.code == 0
    assert all(text in told.out for *_, text in call.said)


def test_rubbish_is_one_sentence(maeum, run, tmp_path):
    (tmp_path / "call.wav").write_bytes(b"no sound at all")
    assert "is no recording" in maeum("timeline", run, tmp_path / "call.wav").complaint
    assert "does not exist" in maeum("timeline", run, tmp_path / "none.wav").complaint
