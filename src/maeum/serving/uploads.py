"""Bodies of requests as what is asked: multipart, streamed to the disk, or JSON.

Neither names nor types that a client states decide anything; what a recording is, its bytes say.
"""

from __future__ import annotations

import asyncio
import binascii
import re
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from maeum.corpus.transcripts import Cue, read_transcript, suffix_of
from maeum.serving.limits import MB, Limits
from maeum.serving.problems import CLIENT_LEFT, ProblemError, too_large

UNNAMED = "recording"
"""What a recording goes by that came without a name."""

_LONGEST_NAME = 255
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_BYTES_OF_A_CHAR = 4  # in UTF-8, at most
_FRAMING_CHARS = 1_000  # spaces around a text, which cleaning takes away


@dataclass
class Upload:
    """What came with a request.

    Attributes:
        files: (field, name as the client has it, path of ours), in order.
        fields: (field, text), in order.
    """

    files: list[tuple[str, str, Path]] = field(default_factory=list)
    fields: list[tuple[str, str]] = field(default_factory=list)

    def only(self, *known: str) -> Upload:
        """Itself, if it has no other fields.

        Raises:
            ProblemError: it has.
        """
        names = [name for name, *_ in self.files] + [name for name, _ in self.fields]
        if strange := sorted({_shown(name) for name in names} - set(known)):
            raise ProblemError(
                422, f"the field {strange[0]!r} is not known here; send {' or '.join(known)}"
            )
        return self


class AskedInJson(BaseModel):
    """One utterance in JSON.

    Attributes:
        text: what was said.
        audio_base64: the bytes of a recording, in base64.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str | None = None
    audio_base64: str | None = None


class TextsInJson(BaseModel):
    """Several texts in JSON.

    Attributes:
        texts: what was said, one utterance each.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    texts: list[str]


@asynccontextmanager
async def own_folder(below: Path) -> AsyncIterator[Path]:
    """A folder for what one request sends, removed with all that is in it."""
    folder = Path(mkdtemp(dir=below))
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)


async def uploaded(request: Request, folder: Path, limits: Limits) -> Upload:
    """What a multipart request sends, its files in a folder.

    Raises:
        ProblemError: it is malformed, too large or too slow.
    """
    try:
        reading = _Reading(_boundary(request), folder, limits)
        with closing(reading):
            async with asyncio.timeout(limits.upload_timeout_s):
                async for chunk in request.stream():
                    reading.take(chunk)
        return reading.ended()
    except TimeoutError:
        raise _too_slow(limits) from None
    except ClientDisconnect:
        raise ProblemError(CLIENT_LEFT, "the client went") from None
    except FormParserError as error:
        raise ProblemError(
            400, f"the body is no multipart/form-data ({_reason(error)}); check how it is built"
        ) from None


async def json_of(request: Request, limits: Limits, kind: Any) -> Any:  # noqa: ANN401 - any model
    """What a JSON request sends, checked.

    Args:
        request: whose body is JSON.
        limits: of its size.
        kind: what pydantic is to make of it.

    Raises:
        ProblemError: it is malformed, not as expected, too large or too slow.
    """
    data = bytearray()
    try:
        async with asyncio.timeout(limits.upload_timeout_s):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limits.max_json_bytes:
                    raise too_large(limits.max_json_bytes)
    except TimeoutError:
        raise _too_slow(limits) from None
    except ClientDisconnect:
        raise ProblemError(CLIENT_LEFT, "the client went") from None
    try:
        return TypeAdapter(kind).validate_json(bytes(data))
    except ValidationError as error:
        raise _unexpected(error) from None


def written(encoded: str, folder: Path) -> Path:
    """A recording that came in base64, as a file.

    Raises:
        ProblemError: it is no base64.
    """
    try:
        data = b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ProblemError(
            422, "audio_base64 is no base64; send the bytes of the recording in base64, unbroken"
        ) from None
    path = folder / "json"
    path.write_bytes(data)
    return path


