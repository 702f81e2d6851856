"""Keys that a client must have."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from maeum.serving.problems import ProblemError

OPEN = frozenset({"/healthz", "/readyz", "/docs", "/openapi.json"})
"""What is answered without a key: it tells nothing of anyone."""


class KeyGate:
    """Answers 401 to who has no key."""

    def __init__(self, app: ASGIApp, keys: Sequence[str]) -> None:
        self._app = app
        self._digests = [_digest(key) for key in keys]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, if it may."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN or self._knows(scope):
            await self._app(scope, receive, send)
            return
        problem = ProblemError(
            401,
            "this service takes a key and none that it knows came; send yours in the header "
            "X-API-Key, or Authorization: Bearer",
            headers={"WWW-Authenticate": "Bearer"},
        )
        await problem(scope, receive, send)

    def _knows(self, scope: Scope) -> bool:
        """Compare with every key in the same time, whichever is right."""
        given = _digest(_given(Headers(scope=scope)))
        return any([compare_digest(given, one) for one in self._digests])  # noqa: C419 - all of them


def _given(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return headers.get("x-api-key") or (token.strip() if scheme.lower() == "bearer" else "")


def _digest(key: str) -> bytes:
    """Of one length whatever the key's."""
    return sha256(key.encode("utf-8", errors="surrogateescape")).digest()
