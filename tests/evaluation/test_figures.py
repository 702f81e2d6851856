"""Pictures hold the numbers, in both languages, and leave everyone else's figures alone."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.text import Annotation, Text
from PIL import Image

from maeum.emotions import CATALOGUE, PAPER, EmotionSet
from maeum.evaluation.figures import (
    confusion_figure,
    learning_curves,
    learning_figure,
    png,
    recall_figure,
)
from maeum.evaluation.metrics import scores

TWENTY = EmotionSet.of([*(e.name for e in CATALOGUE), *"abcdef"])
LONG = EmotionSet.of(["Happy", "Relieved after a long wait:오래 기다린 뒤의 안도감", "x" * 60])
SETS = {
    "two": EmotionSet.of(["Happy", "Sad"]),
    "seven": PAPER,
    "twenty": TWENTY,
    "long names": LONG,
}
HISTORY = [
    {"epoch": 1.0, "loss": "0.9", "learning_rate": "1e-4"},
    {"epoch": 1.0, "eval_loss": 1.0},
    {"epoch": 2.0, "loss": 0.5},
    {"epoch": 2.0, "eval_loss": 0.8},
    {"epoch": 3.0, "eval_loss": 0.85},
    {"epoch": 3.0, "train_loss": 0.6, "train_runtime": 12.0},
]


def scored(emotions, n=400):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, len(emotions), n)
    answer = np.where(rng.random(n) < 0.7, truth, rng.integers(0, len(emotions), n))
    return scores(truth, answer, None, emotions.names, rng)


def words(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def image(figure):
    return Image.open(io.BytesIO(png(figure)))


def boxes(axes_labels, figure):
    figure.canvas.draw()
    return [label.get_window_extent() for label in axes_labels]


def test_a_confusion_picture_shows_counts_shares_and_both_names():
    figure = confusion_figure([[3, 1], [0, 5]], EmotionSet.of(["Happy", "Sad"]), "Calls")
    shown = words(figure)
    assert {"75%", "3", "25%", "1", "100%", "5", "Calls"} <= set(shown)
    assert "0%" not in shown
    assert "Happy 기쁨  (4)" in shown
    assert "Sad\n슬픔" in shown


def test_a_cell_is_coloured_by_its_share_of_the_row():
    figure = confusion_figure([[8, 2], [1, 1]], EmotionSet.of(["Happy", "Sad"]), "")
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[0.8, 0.2], [0.5, 0.5]])


def test_a_row_without_utterances_stays_empty():
    figure = confusion_figure([[0, 0], [1, 3]], EmotionSet.of(["Happy", "Sad"]), "")
    np.testing.assert_allclose(figure.axes[0].images[0].get_array()[0], 0)
    assert not any("nan" in word for word in words(figure))


@pytest.mark.parametrize("emotions", SETS.values(), ids=SETS)
def test_labels_never_run_into_each_other(emotions):
    figure = confusion_figure(scored(emotions).confusion, emotions, "")
    (axes,) = figure.axes
    rows = sorted(boxes(axes.get_yticklabels(), figure), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 for below, above in pairwise(rows))
    columns = axes.get_xticklabels()
    if columns[0].get_rotation() == 0:
        in_order = boxes(columns, figure)
        assert all(a.x1 <= b.x0 for a, b in pairwise(in_order))


@pytest.mark.parametrize("emotions", SETS.values(), ids=SETS)
def test_everything_written_is_inside_the_picture(emotions):
    found = scored(emotions)
    for figure in (
        confusion_figure(found.confusion, emotions, "Calls"),
        recall_figure(found, emotions),
    ):
        png(figure)
        for box in boxes([t for t in figure.findobj(Text) if t.get_text()], figure):
            assert box.x0 >= 0
            assert box.y0 >= 0
            assert box.x1 <= figure.bbox.x1
            assert box.y1 <= figure.bbox.y1


def test_cells_of_twenty_emotions_hold_their_numbers():
    figure = confusion_figure(np.full((20, 20), 12_345), TWENTY, "")
    (axes,) = figure.axes
    widest = max(box.width for box in boxes(axes.texts, figure))
    assert widest < axes.get_window_extent().width / 20


def test_a_recall_picture_has_a_bar_in_each_emotions_colour_and_the_chance_line():
    found = scored(PAPER)
    figure = recall_figure(found, PAPER)
    (axes,) = figure.axes
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == pytest.approx([row["recall"] for row in found.by_emotion.values()])
    assert [mpl.colors.to_hex(bar.get_facecolor()).upper() for bar in axes.patches] == list(
        PAPER.colours
    )
    assert "chance 14%" in words(figure)
    assert set(PAPER.labels) <= set(words(figure))


def test_an_emotion_that_does_not_occur_is_said_to():
    emotions = EmotionSet.of(["Happy", "Sad"])
    found = scores([0, 0], [0, 1], None, emotions.names, np.random.default_rng(0))
    notes = [note.get_text() for note in recall_figure(found, emotions).findobj(Annotation)]
    assert "does not occur" in notes
    assert "50%" in notes


def test_curves_are_those_that_were_logged():
    assert learning_curves(HISTORY) == {
        "training": [(1.0, 0.9), (2.0, 0.5)],
        "validation": [(1.0, 1.0), (2.0, 0.8), (3.0, 0.85)],
    }
    assert learning_curves([]) == {}


def test_a_learning_picture_names_its_curves_and_marks_the_lowest_validation_loss():
    figure = learning_figure(HISTORY)
    assert {"training", "validation"} <= set(words(figure))
    *_, mark = figure.axes[0].lines
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (2.0, 0.8)


@pytest.mark.parametrize("history", [[], HISTORY[:1], HISTORY[1:2]])
def test_a_short_history_is_drawn_too(history):
    assert image(learning_figure(history)).format == "PNG"


def test_hangul_is_drawn_with_glyphs(caplog, recwarn):
    with caplog.at_level(logging.WARNING):
        png(confusion_figure(np.eye(7, dtype=int), PAPER, "감정 Calls"))
        png(recall_figure(scored(PAPER), PAPER))
    assert not [str(warning.message) for warning in recwarn if "Glyph" in str(warning.message)]
    assert not caplog.records


def test_dollar_signs_in_a_name_are_not_mathematics():
    emotions = EmotionSet.of(["Happy", "won $1 and $", "lost $\\frac{$"])
    assert image(confusion_figure(np.eye(3, dtype=int), emotions, "$\\bad{$")).format == "PNG"


def test_settings_of_other_figures_stay_as_they_were():
    before = dict(mpl.rcParams)
    png(confusion_figure(np.eye(7, dtype=int), PAPER, ""))
    png(recall_figure(scored(PAPER), PAPER))
    png(learning_figure(HISTORY))
    assert dict(mpl.rcParams) == before


def test_neither_pyplot_nor_the_font_package_is_imported():
    program = (
        "import sys, numpy as np\n"
        "from maeum.emotions import PAPER\n"
        "from maeum.evaluation.figures import confusion_figure, png\n"
        "png(confusion_figure(np.eye(7, dtype=int), PAPER, ''))\n"
        "print([m for m in ('matplotlib.pyplot', 'koreanize_matplotlib') if m in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_same_numbers_give_the_same_picture():
    first, second = (png(confusion_figure(np.eye(7, dtype=int), PAPER, "")) for _ in range(2))
    assert first == second
