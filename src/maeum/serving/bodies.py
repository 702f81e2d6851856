"""Bytes of bodies counted as they come, whatever a client states, before anyone keeps them.

What still comes after an answer was sent, the server reads and throws away, so that clients which
send all before they read get to the answer.
"""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from maeum.serving.limits import Limits
from maeum.serving.problems import ProblemError, busy, too_large


class BodyLimit:
    """Refuses what is larger than the limits, while it comes."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app, self._limits = app, limits
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, self._limits.bytes_of(scope["path"]), receive, send)
        try:
            if _stated(scope) > body.most:
                body.refused = too_large(body.most)
            else:
                await self._app(scope, body.received, body.sent)
        except Exception:
            if body.refused is None:  # else it comes of the refusal, from who does not know it
                raise
        finally:
            self._at_once -= body.taken
        if body.refused is not None and not body.answering:
            await body.refused(scope, receive, send)

    def count(self, size: int) -> ProblemError | None:
        """Count some bytes; the refusal where all requests together are too large now."""
        self._at_once += size
        if self._at_once <= self._limits.max_bytes_at_once:
            return None
        return busy(
            "too many bytes are being sent to this service at once; send this again later",
            retry_after_s=10,
        )


class _Body:
    """One request's body on its way in, and the answer on its way out."""

    def __init__(self, limit: BodyLimit, most: int, receive: Receive, send: Send) -> None:
        self._limit, self._receive, self._send = limit, receive, send
        self.most, self.taken = most, 0
        self.refused: ProblemError | None = None
        self.answering = False

    async def received(self) -> Message:
        """The next message to the application.

        Raises:
            ProblemError: the body is larger than is taken.
        """
        message = await self._receive()
        size = len(message.get("body", b""))
        self.taken += size
        full = self._limit.count(size)
        self.refused = too_large(self.most) if self.taken > self.most else full
        if self.refused is not None:
            raise self.refused
        return message

    async def sent(self, message: Message) -> None:
        """A message of the application; dropped where it was refused over its head."""
        if self.refused is None or self.answering:
            self.answering = True
            await self._send(message)


def _stated(scope: Scope) -> int:
    """The length a client states; 0 where it states none."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value[:20])
    return 0
