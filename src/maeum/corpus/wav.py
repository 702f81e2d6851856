"""The header of a plain wav, from the first bytes of its file: a fiftieth of what opening it costs.

Half a million headers are read when a large corpus is imported. What is not plain (other samples
than PCM or float, a length that does not fit the file, chunks that come late) is left to a decoder.
"""

from __future__ import annotations

import struct

from maeum.corpus.decoding import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, AudioHeader

HEAD_BYTES = 1024
"""Enough of a file for its chunks before the samples, where it is plain."""

_PCM, _FLOAT = 1, 3


def wav_header(head: bytes, size: int) -> AudioHeader | None:
    """What a plain wav states; None where a decoder has to look.

    Args:
        head: the first `HEAD_BYTES` of the file, or all of it.
        size: bytes of the whole file.

    >>> form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
    >>> wave = b"RIFF" + bytes(4) + b"WAVE" + form + struct.pack("<4sI", b"data", 8_000)
    >>> wav_header(wave, len(wave) + 8_000)
    AudioHeader(rate_hz=16000, channels=1, duration_s=0.25)
    >>> wav_header(wave, len(wave)) is None  # samples are missing
    True
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WAVE":
        return None
    place, form = 12, None
    while place + 8 <= len(head):
        name, length = struct.unpack_from("<4sI", head, place)
        place += 8
        if name == b"data":
            fits = form is not None and place + length <= size
            return _header(form, length) if fits and form is not None else None
        if name == b"fmt " and place + 16 <= len(head):
            form = head[place : place + 16]
        place += length + length % 2
    return None


def _header(form: bytes, length: int) -> AudioHeader | None:
    kind, channels, rate_hz, _, frame_bytes, bits = struct.unpack("<HHIIHH", form)
    plain = kind in (_PCM, _FLOAT) and channels > 0 and frame_bytes == channels * bits // 8 > 0
    if not plain or not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_RATE_HZ:
        return None
    return AudioHeader(rate_hz, channels, length // frame_bytes / rate_hz)
