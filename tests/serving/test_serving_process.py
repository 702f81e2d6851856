"""`maeum serve` as a process: how it begins, how it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from maeum.testing.uploads import multipart

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals differ")

SERVE = [sys.executable, "-m", "maeum", "serve"]


@contextmanager
def served_by(tmp_path, *words, **environment):
    """The command in a process of its own: itself, its address, what it says on standard error."""
    said = tmp_path / "said"
    with said.open("wb") as file:
        command = [*SERVE, *map(str, words), "--port", "0", "--no-page"]
        with subprocess.Popen(command, stderr=file, env={**os.environ, **environment}) as process:
            try:
                while not (found := re.search(r"at (http://\S+),", said.read_text())):
                    assert process.poll() is None, said.read_text()
                    time.sleep(0.05)
                wait_until_ready(found[1])
                yield process, found[1], said
            finally:
                process.kill()


def wait_until_ready(address):
    for _ in range(1_200):
        try:
            if httpx.get(f"{address}/readyz", timeout=60).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("it never became ready")


@pytest.mark.slow
def test_told_to_stop_it_finishes_what_began(served, tmp_path, asked):
    with served_by(tmp_path, served.folder) as (process, address, _):
        recording = ('; name="audio"; filename="take.ogg"', Path(asked[0].audio).read_bytes())
        headers, body = multipart(recording, ('; name="text"', "정말".encode()))
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=120) as raw:
            head = f"Content-Type: {headers['Content-Type']}\r\nContent-Length: {len(body)}\r\n"
            raw.sendall(f"POST /v1/predict HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
            raw.sendall(body[:100])
            time.sleep(0.5)  # it has begun to read
            process.send_signal(signal.SIGTERM)
            time.sleep(1)
            with pytest.raises(httpx.ConnectError):
                httpx.get(f"{address}/healthz")
            raw.sendall(body[100:])
            answer = b""
            while chunk := raw.recv(65_536):
                answer += chunk
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"emotion"' in answer
        assert process.wait(60) == 0


@pytest.mark.slow
def test_several_processes_share_an_address(served, tmp_path):
    words = (served.folder, "--workers", 2)
    with served_by(tmp_path, *words, MAEUM_API_KEYS="one,two") as (process, address, _):
        told = {"X-API-Key": "two"}
        for _ in range(8):
            asked = {"json": {"text": "정말 기뻐"}, "headers": told, "timeout": 120}
            assert httpx.post(f"{address}/v1/predict", **asked).status_code == 200
        counted = httpx.get(f"{address}/metrics", headers=told).text
        assert 'maeum_requests_total{route="/v1/predict",status="200"} 8.0' in counted
        assert httpx.get(f"{address}/v1/model").status_code == 401
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def complaint(*words):
    ended = subprocess.run([*SERVE, *map(str, words)], capture_output=True, text=True, timeout=120)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "Traceback" not in ended.stderr
    return ended.stderr.splitlines()[-1]


def test_what_cannot_be_served_is_said_at_the_start(served, tmp_path):
    assert "does not exist; expected the folder of a run" in complaint(tmp_path / "none")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} (Address already in use)" in complaint(served.folder, "--port", port)


@pytest.mark.slow
def test_a_run_that_compares_voices_is_refused_without_one(tmp_path, made_corpus, quick):
    from maeum.training import train

    run = train(made_corpus, tmp_path / "run", normalize="speaker", modality="speech", **quick)
    assert "(--speaker FOLDER)" in complaint(run.folder, "--port", "0")


def test_a_missing_extra_is_named(maeum_without_uvicorn):
    said = maeum_without_uvicorn
    assert said == (
        "maeum: serving takes uvicorn, which is not installed: pip install 'maeum[serve]'"
    )


@pytest.fixture
def maeum_without_uvicorn():
    code = """
import sys
from importlib import util
found = util.find_spec
util.find_spec = lambda name, *rest: None if name == "uvicorn" else found(name, *rest)
from maeum.cli import main
main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", code, "serve", "nowhere"], capture_output=True, text=True
    )
    assert ended.returncode == 1
    return ended.stderr.strip()
