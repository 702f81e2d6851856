"""The picture of a timeline has all that is in it, and writes no word over another."""

import pytest
from matplotlib.colors import to_hex

from maeum.emotions import EmotionSet
from maeum.evaluation.course import MOST_ROWS, clock, fitted, timeline_figure
from maeum.evaluation.figures import png, width_in
from maeum.inference import Prediction
from maeum.inference.timeline import Segment, Timeline

EMOTIONS = EmotionSet.of(["Happy", "Sad"])


def course(duration_s, *segments):
    made = []
    for start_s, end_s, channel, happy in segments:
        chances = {"Happy": happy, "Sad": 1 - happy}
        found = Prediction("Happy", happy, chances, ("speech",), "a.wav", "정말 마음이 아프다")
        made.append(Segment(start_s, end_s, channel, found, found))
    return Timeline("a.wav", duration_s, EMOTIONS, 0.0, tuple(made))


def test_a_segment_is_as_wide_as_it_lasts_and_as_high_as_its_chances():
    figure = timeline_figure(course(60, (10, 14, None, 0.7)))
    (axes,) = figure.axes
    happy, sad = axes.patches
    assert (happy.get_x(), happy.get_width(), happy.get_height()) == (10, 4, 0.7)
    assert sad.get_y() == 0.7
    assert to_hex(happy.get_facecolor()) == EMOTIONS.emotions[0].colour.lower()


def test_every_channel_has_a_band_in_every_row():
    figure = timeline_figure(course(150, (10, 14, 0, 0.7), (100, 104, 1, 0.2)))
    assert len(figure.axes) == 3 * 2
    assert len(png(figure)) > 1000


def test_a_long_recording_has_no_more_rows_than_fit():
    figure = timeline_figure(course(3 * 3600, (10, 14, None, 0.7)), "three hours")
    assert len(figure.axes) == MOST_ROWS


@pytest.mark.parametrize("room_in", [0.0, 0.3, 1.0, 2.0, 9.0])
def test_words_fit_their_room(room_in):
    words = "오늘 정말 마음이 아프다"
    found = fitted(words, room_in)
    assert width_in(found) <= room_in or found == ""
    assert found == words or found == "" or found.endswith("…")


def test_hours_are_written_where_there_are_some():
    assert [clock(second) for second in (0, 59.6, 3600)] == ["0:00", "1:00", "1:00:00"]
