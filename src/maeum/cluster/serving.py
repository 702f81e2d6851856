"""The service on Ray Serve: the same application, as many replicas as are asked for."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from maeum.cluster.connection import own_words
from maeum.cluster.streams import Share
from maeum.errors import JobError, RunError, SettingsError
from maeum.machine import VARIABLE
from maeum.serving import Serving
from maeum.serving.running import app_of

if TYPE_CHECKING:
    from fastapi import FastAPI

NAME = "maeum"

HELD = 1000
"""Requests a replica may hold: more than its service takes, so that it is the service that refuses
what is too much, in its own words and with the seconds to wait."""


@dataclass(frozen=True)
class Replicas:
    """How many copies of the service there are.

    Attributes:
        least: that always run.
        most: that run when many ask.

    Raises:
        SettingsError: they do not follow each other.
    """

    least: int = 1
    most: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.least <= self.most:
            raise SettingsError(
                f"replicas were to be {self.least} to {self.most}; expected N, or FEWEST-MOST"
            )

    @classmethod
    def of(cls, typed: str) -> Replicas:
        """From `N` or `FEWEST-MOST`.

        Raises:
            SettingsError: it is neither.

        >>> Replicas.of("2"), Replicas.of("1-8")
        (Replicas(least=2, most=2), Replicas(least=1, most=8))
        """
        least, _, most = typed.partition("-")
        if not (least.isdecimal() and (most or least).isdecimal()):
            raise SettingsError(f"replicas are {typed!r}; expected N, or FEWEST-MOST as 1-8")
        return cls(int(least), int(most or least))


class _Service:
    """What a replica runs: the application, made where it is to run."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._app: FastAPI | None = None

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Asked for by Ray Serve when the replica begins."""
        self._app = app_of(self._serving)
        return self._app

    async def check_health(self) -> None:
        """Asked for when the replica begins, and from time to time: nobody meets a cold model.

        Raises:
            RunError: the model turned out not to answer.
        """
        if self._app is None:
            return
        service = self._app.state.service
        await asyncio.to_thread(service.wait_until_warm)
        if service.broken:
            raise RunError(service.broken)


def deploy(serving: Serving, replicas: Replicas) -> str:
    """Deploy the service on the connected cluster.

    Args:
        serving: what is served; its `workers` do not count here.
        replicas: copies of it.

    Returns:
        Its address.

    Raises:
        SettingsError: a page is asked of several replicas.
        JobError: the service did not come to run.
    """
    from ray import serve

    if serving.page and replicas.most > 1:
        raise SettingsError(
            "a page keeps what it shows in one process; ask for one replica, or for --no-page"
        )
    share, limits = Share.of_model(large=True), serving.limits
    deployment = serve.deployment(
        name=NAME,
        max_ongoing_requests=HELD,
        graceful_shutdown_timeout_s=limits.drain_timeout_s,
        ray_actor_options={
            "num_cpus": min(share.cpus, max(1, share.processes * share.cpus // replicas.least)),
            "num_gpus": share.gpus,
            "runtime_env": {"env_vars": {VARIABLE: str(share.cpus)}},
        },
        autoscaling_config={
            "min_replicas": replicas.least,
            "max_replicas": replicas.most,
            "target_ongoing_requests": limits.together,
        },
    )(serve.ingress()(_Service))
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    with own_words():
        serve.start(http_options={"host": serving.host, "port": serving.port})
        try:
            serve.run(deployment.bind(serving), name=NAME, route_prefix="/")
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise JobError(f"{serving.run} is not served: {reason}") from error
    return f"http://{serving.host}:{serving.port}"


def serve_on_ray(
    serving: Serving, replicas: Replicas, *, listening: Callable[[str], object] = lambda _: None
) -> None:
    """Deploy the service and keep it until the process is told to stop; what began is finished.

    Raises:
        SettingsError: see `deploy`.
        JobError: likewise.
    """
    from ray import serve

    told = threading.Event()
    before = {
        sign: signal.signal(sign, lambda *_: told.set()) for sign in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        listening(deploy(serving, replicas))
        told.wait()
    finally:
        serve.shutdown()
        for sign, handler in before.items():
            signal.signal(sign, handler)
