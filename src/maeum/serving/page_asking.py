"""What happens when a visitor asks: a form's values in, HTML out, every failure a sentence."""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol

from maeum.errors import MaeumError
from maeum.inference import Failure, Query
from maeum.serving.page_drawing import (
    Shown,
    answer_html,
    history_html,
    message_html,
    timeline_html,
)
from maeum.serving.problems import ProblemError

if TYPE_CHECKING:
    from maeum.features.normalize import Voice
    from maeum.inference import Classifier, Prediction
    from maeum.inference.timeline import Timeline

MOST_TEXT_CHARACTERS = 2_000
MOST_SHOWN = 6
"""Answers of a visit that are kept."""

MOST_VOICE_RECORDINGS = 30

log = logging.getLogger(__name__)


class Answering(Protocol):
    """What the page asks."""

    @property
    def model(self) -> Classifier:
        """The classifier: what it takes and tells apart."""

    @property
    def draining(self) -> bool:
        """Whether it is about to stop, so that open pages are to be let go."""

    def predict(self, query: Query) -> Prediction | Failure:
        """The answer, waited for.

        Raises:
            ProblemError: too many ask, or it takes too long.
        """

    async def timeline(self, path: Path) -> Timeline:
        """What was felt when in a long recording.

        Raises:
            MaeumError: the recording cannot be used.
            ProblemError: too many ask, or it takes too long.
        """


@dataclass(frozen=True)
class Told:
    """What one visitor sees.

    Attributes:
        answer: HTML of the answer, or of why there is none.
        history: HTML of the answers before it.
        past: all answers of this visit, the newest first.
    """

    answer: str
    history: str
    past: tuple[Shown, ...]


@dataclass
class Asking:
    """The page's questions to a service."""

    service: Answering
    _own_voices: threading.Lock = field(default_factory=threading.Lock)

    def message(self, key: str) -> str:
        """HTML of a message in the form for what the run takes: speech, text, or both."""
        sides = self.service.model.sides
        return message_html(key if len(sides) > 1 else f"{key}_{sides[0]}")

    def ask(
        self,
        recording: str | None,
        text: str | None,
        least: float,
        voice: Voice | None,
        past: Sequence[Shown],
    ) -> Told:
        """The emotion of one utterance.

        Args:
            recording: path of the upload.
            text: what was said; spaces alone are nothing.
            least: confidence in [0, 1] under which the answer is "unsure".
            voice: of the visitor's own, for runs that compare voices.
            past: answers of this visit, the newest first.
        """
        said = (text or "").strip() or None
        if recording is None and said is None:
            return self._told(self.message("nothing_given"), past, least)
        if said is not None and len(said) > MOST_TEXT_CHARACTERS:
            told = message_html("text_too_long", n=len(said), most=MOST_TEXT_CHARACTERS)
            return self._told(told, past, least)
        try:
            found = self._predicted(Query(recording, said), voice)
        except Exception as error:
            return self._told(_failed(error, recording), past, least)
        if isinstance(found, Failure):
            told = message_html("failed", _without_paths(found.error, recording))
            return self._told(told, past, least)
        shown = Shown(found, None if recording is None else _name(recording))
        return self.shown(least, (shown, *past)[:MOST_SHOWN])

    def shown(self, least: float, past: Sequence[Shown]) -> Told:
        """The answers of this visit once more, with another least confidence."""
        if not past:
            return Told(self.message("waiting"), "", ())
        html = answer_html(past[0], self.service.model.emotions, least=least)
        return self._told(html, past, least, skipped=1)

    async def follow(self, recording: str | None) -> str:
        """HTML of what was felt when in a long recording."""
        if recording is None:
            return message_html("no_recording")
        try:
            return timeline_html(await self.service.timeline(Path(recording)))
        except Exception as error:
            return _failed(error, recording)

    def voice_of(self, recordings: Sequence[str] | None) -> tuple[Voice | None, str]:
        """The visitor's own voice, and HTML that says what was heard."""
        if not recordings:
            return None, ""
        try:
            with _folder_of(recordings[:MOST_VOICE_RECORDINGS]) as folder, self._own_voices:
                voice = self.service.model.voice_in(folder)
        except Exception as error:
            return None, _failed(error, *recordings)
        return voice, message_html("voice_ready", n=len(recordings[:MOST_VOICE_RECORDINGS]))

    def _predicted(self, query: Query, voice: Voice | None) -> Prediction | Failure:
        """By the service, whose queue knows one voice; with another, one visitor at a time."""
        if voice is None:
            return self.service.predict(query)
        with self._own_voices:
            return next(iter(self.service.model.predict([query], voice=voice, explain=True)))

    def _told(self, html: str, past: Sequence[Shown], least: float, *, skipped: int = 0) -> Told:
        emotions = self.service.model.emotions
        return Told(html, history_html(past[skipped:], emotions, least=least), tuple(past))


def _failed(error: Exception, *recordings: str | None) -> str:
    """An error on purpose in its own words; of any other, nothing gets out."""
    if isinstance(error, (MaeumError, ProblemError)):
        return message_html("failed", _without_paths(str(error), *recordings))
    log.error("the page could not answer", exc_info=error)
    return message_html("broke")


def _without_paths(sentence: str, *recordings: str | None) -> str:
    """A sentence about the visitor's recordings rather than about files of ours."""
    for recording in recordings:
        if recording is not None:
            sentence = sentence.replace(recording, _name(recording))
    return sentence


def _name(recording: str) -> str:
    """Of a recording, as the visitor has it."""
    return Path(recording).name


@contextmanager
def _folder_of(recordings: Sequence[str]) -> Iterator[Path]:
    """Uploads, each of which has a folder of its own, in one."""
    with TemporaryDirectory(prefix="maeum-voice-") as folder:
        for number, recording in enumerate(recordings):
            to = Path(folder) / f"{number}{Path(recording).suffix}"
            try:
                os.link(recording, to)
            except OSError:  # another disk
                shutil.copyfile(recording, to)
        yield Path(folder)
