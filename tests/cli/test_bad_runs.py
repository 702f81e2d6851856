"""Settings, splits, samples and run folders that do not work out."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
import yaml

from maeum.corpus import Corpus

QUICK = ("--modality", "text", "--epochs", 1)


@pytest.fixture
def refused(maeum, corpus, tmp_path):
    """What `maeum train` says of settings it cannot use; it leaves no folder behind."""

    def complaint(*words: object) -> str:
        said = maeum("train", corpus, "--to", tmp_path / "run", *QUICK, *words).complaint
        assert not (tmp_path / "run").exists()
        return said

    return complaint


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--per-emotion", 0), "setting per_emotion is 0: Input should be greater than or equal"),
        (("--lr", 0), "setting lr is 0.0: Input should be greater than 0"),
        (("--lr", "inf"), "setting lr is inf: Input should be a finite number"),
        (("--dropout", 1), "setting dropout is 1.0: Input should be less than 1"),
        (("--seed", -1), "setting seed is -1: Input should be greater than or equal to 0"),
        (
            ("--total", 3, "--per-emotion", 2),
            "per_emotion and total were both given; give one of them",
        ),
        (
            ("--text", "some/encoder"),
            "text encoder 'some/encoder' is not on this machine, and HF_HUB_OFFLINE is set",
        ),
        (("--split", "given"), "the corpus names the parts (none); `given` needs train and test"),
    ],
)
def test_a_setting_that_cannot_be(refused, words, sentence):
    assert refused(*words).startswith(sentence)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--total", 3000), "asked for 3,000 utterances, found "),
        (("--per-emotion", 70), "asked for 70 utterances per emotion, found 3 of Angry, 3 of"),
        (("--distinct-text", "--total", 50), "asked for 50 distinct sentences, found "),
    ],
)
def test_more_asked_for_than_there_is_names_both_numbers(maeum, corpus, tmp_path, words, sentence):
    said = maeum("train", corpus, "--to", tmp_path / "run", *QUICK, *words).complaint
    assert said.startswith(sentence)
    assert said.endswith("ask for fewer, or go on with what there is (--allow-fewer)")
    assert (
        maeum("train", corpus, "--to", tmp_path / "run", *QUICK, *words, "--allow-fewer").code == 0
    )


FILES = {
    "gone": (None, "cannot be read: it is no file; expected lines like"),
    "no YAML": ("lr: [1\n", "cannot be read as YAML (line 2, column 1: expected ',' or ']'"),
    "a tab": ("a:\n\tb: 1\n", "cannot be read as YAML (line 2, column 1: found character '\\t'"),
    "no settings": ("- 1\n", "holds a list; expected settings, a: b"),
    "no text": (b"\xff\xfe\xff\x81", "is neither UTF-8 nor cp949"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_settings_file_that_cannot_be_read(refused, tmp_path, kind):
    content, sentence = FILES[kind]
    path = tmp_path / "settings.yaml"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refused("--config", path).startswith(f"{path} {sentence}")


def test_an_unknown_setting_lists_the_known_ones(refused, tmp_path):
    (tmp_path / "settings.yaml").write_text("epoch: 3\n", encoding="utf-8")
    said = refused("--config", tmp_path / "settings.yaml")
    assert said.startswith(
        "unknown setting 'epoch' (is it epochs?); known: recipe, modality, speech"
    )


@pytest.mark.parametrize(
    ("words", "choices"),
    [
        (("split", "{corpus}", "--by", "voice"), "'auto', 'random', 'speaker', 'script'"),
        (("train", "{corpus}", "--to", "x", "--split", "voice"), "'auto', 'random', 'speaker'"),
        (("train", "{corpus}", "--to", "x", "--modality", "smell"), "'both', 'speech', 'text'"),
        (("train", "{corpus}", "--to", "x", "--order", "tall"), "'random', 'short', 'long'"),
        (("crossval", "{corpus}", "--by", "given"), "'random', 'speaker', 'script'"),
        (("evaluate", "x", "{corpus}", "--part", "tset"), "'train', 'validation', 'test', 'all'"),
        (("evaluate", "x", "{corpus}", "--modality", "smell"), "'both', 'speech', 'text'"),
    ],
)
def test_an_unknown_choice_is_wrong_usage_and_lists_the_choices(maeum, corpus, words, choices):
    said = maeum(*(str(corpus) if word == "{corpus}" else word for word in words)).misuse
    assert f"'{words[-1]}' is not one of {choices}" in said


@pytest.mark.parametrize(
    "words",
    [
        ("bogus",),
        ("stats",),
        ("stats", "x", "--bogus"),
        ("train", "x"),
        ("train", "x", "--to", "y", "--epochs", "many"),
        ("split", "x", "--split-seed", "-1"),
        ("crossval", "x", "--folds", "many"),
        ("crossval", "x", "--split", "speaker"),
    ],
)
def test_wrong_usage_ends_with_2_and_points_to_the_help(maeum, words):
    assert "--help' for help" in maeum(*words).misuse


@pytest.mark.parametrize(
    ("by", "sentence"),
    [
        ("speaker", "700 fold(s) asked for; expected 2 to 6"),
        ("script", "700 fold(s) asked for; expected 2 to 12"),
        ("random", "700 fold(s) asked for; expected 2 to 72"),
    ],
)
def test_more_folds_than_groups(maeum, corpus, by, sentence):
    said = maeum("crossval", corpus, "--by", by, "--folds", 700, "--modality", "text").complaint
    assert said.startswith(sentence)


def test_a_corpus_without_speakers_cannot_be_parted_by_them(maeum, table, tmp_path):
    rows = table("text,emotion", "기뻐,기쁨", "정말 기뻐,기쁨", "슬퍼,슬픔", "너무 슬퍼,슬픔")
    maeum("import", "table", rows, "--to", tmp_path / "c")
    sentence = "the corpus names no speaker; choose another protocol"
    assert maeum("split", tmp_path / "c", "--by", "speaker").complaint == sentence
    assert maeum("crossval", tmp_path / "c", "--modality", "text").complaint == sentence


def test_two_runs_with_other_settings_do_not_share_a_folder(maeum, corpus, run):
    said = maeum("train", corpus, "--to", run, "--epochs", 4, "--hidden-size", 8, "--seed", 1)
    assert said.complaint == (
        f"{run} holds a run that differs in hidden_size (128, now 8), seed (0, now 1); "
        "name another folder, or replace it with --overwrite"
    )


def test_a_run_of_another_corpus_is_not_gone_on_with(maeum, corpus, table, tmp_path):
    rows = table("text,emotion", "기뻐,기쁨", "정말 기뻐,기쁨", "슬퍼,슬픔", "너무 슬퍼,슬픔")
    maeum("import", "table", rows, "--to", tmp_path / "c")
    words = ("--to", tmp_path / "run", *QUICK, "--split", "random")
    assert maeum("train", corpus, *words).code == 0
    said = maeum("train", tmp_path / "c", *words).complaint
    assert "differs in corpus fingerprint (" in said
    assert "corpus utterances (72, now 4)" in said


def test_a_cross_validation_is_neither_another_one_nor_a_run(maeum, corpus, tmp_path):
    to = ("--to", tmp_path / "folds")
    assert maeum("crossval", corpus, *to, *QUICK, "--folds", 2).code == 0
    other = maeum("crossval", corpus, *to, *QUICK, "--folds", 3).complaint
    assert "differs in split folds (2, now 3)" in other
    assert "differs in kind (crossval, now run)" in maeum("train", corpus, *to, *QUICK).complaint
    for words in (("evaluate", to[1], corpus), ("predict", to[1], "--text", "음")):
        assert "a cross-validation keeps none" in maeum(*words).complaint


@pytest.mark.parametrize("command", ["train", "crossval"])
def test_to_must_be_a_folder_of_ones_own(maeum, corpus, tmp_path, command):
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    in_file = maeum(command, corpus, "--to", tmp_path / "notes.txt", *QUICK).complaint
    assert in_file == f"{tmp_path / 'notes.txt'} is a file; --to expects a folder"
    among = maeum(command, corpus, "--to", tmp_path, *QUICK, "--overwrite").complaint
    assert among == f"{tmp_path} holds other files; --to expects a new folder or a run"
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


NO_RUNS = {
    "a folder of other things": (lambda folder: folder.mkdir(), "is no run (it has no"),
    "a file": (lambda folder: folder.write_text("x"), "is a file; expected the folder of a run"),
    "nothing": (lambda folder: None, "does not exist; expected the folder of a run"),
}


@pytest.mark.parametrize("kind", NO_RUNS)
def test_what_is_no_run_predicts_nothing(maeum, tmp_path, kind):
    make, sentence = NO_RUNS[kind]
    make(tmp_path / "x")
    said = maeum("predict", tmp_path / "x", "--text", "음").complaint
    assert said.startswith(f"{tmp_path / 'x'} {sentence}")


def test_a_mistyped_folder_that_could_be_a_name_on_a_hub_says_both(maeum):
    said = maeum("predict", "runs/frist", "--text", "음").complaint
    assert said.startswith(
        "runs/frist cannot be loaded as a run: it is no folder, and no model hub"
    )


def test_a_mistyped_folder_beside_others_is_not_looked_for_on_a_hub(maeum, monkeypatch, tmp_path):
    (tmp_path / "runs" / "first").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    said = maeum("predict", "runs/frist", "--text", "음").complaint
    assert said == "runs/frist does not exist; expected the folder of a run"


def test_evaluate_says_what_is_no_run(maeum, corpus, tmp_path):
    said = maeum("evaluate", tmp_path, corpus).complaint
    assert said == f"{tmp_path} is no run (it has no maeum.yaml)"


@pytest.fixture
def own_run(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be spoilt."""
    return Path(shutil.copytree(run, tmp_path / "own_run"))


