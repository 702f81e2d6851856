"""A service as a process, or several that share one address."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from maeum.engine import Engine
from maeum.errors import RunError, SettingsError
from maeum.inference import Classifier, classifier_of
from maeum.serving.limits import Limits

if TYPE_CHECKING:
    from fastapi import FastAPI
    from uvicorn import Config

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # `metrics` knows it; what it imports must see it set
KEEP_ALIVE_S = 30
BACKLOG = 2048
"""Connections that may wait to be accepted."""


@dataclass(frozen=True)
class Serving:
    """What is served and to whom.

    Attributes:
        run: folder of a run or of an exported one, or a name on the hub.
        host: address to listen at.
        port: 0: any free one.
        workers: processes, each with the model.
        engine: that computes pretrained encoders; None: as the run was trained.
        speaker: folder of recordings of the voice, for runs that compare voices.
        api_keys: one of which a client must send; none: everyone is answered.
        cors: origins whose pages may ask.
        page: whether there is a page for people.
        limits: of what is taken.
    """

    run: str
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    engine: Engine | None = None
    speaker: Path | None = None
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    cors: tuple[str, ...] = ()
    page: bool = False
    limits: Limits = field(default_factory=Limits)


def serve(serving: Serving, *, listening: Callable[[str], object] = lambda _: None) -> None:
    """Serve until the process is told to stop, then finish what began.

    Args:
        serving: what.
        listening: told the address once connections are taken there.

    Raises:
        RunError: the run cannot be loaded, answers nothing, or lacks a voice to compare with.
        SettingsError: nothing can listen at the address.
        AudioError: the speaker's folder holds no voice.
    """
    _quiet()
    with _bound(serving.host, serving.port) as own:
        address = f"http://{_url_host(serving.host)}:{own.getsockname()[1]}"
        if serving.workers > 1:
            _serve_together(serving, own, lambda: listening(address))
        else:
            _serve_alone(serving, own, lambda: listening(address))


def app_of(serving: Serving, on_failure: Callable[[], object] | None = None) -> FastAPI:
    """The application, its model opened here."""
    from maeum.serving.app import create_app

    model = classifier_of(serving.run, engine=serving.engine)
    _ensure_voice(model, serving)
    voice = None if serving.speaker is None else model.voice_in(serving.speaker)
    return create_app(
        model,
        serving.limits,
        voice=voice,
        api_keys=serving.api_keys,
        cors=serving.cors,
        page=serving.page,
        on_failure=on_failure,
    )


def _ensure_voice(model: Classifier, serving: Serving) -> None:
    if model.needs_voice and serving.speaker is None:
        raise RunError(
            f"{serving.run} compares a recording with others of the same voice; give a folder of "
            "them (--speaker FOLDER), or serve a run trained with --normalize none"
        )


def _serve_alone(serving: Serving, own: socket.socket, begin: Callable[[], object]) -> None:
    from uvicorn import Server

    def give_up() -> None:
        server.should_exit = True

    app = app_of(serving, give_up)
    server = Server(_config(app, serving))
    with _ends_well():
        begin()
        server.run(sockets=[own])
    if broken := app.state.service.broken:
        raise RunError(broken)


def _serve_together(serving: Serving, own: socket.socket, begin: Callable[[], object]) -> None:
    """Processes that share the socket; one that dies is replaced."""
    from uvicorn.supervisors import Multiprocess

    _ensure_answers(serving)
    with TemporaryDirectory(prefix="maeum-metrics-") as shared:
        os.environ[SHARED_FOLDER] = shared
        begin()
        Multiprocess(_config(partial(app_of, serving), serving), sockets=[own]).run()


def _ensure_answers(serving: Serving) -> None:
    """Answer once here: what is wrong would be wrong in each process, again and again."""
    from maeum.serving.service import running

    app = app_of(serving)
    with running(app.state.service) as service:
        service.wait_until_warm()
    if service.broken:
        raise RunError(service.broken)


def _config(app: FastAPI | Callable[[], FastAPI], serving: Serving) -> Config:
    from uvicorn import Config

    return Config(
        app,
        factory=isinstance(app, partial),
        workers=serving.workers,
        http="h11",
        ws="none",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=round(serving.limits.drain_timeout_s),
        timeout_worker_healthcheck=60,
    )


def _quiet() -> None:
    """The libraries' own words are for who debugs them; what fails is logged by request."""
    for name in ("uvicorn.error", "python_multipart"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


@contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind((host, port))
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise SettingsError(
                f"nothing can listen at {host}, port {port} ({reason}); name another --port or "
                "--host"
            ) from error
        own.set_inheritable(True)
        yield own


@contextmanager
def _ends_well() -> Iterator[None]:
    """Being told to stop is no failure: the server raises the signal again once it has ended."""
    before = {
        sign: signal.signal(sign, lambda *_: None) for sign in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for sign, handler in before.items():
            signal.signal(sign, handler)


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
