"""What goes in and comes out of each route, as the OpenAPI document has it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field

from maeum.serving.problems import MEDIA_TYPE, PROBLEM_SCHEMA


class PredictionAnswer(BaseModel):
    """What was felt in one utterance.

    Attributes:
        audio: the recording, by the name it came with.
        text: what was said, as it came.
        emotion: the most probable one.
        confidence: its probability.
        probabilities: every emotion's, summing to 1.
        modalities: what the answer rests on.
        contributions: what each of them adds to the confidence, where that was asked for.
    """

    audio: str | None = Field(description="The recording, by the name it came with.")
    text: str | None = Field(description="What was said, as it came.")
    emotion: str = Field(description="The most probable one.")
    confidence: float = Field(ge=0, le=1, description="Its probability.")
    probabilities: dict[str, float] = Field(description="Every emotion's, summing to 1.")
    modalities: list[str] = Field(description="What the answer rests on: speech, text or both.")
    contributions: dict[str, float] | None = Field(
        None, description="What each of them adds to the confidence, where that was asked for."
    )


class FailureAnswer(BaseModel):
    """Why there is no answer for one utterance.

    Attributes:
        audio: the recording, by the name it came with.
        text: what was said, as it came.
        error: a sentence.
    """

    audio: str | None = None
    text: str | None = None
    error: str


class EmotionAnswer(BaseModel):
    """One emotion.

    Attributes:
        name: English.
        korean: Korean.
        colour: in hexadecimal.
    """

    name: str
    korean: str
    colour: str


class ModelAnswer(BaseModel):
    """What answers.

    Attributes:
        emotions: that it tells apart.
        sides: that it takes.
        encoders: side -> their names.
        normalize: what is done to recordings or their features.
        context: previous utterances of a dialogue that it was trained to look at.
        maeum: version.
    """

    emotions: list[EmotionAnswer]
    sides: list[str]
    encoders: dict[str, list[str]]
    normalize: str
    context: int
    maeum: str


_FILE = {"type": "string", "format": "binary", "description": "A recording of up to 60 s."}
_TEXT = {"type": "string", "description": "What was said."}


def _problems(**said: str) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": PROBLEM_SCHEMA}}
    return {
        int(name.removeprefix("on_")): {"description": words, "content": content}
        for name, words in said.items()
    }


_REFUSED = _problems(
    on_400="The body is malformed.",
    on_401="No key that is known came.",
    on_408="The body did not arrive in time.",
    on_413="The body is too large.",
    on_415="The body is of another type.",
    on_422="The recording or the text cannot be used.",
    on_503="The queue is full; Retry-After says when to come again.",
    on_504="The answer took too long.",
)
_LOOKED = _problems(on_401="No key that is known came.")


def _body(**content: dict[str, Any]) -> dict[str, Any]:
    types = {"form": "multipart/form-data", "json": "application/json"}
    made = {types[kind]: {"schema": schema} for kind, schema in content.items()}
    return {"requestBody": {"required": True, "content": made}}


def _fields(required: tuple[str, ...] = (), **properties: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": properties}
    return {**schema, "additionalProperties": False, "required": list(required)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


_BASE64 = {"type": "string", "format": "byte", "description": "A recording, in base64."}
_MAYBE = [{"type": "null"}]

PREDICT: dict[str, Any] = {
    "tags": ["answers"],
    "response_model": PredictionAnswer,
    "responses": _REFUSED,
    "openapi_extra": _body(
        form={
            **_fields(audio=_FILE, text=_TEXT),
            "anyOf": [{"required": ["audio"]}, {"required": ["text"]}],
        },
        json={
            **_fields(text={"anyOf": [_TEXT, *_MAYBE]}, audio_base64={"anyOf": [_BASE64, *_MAYBE]}),
            "anyOf": [{"required": ["text"]}, {"required": ["audio_base64"]}],
        },
    ),
}
BATCH: dict[str, Any] = {
    "tags": ["answers"],
    "response_model": list[PredictionAnswer | FailureAnswer],
    "responses": _REFUSED,
    "openapi_extra": _body(
        form=_fields(audio=_list(_FILE), texts=_list(_TEXT)),
        json={"anyOf": [_list(_TEXT), _fields(("texts",), texts=_list(_TEXT))]},
    ),
}
TIMELINE: dict[str, Any] = {
    "tags": ["answers"],
    "response_model": dict[str, Any],
    "responses": {**_REFUSED, **_problems(on_501="What finds speech is not installed.")},
    "openapi_extra": _body(
        form=_fields(("audio",), audio={**_FILE, "description": "A recording of any length."})
    ),
}
MODEL: dict[str, Any] = {
    "tags": ["service"],
    "response_model": ModelAnswer,
    "responses": _LOOKED,
}
READY: dict[str, Any] = {
    "tags": ["service"],
    "responses": _problems(on_503="It is loading its model, or stopping."),
}
