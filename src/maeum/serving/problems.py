"""Failures as RFC 9457 has them: one JSON object with a sentence that a person understands."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"

CLIENT_LEFT = 499
"""Status, for the log alone, of a request whose client went before it was answered."""


class ProblemError(Exception):
    """A request that cannot be answered.

    Attributes:
        status: of HTTP, from 400 on.
        detail: what came, what was expected, what to do.
        headers: of the answer.
    """

    def __init__(
        self, status: int, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})

    def response(self) -> Response:
        """As it is sent."""
        left = self.status == CLIENT_LEFT  # nobody will read it
        title = "Client Left" if left else HTTPStatus(self.status).phrase
        body = {
            "type": "about:blank",
            "title": title,
            "status": self.status,
            "detail": self.detail,
        }
        return _Utf8JSON(body, self.status, self.headers, MEDIA_TYPE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, as an application of ASGI does."""
        await self.response()(scope, receive, send)


class _Utf8JSON(JSONResponse):
    """JSON that says nothing of its charset, since it has but one."""

    charset = ""


def busy(detail: str, *, retry_after_s: int) -> ProblemError:
    """A 503 that says when to come again."""
    return ProblemError(503, detail, headers={"Retry-After": str(retry_after_s)})


def too_large(most: int, *, whole: bool = True) -> ProblemError:
    """A 413.

    Args:
        most: bytes that would have been taken.
        whole: whether that is of the request rather than of one field.
    """
    what = "the body of this request" if whole else "a text field of this request"
    return ProblemError(
        413,
        f"{what} is larger than the {most:,} bytes taken here; send a shorter recording, or one in "
        "a format that compresses (flac, ogg, mp3)",
    )


def answer_with_problems(app: FastAPI) -> None:
    """Make every failure of the app a problem, the framework's own among them."""
    app.add_exception_handler(ProblemError, _stated)
    app.add_exception_handler(HTTPException, _of_framework)
    app.add_exception_handler(RequestValidationError, _of_address)
    app.add_exception_handler(Exception, _unforeseen)


async def _stated(_: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101 - it is registered for these alone
    return error.response()


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    allowed = dict(error.headers or {}).get("Allow") or dict(error.headers or {}).get("allow")
    said: dict[int, str] = {
        404: "nothing is served at this address; /docs lists what is",
        405: f"this address does not take {request.method}; it takes {allowed or 'another method'}",
    }
    detail = said.get(error.status_code, f"{error.detail}; /docs says what is expected")
    return ProblemError(error.status_code, detail, headers=error.headers).response()


async def _of_address(_: Request, error: Exception) -> Response:
    """What stands behind the question mark; bodies are read by ourselves."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    wrong = error.errors()[0]
    name, came = wrong["loc"][-1], str(wrong.get("input"))[:40]
    return ProblemError(422, f"{name}={came} in the address: {wrong['msg']}; see /docs").response()


async def _unforeseen(_: Request, __: Exception) -> Response:
    """Nothing of what happened gets out; the log has its kind and place."""
    return ProblemError(
        500, "the service failed at this request; its log says more, under this request's id"
    ).response()


PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string", "description": "What came, what was expected, what to do."},
    },
}
"""What a problem is, for the OpenAPI document."""
