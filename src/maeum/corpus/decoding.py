"""Opening recordings of any common format; the content decides which, never the file's name.

soundfile reads wav, flac and ogg and jumps to a stretch; PyAV reads mp3 and what browsers and
phones write (webm, m4a, mp4, aac, 3gp), from the beginning on. Neither's exceptions get out, what
a header says is only believed where it is plausible, and no file can name another to be opened.
A recording may lie in a zip or elsewhere (`archives`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import IO, TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from maeum.corpus.archives import NOT_TO_BE_HAD, indirect
from maeum.errors import AudioError

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

Samples: TypeAlias = NDArray[np.float32]
"""(sample, channel), full scale is 1."""

FORMATS = "wav, flac, ogg, mp3, webm, m4a, mp4, aac or 3gp"
LOWEST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 768_000
BELIEVABLE_S = 24 * 3600
"""A header that says more does not know its length: streams state the highest number there is."""

_UNRECOGNISED = 1  # libsndfile: SF_ERR_UNRECOGNISED_FORMAT
_DEMUXERS = "mov,matroska,webm,aac,mp3,ogg,wav,flac,avi,amr"  # none that opens what a file names
_GUESSED_LENGTH = frozenset({"aac", "mp3"})  # from the bit rate, where no index says better
_PADDING_S = 0.25  # codecs fill up their first and last packets


@dataclass(frozen=True)
class AudioHeader:
    """What is known of a recording before it is decoded.

    Attributes:
        rate_hz: samples per second, as recorded.
        channels: how many, at least 1.
        duration_s: length in seconds as the file states it; 0 where it holds no samples.
    """

    rate_hz: int
    channels: int
    duration_s: float


class Recording(Protocol):
    """An open recording."""

    @property
    def header(self) -> AudioHeader:
        """Rate, channels and length."""

    def read(self, first: int, count: int) -> Samples:
        """Up to `count` samples from sample `first` on, fewer where the recording ends."""

    @property
    def jumps(self) -> bool:
        """Whether a stretch is read without what lies before it."""

    def stream(self, count: int) -> Iterator[Samples]:
        """All of it from the beginning on, `count` samples at a time, the last ones fewer; once."""

    def close(self) -> None:
        """Let go of the decoder."""


@contextmanager
def opened(path: Path) -> Iterator[Recording]:
    """The recording at `path`, open for reading.

    Raises:
        AudioError: it is missing, a folder, empty, no recording, or broken.
    """
    with _file(path) as file, closing(_recognised(path, file)) as recording:
        _ensure_plausible(path, recording.header)
        yield recording


def _file(path: Path) -> IO[bytes]:
    """The bytes of a recording, on the disk, inside a zip, or elsewhere."""
    try:
        found = indirect(path)
        if found is not None:
            _ensure_bytes(path, found.size)
            return found.open()
    except NOT_TO_BE_HAD as error:
        raise AudioError(str(error)) from error
    _ensure_file(path)
    try:
        return path.open("rb")
    except OSError as error:
        raise AudioError(f"{path} cannot be opened ({error.strerror}); check its rights") from error


def _ensure_file(path: Path) -> None:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise AudioError(f"{path} does not exist; check the path of the recording") from error
    if S_ISDIR(status.st_mode):
        raise AudioError(f"{path} is a folder, not a recording; name the files in it")
    if not S_ISREG(status.st_mode):
        raise AudioError(f"{path} is no plain file; save the recording to a file first")
    _ensure_bytes(path, status.st_size)


def _ensure_bytes(path: Path, size: int) -> None:
    if size == 0:
        raise AudioError(f"{path} is empty (0 bytes) where a recording was expected; copy it again")


def _recognised(path: Path, file: IO[bytes]) -> Recording:
    """What the first decoder that knows the content makes of it."""
    try:
        return _SoundFileRecording(path, file)
    except sf.LibsndfileError as refusal:
        reason = None if refusal.code == _UNRECOGNISED else refusal.error_string.rstrip(".")
    except (_MisreadError, TypeError):  # TypeError: soundfile takes `.raw` for headerless
        reason = None
    file.seek(0)
    return _ContainerRecording(path, file, reason)


def _ensure_plausible(path: Path, header: AudioHeader) -> None:
    if not LOWEST_RATE_HZ <= header.rate_hz <= HIGHEST_RATE_HZ:
        raise AudioError(
            f"{path} states a rate of {header.rate_hz:,} Hz, recordings have {LOWEST_RATE_HZ:,} "
            f"to {HIGHEST_RATE_HZ:,} Hz; its header is broken, export it again"
        )


@contextmanager
def _naming(path: Path, kinds: type[Exception], reason: str | None = None) -> Iterator[None]:
    """Turn a decoder's exceptions into one sentence about the file."""
    try:
        yield
    except kinds as error:
        said = reason or getattr(error, "strerror", None) or str(error).rstrip(".")
        raise AudioError(
            f"{path} is no recording or a broken one ({said}); give {FORMATS}, or export it again"
        ) from error


class _MisreadError(Exception):
    """The format is known to soundfile but PyAV reads it better."""


