"""One evaluation as one page: a file that opens anywhere, without a network and without scripts."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from maeum.emotions import Emotion, EmotionSet
from maeum.evaluation.calibration import Calibration
from maeum.evaluation.calibration_figures import (
    TEMPERED,
    UNTEMPERED,
    coverage_figure,
    reliability_figure,
)
from maeum.evaluation.coverage import SHARES, Coverage
from maeum.evaluation.figures import (
    confusion_figure,
    learning_curves,
    learning_figure,
    png,
    recall_figure,
)
from maeum.evaluation.groups import Groups
from maeum.evaluation.hangul import font_data_uri
from maeum.evaluation.metrics import (
    BOOTSTRAP_DRAWS,
    METRICS,
    MIN_SPEAKERS_FOR_BOOTSTRAP,
    Scores,
    chance,
)

METRIC_WORDS = {
    "accuracy": ("Accuracy", "share of utterances answered right"),
    "uar": ("Unweighted average recall", "mean share found, every emotion counting the same"),
    "macro_f1": ("Macro F1", "mean over emotions of found and not mistaken, together"),
}
"""Title and meaning of each score in `METRICS`."""

PROTOCOL_WORDS = {
    "random": "Utterances were parted at random, so voices and sentences of the test may also "
    "stand in training; the numbers say little about new voices or new sentences.",
    "speaker": "No voice of the test was heard in training; the numbers are for new voices.",
    "script": "No sentence of the test was read in training; the numbers are for new sentences.",
    "speaker+script": "Neither voices nor sentences of the test occur in training; the numbers "
    "are for new voices that say new sentences.",
    "given": "The parts are the corpus's own; what they share is listed below.",
    "none": "The corpus was not parted: everything given was tested.",
}
"""What each way of parting a corpus means for the numbers."""

INTERVAL_WORDS = {
    "speakers": "The intervals are over speakers: whole voices were drawn anew, with replacement, "
    f"{BOOTSTRAP_DRAWS:,} times. Read one as the range in which the number would likely have come "
    "out, 95 times in 100, had other speakers of the same kind been recorded.",
    "utterances": "The intervals are over utterances, because the test has "
    f"fewer than {MIN_SPEAKERS_FOR_BOOTSTRAP} speakers: utterances were drawn anew, with "
    f"replacement, {BOOTSTRAP_DRAWS:,} times. Read one as the range in which the number would "
    "likely have come out, 95 times in 100, with other utterances of the same voices. For new "
    "voices expect a wider range.",
}
"""How to read an interval, by what it was drawn over."""

COLUMN_WORDS = {
    "fold": "Fold",
    "n": "Utterances",
    "accuracy": "Accuracy",
    "uar": "UAR",
    "macro_f1": "Macro F1",
}
"""Headings of the folds' table; further columns go by their own names."""


@dataclass(frozen=True)
class Sureness:
    """What confidence is worth.

    Attributes:
        after: of the probabilities that were given.
        before: of the same without temperature; None: there was none.
        coverage: of the answers.
    """

    after: Calibration
    before: Calibration | None
    coverage: Coverage

    @property
    def rows(self) -> dict[str, Calibration]:
        """Each by its name in pictures and tables."""
        rows = {TEMPERED: self.after}
        return rows if self.before is None else {UNTEMPERED: self.before, **rows}

    @property
    def at(self) -> dict[float, float]:
        """Coverage -> accuracy."""
        return {share: self.coverage.accuracy_at(share) for share in SHARES}


HANGUL_FONT = "data:,hangul"
"""Stands in the template where the font goes once it is known which signs the page has."""

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7a3]")


@dataclass(frozen=True)
class Report:
    """What a report tells.

    Attributes:
        title: what was evaluated on what.
        summary: one or two sentences for who reads no further.
        scores: the numbers.
        emotions: the emotions of `scores`, in the same order.
        protocol: how the corpus was parted; a key of `PROTOCOL_WORDS`, or words of one's own.
        split_note: what else is to be said of the parts.
        leaks: a sentence for each thing training and test share; empty where nothing is shared.
        settings: what the run was set to; may be nested.
        history: entries as the Trainer logs them; empty draws no curve.
        parts: utterances by part.
        rows: wrong answers, the most confident first, each with `id`, `text`, `truth`, `answer`
            and `confidence` in [0, 1].
        versions: of the software, by package.
        folds: scores of each fold of a cross-validation, all with the same keys.
        groups: results by gender, age, style and speaker.
        sureness: what confidence is worth; None: probabilities were not kept.
    """

    title: str
    summary: str
    scores: Scores
    emotions: EmotionSet
    protocol: str
    split_note: str
    leaks: Sequence[str]
    settings: Mapping[str, object]
    history: Sequence[Mapping[str, Any]]
    parts: Mapping[str, int]
    rows: Sequence[Mapping[str, Any]]
    versions: Mapping[str, str]
    folds: Sequence[Mapping[str, Any]] = ()
    groups: Sequence[Groups] = ()
    sureness: Sureness | None = None


