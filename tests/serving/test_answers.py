"""What is answered over HTTP is what the classifier answers in Python."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile as sf

from maeum.corpus.audio import load
from maeum.inference import Failure

CLOSE = 1e-6


def own_answers(model, asked):
    return [next(iter(model.predict([query]))).to_dict() for query in asked]


def ensure_same(given, right, name):
    assert {**given, "probabilities": 0, "confidence": 0} == {
        **right,
        "audio": name,
        "probabilities": 0,
        "confidence": 0,
    }
    assert given["probabilities"] == pytest.approx(right["probabilities"], abs=CLOSE)
    assert given["confidence"] == pytest.approx(right["confidence"], abs=CLOSE)


def test_httpx_gets_the_classifiers_answers(address, model, asked, form):
    for query, right in zip(asked[:4], own_answers(model, asked[:4]), strict=True):
        answer = httpx.post(f"{address}/v1/predict", **form(query))
        assert answer.status_code == 200, answer.text
        ensure_same(answer.json(), right, Path(query.audio).name)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_gets_the_classifiers_answers(address, model, asked):
    (right,) = own_answers(model, asked[:1])
    query = asked[0]
    fields = ["-F", f"audio=@{query.audio}", "-F", f"text={query.text}"]
    said = subprocess.run(
        ["curl", "-s", *fields, f"{address}/v1/predict"], capture_output=True, check=True
    )
    ensure_same(json.loads(said.stdout), right, Path(query.audio).name)


def test_one_side_alone_is_answered(address, model, asked):
    query = asked[0]
    data = Path(query.audio).read_bytes()
    heard = httpx.post(f"{address}/v1/predict", files={"audio": ("울음.wav", data)}).json()
    assert (heard["audio"], heard["text"], heard["modalities"]) == ("울음.wav", None, ["speech"])
    assert heard["probabilities"] == pytest.approx(model(query.audio).probabilities, abs=CLOSE)
    read = httpx.post(f"{address}/v1/predict", json={"text": query.text}).json()
    assert (read["audio"], read["modalities"]) == (None, ["text"])
    assert read["probabilities"] == pytest.approx(model(text=query.text).probabilities, abs=CLOSE)


def test_an_answer_is_unsure_and_explained_where_that_is_asked_for(address, model, asked, form):
    query = asked[2]
    right = model(query.audio, text=query.text, explain=True)
    asked_for = {"abstain": right.confidence + 1e-3, "explain": True}
    told = httpx.post(f"{address}/v1/predict", params=asked_for, **form(query)).json()
    assert told["emotion"] == "unsure"
    assert told["contributions"] == pytest.approx(right.contributions, abs=CLOSE)
    batch = httpx.post(f"{address}/v1/batch", params={"abstain": 1}, json=[query.text]).json()
    assert [one["emotion"] for one in batch] == ["unsure"]
    assert "contributions" not in batch[0]


@pytest.mark.parametrize("wrong", ["abstain=2", "abstain=sure", "explain=perhaps"])
def test_what_cannot_be_asked_for_is_a_problem(address, wrong):
    answer = httpx.post(f"{address}/v1/predict?{wrong}", json={"text": "정말 기뻐"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert wrong in answer.json()["detail"]


def test_recordings_may_come_in_json(address, model, asked):
    query = asked[1]
    encoded = base64.b64encode(Path(query.audio).read_bytes()).decode()
    answer = httpx.post(
        f"{address}/v1/predict", json={"audio_base64": encoded, "text": query.text}
    ).json()
    right = model(query.audio, text=query.text).probabilities
    assert answer["probabilities"] == pytest.approx(right, abs=CLOSE)


def test_many_at_once_get_each_their_own_answer(address, model, asked, form):
    right = own_answers(model, asked)
    places = [place % len(asked) for place in range(72)]

    def ask(place):
        return httpx.post(f"{address}/v1/predict", timeout=120, **form(asked[place])).json()

    with ThreadPoolExecutor(24) as pool:
        for place, given in zip(places, pool.map(ask, places), strict=True):
            ensure_same(given, right[place], Path(asked[place].audio).name)


def test_a_batch_is_answered_in_order_and_failures_stand_in_it(address, model, asked):
    paths = [Path(query.audio) for query in asked[:2]]
    files = [("audio", (path.name, path.read_bytes())) for path in paths]
    files.insert(1, ("audio", ("broken.wav", b"no sound")))
    texts = [asked[0].text, "정말 기뻐", asked[1].text]
    found = httpx.post(f"{address}/v1/batch", files=files, data={"texts": texts}).json()
    assert [entry["audio"] for entry in found] == [paths[0].name, "broken.wav", paths[1].name]
    assert found[1].keys() == {"audio", "error"}
    assert found[1]["error"].startswith("broken.wav is no recording")
    for at, query in ((0, asked[0]), (2, asked[1])):
        right = model(query.audio, text=query.text).probabilities
        assert found[at]["probabilities"] == pytest.approx(right, abs=CLOSE)


def test_a_batch_of_texts_may_be_a_list(address, model):
    texts = ["정말 기뻐", " ", "너무 슬퍼"]
    found = httpx.post(f"{address}/v1/batch", json=texts).json()
    right = [one.to_dict() for one in own_or_failure(model, texts)]
    assert [entry.get("error") for entry in found] == [entry.get("error") for entry in right]
    assert found[2]["emotion"] == right[2]["emotion"]
    assert found == httpx.post(f"{address}/v1/batch", json={"texts": texts}).json()


def own_or_failure(model, texts):
    from maeum.inference import Query

    found = list(model.predict([Query(None, text) for text in texts]))
    assert isinstance(found[1], Failure)
    return found


def test_a_batch_has_limits(address):
    too_many = httpx.post(f"{address}/v1/batch", json=["정말"] * 65)
    assert (too_many.status_code, too_many.json()["status"]) == (413, 413)
    assert httpx.post(f"{address}/v1/batch", json=[]).status_code == 422
    uneven = httpx.post(
        f"{address}/v1/batch", files=[("audio", ("a.wav", b"x"))], data={"texts": ["a", "b"]}
    )
    assert (uneven.status_code, "2 fields texts" in uneven.json()["detail"]) == (422, True)


def test_the_model_is_described(address, model):
    told = httpx.get(f"{address}/v1/model").json()
    assert told["emotions"] == model.emotions.to_dict()
    assert told["sides"] == ["speech", "text"]
    assert told["encoders"] == {"speech": ["builtin:acoustic"], "text": ["builtin:letters"]}
    assert (told["normalize"], told["maeum"].count(".")) == ("none", 2)


def test_a_long_recording_becomes_a_timeline(address, model, asked, tmp_path):
    pytest.importorskip("silero_vad")
    from maeum.inference.timeline import timeline

    path = tmp_path / "call.wav"
    waves = [load(Path(query.audio), rate_hz=16_000) for query in asked[:4]]
    pause = np.zeros(16_000, np.float32)
    sf.write(path, np.concatenate([part for wave in waves for part in (wave, pause)]), 16_000)
    files = {"audio": ("a call.wav", path.read_bytes())}
    answer = httpx.post(f"{address}/v1/timeline", files=files, timeout=120)
    assert answer.status_code == 200, answer.text
    told, right = answer.json(), timeline(model, path).to_dict()
    assert (told["audio"], told["emotions"]) == ("a call.wav", right["emotions"])
    assert len(told["segments"]) == len(right["segments"]) > 1
    for given, own in zip(told["segments"], right["segments"], strict=True):
        assert given["probabilities"] == pytest.approx(own["probabilities"], abs=CLOSE)
    silence = httpx.post(f"{address}/v1/timeline", files={"audio": ("a.wav", b"nothing")})
    assert (silence.status_code, silence.json()["detail"][:5]) == (422, "a.wav")
