"""The report says all there is to say, in one file, and trusts no text of a corpus."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import polars as pl
import pytest

from maeum.emotions import PAPER, Emotion, EmotionSet
from maeum.evaluation.calibration import calibration
from maeum.evaluation.coverage import coverage
from maeum.evaluation.groups import grouped
from maeum.evaluation.metrics import scores
from maeum.evaluation.report import (
    METRIC_WORDS,
    PROTOCOL_WORDS,
    Report,
    Sureness,
    flattened,
    headlines,
    render_report,
)

HOSTILE = "</style></title><script src='https://evil.example/x.js'></script><img src=x onerror=y>"
HISTORY = [{"epoch": 1.0, "loss": 0.9}, {"epoch": 2.0, "loss": 0.5}]
FOLDS = [
    {"fold": 1, "n": 1200, "accuracy": 0.612, "uar": 0.598, "macro_f1": 0.587, "confusion": []},
    {"fold": 2, "n": 1300, "accuracy": 0.634, "uar": 0.623, "macro_f1": 0.609, "confusion": []},
]
CLEAN = "No sentence, voice or recording is shared"


@cache
def scored(speakers=12, right=0.7, emotions=PAPER):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(emotions), 210)
    answer = np.where(rng.random(210) < right, truth, rng.integers(0, len(emotions), 210))
    voices = [f"voice {i % speakers}" for i in range(210)]
    return scores(truth, answer, voices, emotions.names, rng)


def report(**changes):
    plain = Report(
        title="Calls of autumn",
        summary="Seven emotions from voices never heard.",
        scores=scored(),
        emotions=PAPER,
        protocol="speaker",
        split_note="Chosen because twelve speakers are named.",
        leaks=(),
        settings={"seed": 3, "speech": {"encoder": "builtin:acoustic"}, "lr": 1e-4},
        history=HISTORY,
        parts={"train": 1680, "test": 210},
        rows=[
            {
                "id": "calls/0007",
                "text": "정말 마음이 아프다",
                "truth": "Hurt",
                "answer": "Sad",
                "confidence": 0.913,
            }
        ],
        versions={"maeum": "0.1.0", "torch": "2.13.0"},
    )
    return replace(plain, **changes)


class Page(HTMLParser):
    """Elements, what they load, and the words a reader sees."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.sources, self.words = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ("src", "href", "srcset")]

    def handle_data(self, data):
        if self.tags and self.tags[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.words))


def text_of(**changes):
    return Page(render_report(report(**changes))).text


def test_headline_numbers_stand_with_interval_and_chance():
    shown = text_of()
    for line in headlines(scored()):
        assert line.title in shown
        assert f"{line.value:.1%} 95% interval {line.lower:.1%} to {line.upper:.1%}" in shown
        assert f"chance {line.chance:.1%}" in shown
    assert len(headlines(scored())) == len(METRIC_WORDS)


def test_every_emotion_stands_in_both_languages_with_its_numbers():
    shown = text_of()
    for emotion in PAPER.emotions:
        row = scored().by_emotion[emotion.name]
        numbers = " ".join(f"{row[name]:.1%}" for name in ("recall", "precision", "f1"))
        assert f"{emotion.name} {emotion.korean} {row['n']} {numbers}" in shown


def test_numbers_that_are_undefined_are_dashes():
    emotions = EmotionSet.of(["Happy", "Sad"])
    found = scores([0, 0], [0, 0], None, emotions.names, np.random.default_rng(0))
    assert "Sad 슬픔 0 – – –" in text_of(scores=found, emotions=emotions, rows=())


def test_settings_versions_parts_and_mistakes_are_all_there():
    shown = text_of()
    for words in (
        *("speech.encoder builtin:acoustic", "lr 0.0001", "seed 3", "torch 2.13.0"),
        *("train 1,680", "210 utterances tested", "calls/0007", "정말 마음이 아프다", "91.3% sure"),
        *("Calls of autumn", "Seven emotions from voices never heard."),
        "Chosen because twelve speakers are named.",
    ):
        assert words in shown


