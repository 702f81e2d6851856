"""A long recording becomes segments, each answered as a recording of its own would be."""

import dataclasses
import json

import numpy as np
import pytest
import soundfile as sf

from maeum.corpus.transcripts import Cue
from maeum.errors import AudioError, RunError, SettingsError
from maeum.features.hearing import Stretch
from maeum.inference import Query
from maeum.inference.timeline import as_table, timeline


@pytest.fixture(scope="module")
def model(made_run):
    return made_run.classifier


def test_each_segment_is_answered_as_that_stretch_alone_would_be(model, call):
    found = timeline(model, call.path, channel="each", smooth_s=0)
    assert [one.channel for one in found.segments] == [channel for *_, channel, _ in call.said]
    for one in found.segments:
        stretch = Stretch(one.channel, one.start_s, one.end_s - one.start_s)
        (alone,) = model.predict([Query(str(call.path), None, stretch)])
        assert one.prediction.probabilities == pytest.approx(alone.probabilities, abs=1e-6)
        assert one.prediction == one.alone
        assert one.prediction.modalities == ("speech",)


def test_music_and_silence_are_skipped(model, call):
    found = timeline(model, call.path)
    begin_s, end_s = call.music_s
    assert found.segments
    assert not any(one.start_s < end_s and one.end_s > begin_s for one in found.segments)


def test_words_of_a_transcript_are_used(model, call):
    cues = [Cue(start, end, text) for start, end, _, text in call.said[:3]]
    found = timeline(model, call.path, transcript=cues, channel="each")
    worded = [one for one in found.segments if one.prediction.text is not None]
    assert [one.prediction.text for one in worded] == [cue.text for cue in cues]
    assert all(one.prediction.modalities == ("speech", "text") for one in worded)
    assert len(found.segments) == len(call.said)


def test_smoothing_is_the_stated_mean_over_neighbours_of_the_channel(model, call):
    found = timeline(model, call.path, channel="each", smooth_s=4.0)
    own = [one for one in found.segments if one.channel == 0]
    chances = np.array([list(one.alone.probabilities.values()) for one in own])
    middles = np.array([(one.start_s + one.end_s) / 2 for one in own])
    lengths = np.array([one.end_s - one.start_s for one in own])
    weights = lengths * np.exp(-np.abs(middles[:, None] - middles) / 4.0)
    expected = weights @ chances / weights.sum(axis=1, keepdims=True)
    smoothed = [list(one.prediction.probabilities.values()) for one in own]
    np.testing.assert_allclose(smoothed, expected, atol=1e-6)
    assert all(
        max(one.prediction.probabilities.values()) == one.prediction.confidence for one in own
    )


def test_a_channel_is_heard_by_itself_and_an_unknown_one_refused(model, call):
    assert {one.channel for one in timeline(model, call.path, channel=1).segments} == {1}
    assert {one.channel for one in timeline(model, call.path, channel="1").segments} == {1}
    for wrong in (2, "left", -1):
        with pytest.raises(AudioError, match="no channel"):
            timeline(model, call.path, channel=wrong)


def test_what_does_not_jump_gives_the_same(model, call, tmp_path):
    wave, rate_hz = sf.read(call.path)
    sf.write(tmp_path / "call.mp3", wave, rate_hz)
    found = timeline(model, tmp_path / "call.mp3", channel="each")
    assert found.audio == str(tmp_path / "call.mp3")
    assert len(found.segments) == len(call.said)
    assert all(one.prediction.audio == found.audio for one in found.segments)


def test_it_can_be_told_as_json_and_as_a_table(model, call):
    found = timeline(model, call.path, channel="each")
    told = json.loads(json.dumps(found.to_dict()))
    assert told["duration_s"] == pytest.approx(found.duration_s, abs=1e-3)
    assert told["segments"][0]["emotion"] in told["emotions"]
    table = as_table(found)
    assert len(table) == len(found.segments)
    assert {"start_s", "channel", "text", *model.emotions.names} <= set(table.columns)


def test_a_stretch_that_cannot_be_heard_is_told_and_the_rest_answered(model, call):
    cues = [Cue(0.1, 1.2, "아무도 말하지 않는다"), Cue(*call.said[0][:2], call.said[0][3])]
    found = timeline(model, call.path, transcript=cues)
    assert [one.start_s for one in found.unused] == [0.1]
    assert "silent" in found.unused[0].error
    assert found.to_dict()["unused"][0]["error"] == found.unused[0].error


def test_where_nobody_speaks_there_is_a_sentence(model, tmp_path):
    sf.write(tmp_path / "noise.wav", np.random.default_rng(0).normal(0, 0.01, 32_000), 8_000)
    with pytest.raises(AudioError, match="no speech"):
        timeline(model, tmp_path / "noise.wav")


@pytest.mark.parametrize("wrong", [{"smooth_s": -1}, {"longest_s": 1}, {"longest_s": 61}])
def test_numbers_out_of_range_are_refused(model, call, wrong):
    with pytest.raises(SettingsError, match="expected"):
        timeline(model, call.path, **wrong)


def test_what_every_segment_would_refuse_is_refused_once(model, call):
    compares = dataclasses.replace(model.makeup, normalize="speaker")
    reads = dataclasses.replace(model.makeup, cards={"text": model.makeup.cards["text"]})
    for makeup, says in ((compares, "--speaker"), (reads, "--transcript")):
        other = type(model)(model.network)
        other.makeup = makeup
        with pytest.raises(RunError, match=says):
            timeline(other, call.path)
