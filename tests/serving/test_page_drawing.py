"""What the page shows, without a browser."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from string import Formatter

import pytest

pytest.importorskip("fastapi")

from maeum.emotions import PAPER, EmotionSet
from maeum.errors import AudioError
from maeum.inference import Failure, Prediction
from maeum.inference.timeline import Segment, Timeline
from maeum.serving.page_asking import MOST_TEXT_CHARACTERS, Asking
from maeum.serving.page_drawing import Shown, answer_html, history_html, timeline_html
from maeum.serving.page_words import WORDS, translations
from maeum.serving.problems import ProblemError

TWO = EmotionSet.of(["Happy", "Sad"])
MARKUP = "<script>alert('1')</script>"


def felt(sad, text=None, audio=None):
    emotion = "Sad" if sad > 0.5 else "Happy"
    return Prediction(
        emotion, max(sad, 1 - sad), {"Happy": 1 - sad, "Sad": sad}, ("text",), audio, text
    )


@pytest.mark.parametrize("key", WORDS)
def test_every_word_says_in_both_languages_what_it_is_given(key):
    korean, english = (
        {place for _, place, _, _ in Formatter().parse(text) if place} for text in WORDS[key]
    )
    assert korean == english
    assert re.search("[가-힣]|%p", WORDS[key].ko)
    assert {*translations()} == {"ko", "en"}


def test_what_a_visitor_types_is_text_and_never_markup():
    html = answer_html(Shown(felt(0.9, MARKUP)), TWO, least=0)
    html += history_html([Shown(felt(0.9, MARKUP, "/a"), f"{MARKUP}.wav")], TWO, least=0)
    html += timeline_html(
        Timeline("/a", 3.0, TWO, 0.0, (Segment(0, 2, None, felt(0.9, MARKUP), felt(0.9)),))
    )
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 4


def test_bars_are_sorted_and_say_their_numbers():
    html = answer_html(Shown(felt(0.714)), TWO, least=0)
    assert re.findall(r'm-value">([\d.]+ %)', html) == ["71.4 %", "28.6 %"]
    assert html.index('data-emotion="Sad"') < html.index('data-emotion="Happy"')


def test_an_answer_under_the_least_confidence_is_none():
    assert "m-unsure" in answer_html(Shown(felt(0.6)), TWO, least=0.65)
    assert "m-unsure" not in answer_html(Shown(felt(0.65)), TWO, least=0.65)


def test_contributions_are_shown_where_they_are_known():
    known = {"speech": 0.312, "text": -0.04}
    one = replace(felt(0.8), modalities=("speech", "text"), contributions=known)
    html = answer_html(Shown(one), TWO, least=0)
    assert "+31.2 %p" in html
    assert "−4.0 points" in html
    assert "+31.2" not in answer_html(Shown(felt(0.8)), TWO, least=0)


def test_a_timeline_draws_each_channel_and_fills_its_height():
    segments = [
        Segment(start, start + 2.0, channel, felt(0.25 + channel / 2), felt(0.5))
        for start in (0.0, 4.0)
        for channel in (0, 1)
    ]
    html = timeline_html(Timeline("/a", 7.0, TWO, 5.0, tuple(segments)))
    assert html.count('class="m-areas"') == 2
    assert "M0.00 25.00h2.00v75.00h-2.00z" in html  # happy in channel 0, from the middle down
    assert "/a" not in re.sub(r"</a?", "", html)


class Refusing:
    """A service that has one reason or another not to answer."""

    draining = False

    def __init__(self, why, sides=("speech", "text")):
        self.why = why
        self.model = type("Model", (), {"emotions": PAPER, "sides": list(sides)})()

    def predict(self, query):
        if isinstance(self.why, Exception):
            raise self.why
        return Failure(f"{query.audio} is broken", query.audio)

    async def timeline(self, path):
        raise self.why


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (AudioError("/tmp/x/a.wav is silent"), "a.wav is silent"),
        (ProblemError(503, "many are waiting; come again"), "many are waiting; come again"),
        (None, "a.wav is broken"),
        (OSError("/tmp/x/a.wav: no space"), "Something failed in the service"),
    ],
)
def test_a_failure_is_a_sentence_without_our_paths(why, said):
    told = Asking(Refusing(why)).ask("/tmp/x/a.wav", None, 0, None, ())
    assert said in told.answer
    assert "/tmp" not in told.answer
    assert told.past == ()
    if why is not None:
        assert said in asyncio.run(Asking(Refusing(why)).follow("/tmp/x/a.wav"))


def test_a_text_has_a_length():
    told = Asking(Refusing(None)).ask(None, "가" * (MOST_TEXT_CHARACTERS + 1), 0, None, ())
    assert "2,001" in told.answer


@pytest.mark.parametrize(
    ("sides", "asked_for", "not_asked_for"),
    [
        (("speech", "text"), ("Record or type", "record, upload a file or type"), "Type something"),
        (("speech",), ("Record something", "record or upload"), "type"),
        (("text",), ("Type something", "type what was said"), "ecord"),
    ],
)
def test_only_what_a_run_takes_is_asked_for(sides, asked_for, not_asked_for):
    asking = Asking(Refusing(None, sides))
    waiting, nothing = asking.shown(0, ()).answer, asking.ask(None, " ", 0, None, ()).answer
    assert asked_for[0] in waiting
    assert "m-idle" in waiting
    assert asked_for[1] in nothing
    assert "m-trouble" in nothing
    assert not_asked_for not in waiting + nothing
