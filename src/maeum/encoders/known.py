"""Encoders known by name: what they are and cost, before anything is fetched.

Sizes and costs of pretrained ones are counted by `tools/count_encoders.py` from their published
shapes. Licences are those their authors publish; the page of a model has the last word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from maeum.engine import BUILTIN

Side = Literal["speech", "text"]

CORE_GFLOPS = 70.0
"""Billions of operations a second: what torch reaches in float32 on one core of a server, measured
on clips of 4 s through wav2vec2-large (60 to 77)."""

BYTES_PER_PARAMETER = 4  # float32


@dataclass(frozen=True)
class KnownEncoder:
    """An encoder and what it costs.

    Attributes:
        name: as typed.
        family: kind of model, as its config.json has it.
        parameters_millions: of the encoder itself, which is what has to fit into memory.
        stored_millions: parameters in its files, of which the encoder may be a part.
        dim: length of a layer's vector.
        layers: how many, without what enters the first; 0 of built-in ones.
        gflop: billions of operations for a clip of 4 s, or a sentence of 32 tokens.
        licence: of the weights.
        side: what it encodes.
        note: what it learnt from, and what is good to know.
    """

    name: str
    family: str
    parameters_millions: float
    stored_millions: float
    dim: int
    layers: int
    gflop: float
    licence: str
    side: Side
    note: str

    @property
    def builtin(self) -> bool:
        """Whether it needs no download."""
        return self.name.startswith(BUILTIN)

    @property
    def disk_mb(self) -> float:
        """Size of its files in float32, in MB; some authors store halves of that."""
        return self.stored_millions * BYTES_PER_PARAMETER

    @property
    def seconds(self) -> float:
        """Of one core, for a clip of 4 s or a sentence of 32 tokens, at `CORE_GFLOPS`."""
        return self.gflop / CORE_GFLOPS


Row = tuple[str, str, float, float, int, int, float, str]

APACHE, MIT, UNVERIFIED = "Apache-2.0", "MIT", "see its page"
SHARE_3, SHARE_4 = "CC BY-SA 3.0", "CC BY-SA 4.0"

_SPEECH: tuple[Row, ...] = (
    ("builtin:acoustic", "statistics", 0.0, 0.0, 301, 0, 0.0, APACHE),
    ("facebook/wav2vec2-large-robust", "wav2vec2", 315.4, 315.4, 1024, 24, 147.3, APACHE),
    ("facebook/wav2vec2-base", "wav2vec2", 94.4, 94.4, 768, 12, 56.9, APACHE),
    ("facebook/wav2vec2-large-xlsr-53", "wav2vec2", 315.4, 315.4, 1024, 24, 147.3, APACHE),
    ("facebook/wav2vec2-xls-r-300m", "wav2vec2", 315.4, 315.4, 1024, 24, 147.3, UNVERIFIED),
    ("facebook/hubert-base-ls960", "hubert", 94.4, 94.4, 768, 12, 56.9, APACHE),
    ("facebook/hubert-large-ll60k", "hubert", 315.4, 315.4, 1024, 24, 147.3, APACHE),
    ("microsoft/wavlm-base-plus", "wavlm", 94.4, 94.4, 768, 12, 57.0, SHARE_3),
    ("microsoft/wavlm-large", "wavlm", 315.5, 315.5, 1024, 24, 147.4, SHARE_3),
    ("facebook/data2vec-audio-base", "data2vec-audio", 93.2, 93.2, 768, 12, 56.4, UNVERIFIED),
    ("facebook/w2v-bert-2.0", "wav2vec2-bert", 580.5, 580.5, 1024, 24, 237.8, MIT),
    ("openai/whisper-small", "whisper", 88.2, 241.7, 768, 12, 344.2, APACHE),
    ("openai/whisper-large-v3", "whisper", 637.0, 1543.5, 1280, 32, 2273.8, APACHE),
    ("microsoft/speecht5_asr", "speecht5", 94.4, 151.2, 768, 12, 57.7, MIT),
)

_TEXT: tuple[Row, ...] = (
    ("builtin:letters", "hashed counts", 0.0, 0.0, 4096, 0, 0.0, APACHE),
    ("builtin:starter", "linear", 0.9, 1.0, 7, 0, 0.0, APACHE),
    ("builtin:korean", "bert", 5.2, 5.2, 256, 4, 0.2, APACHE),
    ("beomi/KcELECTRA-base-v2022", "electra", 127.2, 127.2, 768, 12, 5.5, MIT),
    ("monologg/koelectra-base-v3-discriminator", "electra", 112.3, 112.3, 768, 12, 5.5, APACHE),
    ("skt/kobert-base-v1", "bert", 91.6, 91.6, 768, 12, 5.5, APACHE),
    ("monologg/kobert", "bert", 91.6, 91.6, 768, 12, 5.5, APACHE),
    ("klue/bert-base", "bert", 110.0, 110.0, 768, 12, 5.5, SHARE_4),
    ("klue/roberta-small", "roberta", 67.5, 67.5, 768, 6, 2.7, SHARE_4),
    ("klue/roberta-base", "roberta", 110.0, 110.0, 768, 12, 5.5, SHARE_4),
    ("klue/roberta-large", "roberta", 335.6, 335.6, 1024, 24, 19.4, SHARE_4),
)

_WHISPER = (
    "it hears 30 s however short the clip; of its files, the half that writes text is not used"
)

_NOTES = {
    "builtin:acoustic": "statistics of pitch, loudness, voice quality and spectrum; no download",
    "builtin:letters": "counts of syllables and jamo; no download",
    "builtin:starter": "how much each of the seven emotions is in it; learnt from Korean comments",
    "builtin:korean": "four layers; learnt from Korean film comments and their stars",
    "facebook/wav2vec2-large-robust": "the paper's; English, read aloud and on the telephone",
    "facebook/wav2vec2-base": "English, read aloud",
    "facebook/wav2vec2-large-xlsr-53": "53 languages; of a published benchmark on AI-Hub 466",
    "facebook/wav2vec2-xls-r-300m": "128 languages",
    "facebook/hubert-base-ls960": "English, 960 hours read aloud",
    "facebook/hubert-large-ll60k": "English, 60,000 hours read aloud",
    "microsoft/wavlm-base-plus": "English, 94,000 hours",
    "microsoft/wavlm-large": "English, 94,000 hours",
    "facebook/data2vec-audio-base": "English, read aloud",
    "facebook/w2v-bert-2.0": "4.5 million hours in 143 languages",
    "openai/whisper-small": f"speech with transcripts in 98 languages; {_WHISPER}",
    "openai/whisper-large-v3": f"5 million hours in many languages; {_WHISPER}",
    "microsoft/speecht5_asr": "English; the paper names SpeechT5; the half that writes is not used",
    "beomi/KcELECTRA-base-v2022": "the paper's choice; Korean comments on news",
    "monologg/koelectra-base-v3-discriminator": "compared in the paper; Korean news, wiki, books",
    "skt/kobert-base-v1": "compared in the paper; Korean Wikipedia",
    "monologg/kobert": "the weights of KoBERT in another folder",
    "klue/bert-base": "compared in the paper; Korean",
    "klue/roberta-small": "compared in the paper; Korean",
    "klue/roberta-base": "Korean",
    "klue/roberta-large": "compared in the paper; Korean",
}


def _of(side: Side, rows: tuple[Row, ...]) -> dict[str, KnownEncoder]:
    return {row[0]: KnownEncoder(*row, side=side, note=_NOTES[row[0]]) for row in rows}


KNOWN = _of("speech", _SPEECH) | _of("text", _TEXT)
"""By name, speech before text, of each the built-in ones and then the paper's first."""

LIKENESS = 0.9
"""Of names, from 0 to 1, above which one may be the other mistyped."""


def closest(name: str, side: Side) -> str | None:
    """The known encoder of a side that a name may be mistyped for; None where there is none.

    Names with other numbers in them are other models; a name without author may be any author's.

    >>> closest("klue/roberta-lage", "text"), closest("kobert", "text")
    ('klue/roberta-large', 'monologg/kobert')
    >>> closest("openai/whisper-large-v2", "speech") is None
    True
    """
    known = [encoder.name for encoder in KNOWN.values() if encoder.side == side]
    spelt = {known_name.lower(): known_name for known_name in known}
    if "/" not in name:
        spelt |= {re.split("[/:]", lower)[-1]: known_name for lower, known_name in spelt.items()}
    same = [lower for lower in spelt if _numbers(lower) == _numbers(name)]
    found = get_close_matches(name.lower(), same, n=1, cutoff=LIKENESS)
    return spelt[found[0]] if found and spelt[found[0]] != name else None


def _numbers(name: str) -> list[str]:
    return re.findall(r"\d+", name)
