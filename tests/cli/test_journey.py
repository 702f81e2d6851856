"""What each command answers when all is well: the answer on standard output, the rest elsewhere."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from maeum.corpus import Corpus


def test_import_counts_what_it_took(maeum, calls, tmp_path):
    said = maeum("import", "table", calls, "--to", tmp_path / "c")
    assert said.code == 0
    assert said.err.startswith("columns: audio=audio, text=text, emotion=emotion, speaker=speaker")
    counts = f"72 utterances of 4 emotions in {tmp_path / 'c'}: 72 with a recording, 72 with text"
    assert said.out == f"{counts}\n"


def test_import_tells_json_what_it_took_and_left_out(maeum, table, tmp_path):
    rows = table("text,emotion", "정말 기뻐,기쁨", "너무 슬퍼,슬픔", "음,어리둥절")
    said = maeum("import", "table", rows, "--to", tmp_path / "c", "--json")
    assert said.json == {"utterances": 2, "rejected": {"unknown emotion": 1}, "notes": []}
    assert said.err == "columns: text=text, emotion=emotion\n"


def test_import_takes_columns_and_emotions_by_name(maeum, table, tmp_path):
    rows = table("문구,기분", "잠이 와,나른함", "신난다,행복")
    columns = ("--column", "text=문구", "--column", "emotion=기분")
    emotions = ("--emotions", "happy,drowsy:나른함")
    said = maeum("import", "table", rows, "--to", tmp_path / "c", *columns, *emotions)
    assert said.out.startswith("2 utterances of 2 emotions")


def test_importing_again_replaces_the_corpus(maeum, table, tmp_path):
    for texts in (("정말 기뻐,기쁨", "너무 슬퍼,슬픔"), ("화가 나,분노", "기뻐,기쁨", "슬퍼,슬픔")):
        rows = table("text,emotion", *texts)
        maeum("import", "table", rows, "--to", tmp_path / "c")
    assert maeum("stats", tmp_path / "c", "--json").json["utterances"] == 3


def test_stats_counts(maeum, corpus):
    counted = maeum("stats", corpus, "--json").json
    assert (counted["utterances"], counted["speakers"], counted["sentences"]) == (72, 6, 12)
    assert "Happy 기쁨" in maeum("stats", corpus).out


def test_a_title_is_never_folded(maeum, corpus):
    assert "Utterances by part (fingerprint " in maeum("split", corpus).out.splitlines()[1]


def test_audit_finds_that_the_text_decides_the_emotion(maeum, corpus):
    said = maeum("audit", corpus)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("leak: text decides the emotion: 72 of 72 utterances")


def test_a_strict_audit_fails_on_a_leak_and_says_the_same(maeum, corpus):
    strict, lenient = maeum("audit", corpus, "--strict"), maeum("audit", corpus)
    assert (strict.code, strict.out) == (1, lenient.out)


def test_audit_answers_json(maeum, corpus):
    findings = maeum("audit", corpus, "--json", "--no-listen").json["findings"]
    assert {"kind", "severity", "title", "size", "of", "example", "advice"} == findings[0].keys()


def test_split_is_the_strictest_unless_told(maeum, corpus):
    assert maeum("split", corpus, "--json").json["protocol"] == "speaker+script"
    by_speaker = maeum("split", corpus, "--by", "speaker", "--json").json
    assert (by_speaker["protocol"], sum(by_speaker["parts"].values())) == ("speaker", 72)


def test_a_split_seed_fixes_the_split(maeum, corpus):
    def fingerprint(seed: int) -> str:
        words = ("--by", "random", "--split-seed", seed, "--json")
        return maeum("split", corpus, *words).json["fingerprint"]

    assert fingerprint(0) == fingerprint(0) != fingerprint(1)


def test_train_says_the_result_and_where_the_report_is(maeum, corpus, tmp_path):
    to = tmp_path / "run"
    said = maeum("train", corpus, "--to", to, "--modality", "text", "--epochs", 2)
    result, report = said.out.splitlines()
    paper, split, small, few = said.err.splitlines()
    assert paper.startswith("note: the built-in encoders are used; the paper's pair would be")
    assert "--text beomi/KcELECTRA-base-v2022" in paper
    assert said.code == 0
    assert split.startswith("split speaker+script: neither a voice nor a sentence of the test is")
    assert small.startswith("not calibrated: the validation part has")
    assert "utterances are few to judge by; `maeum crossval` tests them all" in few
    assert "utterances right (95 % interval over" in result
    assert report == f"report: {to / 'report' / 'report.html'}"
    assert Path(report.removeprefix("report: ")).is_file()


def test_training_again_answers_the_same_without_training(maeum, corpus, run):
    weights = (run / "model.safetensors").stat().st_mtime_ns
    again = maeum("train", corpus, "--to", run, "--epochs", 4, "--json")
    assert again.json["run"] == str(run)
    assert again.json["test"]["n"] == again.json["split"]["parts"]["test"]
    assert (run / "model.safetensors").stat().st_mtime_ns == weights


def test_a_run_without_a_test_says_so(maeum, corpus, tmp_path):
    words = ("--modality", "text", "--split", "none", "--epochs", 1)
    said = maeum("train", corpus, "--to", tmp_path / "run", *words)
    assert "trained on everything; test it on another corpus" in said.out
    assert maeum("train", corpus, "--to", tmp_path / "run", *words, "--json").json["test"] is None


def test_settings_may_come_from_a_file_and_options_stand_over_it(maeum, corpus, tmp_path):
    settings = tmp_path / "settings.yaml"
    settings.write_text("modality: text\nepochs: 1\nseed: 5\n", encoding="utf-8")
    to = tmp_path / "run"
    assert maeum("train", corpus, "--to", to, "--config", settings, "--seed", 7).code == 0
    card = (to / "maeum.yaml").read_text(encoding="utf-8")
    assert "modality: text" in card
    assert "  seed: 7\n" in card


def test_an_encoder_that_is_not_used_is_noted_and_ignored(maeum, corpus, tmp_path):
    words = ("--modality", "text", "--speech", "some/encoder", "--epochs", 1)
    said = maeum("train", corpus, "--to", tmp_path / "run", *words)
    assert said.code == 0
    counts = "it counts with modality=both or modality=speech"
    assert said.err.splitlines()[0] == f"note: speech=some/encoder is ignored: {counts}"


def test_options_that_count_for_nothing_are_noted(maeum, corpus, tmp_path):
    words = ("--modality", "text", "--lora-rank", 4, "--order", "short", "--epochs", 1)
    said = maeum("train", corpus, "--to", tmp_path / "run", *words).err
    assert "note: lora_rank=4 is ignored: it counts with tune=lora\n" in said
    assert (
        "note: order=short is ignored: it counts with per_emotion, total or distinct_text\n" in said
    )
    again = maeum("train", corpus, "--to", tmp_path / "other", *words[:2], "--epochs", 1).err
    assert "ignored" not in again


def test_overwrite_replaces_a_run_of_other_settings(maeum, corpus, tmp_path):
    words = ("train", corpus, "--to", tmp_path / "run", "--modality", "text", "--epochs")
    assert maeum(*words, 1).code == 0
    assert maeum(*words, 2).code == 1
    assert maeum(*words, 2, "--overwrite").code == 0


def test_crossval_tests_every_utterance_once(maeum, corpus, tmp_path):
    words = ("--by", "script", "--folds", 2, "--modality", "text", "--epochs", 1)
    said = maeum(
        "crossval", corpus, "--to", tmp_path / "folds", *words, "--text", "builtin:letters"
    )
    assert (said.code, said.err) == (0, "")
    found = maeum("crossval", corpus, "--to", tmp_path / "folds", *words, "--json").json
    assert (found["n"], sum(fold["n"] for fold in found["folds"])) == (72, 72)


def test_evaluate_gives_the_numbers_of_the_report(maeum, corpus, run):
    trained = maeum("train", corpus, "--to", run, "--epochs", 4, "--json").json["test"]
    found = maeum("evaluate", run, corpus, "--json").json
    expected = {"n", "accuracy", "uar", "macro_f1", "ci95", "by_emotion", "confusion", "leaks"}
    assert expected <= found.keys()
    assert found == {name: value for name, value in trained.items() if name != "summary"}


def test_evaluate_of_all_is_larger_than_of_the_test(maeum, corpus, run):
    assert maeum("evaluate", run, corpus, "--part", "all", "--json").json["n"] == 72


def test_evaluate_takes_the_names_of_another_corpus(maeum, table, run, tmp_path):
    rows = table("text,emotion", "무서워,공포", "정말 기뻐,기쁨", "역겨워,혐오")
    maeum("import", "table", rows, "--to", tmp_path / "c")
    names = tmp_path / "names.yaml"
    names.write_text("공포: 슬픔\nDisgust: null\n", encoding="utf-8")
    found = maeum("evaluate", run, tmp_path / "c", "--map", names, "--json").json
    assert (found["n"], found["by_emotion"]["Sad"]["n"], found["split"]) == (2, 1, "other corpus")


def test_predict_answers_one_object_a_recording(maeum, calls, run):
    takes = sorted((calls.parent / "audio").glob("s01_*"))[:3]
    found = maeum("predict", run, *takes, "--json")
    assert (found.code, found.err) == (0, "")
    assert [line["audio"] for line in found.lines] == [str(take) for take in takes]
    answer = found.lines[0]
    assert answer.keys() == {
        "audio",
        "text",
        "emotion",
        "confidence",
        "probabilities",
        "modalities",
    }
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("what", "modalities"),
    [("audio", ["speech"]), ("text", ["text"]), ("both", ["speech", "text"])],
)
def test_predict_says_what_an_answer_rests_on(maeum, calls, run, what, modalities):
    take = next((calls.parent / "audio").iterdir())
    words = {"audio": [take], "text": ["--text", "정말 아프다"]}
    typed = words.get(what) or [*words["audio"], *words["text"]]
    assert maeum("predict", run, *typed, "--json").lines[0]["modalities"] == modalities


def test_predict_keeps_hangul_readable(maeum, run):
    assert maeum("predict", run, "--text", "정말 아프다").out.startswith("정말 아프다: ")
    assert "정말 아프다" in maeum("predict", run, "--text", "정말 아프다", "--json").out


def test_predict_answers_a_folder_with_the_texts_of_a_table(maeum, calls, run):
    found = maeum("predict", run, calls.parent / "audio", "--texts", calls, "--json").lines
    assert len(found) == 72
    assert all(line["modalities"] == ["speech", "text"] for line in found)


def test_predict_answers_a_list_of_sentences(maeum, run, tmp_path):
    lines = tmp_path / "lines.txt"
    lines.write_text("정말 기뻐\n너무 슬퍼\n", encoding="cp949")
    found = maeum("predict", run, "--texts", lines, "--json").lines
    assert [line["text"] for line in found] == ["정말 기뻐", "너무 슬퍼"]


def test_a_run_that_compares_voices_takes_a_folder_of_them(maeum, corpus, calls, tmp_path):
    to = tmp_path / "run"
    words = ("--modality", "speech", "--normalize", "speaker", "--split", "none", "--epochs", 1)
    assert maeum("train", corpus, "--to", to, *words).code == 0
    take = next((calls.parent / "audio").glob("s02_*"))
    without = maeum("predict", to, take)
    assert (without.code, without.out) == (1, "")
    assert "others of the same voice: give a folder of them (--speaker FOLDER)" in without.err
    assert maeum("predict", to, take, "--speaker", calls.parent / "audio").code == 0


def test_the_demo_goes_the_whole_way(maeum, monkeypatch, calls, tmp_path):
    calls_as_sample = tmp_path / "sample"
    calls_as_sample.mkdir()
    (calls_as_sample / "audio").symlink_to(calls.parent / "audio")
    (calls_as_sample / "sample.csv").write_bytes(calls.read_bytes())
    monkeypatch.setattr("maeum.sample.path", lambda: calls_as_sample)
    monkeypatch.setattr("maeum.cli.demo.EPOCHS", 1)
    monkeypatch.setattr("maeum.cli.demo.MODALITIES", ("both",))
    monkeypatch.setattr("maeum.cli.demo.FOLDS", 2)
    said = maeum("demo", "--to", tmp_path / "demo")
    assert said.code == 0
    assert said.out.startswith("72 utterances, 6 voices, 12 sentences")
    assert "leak: text decides the emotion" in said.out
    steps = [line.split(".")[0] for line in said.err.splitlines() if line[0].isdecimal()]
    assert steps == ["1", "2", "3", "4", "5", "6"]
    report = tmp_path / "demo" / "run" / "report" / "report.html"
    assert str(report) in said.out
    assert report.is_file()


def test_predict_says_that_a_run_with_context_hears_no_dialogue_here(maeum, corpus, tmp_path):
    told = Corpus.open(corpus).utterances.with_columns(dialogue=pl.col("speaker"))
    Corpus.open(corpus).with_utterances(told).save(tmp_path / "told")
    words = ("--modality", "text", "--context", 1, "--epochs", 1, "--split", "random")
    assert maeum("train", tmp_path / "told", "--to", tmp_path / "run", *words).code == 0
    said = maeum("predict", tmp_path / "run", "--text", "정말 좋다")
    assert said.code == 0
    assert "note: this run looks at previous utterances of a dialogue" in said.err


def test_two_people_see_whether_they_hold_the_same_split(maeum, corpus, tmp_path):
    held = str(tmp_path / "split.json")
    assert maeum("split", corpus, "--by", "speaker", "--split-seed", "2", "--save", held).code == 0
    same = maeum("split", corpus, "--check", held)
    assert (same.code, same.out.startswith("the same split: speaker, seed 2")) == (0, True)
    other = maeum("split", corpus, "--check", held, "--split-seed", "5", "--json")
    assert (other.code, other.json["same"]) == (1, False)
