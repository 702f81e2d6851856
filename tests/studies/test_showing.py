"""A study's table: the paper's shape, ours beside it, intervals over voices, nothing hidden."""

import re

import numpy as np
import polars as pl
import pytest
from tinystudies import small

from maeum.errors import RunError
from maeum.evaluation.metrics import bootstrap_intervals
from maeum.studies import named
from maeum.studies.report import write_report
from maeum.studies.running import run_study
from maeum.studies.showing import Shown
from maeum.studies.table import table_of
from maeum.studies.telling import how, whose

PUBLISHED = [{"modality": "text", "size": 2, "accuracy": 61.25}]


@pytest.fixture(scope="module")
def shown(said, tmp_path_factory):
    """Two sizes, one of them too large, with a published figure, under both protocols."""
    study = small(
        protocols=["random", "speaker+script"],
        blocks=[{"modality": "text", "size": [2, 400]}],
        published=PUBLISHED,
    )
    outcome = run_study(study, said, tmp_path_factory.mktemp("shown") / "study")
    return Shown.of(outcome.folder)


def answers_in(shown, entry):
    """All answers of a cell, in order of seed."""
    keys = shown.results.filter(size=str(entry.column), protocol=entry.protocol, status="done")[
        "key"
    ]
    return pl.concat([pl.read_parquet(shown.folder.answers(key, 0)) for key in keys])


def test_a_cell_is_the_mean_over_seeds_with_an_interval_over_voices(shown):
    entry = shown.entries[("text",), 2, "random"]
    rows = shown.results.filter(size="2", protocol="random")
    assert entry.accuracy == pytest.approx(rows["accuracy"].mean())
    assert (entry.seeds, entry.over, entry.status) == (2, "speakers", "done")
    every = answers_in(shown, entry)
    names = list(shown.emotions.names)
    truth, answer = ([names.index(x) for x in every[c]] for c in ("truth", "answer"))
    expected = bootstrap_intervals(
        truth, answer, every["speaker"].to_list(), len(names), rng=np.random.default_rng(0)
    )
    assert (entry.low, entry.high) == expected["accuracy"]
    assert entry.confusion.sum() == len(every)


def test_under_six_voices_an_utterance_is_drawn_with_its_answers_of_all_seeds(shown):
    entry = shown.entries[("text",), 2, "speaker+script"]
    assert entry.over == "utterances"
    every = answers_in(shown, entry)
    assert every["speaker"].n_unique() < 6
    right = every.group_by("id").agg((pl.col("truth") == pl.col("answer")).mean())["truth"]
    chance = np.random.default_rng(1)
    drawn = [right.sample(len(right), with_replacement=True, seed=int(chance.integers(9**9))).mean()
             for _ in range(2000)]  # fmt: skip
    assert [entry.low, entry.high] == pytest.approx(
        list(np.quantile(drawn, [0.025, 0.975])), abs=0.08
    )


def test_the_table_has_the_papers_shape(shown):
    drawn = table_of(shown)
    assert drawn.head[2:] == ("2", "400")
    assert [(line.row, line.whose) for line in drawn.lines] == [
        ("text", "paper"),
        ("", "random"),
        ("", "speaker+script"),
    ]
    assert drawn.lines[0].cells == ("61.25", "–")
    assert re.fullmatch(r"\d+\.\d\n\d+–\d+", drawn.lines[1].cells[0])
    assert drawn.lines[1].cells[1] == "too few\n[1]"
    assert drawn.footnotes[0].startswith("asked for 400 utterances per emotion, found ")


def test_columns_of_several_blocks_stand_in_order():
    study = small(
        blocks=[{"modality": "text", "size": [2, 50, "all"]}, {"modality": "text", "size": 9}]
    )
    columns = Shown(None, {"corpus": {"fingerprint": ""}}, study, pl.DataFrame()).columns
    assert columns == [2, 9, 50, "all"]


