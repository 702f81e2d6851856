"""What is answered at each address."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import fastapi
from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from maeum.errors import MaeumError, SettingsError
from maeum.features.hearing import MAX_UTTERANCE_S
from maeum.inference import Failure, Query
from maeum.inference.timeline import LONGEST_S, MAX_SMOOTH_S, MEAN, SMOOTH_S
from maeum.serving.api_page import api_page
from maeum.serving.metrics import Metrics
from maeum.serving.problems import ProblemError, busy
from maeum.serving.schemas import BATCH, MODEL, PREDICT, READY, TIMELINE
from maeum.serving.service import Answer, Service
from maeum.serving.uploads import (
    UNNAMED,
    AskedInJson,
    TextsInJson,
    Upload,
    json_of,
    media_type,
    own_folder,
    timed_words,
    uploaded,
    written,
)

MULTIPART, JSON = "multipart/form-data", "application/json"

Abstain = Annotated[
    float | None, fastapi.Query(ge=0, le=1, description="Confidence below which it is: unsure.")
]
Explain = Annotated[bool, fastapi.Query(description="Say how much speech and text contributed.")]
Channel = Annotated[
    str, fastapi.Query(max_length=4, description="mean of all, each by itself, or one's number.")
]
Smooth = Annotated[
    float, fastapi.Query(ge=0, le=MAX_SMOOTH_S, description="How far segments look around.")
]
Longest = Annotated[
    float, fastapi.Query(ge=2, le=MAX_UTTERANCE_S, description="No segment lasts longer.")
]


def asking(service: Service) -> APIRouter:
    """The routes that take recordings and texts."""
    router = APIRouter(prefix="/v1")

    @router.post("/predict", **PREDICT)
    async def predict(
        request: Request, abstain: Abstain = None, explain: Explain = False
    ) -> Response:
        """The emotion of one utterance: a recording, a text, or both."""
        async with own_folder(service.folder) as folder:
            query, name = await _asked(request, folder, service)
            answer = _named(await service.predicted(query), query, name)
        if isinstance(answer, Failure):
            raise ProblemError(422, answer.error)
        return _json(_as_asked(answer, abstain, explain).to_dict())

    @router.post("/batch", **BATCH)
    async def batch(
        request: Request, abstain: Abstain = None, explain: Explain = False
    ) -> Response:
        """The emotions of several utterances, in order; one that fails does not stop the rest."""
        async with own_folder(service.folder) as folder:
            answers = await _answered_together(request, folder, service)
        return _json([_as_asked(one, abstain, explain).to_dict() for one in answers])

    @router.post("/timeline", **TIMELINE)
    async def timeline(
        request: Request,
        channel: Channel = MEAN,
        smooth_s: Smooth = SMOOTH_S,
        longest_s: Longest = LONGEST_S,
    ) -> Response:
        """What was felt when in a long recording."""
        _kind(request, MULTIPART)
        async with own_folder(service.folder) as folder:
            upload = await uploaded(request, folder, service.limits)
            how = {"channel": channel, "smooth_s": smooth_s, "longest_s": longest_s}
            return await _timeline_of(upload.only("audio", "transcript"), service, how)

    return router


async def _asked(request: Request, folder: Path, service: Service) -> tuple[Query, str | None]:
    """What is asked in a form or in JSON, and what the recording is called there."""
    if _kind(request, MULTIPART, JSON) == JSON:
        return await _asked_in_json(request, folder, service)
    return _single(await uploaded(request, folder, service.limits))


async def _answered_together(request: Request, folder: Path, service: Service) -> list[Answer]:
    """Answers for all that one request asks, in order."""
    limits = service.limits
    if _kind(request, MULTIPART, JSON) == JSON:
        asked = _of_texts(await json_of(request, limits, list[str] | TextsInJson))
    else:
        asked = _several(await uploaded(request, folder, limits))
    _ensure_count(len(asked), limits.max_items)
    found = await service.all_predicted([query for query, _ in asked], limits.batch_timeout_s)
    return [_named(one, query, name) for one, (query, name) in zip(found, asked, strict=True)]


def looking(service: Service, metrics: Metrics, app: FastAPI) -> APIRouter:
    """The routes that say something of the service."""
    router = APIRouter()

    @router.get("/v1/model", **MODEL)
    async def model() -> Response:
        """What answers here: emotions, sides, encoders."""
        return _json(_described(service))

    @router.get("/healthz", tags=["service"])
    async def healthz() -> dict[str, str]:
        """Whether the process lives."""
        return {"status": "alive"}

    @router.get("/readyz", **READY)
    async def readyz() -> dict[str, str]:
        """Whether it answers now: 503 until the model is loaded, and while it stops."""
        if service.ready:
            return {"status": "ready"}
        why = "is stopping" if service.draining else "is loading its model"
        raise busy(
            f"the service cannot answer: {service.broken}"
            if service.broken
            else f"the service {why}; ask again later",
            retry_after_s=2,
        )

    @router.get("/metrics", include_in_schema=False)
    async def counted() -> Response:
        """Counts for Prometheus."""
        return Response(metrics.text(service.waiting), media_type=metrics.content_type)

    @router.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        """The routes for people, without anything from elsewhere."""
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(
            api_page(app.openapi(), service.limits), headers={"Content-Security-Policy": policy}
        )

    return router


async def _timeline_of(upload: Upload, service: Service, how: dict[str, Any]) -> Response:
    ((name, path),) = _files(upload, "audio", least=1, most=1)
    timed = _files(upload, "transcript", least=0, most=1)
    try:
        cues = await asyncio.to_thread(timed_words, timed[0][1], service.limits) if timed else ()
        told = (await service.timeline(path, transcript=cues, **how)).to_dict()
    except SettingsError as error:  # what finds speech is not installed
        raise ProblemError(501, f"this service makes no timelines: {error}") from None
    except MaeumError as error:
        said = str(error)
        for known, ours in ((name, path), *timed):
            said = said.replace(str(ours), known)
        raise ProblemError(422, said) from None
    return _json(_without(told, str(path), name))


def _kind(request: Request, *taken: str) -> str:
    """The media type of a body, if it is taken.

    Raises:
        ProblemError: it is not.
    """
    kind = media_type(request)
    if kind not in taken:
        came = f"a body of type {kind[:80]!r} came" if kind else "no Content-Type came"
        raise ProblemError(415, f"{came}; this address takes {' or '.join(taken)}")
    return kind


async def _asked_in_json(
    request: Request, folder: Path, service: Service
) -> tuple[Query, str | None]:
    asked: AskedInJson = await json_of(request, service.limits, AskedInJson)
    if asked.audio_base64 is None and asked.text is None:
        raise ProblemError(422, "neither text nor audio_base64 came; send one of them or both")
    if asked.audio_base64 is None:
        return Query(None, asked.text), None
    return Query(str(written(asked.audio_base64, folder)), asked.text), UNNAMED


def _single(upload: Upload) -> tuple[Query, str | None]:
    upload.only("audio", "text")
    files, texts = (
        _files(upload, "audio", least=0, most=1),
        [text for _, text in _fields(upload, "text")],
    )
    if len(texts) > 1:
        raise ProblemError(422, f"{len(texts)} fields text came; send one")
    if not files and not texts:
        raise ProblemError(
            422, "neither a file in the field audio nor a field text came; send one of them or both"
        )
    text = texts[0] if texts else None
    if not files:
        return Query(None, text), None
    name, path = files[0]
    return Query(str(path), text), name


def _several(upload: Upload) -> list[tuple[Query, str | None]]:
    upload.only("audio", "texts")
    files, texts = (
        _files(upload, "audio", least=0, most=None),
        [text for _, text in _fields(upload, "texts")],
    )
    if files and texts and len(files) != len(texts):
        raise ProblemError(
            422,
            f"{len(texts)} fields texts came for {len(files)} recordings; send as many, in the "
            "same order, or none",
        )
    if not files:
        return _of_texts(texts)
    said: Sequence[str | None] = texts or [None] * len(files)
    return [(Query(str(path), text), name) for (name, path), text in zip(files, said, strict=True)]


def _of_texts(texts: Sequence[str] | TextsInJson) -> list[tuple[Query, str | None]]:
    given = texts.texts if isinstance(texts, TextsInJson) else texts
    return [(Query(None, text), None) for text in given]


def _fields(upload: Upload, *names: str) -> list[tuple[str, str]]:
    """Text fields; what should be a file and is none, or the other way round, is said.

    Raises:
        ProblemError: it is so.
    """
    if any(name in names for name, *_ in upload.files):
        raise ProblemError(422, f"the field {names[0]} came as a file; send it as text")
    return [(name, text) for name, text in upload.fields if name in names]


def _files(upload: Upload, field: str, *, least: int, most: int | None) -> list[tuple[str, Path]]:
    """Name and path of the files of a field.

    Raises:
        ProblemError: there are fewer or more than are taken.
    """
    if any(name == field for name, _ in upload.fields):
        raise ProblemError(
            422,
            f"the field {field} came as text; send it as a file, with a filename "
            f"(curl -F {field}=@…)",
        )
    files = [(name, path) for own, name, path in upload.files if own == field]
    if len(files) < least:
        raise ProblemError(422, f"no file came in the field {field}; send the recording there")
    if most is not None and len(files) > most:
        several = ", or several to /v1/batch" if field == "audio" else ""
        raise ProblemError(
            422, f"{len(files)} files came in the field {field}; send {most}{several}"
        )
    return files


def _ensure_count(count: int, most: int) -> None:
    if count == 0:
        raise ProblemError(422, "nothing came to be predicted; send recordings, texts or both")
    if count > most:
        raise ProblemError(
            413, f"{count} utterances came, one batch takes {most}; send them in several"
        )


def _named(answer: Answer, query: Query, name: str | None) -> Answer:
    """The answer about a recording under the client's name for it, without our path."""
    if query.audio is None or name is None:
        return answer
    if isinstance(answer, Failure):
        return replace(answer, audio=name, error=answer.error.replace(query.audio, name))
    return replace(answer, audio=name)