SPOILT = {
    "half the weights": ("model.safetensors", lambda b: b[:-500], "cannot be loaded as a run: "),
    "no weights": ("model.safetensors", lambda b: b"", "cannot be loaded as a run: "),
    "a card of half a line": (
        "maeum.yaml",
        lambda b: b"a: [",
        "maeum.yaml cannot be read as YAML (line 1",
    ),
    "a card of nothing": ("maeum.yaml", lambda b: b"", "maeum.yaml does not describe a run"),
    "a broken partition": ("partition.parquet", lambda b: b"x", "partition.parquet cannot be read"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_run_with_a_spoilt_file(maeum, corpus, own_run, kind):
    name, spoil, sentence = SPOILT[kind]
    (own_run / name).write_bytes(spoil((own_run / name).read_bytes()))
    said = maeum("evaluate", own_run, corpus).complaint
    assert said.startswith(str(own_run))
    assert sentence in said


def test_a_spoilt_report_is_said_and_not_trained_over(maeum, corpus, own_run):
    (own_run / "report" / "metrics.json").write_text("{", encoding="utf-8")
    said = maeum("train", corpus, "--to", own_run, "--epochs", 4).complaint
    assert "metrics.json is no JSON" in said


def test_an_interrupted_run_is_no_run_yet_and_goes_on(maeum, corpus, own_run):
    for name in ("model.safetensors", "README.md"):
        (own_run / name).unlink()
    said = maeum("predict", own_run, "--text", "음").complaint
    assert "an unfinished run goes on when the same `maeum train` is typed again" in said
    assert maeum("train", corpus, "--to", own_run, "--epochs", 4).code == 0
    assert maeum("predict", own_run, "--text", "음").code == 0


def test_a_part_of_another_corpus_is_refused(maeum, run, table, tmp_path):
    rows = table("text,emotion", "기뻐,기쁨", "슬퍼,슬픔")
    maeum("import", "table", rows, "--to", tmp_path / "c")
    said = maeum("evaluate", run, tmp_path / "c", "--part", "test").complaint
    assert said == "part 'test' was asked for, but this is not the corpus of the run; use all"


MAPPINGS = {
    "gone": (None, "cannot be read: it is no file"),
    "no mapping": ("- 1\n", "holds no mapping; expected lines like `Fear: Anxious`"),
    "no YAML": ("a: [", "cannot be read as YAML (line 1, column 5"),
}


@pytest.mark.parametrize("kind", MAPPINGS)
def test_a_mapping_that_cannot_be_read(maeum, corpus, run, tmp_path, kind):
    content, sentence = MAPPINGS[kind]
    path = tmp_path / "names.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    assert maeum("evaluate", run, corpus, "--map", path).complaint.startswith(f"{path} {sentence}")


def test_a_mapping_to_nowhere(maeum, corpus, run, tmp_path):
    path = tmp_path / "names.yaml"
    path.write_text("Happy: Blue\n", encoding="utf-8")
    assert maeum("evaluate", run, corpus, "--map", path).complaint == (
        "the mapping says `Happy: Blue`, but the run tells Happy, Angry, Sad, Neutrality apart"
    )
    path.write_text("Happy: null\nAngry: null\nSad: null\nNeutrality: null\n", encoding="utf-8")
    assert maeum("evaluate", run, corpus, "--map", path).complaint == (
        "the mapping leaves out all there is: Angry, Happy, Neutrality, Sad"
    )


def test_emotions_the_run_does_not_know_name_the_map(maeum, run, table, tmp_path):
    rows = table("text,emotion", "무서워,공포", "슬퍼,슬픔")
    maeum("import", "table", rows, "--to", tmp_path / "c")
    said = maeum("evaluate", run, tmp_path / "c").complaint
    assert "the corpus also has Fear: map them with --map FILE, lines like `Fear: Happy`" in said


def _no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_leaves_the_old_corpus_whole(maeum, monkeypatch, calls, own_corpus, table):
    rows = table("text,emotion", "기뻐,기쁨", "슬퍼,슬픔")
    monkeypatch.setattr(Path, "write_bytes", _no_space)
    said = maeum("import", "table", rows, "--to", own_corpus).complaint
    assert said == (
        f"No space left on device: {own_corpus / 'manifest.parquet'}; what was there before is "
        "whole: make room and type the same command again"
    )
    assert len(Corpus.open(own_corpus)) == 72
    names = {"corpus.json", "manifest.parquet", "rejected.parquet"}
    assert {path.name for path in own_corpus.iterdir()} == names


def test_a_disk_that_fills_while_weights_are_kept(maeum, monkeypatch, corpus, tmp_path):
    from safetensors import SafetensorError

    from maeum.model import EmotionNetwork

    def full(*_: object, **__: object) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left (os error 28)")

    to = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(EmotionNetwork, "save_pretrained", full)
        said = maeum("train", corpus, "--to", to, *QUICK).complaint
    assert said.startswith(f"No space left on device: {to}")
    assert maeum("train", corpus, "--to", to, *QUICK).code == 0


def test_a_disk_that_fills_while_a_checkpoint_is_kept(maeum, monkeypatch, corpus, tmp_path):
    import torch

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 3 vs 2")

    monkeypatch.setattr(torch, "save", full)
    said = maeum("train", corpus, "--to", tmp_path / "run", *QUICK).complaint
    assert said.startswith(f"No space left on device: {tmp_path / 'run'}")


def test_a_folder_one_may_not_write_to(maeum, monkeypatch, table, tmp_path):
    def denied(*_: object, dir: Path, prefix: str, **__: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(dir / f"{prefix}x"))

    rows = table("text,emotion", "기뻐,기쁨", "슬퍼,슬픔")
    monkeypatch.setattr("tempfile.mkstemp", denied)
    said = maeum("import", "table", rows, "--to", tmp_path / "c").complaint
    assert said == (
        f"Permission denied: {tmp_path / 'c' / 'manifest.parquet'}; "
        "name a place you have the right to"
    )


def test_a_run_card_says_what_was_typed(run):
    card = yaml.safe_load((run / "maeum.yaml").read_text(encoding="utf-8"))
    assert (card["settings"]["epochs"], card["settings"]["modality"]) == (4, "both")
