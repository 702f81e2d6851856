"""Recordings in: headers, one channel or mono, at one rate, with a sentence for what is wrong.

`load` gives float32 samples in [-1, 1] from any stretch of any common format. What is broken is
an `AudioError`; what is merely silent is for `ensure_audible` to say, because in a corpus it is a
finding and not the end.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from maeum.corpus.archives import indirect, is_file
from maeum.corpus.decoding import AudioHeader, Recording, Samples, opened
from maeum.corpus.wav import HEAD_BYTES, wav_header
from maeum.errors import AudioError
from maeum.storage import files_below, is_far

__all__ = [
    "AUDIO_SUFFIXES",
    "MIN_DURATION_S",
    "SILENCE_DBFS",
    "AudioHeader",
    "clipped_share",
    "content_digest",
    "ensure_audible",
    "find_recordings",
    "level_dbfs",
    "load",
    "read_header",
]

AUDIO_SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".opus", ".mp3", ".webm", ".m4a", ".mp4", ".aac", ".3gp"}
)
"""Endings by which recordings are found in folders; a file named outright may have any."""

MIN_DURATION_S = 0.1
SILENCE_DBFS = -70.0
CLIPPED_FROM = 0.999
MOST_VALUES = 2**28
"""Samples times channels decoded at once: 1 GiB, or 4.6 hours of mono at 16 kHz."""
LOUDEST = 100.0
"""40 dB over full scale; beyond it samples were stored unscaled, as integers in a float file."""


def read_header(path: Path) -> AudioHeader:
    """Rate, channels and length of a recording, without decoding it.

    Raises:
        AudioError: it is missing, a folder, empty, no recording, or broken.
    """
    return _plain_header(path) or _decoders_header(path)


def _plain_header(path: Path) -> AudioHeader | None:
    """Of a plain wav; None for anything else, or nothing."""
    try:
        found = indirect(path)
        if found is not None:
            return wav_header(found.head(HEAD_BYTES), found.size)
        if not path.is_file():  # opening a pipe would wait for who writes to it
            return None
        with path.open("rb", buffering=0) as file:
            return wav_header(file.read(HEAD_BYTES), os.fstat(file.fileno()).st_size)
    except (OSError, ValueError):
        return None  # the decoder says in a sentence what is wrong


def _decoders_header(path: Path) -> AudioHeader:
    with opened(path) as recording:
        return recording.header


def load(
    path: Path,
    *,
    rate_hz: int,
    channel: int | None = None,
    start_s: float = 0.0,
    duration_s: float | None = None,
    max_duration_s: float | None = None,
) -> NDArray[np.float32]:
    """Samples of a recording or a stretch of it.

    Args:
        path: the recording.
        rate_hz: samples per second of the result.
        channel: which channel, from 0; None: the mean of all.
        start_s: where the stretch begins, in seconds.
        duration_s: length of the stretch, cut at the end of the recording; None: to the end.
        max_duration_s: a longer stretch is an error, found before anything is decoded where the
            header tells; None: as much as memory bears.

    Returns:
        (sample,) in [-1, 1].

    Raises:
        AudioError: the recording is missing or broken, has no such channel or stretch, is too
            short or too long, or holds samples that are no numbers.
    """
    stretch = _Stretch(start_s, duration_s, max_duration_s)
    _ensure_possible(path, stretch)
    with opened(path) as recording:
        recorded_hz = recording.header.rate_hz
        _ensure_channel(path, recording.header.channels, channel)
        samples = _read(path, recording, stretch)
    _ensure_long_enough(path, len(samples) / recorded_hz, start_s)
    picked = samples if channel is None else samples[:, channel : channel + 1]
    _ensure_numbers(path, picked)
    return _resampled(picked.mean(axis=1), recorded_hz, rate_hz)


@dataclass(frozen=True)
class _Stretch:
    """The part of a recording that is asked for; None: to the end, as much as memory bears."""

    start_s: float
    duration_s: float | None
    max_duration_s: float | None


def _ensure_possible(path: Path, stretch: _Stretch) -> None:
    starts = 0 <= stretch.start_s < np.inf
    lasts = stretch.duration_s is None or 0 < stretch.duration_s < np.inf
    if not (starts and lasts):
        raise AudioError(
            f"{path}: no stretch begins at {stretch.start_s} s and lasts {stretch.duration_s} s; "
            "begin at 0 s or later and ask for more than 0 s"
        )


def _ensure_channel(path: Path, channels: int, channel: int | None) -> None:
    if channel is not None and not 0 <= channel < channels:
        raise AudioError(
            f"{path} has no channel {channel}: it has {channels}, counted from 0; "
            "name one of them or none for the mean of all"
        )


def _read(path: Path, recording: Recording, stretch: _Stretch) -> Samples:
    """The stretch as recorded; refused by its header where that tells, else as it is decoded."""
    header, rate_hz = recording.header, recording.header.rate_hz
    most = MOST_VALUES // header.channels
    if stretch.max_duration_s is not None:
        most = min(most, round(stretch.max_duration_s * rate_hz))
    enough_to_tell = most + rate_hz
    asked = None if stretch.duration_s is None else round(stretch.duration_s * rate_hz)
    stated = round((header.duration_s - stretch.start_s) * rate_hz)
    _ensure_no_longer(path, stated if asked is None else min(stated, asked), most, rate_hz)
    count = enough_to_tell if asked is None else min(asked, enough_to_tell)
    samples = recording.read(round(stretch.start_s * rate_hz), count)
    _ensure_no_longer(path, len(samples), most, rate_hz)
    return samples


def _ensure_no_longer(path: Path, count: int, most: int, rate_hz: int) -> None:
    if count > most:
        raise AudioError(
            f"{path} is too long: at least {_spoken(count / rate_hz)}, where one utterance may "
            f"last {_spoken(most / rate_hz)}; cut it into utterances, or follow it "
            "over time with `maeum timeline`"
        )


def _spoken(duration_s: float) -> str:
    """A length as one says it: `4.2 s`, `182 min`."""
    return f"{duration_s:.3g} s" if duration_s < 120 else f"{duration_s / 60:.0f} min"


def _ensure_long_enough(path: Path, duration_s: float, start_s: float) -> None:
    if duration_s < MIN_DURATION_S:
        where = f" from {start_s:g} s on" if start_s else ""
        raise AudioError(
            f"{path} gives {duration_s:.2f} s of sound{where}, an utterance needs at least "
            f"{MIN_DURATION_S:g} s; check how it was recorded or cut"
        )


def _ensure_numbers(path: Path, samples: Samples) -> None:
    peak = float(np.abs(samples).max())
    if not np.isfinite(peak):
        raise AudioError(
            f"{path} holds samples that are no numbers (NaN or infinite), where sound lies "
            "between -1 and 1; export it again as 16-bit wav"
        )
    if peak > LOUDEST:
        raise AudioError(
            f"{path} reaches {peak:,.0f}, where full scale is 1; "
            "divide its samples by full scale or export it as 16-bit wav"
        )


def _resampled(wave: NDArray[np.float32], from_hz: int, to_hz: int) -> NDArray[np.float32]:
    """The same duration at another rate, to the nearest sample, within full scale."""
    count = round(len(wave) * to_hz / from_hz)
    moved = wave if from_hz == to_hz else soxr.resample(wave, from_hz, to_hz, quality="HQ")
    fitted = np.zeros(count, np.float32)
    fitted[: len(moved)] = moved[:count]
    return fitted.clip(-1, 1)


def ensure_audible(wave: NDArray[np.float32], name: str) -> None:
    """Say so where nobody can be heard.

    Args:
        wave: (sample,) in [-1, 1].
        name: of the recording, for the message.

    Raises:
        AudioError: the level is under `SILENCE_DBFS`.
    """
    level = level_dbfs(wave)
    if level < SILENCE_DBFS:
        raise AudioError(
            f"{name} is silent: its level is {level:.0f} dBFS, speech has more than "
            f"{SILENCE_DBFS:.0f}; check the microphone, or choose another channel"
        )


def level_dbfs(wave: NDArray[np.float32]) -> float:
    """Root mean square in decibels; 0 is a square wave at full scale, a constant is silence.

    >>> round(level_dbfs(np.float32([0.1, -0.1])))
    -20
    >>> level_dbfs(np.float32([0.5, 0.5]))
    -inf
    """
    spread = float(wave.std(dtype=np.float64)) if wave.size else 0.0
    return 20 * math.log10(spread) if spread > 0 else -math.inf


def clipped_share(wave: NDArray[np.float32]) -> float:
    """Share of the samples at full scale, in [0, 1].

    >>> clipped_share(np.float32([1, 0.5, -1, 0]))
    0.5
    """
    return float((np.abs(wave) >= CLIPPED_FROM).mean()) if wave.size else 0.0


def content_digest(wave: NDArray[np.float32]) -> str:
    """What the samples are, as 32 hexadecimal digits; equal for equal sound under other names.

    Quantised to 16 bit, so that a wav and its lossless copy agree.
    """
    quantised = np.round(wave * 32768).clip(-32768, 32767).astype("<i2")
    return blake2b(quantised.tobytes(), digest_size=16).hexdigest()


def find_recordings(paths: Sequence[Path]) -> list[Path]:
    """Recordings among files and folders.

    Args:
        paths: files stay as they are, existing or not, so that each can be reported by itself;
            a folder gives the recordings anywhere below it, sorted, hidden files left out.

    Raises:
        AudioError: a folder holds no recording.
    """
    return [
        found
        for path in paths
        for found in (_recordings_below(path) if _is_folder(path) else [path])
    ]


def _is_folder(path: Path) -> bool:
    return not is_file(path) if is_far(path) else path.is_dir()


def _recordings_below(folder: Path) -> list[Path]:
    found = sorted(_audio_files(folder))
    if not found:
        raise AudioError(
            f"{folder} holds no recording; expected files ending in "
            f"{', '.join(sorted(AUDIO_SUFFIXES))} in it or below"
        )
    return found


def _audio_files(folder: Path) -> Iterator[Path]:
    if is_far(folder):
        yield from (folder / name for name, _ in files_below(folder) if _is_audio(Path(name).name))
        return
    for below, _, names in os.walk(folder):
        for name in names:
            if _is_audio(name):
                yield Path(below, name)


def _is_audio(name: str) -> bool:
    return not name.startswith(".") and Path(name).suffix.lower() in AUDIO_SUFFIXES
