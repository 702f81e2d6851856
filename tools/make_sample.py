"""Render the sample corpus: Korean sentences in seven emotions, spoken by espeak-ng.

    python tools/make_sample.py --to src/maeum/sample

Eight voices speak four sentences bound to each emotion, and three neutral sentences in
every emotion. An emotion is a row of prosody offsets from the voice's plain reading; each
clip draws how strongly it is played and a scatter around it, so the emotions overlap as
they do in people. The same seed and the same espeak-ng give the same sound.
"""

import argparse
import csv
import io
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

Samples = npt.NDArray[np.float64]

RATE_HZ = 16_000
SPEECH_DBFS = -26.0
PEAK_CEILING_DBFS = -4.0
ROOM_DBFS = -66.0
SILENCE_BELOW_PEAK_DB = -40.0
EDGE_SILENCE_MS = (60.0, 140.0)
TILT_PIVOT_HZ = 1_000.0
LOWEST_HZ = 50.0  # of what is kept: below a voice there is only rumble
TREMOR_HZ = (4.0, 6.5)
ESPEAK_STEPS_PER_SEMITONE = 6.3
SHORTEST_PAUSE_MS = 80.0
VORBIS_COMPRESSION = 0.8
COLUMNS = ("audio", "text", "emotion", "speaker", "gender", "style")


@dataclass(frozen=True)
class Voice:
    """A speaker: an espeak-ng variant, and how it reads plainly."""

    speaker: str
    gender: str
    variant: str
    pitch_step: float  # espeak-ng -p, 0 to 99
    range_percent: float  # of the variant's own pitch range
    words_per_minute: float
    formant_ratio: float  # above 1: a shorter vocal tract (pitch and tempo rise with it)
    level_db: float


@dataclass(frozen=True)
class Prosody:
    """Offsets from a voice's plain reading; all zero is the plain reading itself."""

    pitch_semitones: float
    range_percent: float
    speed_percent: float
    level_db: float
    tilt_db_per_octave: float
    tremor_percent: float
    pause_ms: float


@dataclass(frozen=True)
class Clip:
    """One reading: who says what, and how; ``seeds`` fix its random draws."""

    voice: Voice
    emotion: str
    text: str
    style: str
    seeds: tuple[int, ...]

    @property
    def audio(self) -> str:
        """The clip's file, relative to the corpus folder."""
        return f"audio/{self.voice.speaker}_{self.emotion.lower()}_{self.seeds[-1] + 1}.ogg"

    @property
    def row(self) -> tuple[str, ...]:
        """The clip's line in ``sample.csv``, in the order of ``COLUMNS``."""
        voice = self.voice
        return (self.audio, self.text, self.emotion, voice.speaker, voice.gender, self.style)


VOICES = (
    #     speaker  gender    variant  pitch range  wpm  formants level
    Voice("s01", "female", "f2", 47, 100, 185, 1.00, 0.0),
    Voice("s02", "female", "f5", 62, 120, 178, 1.07, -1.5),
    Voice("s03", "female", "linda", 46, 90, 198, 0.98, 1.0),
    Voice("s04", "female", "f4", 46, 130, 180, 0.94, -0.5),
    Voice("s05", "male", "m1", 46, 110, 182, 0.96, 0.5),
    Voice("s06", "male", "m3", 66, 100, 194, 1.04, -1.0),
    Voice("s07", "male", "m7", 50, 80, 188, 0.92, 1.5),
    Voice("s08", "male", "m2", 66, 120, 176, 0.98, 0.0),
)

EMOTIONS = {
    #                     pitch range speed level  tilt tremor pause
    "Happy": Prosody(3.0, 50, 8, 2.0, 0.5, 0, 0),
    "Anxious": Prosody(2.0, -15, 12, -1.0, 0.3, 12, 0),
    "Angry": Prosody(1.0, 30, 10, 5.0, 2.0, 0, 0),
    "Sad": Prosody(-2.5, -40, -18, -4.0, -1.5, 2, 0),
    "Embarrassed": Prosody(1.0, 15, -6, -1.5, 0.0, 4, 260),
    "Neutrality": Prosody(0.0, 0, 0, 0.0, 0.0, 0, 0),
    "Hurt": Prosody(-0.5, -20, -8, -3.0, -1.0, 7, 60),
}

SCATTER = Prosody(1.0, 18, 5, 1.5, 0.5, 2.5, 60)
"""One standard deviation of every offset, from clip to clip."""

STRENGTH_MEAN, STRENGTH_DEVIATION = 1.0, 0.3
"""How strongly an emotion is played: the factor on its whole row of offsets."""

