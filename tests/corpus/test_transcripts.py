"""Transcripts with times, however they are written."""

import json

import pytest

from maeum.corpus.transcripts import Cue, read_transcript
from maeum.errors import TextError

CUES = (Cue(0.5, 2.25, "정말 마음이 아프다"), Cue(3600.0, 3602.0, "그래도 괜찮아"))

SRT = """1
00:00:00,500 --> 00:00:02,250
정말
마음이 <i>아프다</i>

2
01:00:00,000 --> 01:00:02,000
그래도 괜찮아

3
01:00:03,000 --> 01:00:04,000

"""
VTT = """WEBVTT

00:00.500 --> 00:02.250
정말 마음이 아프다

01:00:00.000 --> 01:00:02.000
그래도 괜찮아
"""
LIST = [
    {"start": 3600, "end": 3602, "text": " 그래도 괜찮아"},
    {"start": 0.5, "end": 2.25, "text": "정말 마음이 아프다", "speaker": "A"},
    {"start": 5, "end": 4, "text": "뒤로"},
]
CHUNKS = {
    "chunks": [
        {"timestamp": [0.5, 2.25], "text": "정말 마음이 아프다"},
        {"timestamp": [3600, 3602], "text": "그래도 괜찮아"},
    ]
}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("call.srt", SRT),
        ("call.SRT", "\ufeff" + SRT),
        ("call.vtt", VTT),
        ("call.json", json.dumps(LIST)),
        ("call.json", json.dumps({"segments": LIST}, ensure_ascii=False)),
        ("call.json", json.dumps(CHUNKS)),
    ],
)
def test_cues_come_by_time_with_their_words(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    assert read_transcript(tmp_path / name) == CUES


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("call.txt", SRT, "no transcript"),
        ("call.srt", "", "cannot be read|no words"),
        ("call.srt", "no times here", "cannot be read|no words"),
        ("call.vtt", "\x00\x01", "cannot be read|no words"),
        ("call.json", "{", "cannot be read"),
        ("call.json", "[" * 100_000, "cannot be read"),
        ("call.json", "3", "neither a list"),
        ("call.json", '[{"start": 0}]', "entry 1 has no"),
        ("call.json", '[{"start": "a", "end": 2, "text": "말"}]', "entry 1 has no"),
        ("call.json", '[{"start": 0, "end": 1e999, "text": "말"}]', "no words"),
        ("call.json", '{"chunks": [{"timestamp": [0, null], "text": "말"}]}', "entry 1 has no"),
    ],
)
def test_what_is_no_transcript_is_refused(tmp_path, name, content, says):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(TextError, match=says):
        read_transcript(tmp_path / name)


def test_a_missing_one_is_told(tmp_path):
    with pytest.raises(TextError, match="does not exist"):
        read_transcript(tmp_path / "call.srt")
