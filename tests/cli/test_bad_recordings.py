"""Recordings and texts that cannot be answered: each is named, the rest go on, the status is 1."""

from __future__ import annotations

import pytest

from maeum.testing import DIRT

REFUSED = {
    "empty_file": "is empty (0 bytes) where a recording was expected; copy it again",
    "text_named_wav": "is no recording or a broken one",
    "noise_named_mp3": "is no recording or a broken one",
    "playlist_named_wav": "is no recording or a broken one",
    "truncated_wav": "is no recording or a broken one",
    "absurd_rate_wav": "its header is broken, export it again",
    "zero_samples_wav": "gives 0.00 s of sound, an utterance needs at least 0.1 s",
    "too_short_wav": "gives 0.01 s of sound, an utterance needs at least 0.1 s",
    "silent_wav": "is silent: its level is -inf dBFS, speech has more than -70",
    "nan_wav": "holds samples that are no numbers (NaN or infinite)",
    "unscaled_wav": "reaches 16,384, where full scale is 1",
    "soundless_mp4": "holds no sound; give a recording or a video with sound",
    "long_wav": "is too long: at least 5 min, where one utterance may last 60 s",
    "cp949_csv": "is no recording or a broken one",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_recording_that_cannot_be_used(maeum, run, tmp_path, kind):
    path = DIRT[kind](tmp_path)
    said = maeum("predict", run, path)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(f"failed: {path} ")
    assert REFUSED[kind] in said.err
    assert said.err.count("\n") == 1


def test_a_recording_over_a_minute_names_timeline(maeum, run, tmp_path):
    said = maeum("predict", run, DIRT["long_wav"](tmp_path, minutes=1.1))
    assert "`maeum timeline`" in said.err


def test_a_file_that_fails_does_not_stop_the_rest(maeum, calls, run, tmp_path):
    good = sorted((calls.parent / "audio").iterdir())[:2]
    paths = [good[0], tmp_path / "gone.wav", DIRT["silent_wav"](tmp_path), good[1]]
    said = maeum("predict", run, *paths, "--json")
    assert said.code == 1
    assert [line["audio"] for line in said.lines] == [str(path) for path in paths]
    assert ["error" in line for line in said.lines] == [False, True, True, False]
    assert said.lines[1].keys() == {"audio", "error"}
    assert said.lines[1]["error"].endswith("does not exist; check the path of the recording")
    assert said.err == ""


def test_without_json_failures_go_to_standard_error(maeum, calls, run, tmp_path):
    good = next((calls.parent / "audio").iterdir())
    said = maeum("predict", run, tmp_path / "gone.wav", good)
    assert said.out.startswith(f"{good}: ")
    assert said.err.startswith(f"failed: {tmp_path / 'gone.wav'} does not exist")


@pytest.mark.parametrize("text", ["", "   ", "\u200b\t"])
def test_a_text_of_nothing_is_refused(maeum, run, text):
    said = maeum("predict", run, "--text", text)
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("is empty; expected what was said\n")


def test_an_empty_line_among_sentences_is_reported_and_the_rest_answered(maeum, run, tmp_path):
    (tmp_path / "lines.txt").write_text("정말 기뻐\n\n너무 슬퍼\n", encoding="utf-8")
    said = maeum("predict", run, "--texts", tmp_path / "lines.txt")
    assert (said.code, len(said.out.splitlines())) == (1, 2)
    assert said.err == "failed: the text '' is empty; expected what was said\n"


def test_a_folder_without_recordings(maeum, run, tmp_path):
    said = maeum("predict", run, tmp_path).complaint
    assert said.startswith(f"{tmp_path} holds no recording; expected files ending in .3gp, .aac")


def test_nothing_to_predict(maeum, run):
    said = maeum("predict", run).complaint
    assert said == "nothing to predict; give recordings, --text or --texts"


def test_texts_that_do_not_fit_the_recordings(maeum, calls, run, table, tmp_path):
    one, two = sorted((calls.parent / "audio").iterdir())[:2]
    (tmp_path / "lines.txt").write_text("하나\n둘\n셋\n", encoding="utf-8")
    rows = table("text,emotion", "음,기쁨")
    for words, sentence in (
        ((one, two, "--text", "음"), "--text was given for 2 recordings; name their texts with"),
        ((one, "--text", "음", "--texts", rows), "--text and --texts were both given"),
        ((one, two, "--texts", tmp_path / "lines.txt"), "has 3 lines for 2 recordings"),
        ((one, "--texts", rows), "does not say which sentence belongs to which recording"),
    ):
        assert sentence in maeum("predict", run, *words).complaint


TEXTS = {
    "gone.txt": (None, "does not exist; expected one sentence a line"),
    "gone.csv": (None, "is not a file; expected .csv"),
    "none.txt": (b"", "is empty; expected one sentence a line"),
    "none.csv": (b"audio,text\n", "has no row; expected one per recording or sentence"),
    "other.csv": (b"a,b\n1,2\n", "has the columns a, b; expected audio, text or both"),
    "bytes.txt": (b"\xff\xfe\xff\x81", "is neither UTF-8 nor cp949"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_that_cannot_be_read(maeum, run, tmp_path, name):
    content, sentence = TEXTS[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    said = maeum("predict", run, "--texts", tmp_path / name).complaint
    assert said.startswith(f"{tmp_path / name} {sentence}")


def test_a_run_that_reads_alone_says_so_to_a_recording(maeum, corpus, calls, tmp_path):
    words = ("--modality", "text", "--epochs", 1)
    maeum("train", corpus, "--to", tmp_path / "run", *words)
    take = next((calls.parent / "audio").iterdir())
    assert maeum("predict", tmp_path / "run", take).err == (
        "failed: this run takes text; none was given\n"
    )
    said = maeum("evaluate", tmp_path / "run", corpus, "--modality", "speech").complaint
    assert said == "modality 'speech' was asked for, but the run takes text"


def test_a_folder_of_a_voice_is_refused_by_a_run_that_compares_none(maeum, calls, run):
    folder = calls.parent / "audio"
    said = maeum("predict", run, "--text", "음", "--speaker", folder).complaint
    assert "was not trained with --normalize speaker" in said


def test_a_folder_of_a_voice_that_is_not_there_is_wrong_usage(maeum, run):
    said = maeum("predict", run, "--text", "음", "--speaker", "gone").misuse
    assert "'--speaker'" in said
    assert "does not exist" in said


def test_a_name_that_is_no_text_is_answered_in_valid_json(maeum, run):
    said = maeum("predict", run, "gone\udcff.wav", "--json")
    assert (said.code, said.lines[0]["audio"]) == (1, "gone\udcff.wav")
