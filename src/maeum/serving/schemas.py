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


class SegmentAnswer(BaseModel):
    """A stretch of speech and what was felt in it.

    Attributes:
        start_s: where it begins, in seconds from the beginning of the recording.
        end_s: where it ends.
        channel: from 0; null: the mean of all.
        text: what is said there, where that is known.
        emotion: the most probable one.
        confidence: its probability.
        probabilities: every emotion's, smoothed as far as that was asked for.
        modalities: what the answer rests on.
        alone: every emotion's probability by this segment's own sound and words.
    """

    start_s: float = Field(ge=0)
    end_s: float = Field(ge=0)
    channel: int | None = Field(description="From 0; null: the mean of all.")
    text: str | None
    emotion: str
    confidence: float = Field(ge=0, le=1)
    probabilities: dict[str, float] = Field(description="Smoothed over the neighbours.")
    modalities: list[str]
    alone: dict[str, float] = Field(description="By the segment's own sound and words.")


class UnusedAnswer(BaseModel):
    """A stretch of speech that gave no answer.

    Attributes:
        start_s: where it begins, in seconds from the beginning of the recording.
        end_s: where it ends.
        channel: from 0; null: the mean of all.
        error: a sentence.
    """

    start_s: float
    end_s: float
    channel: int | None
    error: str


class TimelineAnswer(BaseModel):
    """What was felt when in a long recording.

    Attributes:
        audio: the recording, by the name it came with.
        duration_s: its length in seconds.
        emotions: that were told apart.
        smooth_s: how far segments looked around, in seconds.
        segments: what was answered, by time.
        unused: what was not.
    """

    audio: str
    duration_s: float
    emotions: list[str]
    smooth_s: float
    segments: list[SegmentAnswer]
    unused: list[UnusedAnswer]


_FILE = {"type": "string", "format": "binary", "description": "A recording of up to 60 s."}
_LONG = {**_FILE, "description": "A recording of any length."}
_TIMED = {**_FILE, "description": "What is said when: srt, vtt, or JSON."}
_TEXT = {"type": "string", "description": "What was said."}
_BASE64 = {"type": "string", "format": "byte", "description": "A recording, in base64."}


def _fields(
    description: str, required: tuple[str, ...] = (), **properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "additionalProperties": False,
        "required": list(required),
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


COMPONENTS: dict[str, dict[str, Any]] = {
    "Problem": PROBLEM_SCHEMA,
    "UtteranceForm": _fields("A recording, a text, or both.", audio=_FILE, text=_TEXT),
    "Utterance": _fields(
        "A text, a recording, or both.", text=_or_null(_TEXT), audio_base64=_or_null(_BASE64)
    ),
    "BatchForm": _fields(
        "Recordings, texts, or as many of both.", audio=_list(_FILE), texts=_list(_TEXT)
    ),
    "Texts": _fields(
        "Texts, one utterance each; a bare list of them is taken, too.",
        ("texts",),
        texts=_list(_TEXT),
    ),
    "TimelineForm": _fields(
        "A recording, and what is said in it where that is known.",
        ("audio",),
        audio=_LONG,
        transcript=_TIMED,
    ),
}
"""What bodies are called in the document, beside the answers; generated clients go by these."""


def _called(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _problems(**said: str) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPE: {"schema": _called("Problem")}}
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


PREDICT: dict[str, Any] = {
    "tags": ["answers"],
    "response_model": PredictionAnswer,
    "responses": _REFUSED,
    "openapi_extra": _body(form=_called("UtteranceForm"), json=_called("Utterance")),
}
BATCH: dict[str, Any] = {
    "tags": ["answers"],
    "response_model": list[PredictionAnswer | FailureAnswer],
    "responses": _REFUSED,
    "openapi_extra": _body(form=_called("BatchForm"), json=_called("Texts")),
}
TIMELINE: dict[str, Any] = {
    "tags": ["answers"],
    "response_model": TimelineAnswer,
    "responses": {**_REFUSED, **_problems(on_501="What finds speech is not installed.")},
    "openapi_extra": _body(form=_called("TimelineForm")),
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
