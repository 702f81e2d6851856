"""The paper's tables are all there, as published."""

import pytest

from maeum.studies import STUDIES, named
from maeum.studies.paper import ENCODERS, OPEN, open_questions

CORNERS = [
    ("table3", {"order": "random", "size": 5000}, 79.20),
    ("table3", {"order": "short", "size": 20000}, 89.82),
    ("table3", {"order": "long", "size": 30000}, 93.70),
    ("table4", {"modality": "text", "size": 50}, 72.04),
    ("table4", {"modality": "text", "size": 2000}, 89.27),
    ("table4", {"modality": "text", "size": "all"}, 94.53),
    ("table5", {"text": "skt/kobert-base-v1", "size": 500}, 92.57),
    ("table5", {"text": "klue/roberta-large", "size": 500}, 96.41),
    ("table6", {"order": "short", "size": 50}, 49.13),
    ("table6", {"order": "long", "size": 500}, 96.57),
    ("table6", {"order": "long", "size": 5000}, 96.93),
    ("equal-n", {"modality": "both", "size": 50}, 60.53),
    ("equal-n", {"modality": "text", "size": 50}, 72.04),
    ("equal-n", {"modality": "speech", "size": 50}, None),
]


@pytest.mark.parametrize(("name", "place", "published"), CORNERS)
def test_a_published_figure_stands_in_its_cell(name, place, published):
    study = named(name)
    assert study.published_of(place) == published
    shown = {axis for axis in place if axis in study.axes}
    cells = [c.values(list(shown)) for c in study.cells()]
    assert {axis: place[axis] for axis in shown} in cells


def test_every_cell_of_the_papers_tables_has_its_figure():
    for name in ("table3", "table4", "table5", "table6"):
        study = named(name)
        found = [study.published_of(cell.values(study.axes)) for cell in study.cells()]
        assert None not in found, name
    assert {name: len(s.cells()) // 6 for name, s in STUDIES.items()} == {
        "table3": 18,
        "table4": 10,
        "table5": 6,
        "table6": 15,
        "equal-n": 18,
    }


def test_the_papers_recipe_and_encoders_are_the_default():
    settings = named("table6").cells()[0].settings
    assert settings.speech == "facebook/wav2vec2-large-robust"
    assert settings.text == "beomi/KcELECTRA-base-v2022" == list(ENCODERS)[-1]
    assert (settings.batch_size, settings.epochs, settings.patience) == (32, 10, 0)


def test_table_4_takes_each_sentence_once_and_equal_n_one_sample_for_all_modalities():
    assert {cell.settings.distinct_text for cell in named("table4").cells()} == {True}
    assert {cell.settings.order for cell in named("equal-n").cells()} == {"long"}


def test_what_the_paper_leaves_open_names_a_default_and_how_to_change_it():
    assert all(question.default and question.option for question in OPEN)
    asked = [question.asked for question in open_questions(named("table6"))]
    assert any("5,000" in words for words in asked)
    assert not any("Table 4" in words for words in asked)
