"""`maeum serve` under load, beside a plain loop over the classifier on the same cores.

    python benchmarks/serving.py [--seconds 20] [--pairs 3] [--clients 32] [--together 16]
    python benchmarks/serving.py --malformed 5000

A run with the built-in encoders is trained on the packaged sample. The loop asks one recording
after another, with as many threads as libraries take and with one; the service is asked by many
clients at once, in turns with the loop, and each answer is compared with the classifier's own. The
second way sends what cannot be answered and looks at the server's memory. Clients run on the same
cores.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from side_by_side import keep, table
from threadpoolctl import threadpool_limits

from maeum import sample
from maeum.corpus import import_corpus
from maeum.inference import Classifier, Query, classifier_of
from maeum.testing.uploads import malformed_uploads, multipart
from maeum.training import train

CLIPS = 128
CLOSE = 1e-6

SERVE = """
import sys
from maeum.serving import Limits, Serving, serve
limits = Limits(together=int(sys.argv[2]), queue_length=int(sys.argv[3]))
serve(Serving(sys.argv[1], port=0, limits=limits), listening=lambda at: print(at, flush=True))
"""


@dataclass
class Load:
    """What clients saw.

    Attributes:
        seconds: of each answer.
        statuses: how often each came.
        wrong: answers that were not the classifier's.
        took_s: all of it.
    """

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    took_s: float = 0.0

    @property
    def pace(self) -> float:
        """Good answers a second."""
        return self.statuses[200] / self.took_s

    def percentile_ms(self, part: int) -> float:
        """Time within which that part of a hundred answers came."""
        return statistics.quantiles(self.seconds, n=100)[part - 1] * 1000


@contextmanager
def server(run: Path, together: int, queue: int) -> Iterator[tuple[int, int]]:
    """A service in a process of its own: its port and its number."""
    command = [sys.executable, "-c", SERVE, str(run), str(together), str(queue)]
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdout is not None
        port = int(process.stdout.readline().rpartition(":")[2])
        while asked(port, "GET", "/readyz")[0] != 200:
            time.sleep(0.2)
        yield port, process.pid
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0


def asked(port: int, method: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except ConnectionError:
        return 0, b""
    finally:
        connection.close()


def queries() -> list[Query]:
    with (sample.path() / "sample.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    chosen = random.Random(0).sample(rows, CLIPS)  # noqa: S311 - a draw, no secret
    return [Query(str(sample.path() / row["audio"]), row["text"]) for row in chosen]


def pace_of_loop(model: Classifier, given: Sequence[Query], seconds: float) -> float:
    """Answers a second, one after another."""
    begin, done = time.perf_counter(), 0
    while (took := time.perf_counter() - begin) < seconds:
        next(iter(model.predict([given[done % len(given)]])))
        done += 1
    return done / took


def load(
    port: int, bodies: Sequence[bytes], right: Sequence[dict[str, float]], clients: int, s: float
) -> Load:
    """Ask for some seconds, each client as soon as it is answered."""
    seen, guard, end = Load(), threading.Lock(), time.perf_counter() + s
    headers = multipart()[0]

    def client(number: int) -> None:
        draw = random.Random(number)  # noqa: S311
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while (begin := time.perf_counter()) < end:
            at = draw.randrange(len(bodies))
            connection.request("POST", "/v1/predict", bodies[at], headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            took = time.perf_counter() - begin
            with guard:
                seen.seconds.append(took)
                seen.statuses[answer.status] += 1
                seen.wrong += answer.status == 200 and not close(said["probabilities"], right[at])
        connection.close()

    begin = time.perf_counter()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen.took_s = time.perf_counter() - begin
    return seen


def close(given: dict[str, float], right: dict[str, float]) -> bool:
    return given.keys() == right.keys() and all(
        abs(given[name] - right[name]) < CLOSE for name in right
    )


def body_of(query: Query) -> bytes:
    recording = Path(query.audio or "")
    audio = (f'; name="audio"; filename="{recording.name}"', recording.read_bytes())
    return multipart(audio, ('; name="text"', (query.text or "").encode()))[1]


def under_load(run: Path, asked_for: argparse.Namespace) -> None:
    """Loops and load in turns; ratios of the same round."""
    model, given = classifier_of(run), queries()
    right = [next(iter(model.predict([query]))).to_dict()["probabilities"] for query in given]
    bodies = [body_of(query) for query in given]
    seconds = asked_for.seconds
    rounds: list[tuple[float, float, Load]] = []
    with server(run, asked_for.together, asked_for.queue) as (port, _):
        load(port, bodies, right, asked_for.clients, 2)
        for _ in range(asked_for.pairs):
            usual = pace_of_loop(model, given, seconds / 2)
            with threadpool_limits(1):
                single = pace_of_loop(model, given, seconds / 2)
            seen = load(port, bodies, right, asked_for.clients, seconds)
            rounds.append((usual, single, seen))
            print(f"{usual:.1f}, {single:.1f}, {seen.pace:.1f} a second", file=sys.stderr)
    keep("serving", _told(rounds, asked_for))


def _told(rounds: Sequence[tuple[float, float, Load]], asked_for: argparse.Namespace) -> str:
    rows = [
        (
            f"{usual:.1f}",
            f"{single:.1f}",
            f"{seen.pace:.1f}",
            f"{seen.pace / usual:.2f}",
            f"{seen.pace / single:.2f}",
            f"{seen.percentile_ms(50):.0f}",
            f"{seen.percentile_ms(99):.0f}",
            seen.statuses[200],
            seen.wrong,
            seen.statuses[503],
            sum(many for status, many in seen.statuses.items() if status not in (200, 503)),
        )
        for usual, single, seen in rounds
    ]
    head = (
        "loop, a second",
        "loop of one thread",
        f"service, {asked_for.clients} clients",
        "to the loop",
        "to one thread",
        "p50 ms",
        "p99 ms",
        "answers",
        "wrong",
        "503",
        "others",
    )
    return table(head, rows)


def own_mb(pid: int) -> float:
    """Memory of a process that lies in no file."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    found = re.search(r"RssAnon:\s*(\d+)", status)
    return int(found[1]) / 1024 if found else float("nan")


