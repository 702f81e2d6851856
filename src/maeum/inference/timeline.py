"""A long recording as a course of emotions: who speaks when, and how it sounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from maeum.corpus.audio import AudioHeader, read_header
from maeum.corpus.long import at_hand
from maeum.corpus.transcripts import Cue
from maeum.emotions import EmotionSet
from maeum.errors import AudioError, RunError, SettingsError
from maeum.features.hearing import MAX_UTTERANCE_S, Stretch
from maeum.features.normalize import Voice
from maeum.inference.classifier import Classifier
from maeum.inference.prediction import Failure, Prediction, Query
from maeum.inference.transcribing import with_words
from maeum.inference.voice_activity import Span, chances_of_speech, spans_of_speech
from maeum.inference.wording import Piece, pieces_of
from maeum.progress import track

if TYPE_CHECKING:
    from maeum.inference.transcribing import Recogniser

LONGEST_S = 15.0
"""A segment's usual bound."""

SMOOTH_S = 5.0
"""How far segments look around, unless told otherwise."""

MAX_SMOOTH_S = 3600.0
"""The most that may be asked for."""

EACH, MEAN = "each", "mean"
"""Every channel by itself, one party on each; or their mean."""


@dataclass(frozen=True)
class Segment:
    """A stretch of speech and what was felt in it.

    Attributes:
        start_s: where it begins, in seconds from the beginning of the recording.
        end_s: where it ends.
        channel: from 0; None: the mean of all.
        prediction: smoothed over its neighbours, as far as that was asked for.
        alone: what its own sound and words say.
    """

    start_s: float
    end_s: float
    channel: int | None
    prediction: Prediction
    alone: Prediction

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        stated = self.prediction.to_dict()
        del stated["audio"]
        when = {"start_s": round(self.start_s, 3), "end_s": round(self.end_s, 3)}
        return {**when, "channel": self.channel, **stated, "alone": self.alone.probabilities}


@dataclass(frozen=True)
class Unused:
    """A stretch of speech that gave no answer, and why."""

    start_s: float
    end_s: float
    channel: int | None
    error: str

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**vars(self), "start_s": round(self.start_s, 3), "end_s": round(self.end_s, 3)}


@dataclass(frozen=True)
class Timeline:
    """A recording's segments, by time.

    Attributes:
        audio: the recording, as given.
        duration_s: its length in seconds.
        emotions: that were told apart, in class order.
        smooth_s: how far segments looked around; 0: not at all. Probabilities are the mean over
            segments of the same channel, each weighing as much as it lasts, less by a factor of e
            with every `smooth_s` between the middles.
        segments: what was answered.
        unused: what was not.
    """

    audio: str
    duration_s: float
    emotions: EmotionSet
    smooth_s: float
    segments: tuple[Segment, ...]
    unused: tuple[Unused, ...] = ()

    @property
    def channels(self) -> list[int | None]:
        """Those that have segments, in order."""
        return sorted({one.channel for one in self.segments}, key=lambda one: one or 0)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "audio": self.audio,
            "duration_s": round(self.duration_s, 3),
            "emotions": list(self.emotions.names),
            "smooth_s": self.smooth_s,
            "segments": [one.to_dict() for one in self.segments],
            "unused": [one.to_dict() for one in self.unused],
        }


def as_table(found: Timeline) -> pl.DataFrame:
    """A row per segment.

    Columns start_s, end_s, channel, emotion, confidence, one for each emotion, modalities, text.
    """
    return pl.DataFrame(
        [
            {
                "start_s": round(one.start_s, 3),
                "end_s": round(one.end_s, 3),
                "channel": one.channel,
                "emotion": one.prediction.emotion,
                "confidence": one.prediction.confidence,
                **one.prediction.probabilities,
                "modalities": "+".join(one.prediction.modalities),
                "text": one.prediction.text,
            }
            for one in found.segments
        ]
    )


def timeline(
    model: Classifier,
    audio: str | Path,
    *,
    transcript: Sequence[Cue] = (),
    recogniser: Recogniser | None = None,
    channel: str | int = MEAN,
    voice: Voice | None = None,
    smooth_s: float = SMOOTH_S,
    longest_s: float = LONGEST_S,
) -> Timeline:
    """Follow a recording of any length.

    Speech is found, parted into segments, and each is answered as a recording of its own would be;
    music and silence are skipped. Memory does not grow with the length.

    Args:
        model: that answers.
        audio: the recording.
        transcript: what is said when. A cue is a segment; speech outside of cues is heard alone.
        recogniser: for words where the transcript has none.
        channel: its number from 0, `mean` of all, or `each` by itself.
        voice: what `Classifier.voice_in` gave, for a run that normalises per speaker.
        smooth_s: how far segments look around, in seconds; 0: not at all.
        longest_s: no segment lasts longer, in seconds, 2 to 60.

    Raises:
        AudioError: the recording cannot be read, or nobody speaks in it.
        SettingsError: a number is out of range, or what finds speech is not installed.
        RunError: the run cannot answer for this.
    """
    _ensure_bounds(smooth_s, longest_s)
    worded = bool(transcript) or recogniser is not None
    _ensure_answerable(model, worded=worded, has_voice=voice is not None)
    path = Path(audio)
    with at_hand(path) as near:
        header = read_header(near)
        channels = _channels(path, header, channel)
        chances = chances_of_speech(near, channels)
        spans = {one: spans_of_speech(own, longest_s) for one, own in chances.items()}
        pieces = pieces_of(spans, chances, transcript, longest_s)
        if not pieces:
            raise AudioError(
                f"{path} holds no speech that was found; check the channel and the level, or say "
                "with a transcript where somebody speaks"
            )
        answered = list(_answers(model, near, pieces, recogniser, voice))
    alone = [
        (piece, replace(found, audio=str(audio)))
        for piece, found in zip(pieces, answered, strict=True)
    ]
    return Timeline(
        str(audio),
        header.duration_s,
        model.emotions,
        smooth_s,
        tuple(_segments([(p, f) for p, f in alone if isinstance(f, Prediction)], smooth_s)),
        tuple(
            Unused(*piece.span, piece.channel, _plain(found.error, near, path))
            for piece, found in alone
            if isinstance(found, Failure)
        ),
    )


