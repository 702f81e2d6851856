"""A real run on a part of the packaged sample, and services of it on the loopback."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn

from maeum import sample
from maeum.corpus import import_corpus
from maeum.inference import Classifier, Query, Run
from maeum.serving import Limits, create_app
from maeum.training import train


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of speech and text on 56 clips of the sample."""
    folder = tmp_path_factory.mktemp("served")
    with (sample.path() / "sample.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::7]
    table = folder / "part.csv"
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        for row in rows:
            writer.writerow({**row, "audio": str(sample.path() / row["audio"])})
    corpus = import_corpus("table", table, folder / "corpus")
    return train(corpus, folder / "run", split="random", epochs=3, batch_size=8)


@pytest.fixture(scope="session")
def model(served: Run) -> Classifier:
    """That run as it answers in Python."""
    return served.model


@pytest.fixture(scope="session")
def asked() -> list[Query]:
    """Recordings of the sample with what is said in them."""
    with (sample.path() / "sample.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:300:25]
    return [Query(str(sample.path() / row["audio"]), row["text"]) for row in rows]


def wait_until_ready(address: str, wait_s: float = 60) -> None:
    """Until it answers; a service that cannot says why within `wait_s`."""
    end = time.monotonic() + wait_s
    with httpx.Client(base_url=address) as client:
        while (answer := client.get("/readyz")).status_code != 200:
            assert time.monotonic() < end, answer.text
            time.sleep(0.02)


@contextmanager
def running_app(model: Classifier, limits: Limits | None = None, **how: object) -> Iterator[str]:
    """An application under a real server on any free port; its address."""
    app = create_app(model, limits, **how)
    config = uvicorn.Config(
        app, port=0, http="h11", ws="none", log_config=None, access_log=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        address = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        wait_until_ready(address)
        yield address
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def address(model: Classifier) -> Iterator[str]:
    """Where the run is served with the usual limits."""
    with running_app(model) as at:
        yield at


@pytest.fixture(scope="session")
def serving() -> Callable[..., object]:
    """Serve a model with limits of one's own: `with serving(model, Limits(…)) as address`."""
    return running_app


def form_of(query: Query) -> dict[str, object]:
    """A query as httpx sends it."""
    path = Path(query.audio or "")
    return {"files": {"audio": (path.name, path.read_bytes())}, "data": {"text": query.text}}


@pytest.fixture(scope="session")
def form() -> Callable[[Query], dict[str, object]]:
    """`form_of`, for tests."""
    return form_of
