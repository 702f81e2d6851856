"""study run, study show, study list, as typed."""

import pytest
import yaml

TEXT = ("--text", "builtin:letters", "--epochs", 1)
QUICK = (*TEXT, "--scale", "0.01", "--folds", 0, "--seeds", 1, "--split", "random")


@pytest.fixture(scope="module")
def study(maeum, corpus, tmp_path_factory):
    """Table 4 on the calls, run once."""
    folder = tmp_path_factory.mktemp("studies") / "table4"
    ended = maeum("study", "run", "table4", corpus, "--to", folder, *QUICK)
    assert ended.code == 0, ended.err
    return folder, ended


def test_a_study_is_run_and_shown(study):
    folder, ended = study
    assert "Table 4: text alone" in ended.out
    assert "72.04" in ended.out
    assert f"report: {folder / 'report.html'}" in ended.out
    assert (
        "cannot be filled: text, 2,000 → 20, random: asked for 20 distinct sentences" in ended.err
    )


def test_it_is_shown_again_and_run_again_without_learning(maeum, study, corpus):
    folder, ended = study
    assert maeum("study", "show", folder).out == ended.out
    again = maeum("study", "run", "table4", corpus, "--to", folder, *QUICK)
    assert again.out == ended.out
    assert "run 1/" not in again.err


def test_the_answer_as_json(maeum, study):
    folder, _ = study
    told = maeum("study", "show", folder, "--json").json
    assert told["study"] == "table4"
    assert told["cells"][0]["published"] == 0.7204
    assert told["report"].endswith("report.html")


def test_options_stand_over_the_studys_settings(study):
    card = yaml.safe_load((study[0] / "study.yaml").read_text(encoding="utf-8"))
    assert card["study"]["settings"]["text"] == "builtin:letters"
    assert card["study"]["scale"] == "0.01"
    assert card["study"]["protocols"] == ["random"]


def test_another_study_is_not_written_over(maeum, study, corpus):
    ended = maeum("study", "run", "table4", corpus, "--to", study[0], *QUICK, "--seed", 1)
    assert ended.code == 2  # seeds are the grid's
    said = maeum("study", "run", "table4", corpus, "--to", study[0], *QUICK, "--hidden-size", 9)
    assert (
        "holds a study that differs in settings.hidden_size (None, now '9'); name" in said.complaint
    )


def test_a_dry_run_says_what_would_be_done(maeum, corpus, tmp_path):
    ended = maeum(
        "study", "run", "table6", corpus, "--to", tmp_path / "x", "--dry-run", "--scale", 0.02
    )
    assert ended.code == 0
    assert "runs, " in ended.out
    assert "utterances to encode" in ended.out
    assert not (tmp_path / "x").exists()


def test_encoders_that_are_nowhere_are_one_sentence(maeum, corpus, tmp_path):
    ended = maeum("study", "run", "table3", corpus, "--to", tmp_path / "x", "--scale", 0.001)
    assert ended.code == 1
    last = ended.err.splitlines()[-1]
    assert last.startswith("maeum: speech encoder 'facebook/wav2vec2-large-robust' is not on this")
    assert "run 1/" not in ended.err


def test_a_failed_run_ends_with_1_and_is_named(maeum, corpus, tmp_path):
    words = ("--text", "builtin:letters,author/nowhere", "--speech", "builtin:acoustic")
    ended = maeum(
        "study", "run", "table5", corpus, "--to", tmp_path / "x", *words, "--epochs", 1,
        "--scale", "0.004", "--folds", 0, "--seeds", 1, "--split", "random",
    )  # fmt: skip
    assert ended.code == 1
    assert "failed: " in ended.err
    assert "author/nowhere" in ended.err


def test_studies_are_listed_and_written(maeum, tmp_path):
    assert "equal-n" in maeum("study", "list").out
    assert len(maeum("study", "list", "--json").json) == 5
    written = maeum("study", "list", "table6").out
    (tmp_path / "mine.yaml").write_text(written, encoding="utf-8")
    assert maeum("study", "list", tmp_path / "mine.yaml").out == written


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("tabel6",), "no study 'tabel6' (did you mean table6?)"),
        (("nowhere.yaml",), "nowhere.yaml cannot be read: it is no file"),
        (("table6", "--scale", "two"), "field scale is 'two'"),
        (("table6", "--scale", "0"), "field scale is '0'"),
        (("table6", "--folds", "1"), "folds is 1; expected 0"),
        (("table6", "--epochs", "0"), "setting epochs is 0"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(maeum, corpus, tmp_path, words, sentence):
    ended = maeum("study", "run", words[0], corpus, "--to", tmp_path / "x", *words[1:])
    assert sentence in ended.complaint
    assert not (tmp_path / "x").exists()


def test_a_folder_that_is_no_study_is_said(maeum, tmp_path):
    assert "is no folder of a study" in maeum("study", "show", tmp_path).complaint