@dataclass(frozen=True)
class Headline:
    """A score with what to hold beside it; all shares in [0, 1]."""

    title: str
    meaning: str
    value: float
    lower: float
    upper: float
    chance: float

    @property
    def verdict(self) -> str:
        """Whether the interval lies above chance."""
        if self.lower > self.chance:
            return "above chance"
        return "below chance" if self.upper < self.chance else "not told apart from chance"


def render_report(report: Report) -> str:
    """The report as one HTML page that loads nothing from elsewhere.

    Texts of the corpus are shown as they are and never read as HTML.
    """
    return render_page(
        "report.html.j2",
        report=report,
        headlines=headlines(report.scores),
        protocol_words=PROTOCOL_WORDS.get(report.protocol, ""),
        interval_words=INTERVAL_WORDS[report.scores.ci95_over],
        pictures={name: data_uri(figure) for name, figure in _figures(report)},
        emotions=dict(zip(report.emotions.names, report.emotions.emotions, strict=True)),
        column_words=COLUMN_WORDS,
        fold_columns=_plain_columns(report.folds),
        settings=dict(flattened(report.settings)),
    )


def render_page(template: str, *, room: str = "maeum.evaluation", **values: object) -> str:
    """A page that loads nothing from elsewhere, in the style of all our pages.

    Args:
        template: its file.
        room: the package it lies in.
        values: that it shows.
    """
    page = _templates(room).get_template(template).render(hangul_font=HANGUL_FONT, **values)
    return page.replace(HANGUL_FONT, font_data_uri("".join(_HANGUL.findall(page))))


def headlines(scores: Scores) -> list[Headline]:
    """Each score with its interval and what chance would reach."""
    blind = chance(np.asarray(scores.confusion))
    return [
        Headline(*METRIC_WORDS[name], getattr(scores, name), *scores.ci95[name], blind[name])
        for name in METRICS
    ]


def flattened(settings: Mapping[str, object], above: str = "") -> Iterator[tuple[str, str]]:
    """Settings as text, a nested one by its path.

    >>> dict(flattened({"seed": 0, "speech": {"layers": "last", "encoder": None}}))
    {'seed': '0', 'speech.layers': 'last', 'speech.encoder': 'null'}
    """
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{above}{name}.")
        else:
            plain = value if isinstance(value, str) else _json(value)
            yield f"{above}{name}", plain


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _figures(report: Report) -> Iterator[tuple[str, Figure]]:
    yield "confusion", confusion_figure(report.scores.confusion, report.emotions, "")
    yield "recall", recall_figure(report.scores, report.emotions)
    if report.sureness is not None:
        sure = report.sureness
        yield "reliability", reliability_figure(sure.after, sure.before)
        yield "coverage", coverage_figure(sure.coverage)
    if learning_curves(report.history):
        yield "learning", learning_figure(report.history)


def data_uri(figure: Figure) -> str:
    """The figure as the address of an image that is part of the page."""
    return "data:image/png;base64," + base64.b64encode(png(figure)).decode("ascii")


def _plain_columns(folds: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns of the folds' table: those with one value in each fold, in order."""
    return [name for name, value in (folds[0] if folds else {}).items() if _is_plain(value)]


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float)


def _templates(room: str) -> Environment:
    rooms = dict.fromkeys((room, "maeum.evaluation"))
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(name, ".") for name in rooms]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(per_cent=_per_cent, cell=_cell, hex_colour=_hex_colour, code=_code)
    return environment


def _per_cent(share: float | None) -> str:
    """A share as per cent, a dash where it is undefined."""
    return "–" if share is None else f"{share:.1%}"


def _cell(value: float | str, column: str) -> str:
    if column in METRICS:
        return _per_cent(float(value))
    return f"{value:,}" if isinstance(value, int) else str(value)


def _hex_colour(emotion: Emotion) -> str:
    """A colour that is nothing but a colour, whatever a saved model says it is."""
    return to_hex(emotion.colour)


def _code(text: str) -> Markup:
    """Text whose parts between backticks are what is typed."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped
