"""Long recordings over HTTP: followed as the package does, with its options; given up in time."""

from __future__ import annotations

import json
import time

import httpx
import pytest

from maeum.corpus.transcripts import read_transcript
from maeum.inference.timeline import timeline
from maeum.serving import Limits

pytest.importorskip("silero_vad")
CLOSE = 1e-6


@pytest.fixture
def ask(address, call):
    """What is answered about the call of two parties."""

    def post(*, transcript=None, **options):
        files = {"audio": ("통화.wav", call.path.read_bytes())}
        if transcript is not None:
            files["transcript"] = ("said.bin", transcript)
        return httpx.post(f"{address}/v1/timeline", files=files, params=options, timeout=120)

    return post


def ensure_same(answer, right):
    assert answer.status_code == 200, answer.text
    told, right = answer.json(), right.to_dict()
    assert told["audio"] == "통화.wav"
    assert len(told["segments"]) == len(right["segments"]) > 1
    for given, own in zip(told["segments"], right["segments"], strict=True):
        assert given["probabilities"] == pytest.approx(own["probabilities"], abs=CLOSE)
        assert {**given, "probabilities": 0, "confidence": 0, "alone": 0} == {
            **own,
            "probabilities": 0,
            "confidence": 0,
            "alone": 0,
        }


@pytest.mark.parametrize(
    "options", [{}, {"channel": "each"}, {"channel": "1", "smooth_s": 0.0, "longest_s": 3.0}]
)
def test_options_are_those_of_the_package(ask, model, call, options):
    ensure_same(ask(**options), timeline(model, call.path, **options))


def as_srt(said):
    def clock(at_s):
        return f"00:00:{int(at_s):02d},{round(at_s % 1 * 1000):03d}"

    lines = [
        f"{number}\n{clock(start_s)} --> {clock(end_s)}\n{text}\n"
        for number, (start_s, end_s, _, text) in enumerate(said, start=1)
    ]
    return "\n".join(lines)


def as_vtt(said):
    return "WEBVTT\n\n" + as_srt(said).replace(",", ".")


def as_json(said):
    cues = [{"start": begin, "end": end, "text": text} for begin, end, _, text in said]
    return json.dumps({"segments": cues}, ensure_ascii=False)


@pytest.mark.parametrize(("write", "suffix"), [(as_srt, "srt"), (as_vtt, "vtt"), (as_json, "json")])
def test_what_a_transcript_is_its_content_says(ask, model, call, tmp_path, write, suffix):
    path = tmp_path / f"said.{suffix}"
    said = [(start_s, end_s, who, text.replace(",", "")) for start_s, end_s, who, text in call.said]
    path.write_text(write(said), encoding="utf-8")
    ensure_same(
        ask(transcript=path.read_bytes()),
        timeline(model, call.path, transcript=read_transcript(path)),
    )


@pytest.mark.parametrize(
    ("transcript", "status", "words"),
    [
        (b"nothing of the kind", 422, "said.bin"),
        (b"[1, 2]", 422, "said.bin"),
        (b"\xff" * 100, 422, "said.bin"),
        (b"1\n" * 2_100_000, 413, "more than 4 MB"),
    ],
)
def test_a_transcript_that_is_none_is_refused_by_its_name(ask, transcript, status, words):
    refused = ask(transcript=transcript)
    assert (refused.status_code, words in refused.json()["detail"]) == (status, True), refused.text
    assert "maeum-serve" not in refused.text


@pytest.mark.parametrize(
    "options", [{"smooth_s": -1}, {"longest_s": 61}, {"smooth_s": "nan"}, {"channel": "2"}]
)
def test_options_that_cannot_be_are_refused(ask, options):
    refused = ask(**options)
    assert refused.status_code == 422, refused.text
    assert refused.json()["detail"]


def test_nobody_computes_on_what_nobody_waits_for(serving, model, call, monkeypatch):
    asked, predict = [], type(model).predict

    def slow(self, queries, **how):
        asked.append(1)
        time.sleep(0.4)
        return predict(self, queries, **how)

    with serving(model, Limits(together=1, timeline_timeout_s=1)) as address:
        monkeypatch.setattr(type(model), "predict", slow)
        files = {"audio": ("call.wav", call.path.read_bytes())}
        late = httpx.post(f"{address}/v1/timeline", files=files, timeout=60)
        assert (late.status_code, "within 1 s" in late.json()["detail"]) == (504, True)
        time.sleep(1.5)
        then = len(asked)
        time.sleep(1.5)
        assert len(asked) == then < len(call.said)