def malformed(run: Path, asked_for: argparse.Namespace) -> None:
    """Send what cannot be answered; count what comes, and look at memory and leftovers."""
    statuses: Counter[str] = Counter()
    marks: list[tuple[int, float]] = []
    with server(run, asked_for.together, asked_for.queue) as (port, pid):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        marks.append((0, own_mb(pid)))
        every = max(1, asked_for.malformed // 10)
        for done, one in enumerate(islice(malformed_uploads(0), asked_for.malformed), 1):
            connection.request("POST", "/v1/predict", one.body, one.headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            fine = answer.status < 500 and ("detail" in said or not one.refused)
            statuses[f"{answer.status}" if fine else f"{answer.status} {one.kind}"] += 1
            if done % every == 0:
                marks.append((done, own_mb(pid)))
        left = len(list(Path(tempfile.gettempdir()).glob("maeum-serve-*/*/*")))
    rows = [(done, f"{mb:.0f}") for done, mb in marks]
    told = ", ".join(f"{name}: {many}" for name, many in sorted(statuses.items()))
    shown = table(("requests", "memory of its own, MB"), rows)
    keep("serving-malformed", f"{told}; files left behind: {left}\n\n{shown}")


def main() -> None:
    """Train a run, then do what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--together", type=int, default=16)
    parser.add_argument("--queue", type=int, default=64)
    parser.add_argument("--malformed", type=int, default=0)
    asked_for = parser.parse_args()
    measure: Callable[[Path, argparse.Namespace], None]
    measure = malformed if asked_for.malformed else under_load
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MAEUM_CACHE"] = f"{folder}/cache"
        corpus = import_corpus("table", sample.path() / "sample.csv", Path(folder) / "corpus")
        run = train(corpus, Path(folder) / "run", split="random", epochs=5)
        measure(run.folder, asked_for)


if __name__ == "__main__":
    main()
