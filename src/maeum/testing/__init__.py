"""For tests, ours and yours: a made corpus and every kind of broken input, nothing to download."""

from maeum.testing.corpora import MANNERS, made_scripts, made_speakers, made_voice, make_corpus
from maeum.testing.dirt import DIRT, encode, made_tone

__all__ = [
    "DIRT",
    "MANNERS",
    "encode",
    "made_scripts",
    "made_speakers",
    "made_tone",
    "made_voice",
    "make_corpus",
]