BOUND = {
    "Happy": (
        "나 드디어 합격했어, 믿어져?",
        "첫눈 온다, 우리 얼른 나가자!",
        "할머니가 다 나으셨대, 정말 다행이야.",
        "오늘 저녁 진짜 맛있게 먹었어요.",
    ),
    "Anxious": (
        "결과가 안 좋게 나오면 어떡하지?",
        "자꾸 누가 따라오는 것 같아.",
        "전화를 안 받으니까 마음이 안 놓여.",
        "내일 발표만 생각하면 손이 떨려요.",
    ),
    "Angry": (
        "도대체 몇 번을 말해야 알아들어!",
        "왜 남의 물건을 허락도 없이 써?",
        "이건 약속이랑 완전히 다르잖아요.",
        "더는 못 참아, 당장 사과해!",
    ),
    "Sad": (
        "같이 걷던 길인데 이제 나 혼자네.",
        "우리 강아지가 어젯밤에 떠났어요.",
        "아무것도 하기 싫고 눈물만 나.",
        "보고 싶은데 이제는 볼 수가 없어.",
    ),
    "Embarrassed": (
        "어, 제가 문자를 잘못 보냈네요.",
        "잠깐만, 내 지갑이 어디 갔지?",
        "네? 오늘이 면접 날이라고요?",
        "아니 그게, 갑자기 물어보시니까요.",
    ),
    "Neutrality": (
        "버스는 십 분 뒤에 도착해요.",
        "우산은 현관 옆에 두었습니다.",
        "점심은 회사 앞에서 김밥 먹었어.",
        "도서관은 매주 월요일에 쉽니다.",
    ),
    "Hurt": (
        "너까지 그렇게 말할 줄은 몰랐어.",
        "나만 빼고 다들 모였더라.",
        "내 노력은 아무것도 아니었구나.",
        "믿었던 사람이라서 더 아프네요.",
    ),
}

EVERYWHERE = (
    "창문 옆에 의자가 하나 있어.",
    "이따가 세 시쯤 다시 올게요.",
    "그 책은 책상 위에 올려놨어.",
)


def main() -> None:
    """Render every clip, then write the table that names them."""
    options = parse_options()
    espeak = find_espeak()
    clips = list(plan(options.seed))
    (options.to / "audio").mkdir(parents=True, exist_ok=True)
    for clip in with_progress(clips):
        write_audio(options.to / clip.audio, render(espeak, clip))
    write_table(options.to / "sample.csv", clips)


def parse_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Render maeum's synthetic sample corpus.")
    parser.add_argument("--to", type=Path, required=True, help="folder to write the corpus into")
    parser.add_argument("--seed", type=int, default=7, help="seed of every draw (default: 7)")
    return parser.parse_args()


def find_espeak() -> str:
    """Return the espeak-ng program, or leave with a word on where to get it."""
    program = shutil.which("espeak-ng")
    if program is None:
        sys.exit("espeak-ng is not on the PATH; install it (for example: apt install espeak-ng)")
    return program


def plan(seed: int) -> Iterator[Clip]:
    """List every clip: each voice, each emotion, its bound sentences, then the neutral ones."""
    for v, voice in enumerate(VOICES):
        for e, emotion in enumerate(EMOTIONS):
            for s, (text, style) in enumerate(script(emotion)):
                yield Clip(voice, emotion, text, style, (seed, v, e, s))


def script(emotion: str) -> Iterator[tuple[str, str]]:
    """List the sentences spoken in an emotion, each with its style."""
    for text in BOUND[emotion]:
        yield text, "bound"
    for text in EVERYWHERE:
        yield text, "neutral-script"