def timed_words(path: Path, limits: Limits) -> tuple[Cue, ...]:
    """The cues of a transcript, of the kind that its content says.

    Raises:
        ProblemError: it is too large.
        TextError: it is no transcript.
    """
    if path.stat().st_size > limits.max_transcript_bytes:
        most = limits.max_transcript_bytes / MB
        raise ProblemError(
            413, f"the transcript has more than {most:g} MB, which is all that is taken"
        )
    return read_transcript(path, suffix_of(path))


def media_type(request: Request) -> str:
    """What the request says its body is, without parameters, lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _boundary(request: Request) -> bytes:
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not boundary:
        raise ProblemError(
            400, "the header Content-Type names no boundary; let the client's library set it"
        )
    return boundary


class _Reading:
    """A multipart body being read, each file straight to the disk."""

    def __init__(self, boundary: bytes, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._upload = Upload()
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._name, self._parts, self._complete = "", 0, False
        self._text: bytearray | None = None
        self._file: IO[bytes] | None = None
        callbacks: dict[str, Callable[..., None]] = {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._open_part,
            "on_part_data": self._add,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    def take(self, chunk: bytes) -> None:
        """Read on."""
        self._parser.write(chunk)

    def ended(self) -> Upload:
        """What came.

        Raises:
            ProblemError: the end is missing.
        """
        if not self._complete:
            raise ProblemError(
                400,
                "the multipart body ends before its last boundary; it was cut off, send it again",
            )
        return self._upload

    def close(self) -> None:
        """Let go of a file that was not read to its end."""
        if self._file is not None:
            self._file.close()

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > self._limits.max_parts:
            raise ProblemError(
                413, f"the body has more than the {self._limits.max_parts} parts taken; send fewer"
            )
        self._headers = {}

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _open_part(self) -> None:
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        if kind != b"form-data" or b"name" not in options:
            raise ProblemError(
                400,
                "a part of the body has no header Content-Disposition: form-data with a name; "
                "name it audio or text",
            )
        self._name = _text(options[b"name"], "the name of a field")
        if b"filename" in options:
            name = display_name(options[b"filename"])
            path = self._folder / str(len(self._upload.files))
            self._file = path.open("wb")
            self._upload.files.append((self._name, name, path))
        else:
            self._text = bytearray()

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._file is not None:
            self._file.write(data[start:end])
        elif self._text is not None:
            self._text += data[start:end]
            most = (self._limits.max_text_chars + _FRAMING_CHARS) * _BYTES_OF_A_CHAR
            if len(self._text) > most:
                raise too_large(most, whole=False)

    def _end_part(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        elif self._text is not None:
            said = _text(bytes(self._text), f"the field {_shown(self._name)!r}")
            self._upload.fields.append((self._name, said))
            self._text = None

    def _end(self) -> None:
        self._complete = True


def display_name(stated: bytes) -> str:
    r"""The name a client has for a recording: its last part, printable, and never a path.

    >>> display_name("C:\\calls\\울음\n.wav".encode())
    '울음.wav'
    >>> display_name(b"../../etc/passwd"), display_name(b" ")
    ('passwd', 'recording')
    """
    name = re.split(r"[/\\]", stated.decode("utf-8", errors="replace"))[-1]
    return _CONTROLS.sub("", name).strip()[:_LONGEST_NAME] or UNNAMED


def _text(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ProblemError(400, f"{what} is not UTF-8; send text in UTF-8") from None


def _shown(name: str) -> str:
    """A client's name for something, short enough for a sentence."""
    return _CONTROLS.sub("", name)[:40]


def _too_slow(limits: Limits) -> ProblemError:
    return ProblemError(
        408,
        f"the body did not arrive within {limits.upload_timeout_s:g} s; send a smaller one",
    )


def _reason(error: Exception) -> str:
    return _CONTROLS.sub("", " ".join(str(error).split()))[:120]


def _unexpected(error: ValidationError) -> ProblemError:
    """400 where it is no JSON, 422 where it is other JSON than expected."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(_shown(str(part)) for part in first["loc"])
    said = _CONTROLS.sub("", first["msg"])[:200]
    if first["type"] == "json_invalid":
        return ProblemError(400, f'the body is no JSON ({said}); send an object like {{"text": …}}')
    at = f" at {where}" if where else ""
    return ProblemError(422, f"the JSON is not as expected{at} ({said}); /docs shows what is")
