"""Counts of what was served, for Prometheus; nothing of what was sent or answered."""

from __future__ import annotations

import os

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder where several processes count together; set before
`prometheus_client` is imported."""

BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)


class Metrics:
    """What one service counts, in a registry of its own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        self._requests = Counter(
            "maeum_requests", "Requests answered.", ["route", "status"], registry=own
        )
        self._seconds = Histogram(
            "maeum_request_seconds",
            "Seconds from the head of a request to the end of its answer.",
            ["route"],
            registry=own,
            buckets=BUCKETS_S,
        )
        self._waiting = Gauge(
            "maeum_queue_length",
            "Requests that wait for the model.",
            registry=own,
            multiprocess_mode="livesum",
        )

    def count(self, route: str, status: int, seconds: float) -> None:
        """Count one request.

        Args:
            route: as the application knows it, never what a client typed.
            status: that was answered.
            seconds: it took.
        """
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self, waiting: int) -> bytes:
        """All counts in Prometheus' format, of all processes where several count together.

        Args:
            waiting: requests in this process's queue now.
        """
        self._waiting.set(waiting)
        if not os.environ.get(SHARED_FOLDER):
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)
