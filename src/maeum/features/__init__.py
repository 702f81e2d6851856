"""From encoders to vectors per utterance, computed once and shared by every run.

    features = extract(corpus, speech=speech_encoders("A+B"), text=text_encoders("C"))
    features.vectors("speech")          # (utterance, width), a copy
    features.take(ids)                  # some of them; nothing is copied
    hear(path, encoders)                # one recording

`extract` goes through a corpus, `keep` only fills the store, `recipe` says what decides the
vectors; `hearing` is for single recordings, `normalize` for voices, `store` for what was kept.
"""

from maeum.features.extract import Kept, extract, keep, recipe
from maeum.features.features import Count, Features
from maeum.features.frames import FrameTable
from maeum.features.hearing import (
    WHOLE,
    Clip,
    Stretch,
    encoding_workers,
    hear,
    hear_frames,
    listen,
    stretches,
    waves_for,
)
from maeum.features.store import Store, usual_store

__all__ = [
    "WHOLE",
    "Clip",
    "Count",
    "Features",
    "FrameTable",
    "Kept",
    "Store",
    "Stretch",
    "encoding_workers",
    "extract",
    "hear",
    "hear_frames",
    "keep",
    "listen",
    "recipe",
    "stretches",
    "usual_store",
    "waves_for",
]
