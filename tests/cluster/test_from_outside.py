"""A command typed with `--on ray://HOST` is done in that cluster, and what it prints comes back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

pytest.importorskip("ray", reason="Ray is not installed")

pytestmark = [pytest.mark.slow, pytest.mark.cluster]

BEGINS_S = 60


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def environment(cache):
    usual = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    return usual | {"RAY_AUTH_MODE": "disabled", "MAEUM_CACHE": str(cache)}


@pytest.fixture(scope="module")
def address(environment, free_port):
    """Of a cluster of two workers that somebody else began."""
    own, client = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        words = (
            f"start --head --block --num-cpus=2 --port={own} --ray-client-server-port={client} "
            f"--include-dashboard=false --disable-usage-stats --temp-dir={folder}"
        )
        command = [sys.executable, "-m", "ray.scripts.scripts", *words.split()]
        with subprocess.Popen(
            command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL
        ) as cluster:
            try:
                _wait_for(client)
                yield f"ray://127.0.0.1:{client}"
            finally:
                os.killpg(cluster.pid, signal.SIGTERM)


def _wait_for(port):
    until = time.monotonic() + BEGINS_S
    while time.monotonic() < until:
        with socket.socket() as own:
            if own.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    pytest.fail(f"the cluster did not begin within {BEGINS_S} s")


@pytest.fixture(scope="module")
def corpus(made_corpus, tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora") / "made"
    made_corpus.save(folder)
    return folder


def typed(environment, *words):
    command = [sys.executable, "-m", "maeum", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


def test_vectors_are_made_there(address, corpus, cache, environment):
    ended = typed(environment, "features", corpus, "--modality", "speech", "--on", address)
    assert ended.returncode == 0, ended.stderr
    assert "36 encoded by builtin:acoustic" in ended.stdout + ended.stderr
    assert list(cache.rglob("*.sqlite"))
    again = typed(environment, "features", corpus, "--modality", "speech", "--on", address)
    assert "36 found, 0 encoded" in again.stdout + again.stderr


def test_what_cannot_be_done_there_is_told_in_its_own_words(address, corpus, environment):
    ended = typed(environment, "features", corpus.parent / "none", "--on", address)
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert str(corpus.parent / "none") in ended.stderr


def test_a_cluster_that_does_not_answer_is_one_sentence(corpus, environment, free_port):
    ended = typed(environment, "features", corpus, "--on", f"ray://127.0.0.1:{free_port()}")
    assert ended.returncode == 1
    assert "no Ray cluster answers at ray://" in ended.stderr
