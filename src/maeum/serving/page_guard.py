"""What the page's framework would do for a stranger and this service does not."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from http import HTTPStatus

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_FORM_BYTES = 2**20
"""Of what the page's forms send; recordings go another way and have a limit of their own."""

_FETCHES = re.compile(r"/(proxy=|file=\s*[a-z][a-z0-9+.-]*:/)", re.IGNORECASE)
_HELD_OPEN = re.compile(r"/gradio_api/heartbeat/")
_UPLOADS = re.compile(r"/gradio_api/upload/?$")


LOOK_EVERY_S = 0.5
"""How often a page that is open hears whether the service stops."""


class PageGuard:
    """Stands before the page.

    Gradio fetches addresses of the network for whoever asks, reads forms into memory whatever
    their size, and keeps a stream open as long as a page is. None of this is wanted here.
    """

    def __init__(self, app: ASGIApp, *, draining: Callable[[], bool]) -> None:
        """Stand before an app.

        Args:
            app: the page.
            draining: whether the service is about to stop.
        """
        self._app, self._draining = app, draining

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _FETCHES.search(scope["path"]):
            await _refused(send, HTTPStatus.NOT_FOUND)
        elif _UPLOADS.search(scope["path"]):
            await self._app(scope, receive, send)
        elif _HELD_OPEN.search(scope["path"]):
            await self._app(scope, _ended_by(self._draining, receive), send)
        elif _stated_bytes(scope) > MOST_FORM_BYTES:
            await _refused(send, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        else:
            await self._app(scope, _counted(receive), send)


def _stated_bytes(scope: Scope) -> int:
    stated = dict(scope["headers"]).get(b"content-length", b"0")
    return int(stated) if stated.isdigit() else 0


def _counted(receive: Receive) -> Receive:
    """The body as far as it may go; what goes on has, to the app, hung up."""
    came = 0

    async def receive_counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        return message if came <= MOST_FORM_BYTES else {"type": "http.disconnect"}

    return receive_counted


def _ended_by(draining: Callable[[], bool], receive: Receive) -> Receive:
    """What a client sends, who to the app hangs up when the service is about to stop."""

    async def receive_or_end() -> Message:
        coming = asyncio.ensure_future(receive())
        try:
            while not draining():
                done, _ = await asyncio.wait({coming}, timeout=LOOK_EVERY_S)
                if done:
                    return coming.result()
            return {"type": "http.disconnect"}
        finally:
            coming.cancel()

    return receive_or_end


async def _refused(send: Send, status: HTTPStatus) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": status.phrase.encode()})
