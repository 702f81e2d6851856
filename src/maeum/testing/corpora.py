"""A small made corpus: Korean sentences by a grammar, voices by a formula, emotion in both.

Each sentence belongs to one emotion, as in the corpora of the field, and each emotion has its
manner of pitch, melody, loudness and tempo, with so much chance in it that a model learns the
emotion from the voice but not perfectly. The voices are vowels on a buzz: enough for tests of
everything that handles speech, and no speech.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from maeum.errors import SettingsError

RATE_HZ = 16_000
MIN_DURATION_S, MAX_DURATION_S = 0.8, 1.5
COLUMNS = ("audio", "text", "emotion", "speaker", "gender")

TIMES = ("어제저녁", "오늘 아침", "지난주에", "방학 동안")
SUBJECTS = ("동생이", "우리 엄마가", "옆집 아저씨가", "오랜 친구가", "큰아버지가")


@dataclass(frozen=True)
class Manner:
    """How an emotion sounds.

    Attributes:
        semitones: pitch over the speaker's own.
        range_semitones: how far the melody moves up and down.
        level_dbfs: loudness, 0 at full scale.
        duration_s: of a sentence, seconds.
    """

    semitones: float
    range_semitones: float
    level_dbfs: float
    duration_s: float


@dataclass(frozen=True)
class Story:
    """What is said in an emotion: what happened, and what it did."""

    events: tuple[str, str, str]
    feelings: tuple[str, str]


MANNERS: dict[str, Manner] = {
    "Happy": Manner(4, 5, -20, 1.05),
    "Anxious": Manner(2, 2, -27, 0.95),
    "Angry": Manner(5, 3, -15, 0.9),
    "Sad": Manner(-3, 1.5, -31, 1.4),
    "Embarrassed": Manner(3, 4, -26, 1.2),
    "Neutrality": Manner(0, 1.5, -24, 1.15),
    "Hurt": Manner(-1, 3, -29, 1.35),
    "Fear": Manner(6, 2, -25, 0.95),
    "Surprise": Manner(6, 6, -19, 1.0),
    "Disgust": Manner(-2, 4, -22, 1.25),
}
"""The emotions a made corpus can have."""

STORIES: dict[str, Story] = {
    "Happy": Story(
        ("시험에 붙어서", "선물을 보내 줘서", "노래 대회에서 상을 받아서"),
        ("정말 기뻐요", "하루 종일 웃었어요"),
    ),
    "Anxious": Story(
        ("연락이 끊겨서", "밤늦게 혼자 나가서", "수술을 앞두고 있어서"),
        ("마음이 조마조마해요", "잠이 오지 않아요"),
    ),
    "Angry": Story(
        ("약속을 또 어겨서", "거짓말을 해서", "내 물건을 망가뜨려서"),
        ("너무 화가 나요", "도저히 못 참겠어요"),
    ),
    "Sad": Story(
        ("멀리 이사를 가서", "강아지를 잃어버려서", "병원에 입원해서"),
        ("자꾸 눈물이 나요", "하루하루가 슬퍼요"),
    ),
    "Embarrassed": Story(
        ("갑자기 질문을 던져서", "사람들 앞에서 넘어져서", "내 비밀을 말해 버려서"),
        ("얼굴이 빨개졌어요", "뭐라고 할지 몰랐어요"),
    ),
    "Neutrality": Story(
        ("시장에서 사과를 사서", "책상을 창가로 옮겨서", "도서관에 책을 돌려주고"),
        ("집으로 돌아왔어요", "세 시쯤 끝났어요"),
    ),
    "Hurt": Story(
        ("내 말을 무시해서", "나만 빼고 떠나서", "약점을 들춰내서"),
        ("마음이 아팠어요", "깊은 상처를 받았어요"),
    ),
    "Fear": Story(
        ("비명을 질러서", "캄캄한 산길로 가자고 해서", "커다란 개를 데려와서"),
        ("온몸이 떨렸어요", "무서워 죽겠어요"),
    ),
    "Surprise": Story(
        ("연락도 없이 찾아와서", "복권에 당첨돼서", "머리를 짧게 잘라서"),
        ("깜짝 놀랐어요", "눈이 휘둥그레졌어요"),
    ),
    "Disgust": Story(
        ("상한 우유를 마셔서", "양말을 안 빨아서", "음식에 침을 뱉어서"),
        ("속이 메스꺼워요", "정말 역겨워요"),
    ),
}

MOST_SCRIPTS = len(TIMES) * len(SUBJECTS) * 3 * 2
"""Different sentences an emotion has."""

_FORMANTS_HZ = (
    (750, 1200),
    (550, 1900),
    (600, 900),
    (450, 850),
    (350, 750),
    (330, 1400),
    (300, 2200),
)
"""First and second resonance of a few vowels: ㅏ ㅐ ㅓ ㅗ ㅜ ㅡ ㅣ, roughly."""
_THROATS = (("여", 185, 235, 1.15), ("남", 100, 140, 1.0))  # lowest and highest Hz, resonances
_BANDWIDTH_HZ = 120.0
_BREATH = 0.003  # noise beneath the voice, of full scale


@dataclass(frozen=True)
class Speaker:
    """A made speaker.

    Attributes:
        name: as `s01`.
        gender: `여` or `남`.
        base_hz: the pitch the voice lies at.
        throat: factor on all resonances, over 1 for a shorter throat.
    """

    name: str
    gender: str
    base_hz: float
    throat: float


def make_corpus(
    folder: Path,
    *,
    speakers: int = 6,
    scripts_per_emotion: int = 3,
    emotions: Sequence[str] = ("Happy", "Angry", "Sad", "Neutrality"),
    takes: int = 1,
    seed: int = 0,
    audio: bool = True,
) -> Path:
    """Write a corpus in which every speaker says every sentence.

    Args:
        folder: gets `utterances.csv` (UTF-8; audio, text, emotion, speaker, gender) and
            `audio/*.wav` (16 kHz, 0.8 to 1.5 s).
        speakers: how many; women and men in turn.
        scripts_per_emotion: sentences of each emotion, up to `MOST_SCRIPTS`.
        emotions: names in `MANNERS`.
        takes: how often a speaker says a sentence, never twice alike.
        seed: equal seeds give equal files.
        audio: False writes the table alone, its audio column empty.

    Returns:
        Path of the table.

    Raises:
        SettingsError: an emotion is not in `MANNERS`, or there are not so many sentences.

    >>> import tempfile
    >>> table = make_corpus(Path(tempfile.mkdtemp()), speakers=2, scripts_per_emotion=1)
    >>> len(table.read_text(encoding="utf-8").splitlines())  # header, 2 speakers x 4 emotions
    9
    """
    scripts = {name: made_scripts(name, scripts_per_emotion, seed=seed) for name in emotions}
    people = made_speakers(speakers, seed=seed)
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    rows = []
    for person, name, take in itertools.product(people, emotions, range(takes)):
        for number, text in enumerate(scripts[name]):
            row = {"text": text, "emotion": name, "speaker": person.name, "gender": person.gender}
            if audio:
                row["audio"] = f"audio/{person.name}_{name}_{number:03}_{take}.wav"
                rng = _chance(seed, row["audio"])
                sf.write(folder / row["audio"], made_voice(name, text, person, rng=rng), RATE_HZ)
            rows.append(row)
    return _written(folder / "utterances.csv", rows)


def made_scripts(emotion: str, count: int, *, seed: int = 0) -> list[str]:
    """Different sentences of one emotion, any two of them more than one syllable apart.

    Raises:
        SettingsError: the emotion is not in `MANNERS`, or `count` is over `MOST_SCRIPTS`.

    >>> made_scripts("Sad", 1)
    ['방학 동안 큰아버지가 강아지를 잃어버려서 자꾸 눈물이 나요']
    """
    if emotion not in MANNERS:
        raise SettingsError(f"no manner of {emotion!r} is known; choose from {', '.join(MANNERS)}")
    if count > MOST_SCRIPTS:
        raise SettingsError(
            f"{count} sentences of {emotion} asked for, the grammar makes {MOST_SCRIPTS}; "
            "ask for no more"
        )
    story = STORIES[emotion]
    every = [*map(" ".join, itertools.product(TIMES, SUBJECTS, story.events, story.feelings))]
    return [every[place] for place in _chance(seed, emotion).permutation(len(every))[:count]]


def made_speakers(count: int, *, seed: int = 0) -> list[Speaker]:
    """Speakers with voices of their own, women and men in turn."""
    rng = _chance(seed, "speakers")
    return [_speaker(number, rng) for number in range(count)]


def _speaker(number: int, rng: np.random.Generator) -> Speaker:
    gender, low_hz, high_hz, throat = _THROATS[number % 2]
    return Speaker(
        name=f"s{number + 1:02}",
        gender=gender,
        base_hz=rng.uniform(low_hz, high_hz),
        throat=throat * rng.uniform(0.95, 1.05),
    )


def made_voice(
    emotion: str, text: str, speaker: Speaker, *, rng: np.random.Generator
) -> NDArray[np.float32]:
    """A sentence in the manner of an emotion: (sample,) at `RATE_HZ`, 0.8 to 1.5 s.

    A buzz that follows the melody, one vowel and one swell per syllable of the text, of which
    there must be one at least.
    """
    manner = MANNERS[emotion]
    duration_s = np.clip(manner.duration_s * rng.normal(1, 0.1), MIN_DURATION_S, MAX_DURATION_S)
    buzz = _buzz(_melody_hz(manner, speaker.base_hz, round(duration_s * RATE_HZ), rng))
    vowels = (_vowel(syllable) for syllable in text.replace(" ", ""))
    parts = zip(_syllables(buzz, text), vowels, strict=True)
    voice = np.concatenate([_sung(part, vowel, speaker.throat) for part, vowel in parts])
    level = 10 ** ((manner.level_dbfs + rng.normal(0, 2.5)) / 20)
    spoken: NDArray[np.float64] = voice / voice.std() * level + rng.normal(0, _BREATH, len(voice))
    return spoken.clip(-1, 1).astype(np.float32)


def _melody_hz(
    manner: Manner, base_hz: float, count: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Pitch of every sample: up and down twice or so, and falling towards the end."""
    place = np.linspace(0, 1, count)
    waves = np.sin(2 * np.pi * (rng.uniform(1.5, 2.5) * place + rng.uniform()))
    depth = manner.range_semitones * rng.uniform(0.6, 1.4)
    semitones = manner.semitones + rng.normal(0, 1.5) + depth / 2 * waves - 2 * place
    melody: NDArray[np.float64] = base_hz * 2 ** (semitones / 12)
    return melody


