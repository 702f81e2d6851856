"""For tests, ours and yours: made corpora, tiny encoders, broken input; nothing to download."""

from maeum.testing.aihub86 import make_aihub86
from maeum.testing.aihub263 import make_aihub263
from maeum.testing.aihub466 import MadeTree, make_aihub466
from maeum.testing.audio_classifiers import CLASSIFIER_KINDS, make_audio_classifier
from maeum.testing.corpora import MANNERS, made_scripts, made_speakers, made_voice, make_corpus
from maeum.testing.dirt import DIRT, encode, made_tone
from maeum.testing.kemdy import make_kemdy19, make_kemdy20
from maeum.testing.planted import Planted
from maeum.testing.recognisers import RECOGNISER_KINDS, SYLLABLES, make_recogniser
from maeum.testing.speech_checkpoints import SPEECH_FAMILIES, make_speech_checkpoint
from maeum.testing.text_checkpoints import TEXT_FAMILIES, make_text_checkpoint
from maeum.testing.uploads import MalformedUpload, malformed_uploads

__all__ = [
    "CLASSIFIER_KINDS",
    "DIRT",
    "MANNERS",
    "RECOGNISER_KINDS",
    "SPEECH_FAMILIES",
    "SYLLABLES",
    "TEXT_FAMILIES",
    "MadeTree",
    "MalformedUpload",
    "Planted",
    "encode",
    "made_scripts",
    "made_speakers",
    "made_tone",
    "made_voice",
    "make_aihub86",
    "make_aihub263",
    "make_aihub466",
    "make_audio_classifier",
    "make_corpus",
    "make_kemdy19",
    "make_kemdy20",
    "make_recogniser",
    "make_speech_checkpoint",
    "make_text_checkpoint",
    "malformed_uploads",
]
