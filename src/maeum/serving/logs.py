"""One line of JSON per request on standard error, without anything a person said or is called."""

from __future__ import annotations

import re
import sys
import time
import traceback
from typing import Any
from uuid import uuid4

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maeum.serving.metrics import Metrics
from maeum.serving.problems import CLIENT_LEFT, ProblemError

REQUEST_ID = "X-Request-ID"
UNKNOWN_ROUTE = "other"
"""Stands for addresses that nothing is served at; what was typed there could be anything."""

_PLAIN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def log() -> Any:  # noqa: ANN401 - structlog's loggers are what they are configured to be
    """A logger that prints one JSON object a line."""
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )


class RequestLog:
    """Logs and counts every request, and answers 500 where the application failed."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics, self._log = app, metrics, log()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        watched = _Watched(scope, receive, send)
        try:
            await self._app(scope, watched.received, watched.sent)
        except Exception as error:
            self._log.error("failed", id=watched.id, **_kind_and_place(error))
            if watched.status is None:
                await _unforeseen(scope, receive, watched.sent)
        finally:
            self._tell(scope, watched)

    def _tell(self, scope: Scope, watched: _Watched) -> None:
        seconds = time.perf_counter() - watched.begin
        route, status = _route(scope), watched.status or CLIENT_LEFT
        self._metrics.count(route, status, seconds)
        self._log.info(
            "request",
            method=scope["method"],
            path=route,
            status=status,
            duration_ms=round(seconds * 1000, 1),
            bytes_in=watched.bytes_in,
            id=watched.id,
        )


class _Watched:
    """A request's bytes and the status of its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        stated = Headers(scope=scope).get(REQUEST_ID, "")
        self.id = stated if _PLAIN_ID.fullmatch(stated) else uuid4().hex
        self.begin, self.bytes_in = time.perf_counter(), 0
        self.status: int | None = None

    async def received(self) -> Message:
        message = await self._receive()
        self.bytes_in += len(message.get("body", b""))
        return message

    async def sent(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            MutableHeaders(scope=message)[REQUEST_ID] = self.id
        await self._send(message)


async def _unforeseen(scope: Scope, receive: Receive, send: Send) -> None:
    """Nothing of what happened gets out; the log has its kind and place."""
    problem = ProblemError(
        500,
        f"the service failed at this request; its log says where, under the id in {REQUEST_ID}",
    )
    await problem(scope, receive, send)


def _route(scope: Scope) -> str:
    """The route as the application knows it."""
    path = getattr(scope.get("route"), "path", None)
    return str(path) if path else UNKNOWN_ROUTE


def _kind_and_place(error: Exception) -> dict[str, str]:
    """What failed where, without the message, which can hold what was sent."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-3:]]
    return {"kind": type(error).__name__, "place": " < ".join(reversed(places))}