def _as_asked(answer: Answer, least: float | None, explain: bool) -> Answer:
    """The answer, unsure where it is less confident, and without what was not asked for."""
    if isinstance(answer, Failure):
        return answer
    told = answer.or_unsure(least)
    return told if explain else replace(told, contributions=None)


def _without(value: Any, path: str, name: str) -> Any:  # noqa: ANN401 - any JSON
    """JSON with the client's name for a recording wherever our path stands."""
    if isinstance(value, dict):
        return {key: _without(inner, path, name) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without(inner, path, name) for inner in value]
    return value.replace(path, name) if isinstance(value, str) else value


def _described(service: Service) -> dict[str, Any]:
    model = service.model
    return {
        "emotions": model.emotions.to_dict(),
        "sides": model.sides,
        "encoders": {
            side: [_public(card["name"]) for card in cards]
            for side, cards in model.makeup.cards.items()
        },
        "normalize": model.normalize,
        "context": model.context,
        "maeum": version("maeum"),
    }


def _public(name: str) -> str:
    """The name of an encoder; of a folder on this machine, its last part.

    >>> _public("/srv/models/wav2vec2"), _public("beomi/KcELECTRA-base-v2022")
    ('wav2vec2', 'beomi/KcELECTRA-base-v2022')
    """
    return Path(name).name if Path(name).is_absolute() else name


def _json(value: Any) -> Response:  # noqa: ANN401 - any JSON
    return JSONResponse(value, headers={"Cache-Control": "no-store"})