def test_rows_that_are_plain_numbers_are_named_by_their_axis():
    study = small(
        rows=["modality", "hidden_size"],
        blocks=[{"modality": "text", "size": 2, "hidden_size": [4, 8]}],
    )
    assert study.row_label(("text", 8)) == "text, hidden_size 8"


def test_scaled_columns_say_both_numbers():
    study = named("table6").changed(scale="0.02")
    assert [study.column_label(size) for size in (50, 500, 5000)] == [
        "50 → 2",
        "500 → 10",
        "5,000 → 100",
    ]


def test_it_is_said_whose_figures_are_whose_and_how_ours_came_about(shown):
    assert whose(shown)[0].startswith("Paper: as published, on AI-Hub 466 (453,365 utterances)")
    assert "Ours: on a corpus of 144 utterances and 3 emotions" in whose(shown)[1]
    told = " ".join(how(shown))
    assert "random: one split" in told
    assert "over 2 seeds" in told
    assert "fewer than six speakers" in told
    assert "Chance is " in told


def test_the_report_is_one_page_that_loads_nothing_and_reads_no_text_as_html(said, tmp_path):
    study = small(title="<script>alert(1)</script>", seeds=1)
    shown = Shown.of(run_study(study, said, tmp_path / "study").folder)
    page = write_report(shown).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["'](?!data:)""", page)
    assert (tmp_path / "study" / "curves.png").read_bytes().startswith(b"\x89PNG")


def test_the_report_says_all_there_is_to_say(shown):
    page = write_report(shown).read_text(encoding="utf-8")
    for words in (
        "Whose figures these are",
        "61.25",
        "ours, speaker+script",
        "asked for 400 utterances per emotion",
        "What was trained on",
        "Which emotion was taken for which",
        shown.card["splits"]["random"]["fingerprint"],
    ):
        assert words in page, words
    assert "What the paper leaves open" not in page  # it is no table of the paper's


def test_an_unfinished_study_is_shown_as_far_as_it_is(said, tmp_path, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("maeum.studies.trials.learn_and_answer", stop)
        with pytest.raises(KeyboardInterrupt):
            run_study(named("table4").changed(scale="0.02").with_settings(text="builtin:letters"),
                      said, tmp_path / "study")  # fmt: skip
    shown = Shown.of(tmp_path / "study")
    write_report(shown)
    cells = {cell for line in table_of(shown).lines for cell in line.cells}
    assert "…" in cells
    assert "72.04" in cells
    page = (tmp_path / "study" / "report.html").read_text(encoding="utf-8")
    assert "What the paper leaves open" in page


def test_a_study_of_which_nothing_is_done_is_shown(said, tmp_path):
    study = small(blocks=[{"modality": "text", "size": [500, 600]}])
    shown = Shown.of(run_study(study, said, tmp_path / "study").folder)
    assert shown.chance is None
    assert write_report(shown).is_file()


def test_a_table_by_encoder_is_drawn_too(said, tmp_path):
    study = small(
        blocks=[{"modality": "text", "size": 2, "text": "builtin:letters"}], columns="text", seeds=1
    )
    shown = Shown.of(run_study(study, said, tmp_path / "study").folder)
    write_report(shown)
    assert shown.columns == ["builtin:letters"]


def test_a_folder_without_a_study_is_said(tmp_path):
    with pytest.raises(RunError, match=r"is no folder of a study .*maeum study run table6"):
        Shown.of(tmp_path)
    with pytest.raises(RunError, match="does not exist"):
        Shown.of(tmp_path / "nowhere")


def test_the_table_as_json_has_every_cell(shown):
    told = shown.to_dict()
    first, second = told["cells"]
    assert (first["modality"], first["size"], first["published"]) == ("text", 2, 0.6125)
    assert first["random"]["status"] == "done"
    assert (
        0 <= first["random"]["low"] <= first["random"]["accuracy"] <= first["random"]["high"] <= 1
    )
    assert (second["random"]["status"], second["random"]["accuracy"]) == ("short", None)
