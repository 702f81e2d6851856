"""An experiment is data: read strictly, made into runs without chance."""

import re
from pathlib import Path

import pytest
from tinystudies import small

from maeum.errors import SettingsError
from maeum.studies import STUDIES, Study, named
from maeum.studies.planning import key_of


def test_the_products_of_a_block_are_its_runs_in_order():
    study = small(blocks=[{"modality": ["speech", "text"], "size": [2, 4]}], seeds=1)
    seen = [(cell.value("modality"), cell.size, cell.value("seed")) for cell in study.cells()]
    assert seen == [("speech", 2, 0), ("speech", 4, 0), ("text", 2, 0), ("text", 4, 0)]


def test_a_run_that_two_blocks_ask_for_is_one():
    once = [{"modality": "text", "size": [2, 4]}]
    assert len(small(blocks=once * 2).cells()) == len(small(blocks=once).cells()) == 4


def test_a_block_may_say_its_own_protocol_and_seeds():
    study = small(blocks=[{"modality": "text", "size": 2, "protocol": "script", "seed": [7, 8]}])
    assert [(c.value("protocol"), c.value("seed")) for c in study.cells()] == [
        ("script", 7),
        ("script", 8),
    ]


def test_sizes_are_counted_per_emotion_or_in_all():
    per_emotion, total = (
        small(count=count).cells()[0].settings for count in ("per_emotion", "total")
    )
    assert (per_emotion.per_emotion, per_emotion.total) == (2, None)
    assert (total.per_emotion, total.total) == (None, 2)


@pytest.mark.parametrize(
    ("size", "scale", "expected"),
    [
        (300, "0.02", 6),  # in binary fractions 6.000000000000001 would be 7
        (50, "0.02", 2),
        (250, "0.02", 5),
        (350, "0.02", 7),
        (151, "0.02", 4),
        (5000, "0.01", 50),
        (5000, 0.0001, 2),
        (7, "1", 7),
        (1, "1", 1),
        ("all", "0.02", None),
    ],
)
def test_sizes_are_scaled_exactly_rounded_up_and_never_under_two(size, scale, expected):
    assert small(scale=scale).scaled(size) == expected


def test_a_scaled_study_does_not_take_the_papers_ten_epochs_unless_told():
    paper = named("table6")
    assert {cell.settings.epochs for cell in paper.cells()} == {10}
    assert {cell.settings.epochs for cell in paper.changed(scale="0.1").cells()} == {None}
    told = paper.changed(scale="0.1").with_settings(epochs=10)
    assert {cell.settings.epochs for cell in told.cells()} == {10}


def test_a_study_survives_its_yaml(tmp_path):
    for study in STUDIES.values():
        path = tmp_path / "study.yaml"
        path.write_text(study.to_yaml(), encoding="utf-8")
        assert Study.load(path) == study


def test_the_study_in_the_documentation_is_one_and_its_fields_are_all_told(tmp_path):
    page = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    path = tmp_path / "documented.yaml"
    path.write_text(told, encoding="utf-8")
    assert len(named(path).cells()) == 7 * 2 * 3
    assert [field for field in Study.model_fields if field not in page] == []


def test_a_study_of_ones_own_is_called_as_its_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "title: t\nasks: a\nrows: [modality]\n"
        "blocks:\n- {modality: [speech, both], size: [2, 4]}\n",
        encoding="utf-8",
    )
    study = named(path)
    assert (study.name, len(study.cells())) == ("mine", 2 * 2 * 2 * 3)


WRONG = {
    "an unknown field": ({"colums": "size"}, "unknown field 'colums' (is it columns?)"),
    "a field that is missing": ({"title": None}, "field title is None"),
    "an unknown axis": ({"blocks": [{"sise": [2]}]}, "unknown axis 'sise' (is it size?)"),
    "an unknown setting": ({"settings": {"epoch": 3}}, "unknown setting 'epoch' (is it epochs?)"),
    "a setting the grid decides": (
        {"settings": {"per_emotion": 3}},
        "unknown setting 'per_emotion'",
    ),
    "a value out of range": ({"settings": {"epochs": 0}}, "setting epochs is 0"),
    "a size of none": ({"blocks": [{"modality": "text", "size": [0]}]}, "a size is 0; expected"),
    "an axis the table hides": (
        {"blocks": [{"modality": "text", "size": 2, "order": ["short", "long"]}]},
        "the axis 'order' stands in neither rows nor columns",
    ),
    "a column that is no axis": ({"columns": "text"}, "the table shows 'text', which is no axis"),
    "a protocol that tests nothing": (
        {"blocks": [{"modality": "text", "size": 2, "protocol": "none"}]},
        "protocol is 'none'; expected one of random, speaker",
    ),
    "one fold": ({"folds": 1}, "folds is 1; expected 0"),
    "no scale": ({"scale": 0}, "field scale is 0"),
    "too many runs": (
        {"blocks": [{"modality": "text", "size": list(range(1, 20_000))}]},
        "the grid has more than 20,000 runs",
    ),
    "published words": ({"published": [{"size": 2, "accuracy": "good"}]}, "published has"),
    "no list of blocks": ({"blocks": "all"}, "field blocks is 'all'"),
}


@pytest.mark.parametrize(("fields", "sentence"), WRONG.values(), ids=WRONG)
def test_what_is_no_study_is_refused_in_a_sentence(fields, sentence):
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        small(**fields)


@pytest.mark.parametrize("text", ["- 1\n- 2\n", "just words", "", "a: [1, 2"])
def test_a_file_that_holds_no_study_is_refused(tmp_path, text):
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"x\.yaml"):
        named(path)


def test_a_study_mistyped_is_guessed():
    with pytest.raises(SettingsError, match=r"no study 'tabel6' \(did you mean table6\?\)"):
        named("tabel6")


def test_a_setting_given_replaces_the_axis_of_its_name():
    study = named("table5").with_settings(text="A, B", speech="C")
    assert study.blocks[0]["text"] == ("A", "B")
    assert {cell.settings.text for cell in study.cells()} == {"A", "B"}
    assert {cell.settings.speech for cell in study.cells()} == {"C"}


def test_a_key_changes_with_all_that_decides_a_run():
    study = small()
    cell, other = study.cells()[0], small(settings={**QUICK_OTHER}).cells()[0]
    keys = [
        key_of(study, cell, "corpus"),
        key_of(study, other, "corpus"),
        key_of(study, cell, "another"),
        key_of(small(folds=3), cell, "corpus"),
        key_of(small(test_per_emotion=5), cell, "corpus"),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(small(title="other words"), cell, "corpus") == keys[0]


QUICK_OTHER = {"epochs": 2, "hidden_size": 4, "text": "builtin:letters"}
