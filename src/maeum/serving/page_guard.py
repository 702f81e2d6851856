"""What the page's framework would do for a stranger and this service does not."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_FORM_BYTES = 2**20
"""Of what the page's forms send; recordings go another way and have a limit of their own."""

_FETCHES = re.compile(r"/(proxy=|file=\s*[a-z][a-z0-9+.-]*:/)", re.IGNORECASE)
_UPLOADS = re.compile(r"/gradio_api/upload/?$")


class PageGuard:
    """Stands before the page.

    Gradio fetches addresses of the network for whoever asks, and reads forms into memory whatever
    their size. Neither is wanted here.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _FETCHES.search(scope["path"]):
            await _refused(send, HTTPStatus.NOT_FOUND)
        elif _UPLOADS.search(scope["path"]):
            await self._app(scope, receive, send)
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


async def _refused(send: Send, status: HTTPStatus) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": status.phrase.encode()})
