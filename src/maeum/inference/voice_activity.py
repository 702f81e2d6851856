"""Where somebody speaks: silero-vad on a recording that comes piece by piece.

The network is the one in the package silero-vad, computed by ONNX Runtime. The package itself is
not imported: that would set the number of threads torch computes with, for the whole process.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from maeum.corpus.audio import read_header
from maeum.corpus.long import AtRate, pieces
from maeum.encoders.graphs.engines import onnxruntime
from maeum.errors import SettingsError
from maeum.progress import bar

RATE_HZ, FRAME, CONTEXT = 16_000, 512, 64
"""What the network takes: samples a second, samples a frame, and samples it looks back."""

FRAME_S = FRAME / RATE_HZ

MODEL = "silero_vad_16k_sequence.onnx"

SPEECH_FROM, SPEECH_TO = 0.5, 0.35
"""Chance of speech from which a stretch begins, and under which it ends."""

PAUSE_S, SHORTEST_S, PAD_S = 0.4, 0.4, 0.1
"""A shorter pause parts nothing; what is shorter is no utterance; kept on both sides."""


class Span(NamedTuple):
    """A stretch of time, in seconds from the beginning of the recording."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.end_s - self.start_s


def chances_of_speech(
    path: Path, channels: Sequence[int | None]
) -> dict[int | None, NDArray[np.float32]]:
    """How likely somebody speaks, every `FRAME_S`, in each channel; the recording is read once.

    Args:
        path: of the recording.
        channels: from 0; None: the mean of all.

    Returns:
        channel -> (frame,) in [0, 1].

    Raises:
        AudioError: the recording cannot be read.
        SettingsError: silero-vad or ONNX Runtime is not installed.
    """
    header = read_header(path)
    listeners = {channel: _Listener(channel, header.rate_hz) for channel in channels}
    done_s = 0.0
    with bar(total=round(header.duration_s), label="finding speech, s") as show:
        for piece in pieces(path):
            for listener in listeners.values():
                listener.hear(piece)
            done_s += len(piece) / header.rate_hz
            show(round(done_s), "")
    return {channel: listener.end() for channel, listener in listeners.items()}


class _Listener:
    """The network on one channel, with what it remembers of the sound so far."""

    def __init__(self, channel: int | None, rate_hz: int) -> None:
        self._at_rate = AtRate(channel, rate_hz, RATE_HZ)
        self._left = np.zeros(0, np.float32)
        self._context = np.zeros(CONTEXT, np.float32)
        self._memory = [np.zeros((1, 1, 128), np.float32) for _ in range(2)]
        self._chances: list[NDArray[np.float32]] = []
        self._silence = np.zeros((0, 1 + (channel or 0)), np.float32)
        self._network = _network()

    def hear(self, piece: NDArray[np.float32], *, last: bool = False) -> None:
        """The next samples."""
        wave = np.concatenate([self._left, self._at_rate(piece, last=last)])
        count = len(wave) // FRAME * FRAME
        self._left = wave[count:]
        if count:
            self._answer(wave[:count].reshape(-1, FRAME))

    def end(self) -> NDArray[np.float32]:
        """All chances; the last frame is filled up with silence."""
        self.hear(self._silence, last=True)
        if len(self._left):
            self._answer(np.pad(self._left, (0, FRAME - len(self._left)))[None])
        return np.concatenate(self._chances or [np.zeros(0, np.float32)])

    def _answer(self, frames: NDArray[np.float32]) -> None:
        before = np.vstack([self._context, frames[:-1, -CONTEXT:]])
        given = {"input": np.hstack([before, frames]), "h": self._memory[0], "c": self._memory[1]}
        found, *self._memory = self._network.run(["speech_probs", "hn", "cn"], given)
        self._context = frames[-1, -CONTEXT:]
        self._chances.append(found)


def _network() -> Any:  # noqa: ANN401 - a session of ONNX Runtime
    package = find_spec("silero_vad")
    if package is None or not package.submodule_search_locations:
        raise SettingsError(
            "speech is found with silero-vad, which is not installed; pip install 'maeum[long]'"
        )
    path = Path(next(iter(package.submodule_search_locations)), "data", MODEL)
    if not path.is_file():
        raise SettingsError(
            f"this silero-vad does not hold {MODEL}; pip install --upgrade 'maeum[long]'"
        )
    runtime = onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # it is small
    options.log_severity_level = 3
    return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def spans_of_speech(chances: NDArray[np.float32], longest_s: float) -> list[Span]:
    """Where somebody speaks, none longer than asked for.

    Speech begins where the chance reaches `SPEECH_FROM`, and ends where it stays under `SPEECH_TO`
    for `PAUSE_S`. What is too long is parted where speech is least likely, not at its edges.

    Args:
        chances: (frame,), of `chances_of_speech`.
        longest_s: no span lasts longer, in seconds.
    """
    long = [span for span in _stretches(chances) if (span[1] - span[0]) * FRAME_S >= SHORTEST_S]
    most = max(2, int((longest_s - 2 * PAD_S) / FRAME_S))
    parts = [part for begin, end in long for part in _parted(chances, begin, end, most)]
    return [Span(start * FRAME_S, end * FRAME_S) for start, end in _padded(parts, len(chances))]


def _padded(parts: Sequence[tuple[int, int]], count: int) -> Iterator[tuple[float, float]]:
    """The parts with a little of what is around them, as far as they do not overlap."""
    pad = PAD_S / FRAME_S
    ends = [0, *(end for _, end in parts)]
    begins = [*(begin for begin, _ in parts), count]
    for (begin, end), before, after in zip(parts, ends[:-1], begins[1:], strict=True):
        yield begin - min(pad, (begin - before) / 2), end + min(pad, (after - end) / 2)


def _stretches(chances: NDArray[np.float32]) -> Iterator[tuple[int, int]]:
    """First and one-past-last frame of each stretch of speech."""
    pause = max(1, round(PAUSE_S / FRAME_S))
    begin = last = -1
    for frame in np.flatnonzero(chances >= SPEECH_TO):
        if begin >= 0 and frame - last > pause:
            yield begin, last + 1
            begin = -1
        if begin < 0 and chances[frame] >= SPEECH_FROM:
            begin = int(frame)
        last = int(frame)
    if begin >= 0:
        yield begin, last + 1


def _parted(
    chances: NDArray[np.float32], begin: int, end: int, most: int
) -> Iterator[tuple[int, int]]:
    """A stretch in parts of at most `most` frames, cut where the chance of speech is least."""
    while end - begin > most:
        first = begin + most // 2
        cut = first + int(np.argmin(chances[first : begin + most]))
        yield begin, cut
        begin = cut
    yield begin, end