def _ensure_bounds(smooth_s: float, longest_s: float) -> None:
    if not 0 <= smooth_s <= MAX_SMOOTH_S:
        raise SettingsError(f"smoothing over {smooth_s} s was asked for; expected 0 to 3,600")
    if not 2 <= longest_s <= MAX_UTTERANCE_S:
        raise SettingsError(
            f"segments of {longest_s} s were asked for; expected 2 to {MAX_UTTERANCE_S:.0f}"
        )


def _ensure_answerable(model: Classifier, *, worded: bool, has_voice: bool) -> None:
    """Say once what every segment would say."""
    if model.needs_voice and not has_voice:
        raise RunError(
            "this run compares a recording with others of the same voice: give a folder of them "
            "(--speaker FOLDER), or train with --normalize none"
        )
    if "speech" not in model.sides and not worded:
        raise RunError(
            "this run reads words only; give a transcript with times (--transcript FILE) or a "
            "speech recogniser (--transcribe MODEL)"
        )


def _channels(path: Path, header: AudioHeader, asked: str | int) -> list[int | None]:
    if asked == MEAN:
        return [None]
    if asked == EACH:
        return list(range(header.channels)) if header.channels > 1 else [None]
    if not (str(asked).isdecimal() and int(asked) < header.channels):
        raise AudioError(
            f"{path} has no channel {asked}: it has {header.channels}, counted from 0; name one of "
            f"them, {EACH} or {MEAN}"
        )
    return [int(asked)]


def _answers(
    model: Classifier,
    path: Path,
    pieces: Sequence[Piece],
    recogniser: Recogniser | None,
    voice: Voice | None,
) -> Iterator[Prediction | Failure]:
    def asked() -> Iterator[Query]:
        for piece in pieces:
            stretch = Stretch(piece.channel, piece.span.start_s, piece.span.duration_s)
            yield Query(str(path), piece.text, stretch)

    worded = asked() if recogniser is None else with_words(asked(), recogniser)
    return track(model.predict(worded, voice=voice), total=len(pieces), label="segments")


def _plain(error: str, near: Path, path: Path) -> str:
    """A sentence about the recording, not about a copy of it."""
    return error.replace(str(near), str(path))


def _segments(alone: Sequence[tuple[Piece, Prediction]], smooth_s: float) -> Iterator[Segment]:
    """In the order of time."""
    smoothed = _smoothed(alone, smooth_s) if smooth_s > 0 else [found for _, found in alone]
    for (piece, found), smooth in zip(alone, smoothed, strict=True):
        yield Segment(*piece.span, piece.channel, smooth, found)


def _smoothed(alone: Sequence[tuple[Piece, Prediction]], smooth_s: float) -> list[Prediction]:
    """Each with probabilities of its surroundings in its channel; see `Timeline.smooth_s`."""
    result: list[Prediction] = [found for _, found in alone]
    for channel in {piece.channel for piece, _ in alone}:
        places = [place for place, (piece, _) in enumerate(alone) if piece.channel == channel]
        spans = [alone[place][0].span for place in places]
        chances = np.array([list(alone[place][1].probabilities.values()) for place in places])
        for place, row in zip(places, _around(spans, chances, smooth_s), strict=True):
            result[place] = alone[place][1].with_probabilities(row.tolist())
    return result


def _around(
    spans: Sequence[Span], chances: NDArray[np.float64], smooth_s: float
) -> Iterator[NDArray[np.float64]]:
    """(emotion,) for each span; what is too far away to weigh is not looked at."""
    middles = np.array([(span.start_s + span.end_s) / 2 for span in spans])
    lengths = np.array([span.duration_s for span in spans])
    reach = smooth_s * 20  # exp(-20) is 2e-9
    first = np.searchsorted(middles, middles - reach)
    last = np.searchsorted(middles, middles + reach, side="right")
    for middle, begin, end in zip(middles, first, last, strict=True):
        near = slice(begin, end)
        weights = lengths[near] * np.exp(-np.abs(middles[near] - middle) / smooth_s)
        yield weights @ chances[near] / weights.sum()
