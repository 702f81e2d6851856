"""Requests that a service has to refuse with a sentence: what strangers and broken clients send.

>>> first = next(malformed_uploads(0))
>>> first.kind, first.headers["Content-Type"].partition(";")[0]
('random_bytes', 'multipart/form-data')
"""

from __future__ import annotations

import io
import json
import struct
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from pathlib import Path
from zlib import compress

import numpy as np
import soundfile as sf
from numpy.random import Generator

from maeum.testing.dirt import DIRT, RATE_HZ, made_tone

BOUNDARY = "maeum-boundary-7d3a"

UNUSABLE = (
    "empty_file",
    "text_named_wav",
    "noise_named_mp3",
    "playlist_named_wav",
    "truncated_wav",
    "absurd_rate_wav",
    "zero_samples_wav",
    "too_short_wav",
    "silent_wav",
    "nan_wav",
    "unscaled_wav",
    "long_wav",
    "soundless_mp4",
    "cp949_csv",
    "undecodable_csv",
)
"""Of `DIRT`, files that are no utterance."""


@dataclass(frozen=True)
class MalformedUpload:
    """A request to `/v1/predict`.

    Attributes:
        kind: what is wrong with it.
        headers: to send.
        body: to send.
        refused: whether it must be; what was only damaged may still be heard.
    """

    kind: str
    headers: dict[str, str]
    body: bytes
    refused: bool = True


def multipart(
    *parts: tuple[str, bytes], boundary: str = BOUNDARY, ended: bool = True
) -> tuple[dict[str, str], bytes]:
    """Headers and body of a multipart request.

    Args:
        parts: (what stands in Content-Disposition after `form-data`, content).
        boundary: between parts.
        ended: False: as if it was cut off.
    """
    body = b"".join(
        b"--%s\r\nContent-Disposition: form-data%s\r\n\r\n%s\r\n"
        % (boundary.encode(), said.encode("utf-8", "surrogateescape"), content)
        for said, content in parts
    )
    if ended:
        body += b"--%s--\r\n" % boundary.encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body


def _file(data: bytes, name: str = "take.wav") -> tuple[str, bytes]:
    return f'; name="audio"; filename="{name}"', data


def _text(data: bytes) -> tuple[str, bytes]:
    return '; name="text"', data


def _heard(kind: str, data: bytes, *, refused: bool = True) -> MalformedUpload:
    """A well-formed request with a recording that is none."""
    return MalformedUpload(kind, *multipart(_file(data)), refused)


def _json(kind: str, body: bytes) -> MalformedUpload:
    return MalformedUpload(kind, {"Content-Type": "application/json"}, body)


@lru_cache(maxsize=1)
def _dirt() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return {name: DIRT[name](Path(folder)).read_bytes() for name in UNUSABLE}


@lru_cache(maxsize=8)
def _sound(kind: str) -> bytes:
    file = io.BytesIO()
    sf.write(file, made_tone(), RATE_HZ, format=kind)
    return file.getvalue()


def _wav_header(rng: Generator) -> bytes:
    """The tone under a header of random claims."""
    data = bytearray(_sound("WAV"))
    kind, channels = int(rng.integers(0, 4)), int(rng.choice([0, 9, 255, 65535]))
    rate_hz = int(rng.choice([0, 1, 999, 2**31, 2**32 - 1]))
    data[20:28] = struct.pack("<HHI", kind, channels, rate_hz)
    return bytes(data)


def _damaged(rng: Generator) -> bytes:
    """A recording with some bytes changed and its end missing."""
    data = bytearray(_sound(str(rng.choice(["WAV", "FLAC", "OGG"]))))
    for place in rng.integers(0, len(data), 20):
        data[place] = int(rng.integers(0, 256))
    return bytes(data[: int(rng.integers(1, len(data)))])


def _floats(rng: Generator) -> bytes:
    file = io.BytesIO()
    wave = made_tone()
    wave[int(rng.integers(0, len(wave)))] = rng.choice([np.nan, np.inf, -np.inf, 1e30])
    sf.write(file, wave, RATE_HZ, format="WAV", subtype="FLOAT")
    return file.getvalue()


@lru_cache(maxsize=1)
def _wide_flac() -> bytes:
    """Eight channels of silence at a rate that unfolds into gigabytes."""
    file = io.BytesIO()
    sf.write(file, np.zeros((655_350, 8), np.float32), 655_350, format="FLAC")
    return file.getvalue()