@pytest.mark.parametrize("protocol", PROTOCOL_WORDS)
def test_the_way_of_parting_is_explained(protocol):
    shown = text_of(protocol=protocol)
    assert f"How it was tested: {protocol}" in shown
    assert PROTOCOL_WORDS[protocol] in shown


def test_a_protocol_in_own_words_is_shown_as_it_is():
    assert "How it was tested: one call left out" in text_of(protocol="one call left out")


def test_leaks_are_listed_in_a_warning():
    leaks = ["18 of 20 sentences are shared.", "All 40 voices are shared."]
    shown = text_of(leaks=leaks)
    assert "training and test share something" in shown
    assert all(leak in shown for leak in leaks)
    assert CLEAN not in shown


def test_without_leaks_the_report_says_so():
    shown = text_of()
    assert CLEAN in shown
    assert "share something" not in shown


def test_the_interval_is_explained_by_what_it_was_drawn_over():
    assert "intervals are over speakers" in text_of()
    few = text_of(scores=scored(speakers=5))
    assert "intervals are over utterances" in few
    assert "For new voices expect a wider range" in few


@pytest.mark.parametrize(
    ("right", "verdict"),
    [(0.8, "above chance"), (0.0, "not told apart from chance"), (-1, "below chance")],
)
def test_a_number_is_held_against_chance(right, verdict):
    if right < 0:
        found = scores([0, 1] * 20, [1, 0] * 20, None, ("Happy", "Sad"), np.random.default_rng(0))
    else:
        found = scored(right=right)
    assert headlines(found)[1].verdict == verdict


def test_folds_are_a_table_of_their_plain_values():
    shown = text_of(folds=FOLDS)
    assert "Fold Utterances Accuracy UAR Macro F1" in shown
    assert "1 1,200 61.2% 59.8% 58.7%" in shown
    assert "2 1,300 63.4% 62.3% 60.9%" in shown


def test_what_there_is_nothing_of_has_no_heading():
    headings = ("Learning", "Surest and wrong", "Fold by fold")
    empty = text_of(history=(), rows=(), folds=())
    full = text_of(folds=FOLDS)
    assert not any(heading in empty for heading in headings)
    assert all(heading in full for heading in headings)


def test_nothing_is_loaded_from_elsewhere():
    html = render_report(report(folds=FOLDS))
    page = Page(html)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert all(source.startswith("data:image/png;base64,") for source in page.sources)
    assert not re.search(r"https?://|@import|url\((?!data:)", html)
    assert "default-src 'none'" in html


def test_pictures_are_whole_png_files():
    sources = Page(render_report(report())).sources
    assert len(sources) == 3
    for source in sources:
        data = base64.b64decode(source.removeprefix("data:image/png;base64,"), validate=True)
        assert data.startswith(b"\x89PNG")
        assert data.rstrip().endswith(b"IEND\xaeB`\x82")


def test_hostile_text_is_shown_and_never_run():
    row = {"id": HOSTILE, "text": HOSTILE, "truth": HOSTILE, "answer": "Sad", "confidence": 0.9}
    hostile = report(
        title=HOSTILE,
        summary=HOSTILE,
        protocol=HOSTILE,
        split_note=HOSTILE,
        leaks=[HOSTILE],
        settings={HOSTILE: {HOSTILE: HOSTILE}},
        parts={HOSTILE: 3},
        rows=[row],
        versions={HOSTILE: HOSTILE},
        folds=[{HOSTILE: HOSTILE}],
    )
    page = Page(render_report(hostile))
    assert not {"script"} & set(page.tags)
    assert page.tags.count("img") == 3
    assert page.text.count("onerror=y") >= 13


def test_the_names_of_ones_own_emotions_are_escaped_too():
    emotions = EmotionSet.of(["Happy", f"{HOSTILE.replace(':', ' ')}:<b>슬픔</b>"])
    page = Page(render_report(report(scores=scored(emotions=emotions), emotions=emotions)))
    assert not {"script", "b"} & set(page.tags)
    assert "<b>슬픔</b>" in page.text