class _SoundFileRecording:
    """Wav, flac and ogg."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self._path = path
        self._file = sf.SoundFile(file)
        self.header = AudioHeader(
            rate_hz=self._file.samplerate,
            channels=self._file.channels,
            duration_s=self._file.frames / self._file.samplerate,
        )
        misses_samples = self._file.format == "MP3"  # when it seeks
        if misses_samples or self.header.duration_s > BELIEVABLE_S:
            raise _MisreadError

    def read(self, first: int, count: int) -> Samples:
        """See `Recording`."""
        with _naming(self._path, sf.SoundFileError):
            self._file.seek(min(first, self._file.frames))
            samples: Samples = self._file.read(count, dtype="float32", always_2d=True)
        return samples

    @property
    def jumps(self) -> bool:
        """See `Recording`."""
        return self._path.is_file()  # in a zip all that lies before is unpacked

    def stream(self, count: int) -> Iterator[Samples]:
        """See `Recording`."""
        with _naming(self._path, sf.SoundFileError):
            self._file.seek(0)
            while len(samples := self._file.read(count, dtype="float32", always_2d=True)):
                yield samples

    def close(self) -> None:
        """See `Recording`."""
        self._file.close()


class _ContainerRecording:
    """Mp3, webm, m4a, mp4, aac, 3gp and streams, decoded frame by frame, once."""

    def __init__(self, path: Path, file: IO[bytes], reason: str | None) -> None:
        from av import FFmpegError

        self._path = path
        with _naming(path, FFmpegError, reason):
            self._container = _demuxed(file)
            self._frames = _frames(self._container)
            self._first = next(self._frames, None)
        if self._first is None:
            raise AudioError(f"{path} holds no sound; give a recording or a video with sound")
        self.header = AudioHeader(
            rate_hz=self._first.sample_rate,
            channels=self._first.layout.nb_channels,
            duration_s=_duration_s(path, self._container),
        )

    def read(self, first: int, count: int) -> Samples:
        """See `Recording`."""
        from av import FFmpegError

        with _naming(self._path, FFmpegError):
            return _joined(_stretch(self._blocks(), first, count), self.header.channels)

    @property
    def jumps(self) -> bool:
        """See `Recording`."""
        return False

    def stream(self, count: int) -> Iterator[Samples]:
        """See `Recording`."""
        from av import FFmpegError

        with _naming(self._path, FFmpegError):
            yield from _in_pieces(self._blocks(), count)

    def _blocks(self) -> Iterator[Samples]:
        head = () if self._first is None else (self._first,)
        for frame in chain(head, self._frames):
            if (frame.sample_rate, frame.layout.nb_channels) != self._kind:
                raise AudioError(
                    f"{self._path} changes its rate or channels midway; export it as wav"
                )
            yield _samples(frame)

    @property
    def _kind(self) -> tuple[int, int]:
        return self.header.rate_hz, self.header.channels

    def close(self) -> None:
        """See `Recording`."""
        self._container.close()


def _demuxed(file: IO[bytes]) -> InputContainer:
    import av

    return av.open(file, "r", options={"format_whitelist": _DEMUXERS}, metadata_errors="replace")


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    return container.decode(audio=0) if container.streams.audio else iter(())


def _duration_s(path: Path, container: InputContainer) -> float:
    """Length in seconds as stated, or counted where that is missing, guessed or not plausible."""
    stated_s = (container.duration or 0) / 1_000_000  # FFmpeg counts microseconds
    is_plausible = 0 < stated_s <= BELIEVABLE_S
    if is_plausible and container.format.name not in _GUESSED_LENGTH:
        return stated_s
    counted_s = _counted_duration_s(path)
    return stated_s if abs(stated_s - counted_s) < _PADDING_S else counted_s


def _counted_duration_s(path: Path) -> float:
    """Length in seconds from the packets, none of them decoded."""
    from av import FFmpegError

    with _naming(path, FFmpegError), _file(path) as file, _demuxed(file) as container:
        packets = container.demux(audio=0)
        return float(sum((packet.duration or 0) * packet.time_base for packet in packets))


def _samples(frame: AudioFrame) -> Samples:
    """A decoded frame of any layout and sample format as (sample, channel), full scale 1."""
    raw = frame.to_ndarray()
    ordered = raw.T if frame.format.is_planar else raw.reshape(-1, frame.layout.nb_channels)
    if np.issubdtype(raw.dtype, np.floating):
        return ordered.astype(np.float32)
    full_scale = 2.0 ** (8 * raw.dtype.itemsize - 1)
    middle = full_scale if np.issubdtype(raw.dtype, np.unsignedinteger) else 0.0
    return ((ordered.astype(np.float64) - middle) / full_scale).astype(np.float32)


def _stretch(blocks: Iterable[Samples], first: int, count: int) -> Iterator[Samples]:
    """The part of a stream from sample `first` on, `count` samples; the rest is not asked for."""
    for block in blocks:
        yield block[first : first + count]
        count -= len(block[first : first + count])
        first = max(0, first - len(block))
        if count <= 0:
            return


def _in_pieces(blocks: Iterable[Samples], count: int) -> Iterator[Samples]:
    """The same stream in pieces of one length, the last one shorter."""
    held: list[Samples] = []
    for block in blocks:
        held.append(block)
        if sum(map(len, held)) >= count:
            whole = np.concatenate(held)
            ends = range(count, len(whole) + 1, count)
            yield from (whole[end - count : end] for end in ends)
            held = [whole[len(whole) // count * count :]]
    if any(map(len, held)):
        yield np.concatenate(held)


def _joined(blocks: Iterable[Samples], channels: int) -> Samples:
    return np.concatenate([np.empty((0, channels), np.float32), *blocks])