def with_progress(clips: list[Clip]) -> Iterator[Clip]:
    """Pass the clips on, counting them in one line on stderr."""
    for number, clip in enumerate(clips, start=1):
        yield clip
        print(f"\r{number}/{len(clips)} clips", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def render(espeak: str, clip: Clip) -> Samples:
    """Return one finished clip at ``RATE_HZ``."""
    rng = np.random.default_rng(clip.seeds)
    prosody = played(EMOTIONS[clip.emotion], rng)
    spoken, spoken_hz = speak(espeak, clip.voice, prosody, clip.text)
    spoken = tremble(spoken, spoken_hz, prosody.tremor_percent, rng)
    speech = resample(spoken, spoken_hz * clip.voice.formant_ratio)
    speech = tilt(trim(speech), prosody.tilt_db_per_octave)
    speech = set_level(speech, SPEECH_DBFS + clip.voice.level_db + prosody.level_db)
    return limit_peak(add_room(speech, rng))


def played(emotion: Prosody, rng: np.random.Generator) -> Prosody:
    """Draw one playing of an emotion: its offsets, stronger or weaker, and scattered."""
    strength = rng.normal(STRENGTH_MEAN, STRENGTH_DEVIATION)
    drawn = rng.normal(strength * np.array(astuple(emotion)), astuple(SCATTER))
    return Prosody(*drawn.tolist())


def speak(espeak: str, voice: Voice, prosody: Prosody, text: str) -> tuple[Samples, int]:
    """Have espeak-ng say a text; return the samples and their rate in hertz."""
    pitch_step = voice.pitch_step + ESPEAK_STEPS_PER_SEMITONE * prosody.pitch_semitones
    words_per_minute = voice.words_per_minute * (1 + prosody.speed_percent / 100)
    range_percent = voice.range_percent * (1 + prosody.range_percent / 100)
    command = [espeak, "-m", "-z", "--stdout", "-v", f"ko+{voice.variant}"]
    command += ["-p", f"{np.clip(pitch_step, 0, 99):.0f}", "-s", f"{words_per_minute:.0f}"]
    command += [ssml(text, max(range_percent, 0.0), prosody.pause_ms)]
    wav = subprocess.run(command, check=True, capture_output=True).stdout
    samples, rate_hz = soundfile.read(io.BytesIO(wav))
    return np.asarray(samples, dtype=np.float64), int(rate_hz)


def ssml(text: str, range_percent: float, pause_ms: float) -> str:
    """Mark a text up with its pitch range, and a hesitation after the first word."""
    first, rest = escape(text).split(" ", maxsplit=1)
    pause = f'<break time="{pause_ms:.0f}ms"/>' if pause_ms >= SHORTEST_PAUSE_MS else ""
    return f'<prosody range="{range_percent:.0f}%">{first} {pause}{rest}</prosody>'


def tremble(
    samples: Samples, rate_hz: float, depth_percent: float, rng: np.random.Generator
) -> Samples:
    """Sway loudness by ``depth_percent`` of the amplitude, and pitch by a fifth of that."""
    depth = max(depth_percent, 0.0) / 100
    pulse_hz = rng.uniform(*TREMOR_HZ)
    seconds = np.arange(len(samples)) / rate_hz
    phase = 2 * np.pi * pulse_hz * seconds + rng.uniform(0, 2 * np.pi)
    swayed_seconds = seconds + depth / 5 * np.sin(phase) / (2 * np.pi * pulse_hz)
    swayed: Samples = np.interp(swayed_seconds, seconds, samples) * (1 + depth * np.cos(phase))
    return swayed


def resample(samples: Samples, rate_hz: float) -> Samples:
    """Bring samples to ``RATE_HZ``."""
    return np.asarray(soxr.resample(samples, rate_hz, RATE_HZ), dtype=np.float64)


def trim(samples: Samples) -> Samples:
    """Cut the silence before and after the speech."""
    threshold = amplitude(SILENCE_BELOW_PEAK_DB) * np.abs(samples).max()
    loud = np.flatnonzero(np.abs(samples) > threshold)
    return samples[loud[0] : loud[-1] + 1]


def tilt(samples: Samples, db_per_octave: float) -> Samples:
    """Brighten (above 0) or dull (below 0) a sound around ``TILT_PIVOT_HZ``; drop its rumble."""
    hz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    octaves = np.log2(np.maximum(hz, LOWEST_HZ) / TILT_PIVOT_HZ)
    gain = 10 ** (db_per_octave * octaves / 20) * (hz >= LOWEST_HZ)
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples))


def set_level(samples: Samples, dbfs: float) -> Samples:
    """Scale samples to a root mean square of ``dbfs``."""
    return samples * (amplitude(dbfs) / float(np.sqrt(np.mean(samples**2))))


def add_room(speech: Samples, rng: np.random.Generator) -> Samples:
    """Put silence at both ends, and a room's faint noise under everything."""
    before, after = (rng.uniform(*EDGE_SILENCE_MS, size=2) / 1_000 * RATE_HZ).astype(int)
    padded = np.pad(speech, (before, after))
    return padded + rng.normal(0.0, amplitude(ROOM_DBFS), len(padded))


def limit_peak(samples: Samples) -> Samples:
    """Turn a clip down, where needed, so that it peaks no higher than the ceiling."""
    return samples * min(1.0, amplitude(PEAK_CEILING_DBFS) / float(np.abs(samples).max()))


def amplitude(db: float) -> float:
    """Return the amplitude ratio that ``db`` decibels stand for."""
    return float(10 ** (db / 20))


def write_audio(path: Path, samples: Samples) -> None:
    """Write a mono Ogg Vorbis file at ``RATE_HZ``."""
    soundfile.write(
        path, samples, RATE_HZ, "VORBIS", format="OGG", compression_level=VORBIS_COMPRESSION
    )


def write_table(path: Path, clips: Iterable[Clip]) -> None:
    """Write ``sample.csv``: a header, then one row a clip."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(clip.row for clip in clips)


if __name__ == "__main__":
    main()
