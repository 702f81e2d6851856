"""AI-Hub 466 is read as people hold it, on a made tree with every kind of dirt; nothing is lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from maeum.corpus import Corpus, import_corpus
from maeum.corpus.audio import load
from maeum.corpus.importing import PIECES
from maeum.corpus.stats import stats
from maeum.errors import CorpusError
from maeum.testing import make_aihub466
from maeum.testing.aihub466 import BORNE, REJECTED, SPEAKERS, UTTERANCES

LONG = "0001_G1A3E1S0C0_PSB_000001"


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return make_aihub466(tmp_path_factory.mktemp("made") / "tree", pairs=2_000)


@pytest.fixture(scope="module")
def corpus(tree, tmp_path_factory):
    return import_corpus("aihub466", tree.folder, tmp_path_factory.mktemp("corpus") / "c")


@pytest.fixture
def write(tmp_path):
    """Write a label, and a recording beside it unless told not to; returns the tree."""
    made = make_aihub466(tmp_path / "made", pairs=7, dirt=0)
    sound = next(made.folder.rglob("*.wav")).read_bytes()

    def write(path, *, emotion="Happy", recording=True, **fields):
        label = tmp_path / "tree" / f"{path}.json"
        label.parent.mkdir(parents=True, exist_ok=True)
        said = {"OrgLabelText": "정말 기뻐요", "TransLabelText": fields.pop("text", "정말 기뻐요")}
        speaker = {"SpeakerName": "PSB", "Gender": "Male", "Emotion": emotion, **fields}
        sections = {"전사정보": said, "화자정보": speaker, "기본정보": {"NumberOfSpeaker": "7"}}
        label.write_text(json.dumps(sections, ensure_ascii=False), encoding="utf-8")
        if recording:
            sounds = (
                label.with_suffix(".wav") if recording is True else tmp_path / "tree" / recording
            )
            sounds.parent.mkdir(parents=True, exist_ok=True)
            sounds.write_bytes(sound)
        return tmp_path / "tree"

    write("other/0002_G2A3E2S0C0_LYT_000009", emotion="Sad")  # a corpus needs two emotions
    write("other/0004_G2A3E3S0C0_HMN_000003", emotion="Angry")
    return write


def imported(tree, **options):
    return import_corpus("aihub466", tree, **options)


def counts(corpus: Corpus) -> dict[str, int]:
    return dict(corpus.rejected["reason"].value_counts().iter_rows())


def row(corpus, name):
    return corpus.utterances.row(by_predicate=pl.col("id") == name, named=True)


def test_what_was_planted_is_counted_exactly_by_reason(tree, corpus):
    assert counts(corpus) == tree.rejected
    assert set(tree.rejected) == set(REJECTED)
    assert len(corpus) == tree.imported


def test_every_utterance_stands_once_either_here_or_there(tree, corpus):
    copies = tree.rejected["id stands twice"]
    assert len(corpus) + len(corpus.rejected) == 2_000 + copies
    left_out = corpus.rejected.filter(pl.col("reason") != "id stands twice")["id"]
    assert not set(left_out) & set(corpus.utterances["id"])


def test_emotions_speakers_and_sentences_are_those_of_the_tree(tree, corpus):
    found = stats(corpus)
    assert {e["name"]: e["utterances"] for e in found["emotions"]} == dict(tree.emotions)
    assert {e["name"]: e["speakers"] for e in found["emotions"]} == dict(tree.speakers)
    assert found["sentences"] == tree.sentences
    assert tuple(tree.speakers) == tuple(e["name"] for e in found["emotions"])


def test_every_disk_is_read_the_zips_among_them(corpus):
    audio = corpus.utterances["audio"]
    assert audio.str.contains(".zip/", literal=True).sum() > 300
    assert corpus.utterances["speaker"].str.contains(r"^\d{4}_[A-Z]{3}$").all()
    assert corpus.utterances["speaker"].n_unique() == max(SPEAKERS.values())
    assert set(corpus.utterances["part"]) == {"train", "validation"}


def test_labels_that_disagree_with_their_folder_count_and_are_said(tree, corpus):
    assert f"{tree.disagreeing} label(s) name another emotion" in " ".join(corpus.notes)
    assert tree.disagreeing > 0


def test_dirt_that_costs_nothing_leaves_clean_texts(corpus):
    texts = corpus.utterances["text"]
    assert not texts.str.contains("\xa0|\ufeff").any()
    assert (texts.str.len_chars() > 1).all()
    assert len(BORNE) == 6


def test_a_recording_in_a_zip_is_heard(tmp_path):
    made = make_aihub466(tmp_path / "tree", pairs=300, dirt=0, voices=True)
    corpus = imported(made.folder)
    inside = corpus.utterances.filter(pl.col("audio").str.contains(".zip/", literal=True))
    wave = load(corpus.audio_root / inside["audio"][0], rate_hz=16_000)
    assert abs(wave).max() > 0.01
    assert len(wave) / 16_000 == pytest.approx(inside["duration_s"][0], abs=0.001)


def test_the_shares_of_the_emotions_are_those_of_the_papers_first_table(tmp_path):
    made = make_aihub466(tmp_path / "tree", pairs=700, dirt=0)
    whole = sum(UTTERANCES.values())
    assert whole == 453_365
    assert all(
        abs(made.emotions[name] - 700 * count / whole) <= 1 for name, count in UTTERANCES.items()
    )


# -- stopped, and typed again


def test_an_import_that_was_stopped_goes_on_and_ends_as_one_that_was_not(
    tree, corpus, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("maeum.corpus.readers.aihub466.AT_ONCE", 300)
    from maeum.corpus import importing

    made = importing._made
    calls = []

    def dies_in_the_fourth(*args):
        calls.append(args)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return made(*args)

    monkeypatch.setattr(importing, "_made", dies_in_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        import_corpus("aihub466", tree.folder, tmp_path / "c")
    assert not (tmp_path / "c" / "corpus.json").exists()
    with caplog.at_level("INFO", logger="maeum"):
        again = import_corpus("aihub466", tree.folder, tmp_path / "c")
    assert "went on: 3 of" in caplog.text
    assert again.utterances.equals(corpus.utterances)
    assert again.rejected.sort("id", "detail").equals(corpus.rejected.sort("id", "detail"))
    assert not (tmp_path / "c" / PIECES).exists()


def test_a_piece_that_was_half_written_is_read_anew(tree, corpus, tmp_path, monkeypatch):
    import_corpus("aihub466", tree.folder, tmp_path / "first")
    monkeypatch.setattr("maeum.corpus.importing.Corpus.save", lambda *_: None)
    monkeypatch.setattr("maeum.corpus.importing.shutil.rmtree", lambda *_, **__: None)
    import_corpus("aihub466", tree.folder, tmp_path / "c")
    kept = [p for p in (tmp_path / "c" / PIECES).iterdir() if ".rejected" not in p.name]
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    monkeypatch.undo()
    assert import_corpus("aihub466", tree.folder, tmp_path / "c").utterances.equals(
        corpus.utterances
    )


def test_an_unchanged_tree_is_not_read_again(tree, tmp_path, monkeypatch, caplog):
    first = import_corpus("aihub466", tree.folder, tmp_path / "c")
    monkeypatch.setattr("maeum.corpus.readers.aihub466._sections", None)  # no label can be read
    with caplog.at_level("INFO", logger="maeum"):
        again = import_corpus("aihub466", tree.folder, tmp_path / "c")
    assert "nothing changed" in caplog.text
    assert again.fingerprint == first.fingerprint


@pytest.mark.parametrize("change", ["a label", "a recording", "an option", "a new file"])
def test_a_change_is_noticed(write, tmp_path, change):
    tree = write(f"a/{LONG}")
    import_corpus("aihub466", tree, tmp_path / "c")
    options = {}
    if change == "a label":
        write(f"a/{LONG}", emotion="Angry", recording=False)
    elif change == "a recording":
        (tree / f"a/{LONG}.wav").unlink()
    elif change == "an option":
        write("2.발화스타일/0003_G1A3E7S1C0_KWJ_000001", emotion="Neutrality")
        options = {"style_only": "neutral"}
    else:
        write("a/0001_G1A3E1S0C0_PSB_000002")
    before = (tmp_path / "c" / "corpus.json").read_text("utf-8")
    import_corpus("aihub466", tree, tmp_path / "c", **options)
    assert (tmp_path / "c" / "corpus.json").read_text("utf-8") != before


# -- what names and labels say


@pytest.mark.parametrize(
    ("path", "speaker"),
    [
        (f"x/{LONG}", "0001_PSB"),
        ("0012_G1A3E1S0C0_PSB/PSB_00001", "0012_PSB"),
        ("0012_PSB/PSB_00001", "0012_PSB"),
        ("PSB/PSB_00001", "0007_PSB"),
        ("1.기쁨/000001", "0007_PSB"),
    ],
)
def test_a_speaker_is_the_number_of_the_name_the_folder_or_the_label_and_initials(
    write, path, speaker
):
    corpus = imported(write(path))
    assert row(corpus, Path(path).name)["speaker"] == speaker


def test_a_recording_is_paired_by_its_name_wherever_it_lies(write):
    corpus = imported(write(f"라벨/TL1/TL1/{LONG}", recording=f"elsewhere/deep/{LONG}.WAV"))
    assert row(corpus, LONG)["audio"] == f"elsewhere/deep/{LONG}.WAV"


def test_equal_short_names_in_the_folders_of_two_emotions_are_two_utterances(write):
    write("L/1.기쁨/PSB_00001", recording="S/1.기쁨/PSB_00001.wav")
    tree = write("L/2.슬픔/PSB_00001", emotion="Sad", recording="S/2.슬픔/PSB_00001.wav")
    corpus = imported(tree)
    found = corpus.utterances.filter(pl.col("id").str.starts_with("PSB_00001"))
    assert found.select("id", "audio").rows() == [
        ("PSB_00001-Happy", "S/1.기쁨/PSB_00001.wav"),
        ("PSB_00001-Sad", "S/2.슬픔/PSB_00001.wav"),
    ]
    assert corpus.rejected.is_empty()


def test_what_lies_unpacked_beside_its_zip_counts_once(write):
    tree = write(f"TL1/{LONG}")
    with zipfile.ZipFile(tree / "TL1.zip", "w") as file:
        for path in (tree / "TL1").iterdir():
            file.write(path, f"TL1/{path.name}")
    corpus = imported(tree)
    assert corpus.rejected.is_empty()
    assert row(corpus, LONG)["audio"] == f"TL1/{LONG}.wav"
    shutil.rmtree(tree / "TL1")
    assert row(imported(tree), LONG)["audio"] == f"TL1.zip/TL1/{LONG}.wav"
    assert LONG not in imported(tree, zips="no").utterances["id"]


def test_labels_alone_are_a_corpus_of_sentences(write, caplog):
    tree = write(f"a/{LONG}")
    for recording in tree.rglob("*.wav"):
        recording.unlink()
    corpus = imported(tree)
    assert corpus.utterances["audio"].null_count() == len(corpus) == 3
    assert "without them" in caplog.text


@pytest.mark.parametrize(
    ("path", "fields", "reason"),
    [
        (
            "2.발화스타일/0003_G1A3E7S1C0_KWJ_000001",
            {"emotion": "Neutrality"},
            "style only",
        ),
        ("2.Style/0003_G1A3E7S1C0_KWJ_000001", {"emotion": "N/A"}, "style only"),
        ("3.캐릭터/0003_G1A3E7S0C1_KWJ_000001", {"emotion": "N/A"}, "emotion N/A"),
        ("flat/0003_G1A3E7S1C0_KWJ_000001", {"emotion": "Neutrality"}, "style only"),
        ("1.감정/7.중립/0003_G1A3E7S0C0_KWJ_000001", {"emotion": "N/A"}, "emotion N/A"),
        ("flat/0003_G1A3E7S0C0_KWJ_000001", {"emotion": None}, "no emotion"),
        ("flat/0003_G1A3E7S0C0_KWJ_000001", {"emotion": "Hapy"}, "unknown emotion"),
    ],
)
def test_what_names_no_emotion_is_set_aside(write, path, fields, reason):
    corpus = imported(write(path, **fields))
    assert counts(corpus) == {reason: 1}
    assert len(corpus) == 2


def test_neutral_in_a_style_is_neutral_where_the_name_says_so(write):
    name = "0003_G4A3E7S1C0_KWJ_000001"
    corpus = imported(write(f"flat/{name}", emotion="Neutrality", SpeechStyle="구연체"))
    assert row(corpus, name)["emotion"] == "Neutrality"


def test_a_style_with_an_emotion_is_that_emotion(write):
    name = "0003_G1A3E5S1C0_KWJ_000001"
    corpus = imported(
        write(f"4.감정X발화스타일/9.상처X구연체/{name}", emotion="Hurt", SpeechStyle="구연체")
    )
    assert (row(corpus, name)["emotion"], row(corpus, name)["style"]) == ("Hurt", "구연체")


@pytest.mark.parametrize("emotion", ["Neutrality", "N/A"])
def test_recordings_of_a_style_can_count_as_neutral(write, emotion):
    name = "0003_G1A3E7S1C0_KWJ_000001"
    tree = write(f"2.발화스타일/1.구연체/{name}", emotion=emotion, SpeechStyle="구연체")
    assert row(imported(tree, style_only="neutral"), name)["emotion"] == "Neutrality"


@pytest.mark.parametrize(
    ("spoken", "read"), [("아", "정말 기뻐요"), ("정말\xa0 기뻐", "정말 기뻐"), ("", "정말 기뻐요")]
)
def test_a_transcript_of_one_sign_gives_way_to_the_written_text(write, spoken, read):
    assert row(imported(write(f"a/{LONG}", text=spoken)), LONG)["text"] == read


def test_initials_that_are_a_word_are_initials(write):
    corpus = imported(write("1.기쁨/SAD/SAD_00001", SpeakerName="SAD"))
    assert row(corpus, "SAD_00001")["speaker"] == "0007_SAD"
    assert corpus.notes == ()


def test_a_label_of_no_shape_is_counted_and_the_rest_goes_on(write):
    tree = write(f"a/{LONG}")
    half = '{"화자정보": {"Emotion": "Happy", "Age": "\\ud800"}}'.encode()
    shapeless = (b"\xff\xfe\xff", b"{" * 10_000, b'{"a":' * 3_000, b"", half)
    others = (b"[1]", b'{"x": 1}')
    for place, content in enumerate((*shapeless, *others)):
        (tree / f"0009_G1A3E1S0C0_ABC_{place:06}.json").write_bytes(content)
    assert counts(imported(tree)) == {"label unreadable": 5, "not a label": 2}


def test_a_tree_without_labels_says_what_it_expected(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(CorpusError, match="holds no label file"):
        imported(tmp_path / "a")


@pytest.mark.parametrize("options", [{"style_only": "yes"}, {"zips": "maybe"}])
def test_an_option_of_another_value_lists_those_there_are(write, options):
    with pytest.raises(CorpusError, match="takes"):
        imported(write(f"a/{LONG}"), **options)


def test_a_link_back_to_the_tree_is_followed_once(write):
    tree = write(f"a/{LONG}")
    (tree / "a" / "loop").symlink_to(tree, target_is_directory=True)
    assert imported(tree).rejected.is_empty()


def test_an_import_killed_at_random_moments_ends_as_one_that_was_not(tree, corpus, tmp_path):
    command = [sys.executable, "-m", "maeum", "import", "aihub466", str(tree.folder)]
    command += ["--to", str(tmp_path / "c")]
    rng = np.random.default_rng(0)
    for delay_s in rng.uniform(0.3, 1.2, 6):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as run:
            time.sleep(delay_s)
            run.kill()
    subprocess.run(command, check=True, capture_output=True)
    again = Corpus.open(tmp_path / "c")
    assert again.utterances.equals(corpus.utterances)
    assert counts(again) == tree.rejected
    assert not [path for path in (tmp_path / "c").iterdir() if path.name.startswith(".")]


def test_names_that_are_no_text_are_one_sentence(write):
    tree = write(f"a/{LONG}")
    folder = os.fsencode(tree) + b"/" + "기쁨".encode("cp949")
    os.mkdir(folder)
    with pytest.raises(CorpusError, match="another encoding than UTF-8"):
        imported(tree)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1.Training/{kind}/1.감정/1.기쁨", "2.Validation/{kind}/1.감정/1.기쁨"),
        ("{kind}/1.감정/5.상처", "{kind}/4.감정X발화스타일/9.상처X구연체"),
        ("{kind}/1.기쁨/0001_G1A3E1S0C0_PSB", "{kind}/1.기쁨/0012_G1A3E1S0C0_PSB"),
    ],
)
def test_equal_short_names_that_folders_tell_apart_are_several_utterances(write, first, second):
    for folder in (first, second):
        label, sound = (folder.format(kind=kind) for kind in ("라벨링데이터", "원천데이터"))
        tree = write(f"{label}/PSB_00001", recording=f"{sound}/PSB_00001.wav")
    corpus = imported(tree)
    assert corpus.rejected.is_empty()
    found = corpus.utterances.filter(pl.col("id").str.starts_with("PSB_00001"))
    assert sorted(found["audio"]) == sorted(
        f"{folder.format(kind='원천데이터')}/PSB_00001.wav" for folder in (first, second)
    )


def test_folders_that_say_less_than_others_still_tell(write):
    for emotion, folder in (("Happy", "1.기쁨"), ("Sad", "2.슬픔")):
        sound = f"S/{folder}/0001_PSB/PSB_00001.wav"
        tree = write(f"L/{folder}/PSB_00001", emotion=emotion, recording=sound)
    corpus = imported(tree)
    assert corpus.rejected.is_empty()
    assert row(corpus, "PSB_00001-Sad")["audio"] == "S/2.슬픔/0001_PSB/PSB_00001.wav"


def test_recordings_that_nothing_tells_apart_are_said_to_be_several(write):
    for emotion, folder in (("Happy", "1.기쁨"), ("Sad", "2.슬픔")):
        sound = f"S/{len(folder)}{folder[0]}/PSB_00001.wav"
        tree = write(f"L/{folder}/PSB_00001", emotion=emotion, recording=sound)
    corpus = imported(tree)
    assert counts(corpus) == {"recording missing": 2}
    assert corpus.rejected["detail"].str.contains("no folder says which").all()


@pytest.mark.parametrize("suffix", [" (1)", "(2)", " - 복사본", " - Copy (3)"])
def test_what_copying_made_of_a_name_is_the_same_utterance(write, suffix):
    write(f"a/{LONG}")
    corpus = imported(write(f"a/{LONG}{suffix}"))
    assert counts(corpus) == {"id stands twice": 1}
    assert LONG in corpus.utterances["id"]


def test_initials_may_have_a_digit_and_endings_and_names_any_case(write):
    tree = write("a/0004_G1A3E1S0C0_E1S_000001", recording="b/0004_g1a3e1s0c0_e1s_000001.WAV")
    corpus = imported(tree)
    assert row(corpus, "0004_G1A3E1S0C0_E1S_000001")["speaker"] == "0004_E1S"


def test_short_names_below_the_folder_of_labels_are_recognised(write):
    from maeum.corpus.readers import settled

    tree = write("라벨링데이터/1.기쁨/PSB_00001")
    for label in (tree / "other").iterdir():
        label.unlink()
    assert settled("auto", tree) == "aihub466"


def test_labels_in_english_folders_find_recordings_in_korean_ones(write):
    for emotion, english, korean in (("Happy", "1.Happy", "1.기쁨"), ("Sad", "2.Sad", "2.슬픔")):
        sound = f"S/1.감정/{korean}/PSB_00001.wav"
        tree = write(f"L/1.Emotion/{english}/PSB_00001", emotion=emotion, recording=sound)
    corpus = imported(tree)
    assert corpus.rejected.is_empty()
    assert row(corpus, "PSB_00001-Sad")["audio"] == "S/1.감정/2.슬픔/PSB_00001.wav"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp949"])
def test_a_label_is_read_in_any_of_its_encodings(write, encoding):
    tree = write(f"a/{LONG}")
    label = tree / f"a/{LONG}.json"
    label.write_bytes(label.read_text("utf-8").encode(encoding))
    assert row(imported(tree), LONG)["text"] == "정말 기뻐요"
