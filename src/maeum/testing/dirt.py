"""Every kind of broken or odd input, written into a folder: for tests of readers and services.

`DIRT` maps a name to a function that writes the file below a folder and returns its path:

>>> import tempfile
>>> DIRT["empty_file"](Path(tempfile.mkdtemp())).stat().st_size
0
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

RATE_HZ = 16_000
TONE_HZ = 440.0
TONE_S = 1.0


def made_tone(
    frequency_hz: float = TONE_HZ, *, duration_s: float = TONE_S, rate_hz: int = RATE_HZ
) -> NDArray[np.float32]:
    """A sine at half of full scale, (sample,)."""
    times_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return (0.5 * np.sin(2 * np.pi * frequency_hz * times_s)).astype(np.float32)


def encode(
    path: Path, wave: NDArray[np.float32], *, codec: str, rate_hz: int, **options: str
) -> Path:
    """Write a mono wave with one of FFmpeg's encoders; the ending chooses the container.

    Args:
        path: to write.
        wave: (sample,) at `rate_hz`.
        codec: FFmpeg's name of it, as `aac` or `libopus`.
        rate_hz: samples per second the codec can hold.
        options: of the container, as `live="1"`.
    """
    import av

    with av.open(path, "w", options=options) as container:
        stream = cast(av.AudioStream, container.add_stream(codec, rate=rate_hz, layout="mono"))
        frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
        frame.sample_rate = rate_hz
        shaped = av.AudioResampler(stream.codec_context.format, "mono", rate_hz)
        for part in (*shaped.resample(frame), *shaped.resample(None), None):
            container.mux(stream.encode(part))
    return path


def empty_file(folder: Path) -> Path:
    """A wav of no bytes at all, as a broken copy leaves it."""
    return _bytes(folder / "empty.wav", b"")


def text_named_wav(folder: Path) -> Path:
    """Text in a file that ends in `.wav`."""
    return _bytes(folder / "text.wav", "이것은 소리가 아닙니다.\n".encode() * 40)


def noise_named_mp3(folder: Path) -> Path:
    """Random bytes in a file that ends in `.mp3`."""
    return _bytes(folder / "noise.mp3", np.random.default_rng(0).bytes(20_000))


def playlist_named_wav(folder: Path) -> Path:
    """A playlist that asks whoever opens it to open another file."""
    lines = ("#EXTM3U", "#EXT-X-TARGETDURATION:5", "#EXTINF:5,", m4a_aac(folder).name, "")
    return _bytes(folder / "playlist.wav", "\n".join(lines).encode())


def truncated_wav(folder: Path) -> Path:
    """A wav that ends within its header."""
    return _bytes(folder / "truncated.wav", _tone_wav(folder / "truncated.wav")[:30])


def huge_header_wav(folder: Path) -> Path:
    """One second of sound whose header claims 4 GB, as recorders that were switched off leave."""
    data = bytearray(_tone_wav(folder / "huge_header.wav"))
    place = data.index(b"data") + 4
    data[4:8] = data[place : place + 4] = struct.pack("<I", 2**32 - 1)
    return _bytes(folder / "huge_header.wav", bytes(data))


def absurd_rate_wav(folder: Path) -> Path:
    """A wav whose header claims 1 sample per second."""
    data = bytearray(_tone_wav(folder / "absurd_rate.wav"))
    data[24:28] = struct.pack("<I", 1)
    return _bytes(folder / "absurd_rate.wav", bytes(data))


def zero_samples_wav(folder: Path) -> Path:
    """A valid wav without a single sample."""
    return _wav(folder / "zero_samples.wav", np.zeros(0, np.float32))


def too_short_wav(folder: Path) -> Path:
    """A hundredth of a second."""
    return _wav(folder / "too_short.wav", made_tone(duration_s=0.01))


def silent_wav(folder: Path) -> Path:
    """A second of digital silence."""
    return _wav(folder / "silent.wav", np.zeros(RATE_HZ, np.float32))


def nan_wav(folder: Path) -> Path:
    """A float wav with a sample that is no number."""
    wave = made_tone()
    wave[100] = np.nan
    return _wav(folder / "nan.wav", wave, subtype="FLOAT")


def unscaled_wav(folder: Path) -> Path:
    """A float wav with the values of 16-bit integers."""
    return _wav(folder / "unscaled.wav", made_tone() * 32768, subtype="FLOAT")


def clipped_wav(folder: Path) -> Path:
    """A tone recorded far too loud: most samples stand at full scale."""
    return _wav(folder / "clipped.wav", (made_tone() * 20).clip(-1, 1))


def stereo_8khz_wav(folder: Path) -> Path:
    """A telephone call: 440 Hz on channel 0, 660 Hz on channel 1, at 8 kHz."""
    sides = [made_tone(frequency_hz, rate_hz=8_000) for frequency_hz in (440, 660)]
    return _wav(folder / "stereo_8khz.wav", np.column_stack(sides), rate_hz=8_000)


def long_wav(folder: Path, minutes: float = 5) -> Path:
    """Minutes of tone at 8 kHz, too long for one utterance."""
    wave = made_tone(duration_s=60 * minutes, rate_hz=8_000)
    return _wav(folder / "long.wav", wave, rate_hz=8_000)


def flac(folder: Path) -> Path:
    """A sound flac file."""
    return _wav(folder / "tone.flac", made_tone())


def streamed_flac(folder: Path) -> Path:
    """A flac whose header does not know its length, as a pipe leaves it."""
    data = bytearray(flac(folder).read_bytes())
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    return _bytes(folder / "streamed.flac", bytes(data))


def ogg(folder: Path) -> Path:
    """Ogg Vorbis."""
    return _wav(folder / "tone.ogg", made_tone())


def mp3(folder: Path) -> Path:
    """An mp3."""
    return _wav(folder / "tone.mp3", made_tone())


def webm_opus(folder: Path) -> Path:
    """Opus in webm."""
    return encode(folder / "tone.webm", made_tone(rate_hz=48_000), codec="libopus", rate_hz=48_000)


def live_webm(folder: Path) -> Path:
    """Opus in webm without a stated length, as browsers record."""
    wave = made_tone(rate_hz=48_000)
    return encode(folder / "live.webm", wave, codec="libopus", rate_hz=48_000, live="1")


def m4a_aac(folder: Path) -> Path:
    """AAC in m4a, as telephones record."""
    return encode(folder / "tone.m4a", made_tone(), codec="aac", rate_hz=RATE_HZ)


def mp4(folder: Path) -> Path:
    """AAC in mp4 without pictures."""
    return encode(folder / "tone.mp4", made_tone(), codec="aac", rate_hz=RATE_HZ)


def aac(folder: Path) -> Path:
    """AAC without a container."""
    return encode(folder / "tone.aac", made_tone(), codec="aac", rate_hz=RATE_HZ)


def phone_3gp(folder: Path) -> Path:
    """AAC in 3gp, as older telephones record."""
    return encode(folder / "tone.3gp", made_tone(), codec="aac", rate_hz=RATE_HZ)


def soundless_mp4(folder: Path) -> Path:
    """A video of five grey pictures without a sound track."""
    import av

    path = folder / "soundless.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        grey = np.full((64, 64, 3), 128, np.uint8)
        for picture in (*[av.VideoFrame.from_ndarray(grey, format="rgb24")] * 5, None):
            container.mux(stream.encode(picture))
    return path


_TABLE = "audio,text,emotion\ntake1.wav,정말 기뻐요,기쁨\ntake2.wav,너무 슬퍼요,슬픔\n"


def cp949_csv(folder: Path) -> Path:
    """A table as Excel saves it in Korea."""
    return _bytes(folder / "cp949.csv", _TABLE.encode("cp949"))


def utf8_bom_csv(folder: Path) -> Path:
    """A table in UTF-8 with a mark at its start."""
    return _bytes(folder / "utf8_bom.csv", _TABLE.encode("utf-8-sig"))


def undecodable_csv(folder: Path) -> Path:
    """A table that is neither UTF-8 nor cp949."""
    return _bytes(folder / "undecodable.csv", _TABLE.encode() + b"take3.wav,\xff\xfe\xff,\xff\n")


def repeated_header_csv(folder: Path) -> Path:
    """Two tables pasted together: the header stands again among the rows."""
    return _bytes(folder / "repeated_header.csv", (_TABLE * 2).encode())


def _bytes(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _wav(
    path: Path, wave: NDArray[np.float32], *, rate_hz: int = RATE_HZ, subtype: str | None = None
) -> Path:
    sf.write(path, wave, rate_hz, subtype=subtype)
    return path


def _tone_wav(path: Path) -> bytes:
    return _wav(path, made_tone()).read_bytes()


DIRT: dict[str, Callable[[Path], Path]] = {
    write.__name__: write
    for write in (
        empty_file,
        text_named_wav,
        noise_named_mp3,
        playlist_named_wav,
        truncated_wav,
        huge_header_wav,
        absurd_rate_wav,
        zero_samples_wav,
        too_short_wav,
        silent_wav,
        nan_wav,
        unscaled_wav,
        clipped_wav,
        stereo_8khz_wav,
        long_wav,
        flac,
        streamed_flac,
        ogg,
        mp3,
        webm_opus,
        live_webm,
        m4a_aac,
        mp4,
        aac,
        phone_3gp,
        soundless_mp4,
        cp949_csv,
        utf8_bom_csv,
        undecodable_csv,
        repeated_header_csv,
    )
}
"""Name -> function that writes such a file below a folder and returns its path."""
