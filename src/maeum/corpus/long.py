"""Long recordings: gone through piece by piece, in memory that does not grow with their length."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from maeum.corpus.decoding import AudioHeader, Recording, Samples, opened
from maeum.errors import AudioError

PIECE_S = 10.0
"""Decoded at once."""

LONGEST_S = 24 * 3600.0
"""A day: what a header is believed."""


@contextmanager
def at_hand(path: Path) -> Iterator[Path]:
    """The recording where any stretch of it is read at once: itself, or a copy that is gone after.

    Mp3, what phones and browsers write, and what lies in a zip is decoded from its beginning on;
    a copy as 24-bit flac keeps the samples apart by 1e-7 and jumps.

    Args:
        path: of the recording.

    Raises:
        AudioError: it is missing, broken, or longer than `LONGEST_S`.
        OSError: the disk has no room for the copy.
    """
    with opened(path) as recording:
        _ensure_bearable(path, recording.header)
        if recording.jumps:
            yield path
            return
        with TemporaryDirectory(prefix="maeum-") as folder:
            copy = Path(folder) / f"{path.stem or 'recording'}.flac"
            _write(recording, copy)
            yield copy


def _ensure_bearable(path: Path, header: AudioHeader) -> None:
    if header.duration_s > LONGEST_S:
        raise AudioError(
            f"{path} lasts {header.duration_s / 3600:.0f} h, where a recording may last "
            f"{LONGEST_S / 3600:.0f}; cut it into days"
        )


def _write(recording: Recording, to: Path) -> None:
    header = recording.header
    left = round(LONGEST_S * header.rate_hz)
    with sf.SoundFile(to, "w", header.rate_hz, header.channels, "PCM_24") as file:
        for piece in recording.stream(round(PIECE_S * header.rate_hz)):
            file.write(piece.clip(-1, 1))
            left -= len(piece)
            if left < 0:
                raise AudioError(f"{to.stem} lasts more than {LONGEST_S / 3600:.0f} h; cut it")


def pieces(path: Path) -> Iterator[Samples]:
    """A recording from its beginning to its end, (sample, channel), `PIECE_S` at a time.

    Raises:
        AudioError: it is missing or broken, or holds samples that are no numbers.
    """
    with opened(path) as recording:
        for piece in recording.stream(round(PIECE_S * recording.header.rate_hz)):
            if not np.isfinite(piece).all():
                raise AudioError(
                    f"{path} holds samples that are no numbers (NaN or infinite), where sound lies "
                    "between -1 and 1; export it again as 16-bit wav"
                )
            yield piece


class AtRate:
    """One channel of a recording, or the mean of all, at another rate, piece by piece.

    Args:
        channel: from 0; None: the mean of all.
        from_hz: rate of what is given.
        to_hz: rate of what comes out.
    """

    def __init__(self, channel: int | None, from_hz: int, to_hz: int) -> None:
        self._channel = channel
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32")

    def __call__(self, piece: Samples, *, last: bool = False) -> NDArray[np.float32]:
        """(sample,), what comes out so far.

        Args:
            piece: (sample, channel), the next ones.
            last: whether nothing follows.
        """
        one = piece.mean(axis=1) if self._channel is None else piece[:, self._channel]
        return self._stream.resample_chunk(np.ascontiguousarray(one, np.float32), last=last)