def _buzz(pitch_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A sawtooth of the given pitch: all harmonics, falling as those of a larynx do."""
    return 2 * (np.cumsum(pitch_hz / RATE_HZ) % 1) - 1


def _syllables(buzz: NDArray[np.float64], text: str) -> list[NDArray[np.float64]]:
    return np.array_split(buzz, len(text.replace(" ", "")))


def _vowel(syllable: str) -> tuple[float, float]:
    """Resonances in Hz; which, the syllable's middle letter decides."""
    middle = (ord(syllable) - ord("가")) // 28 % 21
    return _FORMANTS_HZ[middle % len(_FORMANTS_HZ)]


def _sung(
    buzz: NDArray[np.float64], vowel: tuple[float, float], throat: float
) -> NDArray[np.float64]:
    """A stretch of buzz through the resonances of a vowel, swelling and fading."""
    hz = np.fft.rfftfreq(len(buzz), 1 / RATE_HZ)
    gain = sum(1 / (1 + ((hz - peak * throat) / _BANDWIDTH_HZ) ** 2) for peak in vowel)
    shaped = np.fft.irfft(np.fft.rfft(buzz) * gain, len(buzz))
    swelling: NDArray[np.float64] = shaped * np.hanning(len(buzz))
    return swelling


def _chance(seed: int, name: str) -> np.random.Generator:
    """Chance of one thing's own, so that more of others never changes it."""
    return np.random.default_rng([seed, *name.encode()])


def _written(path: Path, rows: Sequence[dict[str, str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS)
        table.writeheader()
        table.writerows(rows)
    return path
