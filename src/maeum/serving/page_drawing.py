"""Answers and timelines as HTML: in both languages, coloured, readable without colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from maeum.emotions import Emotion, EmotionSet
from maeum.serving.page_words import WORDS, Word, names, say

if TYPE_CHECKING:
    from maeum.inference.prediction import Prediction
    from maeum.inference.timeline import Segment, Timeline

MOST_ROWS = 1_000
"""Segments in the table; a day of talk would be more than a browser likes."""

PIXELS_PER_S = 22
WIDEST_PIXELS = 30_000
"""Of the picture that scrolls; an hour has 8 pixels a second."""

TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
TICK_PIXELS = 90
CALM = {
    *("waiting", "waiting_speech", "waiting_text", "long_waiting"),
    *("voices_why", "voice_ready"),
}
"""Messages that nothing went wrong in."""

SIDES = {"speech": "speech", "text": "text_side"}
"""Modality -> key of its name in `WORDS`."""


@dataclass(frozen=True)
class Shown:
    """One answer of this visit.

    Attributes:
        prediction: the answer.
        name: of the recording, as the visitor has it; None: it has none, or there is none.
    """

    prediction: Prediction
    name: str | None = None


@dataclass(frozen=True)
class Bar:
    """One emotion and its probability, in [0, 1]."""

    emotion: Emotion
    chance: float

    @property
    def label(self) -> Markup:
        """Its names."""
        return label(self.emotion)

    @property
    def percent(self) -> str:
        """With one digit after the point."""
        return percent(self.chance)


def percent(share: float) -> str:
    """A share as per cent, with one digit.

    >>> percent(0.0349)
    '3.5'
    """
    return f"{100 * share:.1f}"


def clock(seconds: float) -> str:
    """A time in a recording.

    >>> clock(75.4), clock(3700)
    ('1:15', '1:01:40')
    """
    whole = round(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def answer_html(shown: Shown, emotions: EmotionSet, *, least: float) -> str:
    """One answer: the emotion, all probabilities, what it rests on.

    Args:
        shown: the answer.
        emotions: that are told apart.
        least: confidence in [0, 1] under which it is none; 0: every answer will do.
    """
    bars = _bars(shown.prediction.probabilities, emotions)
    return _rendered(
        "page_answer.html.j2",
        bars=bars,
        best=bars[0],
        sure=bars[0].chance >= least,
        least=f"{100 * least:.0f}",
        announced=_announced(bars[0], sure=bars[0].chance >= least),
        rests_on=list(_rests_on(shown.prediction)),
        explained=bool(shown.prediction.contributions),
        shown=shown,
    )


def history_html(past: Sequence[Shown], emotions: EmotionSet, *, least: float) -> str:
    """The answers before this one, a line each; nothing where there are none."""
    lines = [(one, _bars(one.prediction.probabilities, emotions)[0]) for one in past]
    return _rendered("page_history.html.j2", lines=lines, least=least) if lines else ""


def message_html(key: str, sentence: str | None = None, **values: object) -> str:
    """Something else than an answer.

    Args:
        key: what is said, of `WORDS`.
        sentence: why, in the words of an error.
        values: that fill the places of the word.
    """
    said = say(key, **values)
    return _rendered("page_message.html.j2", said=said, sentence=sentence, urgent=key not in CALM)


def timeline_html(found: Timeline) -> str:
    """What was felt when: a picture that scrolls, and a table."""
    emotions, segments = found.emotions, found.segments
    lanes = [
        _lane(channel, [one for one in segments if one.channel == channel], emotions)
        for channel in sorted({one.channel for one in segments}, key=lambda one: one or 0)
    ]
    means = _bars(_means(segments, emotions), emotions)
    return _rendered(
        "page_timeline.html.j2",
        found=found,
        lanes=lanes,
        several=len(lanes) > 1,
        worded=any(one.prediction.text for one in segments),
        means=means,
        course=_course(found, means[0]),
        width=round(_width(found.duration_s)),
        ticks=[(at, 100 * at / found.duration_s) for at in _ticks(found.duration_s)],
        rows=[
            (one, _bars(one.prediction.probabilities, emotions)[0]) for one in segments[:MOST_ROWS]
        ],
    )


def frame_html(part: str, **values: Any) -> str:  # noqa: ANN401 - a template takes anything
    """What stands above and below: `header` or `footer`."""
    return _rendered(f"page_{part}.html.j2", **values)


def label(emotion: Emotion) -> Markup:
    """An emotion's names, the one of the page's language first."""
    return names(Word(emotion.korean, emotion.name))


def _bars(probabilities: Mapping[str, float], emotions: EmotionSet) -> list[Bar]:
    """The most probable first."""
    bars = [Bar(emotion, probabilities[emotion.name]) for emotion in emotions.emotions]
    return sorted(bars, key=lambda bar: -bar.chance)


def _announced(best: Bar, *, sure: bool) -> Markup:
    """What a screen reader says of an answer, in a few words."""
    if not sure:
        return say("unsure")
    announced = WORDS["announced"]
    return Word(
        announced.ko.format(emotion=best.emotion.korean, percent=best.percent),
        announced.en.format(emotion=best.emotion.name, percent=best.percent),
    ).markup


def _rests_on(prediction: Prediction) -> Iterator[tuple[str, float | None]]:
    """Each side and its contribution in points of per cent, if that is known."""
    known = prediction.contributions or {}
    for side in prediction.modalities:
        yield side, 100 * known[side] if side in known else None


def _means(segments: Iterable[Segment], emotions: EmotionSet) -> dict[str, float]:
    """Emotion -> mean probability, each segment weighing as much as it lasts."""
    weights = [(one.end_s - one.start_s, one.prediction.probabilities) for one in segments]
    total = sum(weight for weight, _ in weights) or 1.0
    return {
        name: sum(w * chances[name] for w, chances in weights) / total for name in emotions.names
    }


def _course(found: Timeline, highest: Bar) -> Markup:
    said = WORDS["course_said"]
    told = {
        "duration": clock(found.duration_s),
        "n": len(found.segments),
        "percent": highest.percent,
    }
    return Word(
        said.ko.format(emotion=highest.emotion.korean, **told),
        said.en.format(emotion=highest.emotion.name, **told),
    ).markup


def _lane(channel: int | None, segments: Sequence[Segment], emotions: EmotionSet) -> dict[str, Any]:
    """One channel: for each emotion the outline of its areas, in seconds and per cent."""
    outlines: dict[str, list[str]] = {name: [] for name in emotions.names}
    strips: dict[str, list[str]] = {name: [] for name in emotions.names}
    for one in segments:
        chances = one.prediction.probabilities
        floor = 100.0
        for name in emotions.names:
            outlines[name].append(_box(one, floor - 100 * chances[name], 100 * chances[name]))
            floor -= 100 * chances[name]
        strips[max(emotions.names, key=lambda name: chances[name])].append(_box(one, 0, 100))
    return {
        "channel": channel,
        "segments": [(one, _bars(one.prediction.probabilities, emotions)[0]) for one in segments],
        "areas": [(e, " ".join(outlines[e.name])) for e in emotions.emotions if outlines[e.name]],
        "strips": [(e, " ".join(strips[e.name])) for e in emotions.emotions if strips[e.name]],
    }


def _box(segment: Segment, top: float, height: float) -> str:
    start, width = segment.start_s, segment.end_s - segment.start_s
    return f"M{start:.2f} {top:.2f}h{width:.2f}v{height:.2f}h-{width:.2f}z"


def _width(duration_s: float) -> float:
    return min(duration_s * PIXELS_PER_S, WIDEST_PIXELS)


def _ticks(duration_s: float) -> list[float]:
    """Round times that stand far enough apart."""
    apart_s = TICK_PIXELS * duration_s / max(_width(duration_s), 600)
    step = next((tick for tick in TICKS_S if tick >= apart_s), TICKS_S[-1])
    return [float(at) for at in range(0, int(duration_s) + 1, step)]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("maeum.serving", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        say=say, side=lambda name: say(SIDES[name]), clock=clock, label=label
    )
    return environment


def _rendered(template: str, **values: Any) -> str:  # noqa: ANN401
    return _environment().get_template(template).render(**values)