def test_a_colour_can_be_nothing_but_a_colour():
    emotions = EmotionSet((PAPER.emotions[0], Emotion("Odd", "이상", "red;background:url(//evil)")))
    with pytest.raises(ValueError, match="color"):
        render_report(report(scores=scored(emotions=emotions), emotions=emotions))


def test_an_utterance_without_text_is_named_by_its_id():
    row = {"id": "calls/8", "text": None, "truth": "Hurt", "answer": "Sad", "confidence": 0.5}
    shown = text_of(rows=[row])
    assert "calls/8" in shown
    assert "None" not in shown


def test_settings_keep_hangul_and_lists_readable():
    found = dict(flattened({"emotions": ["기쁨", "슬픔"], "both": True, "a": {"b": {"c": None}}}))
    assert found == {"emotions": '["기쁨", "슬픔"]', "both": "true", "a.b.c": "null"}


def test_every_hangul_sign_of_the_page_is_in_the_font_it_carries():
    from fontTools.ttLib import TTFont

    html = render_report(report())
    packed = re.search(r"data:font/woff;base64,([^)]+)\)", html)[1]
    known = TTFont(io.BytesIO(base64.b64decode(packed))).getBestCmap()
    shown = {ord(sign) for sign in re.findall("[가-힣]", html)}
    assert shown
    assert shown <= known.keys()


def by_speaker(voices, each=20):
    rng = np.random.default_rng(4)
    truth = rng.choice(PAPER.names, voices * each)
    right = rng.random(len(truth)) < 0.6
    return grouped(
        pl.DataFrame(
            {
                "speaker": [f"voice-{row % voices:03}" for row in range(len(truth))],
                "truth": truth,
                "answer": np.where(right, truth, rng.choice(PAPER.names, len(truth))),
                "gender": [f"<b>{row % 2}</b>" for row in range(len(truth))],
            }
        ),
        PAPER,
    )


def test_groups_stand_in_the_report_each_with_its_numbers():
    groups = by_speaker(8)
    page = render_report(report(groups=tuple(groups.values())))
    words = " ".join(Page(page).words)
    assert "By gender" in words
    for group in groups["speaker"].groups:
        assert group.value in words
        assert f"{group.accuracy:.1%}" in words
    assert "<b>0</b>" not in page


def test_hundreds_of_speakers_do_not_fill_the_report():
    groups = by_speaker(300)["speaker"]
    words = " ".join(Page(render_report(report(groups=(groups,)))).words)
    assert sum(group.value in words for group in groups.groups) == 10
    assert groups.sentences[0] in words
    assert "the 5 worst" in words


def test_groups_too_few_to_judge_are_marked():
    words = " ".join(Page(render_report(report(groups=(by_speaker(3, 4)["speaker"],)))).words)
    assert words.count("too few to judge") == 4


def test_without_groups_the_report_says_nothing_of_them():
    assert "For whom it works" not in render_report(report())


def sureness(before=True):
    rng = np.random.default_rng(5)
    chances = rng.dirichlet(np.ones(7), 210)
    truth = rng.integers(0, 7, 210)
    after = calibration(chances, truth)
    found = coverage(chances.max(axis=1), chances.argmax(axis=1) == truth)
    return Sureness(
        after,
        calibration(chances**2 / (chances**2).sum(axis=1, keepdims=True), truth)
        if before
        else None,
        found,
    )


def test_what_confidence_is_worth_stands_in_two_pictures_with_their_numbers():
    page = Page(render_report(report(sureness=sureness())))
    assert len(page.sources) == 5
    told, shown = sureness(), page.text
    for name, row in told.rows.items():
        assert f"{name} {row.confidence:.1%} {row.accuracy:.1%} {row.ece:.1%}" in shown
    assert " ".join(f"{accuracy:.1%}" for accuracy in told.at.values()) in shown
    assert "A temperature, found on the validation part" in shown


def test_without_temperature_there_is_nothing_before():
    shown = text_of(sureness=sureness(before=False))
    assert "without temperature" not in shown
    assert "A temperature, found" not in shown
    assert "Whether it is as sure as it is right" not in text_of()
