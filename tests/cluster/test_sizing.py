"""What a corpus costs is counted, and failing nodes are played through."""

from __future__ import annotations

import json
import sys

import pytest

from maeum import cli
from maeum.cluster.sizing import KINDS, Failing, Machines, Work, cost_of, machines_of, simulated
from maeum.errors import SettingsError

CLIPS = Work(clips=1000, audio_s=4000.0, sentences=1000, letters=53_333)
"""Of the length that operations are counted for."""


def on(typed):
    return machines_of(typed)


def test_machines_are_a_number_and_a_kind():
    assert on("8xh100") == Machines(8, KINDS["H100"])
    for typed in ("", "8", "0xH100", "8xH1000", "xT4"):
        with pytest.raises(SettingsError, match="expected a number, x and one of cpu, H100"):
            on(typed)


def test_processors_take_operations_over_what_they_reach_and_reading_besides():
    cost = cost_of("facebook/wav2vec2-large-robust", CLIPS, on("2xcpu"), "float32")
    reading_s = (1000 * 0.001 + 4000 / 1300) / 2
    assert cost.hours * 3600 == pytest.approx(1000 * 147.3 / 180 + reading_s)
    assert cost.storage_gb == pytest.approx(1000 * 1024 * 4 * 1.2 / 1e9)
    text = cost_of("beomi/KcELECTRA-base-v2022", CLIPS, on("1xcpu"), "float32")
    assert text.hours * 3600 == pytest.approx(1000 * 5.5 / 90 + 0.1, rel=1e-4)


def test_accelerators_wait_for_recordings_to_be_read_where_that_takes_longer():
    few = cost_of("facebook/wav2vec2-base", CLIPS, on("1xT4"))
    assert few.by == "computing"
    assert cost_of("facebook/wav2vec2-base", CLIPS, on("1xH100")).by == "reading recordings"


def test_whisper_hears_30_s_however_short_a_clip_is():
    short = CLIPS._replace(audio_s=1000.0)
    whole, cut = (cost_of("openai/whisper-small", work, on("1xL4")) for work in (CLIPS, short))
    assert whole.hours == cut.hours


def test_an_encoder_of_which_nothing_is_known_is_refused():
    with pytest.raises(SettingsError, match="nothing is known of what mine costs"):
        cost_of("mine", CLIPS, on("1xcpu"))


def test_without_failures_pieces_are_shared_out():
    one = simulated(100, 2.0, nodes=1, failing=Failing(every_hours=float("inf"), begin_s=5))
    ten = simulated(100, 2.0, nodes=5, workers=2, failing=Failing(float("inf"), begin_s=5))
    assert (one.seconds, ten.seconds) == (205.0, 25.0)
    assert one.failures == one.again == ten.failures == 0


def test_one_process_that_takes_everything_in_is_a_limit():
    played = simulated(1000, 1.0, nodes=100, take_in_s=0.1)
    assert played.seconds == pytest.approx(111, abs=1)  # 10 of them to begin
    assert played.taken_in > 0.85


def test_failures_cost_the_pieces_that_were_begun_and_the_time_away():
    often = Failing(every_hours=0.5, away_s=100, begin_s=10)
    whole = simulated(5000, 10.0, nodes=10)
    played = simulated(5000, 10.0, nodes=10, failing=often)
    assert played.failures > 10
    assert 0 < played.again <= played.failures
    assert whole.seconds < played.seconds < 1.3 * whole.seconds
    assert played == simulated(5000, 10.0, nodes=10, failing=often)


def test_the_command_says_what_is_assumed(made_corpus, tmp_path, monkeypatch, capsys):
    made_corpus.save(tmp_path / "corpus")
    words = ["maeum", "plan", str(tmp_path / "corpus"), "--machines", "8xH100", "--times", "1000"]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr().out
    assert not ended.value.code
    assert "of H100 0.3 of the maker's peak is assumed" in said
    monkeypatch.setattr(sys, "argv", [*words, "--json"])
    with pytest.raises(SystemExit):
        cli.main()
    told = json.loads(capsys.readouterr().out)
    assert told["work"]["clips"] == 36_000
    assert set(told["simulated"]) == {"1", "8", "10", "100"}
