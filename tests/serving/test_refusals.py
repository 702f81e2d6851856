"""What cannot be answered gets one sentence, and never a 5xx of our own making."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections import Counter
from itertools import islice
from pathlib import Path

import httpx
import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maeum.inference import EmotionClassifier
from maeum.serving import Limits
from maeum.serving.problems import MEDIA_TYPE
from maeum.testing import malformed_uploads

PREDICT = "/v1/predict"


def problem_of(answer):
    assert answer.headers["content-type"] == MEDIA_TYPE, answer.text
    told = answer.json()
    assert told.keys() == {"type", "title", "status", "detail"}
    assert told["status"] == answer.status_code
    assert len(told["detail"]) > 20
    assert "/tmp" not in told["detail"]
    return told


def tone(seconds=1.0, rate_hz=16_000):
    file = io.BytesIO()
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    sf.write(file, 0.4 * np.sin(2 * np.pi * 220 * times), rate_hz, format="WAV")
    return file.getvalue()


def test_hundreds_of_malformed_uploads_get_a_sentence_each(address):
    seen = Counter()
    with httpx.Client(base_url=address, timeout=60) as client:
        for one in islice(malformed_uploads(1), 360):
            answer = client.post(PREDICT, content=one.body, headers=one.headers)
            assert answer.status_code < 500, (one.kind, answer.text)
            if one.refused or answer.status_code != 200:
                assert 400 <= problem_of(answer)["status"] < 500, (one.kind, answer.text)
            seen[answer.status_code] += 1
        assert client.get("/readyz").status_code == 200
    assert {400, 413, 415, 422} <= seen.keys(), seen


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.binary(max_size=400), kind=st.sampled_from(["json", "form", "file"]))
def test_any_bytes_get_a_sentence(address, body, kind):
    types = {"json": "application/json", "form": "multipart/form-data; boundary=b"}
    if kind == "file":
        answer = httpx.post(f"{address}{PREDICT}", files={"audio": ("take.wav", body)})
    else:
        answer = httpx.post(
            f"{address}{PREDICT}", content=body, headers={"Content-Type": types[kind]}
        )
    assert 400 <= problem_of(answer)["status"] < 500


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nowhere", 404, "/docs"),
        ("GET", PREDICT, 405, "POST"),
        ("DELETE", "/v1/model", 405, "GET"),
        ("POST", PREDICT, 415, "multipart/form-data"),
        ("POST", "/v1/timeline", 415, "multipart/form-data"),
    ],
)
def test_wrong_addresses_methods_and_types(address, method, path, status, says):
    told = problem_of(httpx.request(method, f"{address}{path}"))
    assert (told["status"], says in told["detail"]) == (status, True)


def test_streamed_bytes_are_counted_whatever_is_stated(serving, model):
    sent = 0

    def endless():
        nonlocal sent
        yield b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
        while sent < 200_000_000:
            sent += 65_536
            yield bytes(65_536)

    with serving(model, Limits(max_upload_bytes=1_000_000)) as address:
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        stated = httpx.post(f"{address}{PREDICT}", content=bytes(2_000_000), headers=headers)
        assert problem_of(stated)["status"] == 413
        try:
            answer = httpx.post(f"{address}{PREDICT}", content=endless(), headers=headers)
            assert problem_of(answer)["status"] == 413
        except httpx.WriteError:  # it was refused before all was sent, which is as good
            assert sent < 200_000_000
        assert httpx.get(f"{address}/readyz").status_code == 200


def test_all_requests_together_have_a_limit(serving, model):
    limits = Limits(max_bytes_at_once=100_000)
    with serving(model, limits) as address:
        answer = httpx.post(f"{address}{PREDICT}", files={"audio": ("a", bytes(200_000))})
        assert problem_of(answer)["status"] == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert httpx.post(f"{address}{PREDICT}", json={"text": "정말"}).status_code == 200


def test_texts_have_a_limit(address):
    assert httpx.post(f"{address}{PREDICT}", json={"text": "가" * 2_000}).status_code == 200
    told = problem_of(httpx.post(f"{address}{PREDICT}", json={"text": "가" * 2_001}))
    assert (told["status"], "2,001 characters" in told["detail"]) == (422, True)


def test_a_slow_body_is_not_waited_for(serving, model):
    with serving(model, Limits(upload_timeout_s=1)) as address:
        headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": "1000"}
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as raw:
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            raw.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
            raw.sendall(b"--b\r\n")
            assert raw.recv(100).startswith(b"HTTP/1.1 408")


def test_a_full_queue_says_when_to_come_again(serving, model):
    long = tone(50)
    with serving(model, Limits(queue_length=1, together=1)) as address:
        answers = at_once(address, long, 16)
        statuses = Counter(answer.status_code for answer in answers)
        assert statuses.keys() == {200, 503}, statuses
        for answer in answers:
            if answer.status_code == 503:
                assert "waiting for the model" in problem_of(answer)["detail"]
                assert int(answer.headers["retry-after"]) >= 1
        assert httpx.post(f"{address}{PREDICT}", json={"text": "정말"}).status_code == 200


def test_an_answer_that_takes_too_long_is_given_up(serving, model):
    with serving(model, Limits(request_timeout_s=1, together=1)) as address:
        answers = at_once(address, tone(58), 24)
        late = [answer for answer in answers if answer.status_code != 200]
        assert late
        assert {problem_of(answer)["status"] for answer in late} <= {503, 504}


def at_once(address, audio, many):
    answers = [None] * many

    def ask(place):
        files = {"audio": ("long.wav", audio)}
        answers[place] = httpx.post(f"{address}{PREDICT}", files=files, timeout=120)

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(many)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_a_bug_is_a_500_without_details_for_who_met_it_alone(serving, served, capfd):
    class Failing(EmotionClassifier):
        def _answer(self, queries, *rest, **how):
            if any(query.text == "secret" for query in queries):
                raise ZeroDivisionError("secret")
            return super()._answer(queries, *rest, **how)

    with serving(Failing.from_pretrained(served.folder)) as address:
        answer = httpx.post(f"{address}{PREDICT}", json={"text": "secret"})
        told = problem_of(answer)
        assert (told["status"], "secret" in answer.text) == (500, False)
        assert httpx.post(f"{address}{PREDICT}", json={"text": "정말"}).status_code == 200
    logged = capfd.readouterr().err
    assert "ZeroDivisionError" in logged
    assert answer.headers["x-request-id"] in logged
    assert "secret" not in logged


def test_nothing_a_client_sent_is_logged_or_kept(
    serving, model, asked, capfd, monkeypatch, tmp_path
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    data = Path(asked[0].audio).read_bytes()
    with serving(model, api_keys=["key-of-mine"]) as address:
        httpx.post(
            f"{address}{PREDICT}?q=query-of-mine",
            files={"audio": ("name-of-mine.wav", data)},
            data={"text": "비밀 이야기"},
            headers={"X-API-Key": "key-of-mine"},
        )
        httpx.get(f"{address}/path-of-mine")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == [
            *tmp_path.glob("maeum-serve-*/warming.wav")
        ]
    logged = capfd.readouterr().err
    assert "of-mine" not in logged
    assert "비밀" not in logged
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    (line,) = [line for line in lines if line["path"] == PREDICT]
    assert {"method", "path", "status", "duration_ms", "bytes_in", "id"} <= line.keys()
    assert line["bytes_in"] > len(data)
    assert not list(tmp_path.iterdir())