@lru_cache(maxsize=1)
def _zip_bomb() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("take.wav", bytes(20_000_000))
    return file.getvalue()


def _parts(rng: Generator) -> MalformedUpload:
    """Multipart bodies that are built wrongly."""
    tone = _sound("OGG")
    whole = multipart(_file(tone), _text("정말".encode()))
    cut = int(rng.integers(1, len(whole[1]) - 30))
    plain = {"Content-Type": "multipart/form-data"}
    made: dict[str, tuple[dict[str, str], bytes]] = {
        "cut_off": (whole[0], whole[1][:cut]),
        "no_end": multipart(_file(tone), ended=False),
        "no_boundary": (plain, whole[1]),
        "other_boundary": ({"Content-Type": "multipart/form-data; boundary=other"}, whole[1]),
        "long_boundary": ({"Content-Type": f"multipart/form-data; boundary={'b' * 999}"}, b"--"),
        "no_name": multipart(("", tone)),
        "no_disposition": (whole[0], f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode()),
        "two_recordings": multipart(_file(tone), _file(tone)),
        "strange_field": multipart(_file(tone), ('; name="sound"', b"1")),
        "audio_as_text": multipart(('; name="audio"', tone)),
        "text_as_file": multipart(('; name="text"; filename="t"', b"ok")),
        "huge_header": multipart((f'; name="audio"; filename="{"n" * 50_000}"', tone)),
        "many_parts": multipart(*[_text(b"x")] * 500),
        "no_parts": (whole[0], f"--{BOUNDARY}--\r\n".encode()),
        "nothing": (whole[0], b""),
    }
    kind = str(rng.choice(sorted(made)))
    return MalformedUpload(kind, *made[kind])


def _types(rng: Generator) -> MalformedUpload:
    """Bodies of other types, or none."""
    kinds = ("", "text/plain", "audio/wav", "application/xml", "multipart/mixed; boundary=x", "/;")
    stated = str(rng.choice(kinds))
    return MalformedUpload("type", {"Content-Type": stated} if stated else {}, _sound("OGG"))


def _texts(rng: Generator) -> MalformedUpload:
    """Texts that say nothing, too much, or are none."""
    spaces = " \u200b\u3000\t".encode()
    given = (b"\xff\xfe\xb0\xa1", "정말 기뻐".encode("cp949"), b"", spaces, "가".encode() * 5_000)
    return MalformedUpload("text", *multipart(_text(given[int(rng.integers(len(given)))])))


def _jsons(rng: Generator) -> MalformedUpload:
    """JSON that is none, or other than expected."""
    whole = json.dumps({"text": "정말", "audio_base64": b64encode(_sound("OGG")).decode()}).encode()
    given = (
        b"",
        b"{",
        b"null",
        b"[]",
        b"3",
        b'{"text": NaN}',
        b'{"text": 5}',
        b'{"text": ["x"]}',
        b'{"text": null}',
        b'{"sound": "x"}',
        b'{"text": "\\ud800"}',
        b'{"audio_base64": "no base64!"}',
        b'{"audio_base64": ""}',
        b'{"audio_base64": "AAAA"}',
        b'\xff\xfe{"text": "x"}',
        whole[: int(rng.integers(1, len(whole) - 1))],
        b"[" * 100_000,
        rng.bytes(200),
    )
    return _json("json", given[int(rng.integers(len(given)))])


KINDS: tuple[Callable[[Generator], MalformedUpload], ...] = (
    lambda rng: _heard("random_bytes", rng.bytes(int(rng.integers(1, 4_000)))),
    lambda rng: _heard("unusable", _dirt()[str(rng.choice(UNUSABLE))]),
    _parts,
    lambda rng: _heard("wav_header", _wav_header(rng)),
    lambda rng: _heard("damaged", _damaged(rng), refused=False),
    _jsons,
    lambda rng: _heard("floats", _floats(rng)),
    _types,
    lambda _: _heard("zip_bomb", _zip_bomb()),
    _texts,
    lambda _: _heard("wide_flac", _wide_flac()),
    lambda rng: _heard("deflated", compress(bytes(int(rng.integers(1, 1_000_000))))),
)
"""What is made, in turn."""


def malformed_uploads(seed: int) -> Iterator[MalformedUpload]:
    """Requests to `/v1/predict` without end, the same for the same seed."""
    rng = np.random.default_rng(seed)
    for place in count():
        yield KINDS[place % len(KINDS)](rng)
