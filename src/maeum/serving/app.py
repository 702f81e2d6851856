"""The application: routes, what they take and what they answer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from maeum.features.normalize import Voice
from maeum.inference import Classifier
from maeum.serving.bodies import BodyLimit
from maeum.serving.keys import KeyGate
from maeum.serving.limits import Limits
from maeum.serving.logs import REQUEST_ID, RequestLog
from maeum.serving.metrics import Metrics
from maeum.serving.problems import answer_with_problems
from maeum.serving.routes import asking, looking
from maeum.serving.schemas import COMPONENTS
from maeum.serving.service import Service
from maeum.serving.signals import drained_at_the_end

DESCRIPTION = """Emotions in speech and text, with their probabilities.

Every failure is `application/problem+json` (RFC 9457); its `detail` is a sentence that says what
came, what was expected and what to do."""


def create_app(
    model: Classifier,
    limits: Limits | None = None,
    *,
    voice: Voice | None = None,
    api_keys: Sequence[str] = (),
    cors: Sequence[str] = (),
    page: bool = False,
    on_failure: Callable[[], object] | None = None,
) -> FastAPI:
    """A service of one model, as an application for any ASGI server.

    Its `state.service` is the `Service` behind the routes.

    Args:
        model: that answers.
        limits: of what is taken; None: the usual ones.
        voice: what `Classifier.voice_in` gave, for runs that compare voices.
        api_keys: one of which a client must send; none: everyone is answered.
        cors: origins whose pages may ask.
        page: whether there is a page for people, at `/`.
        on_failure: called where the model turns out not to answer; see `Service.start`.

    Raises:
        RunError: the run compares voices and none is given.
    """
    service, metrics = Service(model, limits, voice=voice), Metrics()
    app = _Described(
        title="maeum",
        version=version("maeum"),
        description=DESCRIPTION,
        docs_url=None,  # the framework's loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,  # generated clients go by it
        lifespan=_lifespan(service, on_failure),
    )
    app.state.service = service
    answer_with_problems(app)
    app.include_router(asking(service))
    app.include_router(looking(service, metrics, app))
    app.add_middleware(BodyLimit, limits=service.limits)
    if api_keys:
        app.add_middleware(KeyGate, keys=api_keys)
    if cors:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(cors),
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", REQUEST_ID],
            expose_headers=["Retry-After", REQUEST_ID],
        )
    app.add_middleware(RequestLog, metrics=metrics)
    if page:
        app = import_module("maeum.serving.page").mount_page(app, service)  # it takes gradio
    return app


class _Described(FastAPI):
    """An application whose document names the bodies it takes, too."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
        return document


def _lifespan(
    service: Service, on_failure: Callable[[], object] | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def alive(_: FastAPI) -> AsyncIterator[None]:
        service.start(on_failure=on_failure)
        try:
            with drained_at_the_end(service):
                yield
        finally:
            service.stop()

    return alive
