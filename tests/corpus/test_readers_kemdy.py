"""KEMDy19 and KEMDy20: two header rows, two tables of one session, ten raters."""

from __future__ import annotations

from zipfile import ZipFile

import pytest
from imported import by_id, imported, kept, left_out

from maeum.corpus.readers.kemdy import read_2019, read_2020, recognise_2019, recognise_2020, spoken
from maeum.errors import CorpusError
from maeum.testing import make_kemdy19, make_kemdy20

UPPER = "Numb,Wav, ,Segment ID,Total Evaluation, , ,Eval01F, , ,Eval02M, , "
LOWER = " ,start,end, ,Emotion,Valence,Arousal,Emotion,Valence,Arousal,Emotion,Valence,Aroual"
RATED = "neutral,3,3,happy,4,4"


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kemdy")
    return {
        "kemdy19": make_kemdy19(folder / "KEMDy19_v1_3"),
        "kemdy20": make_kemdy20(folder / "KEMDy20_v1_1"),
    }


@pytest.fixture(scope="module")
def corpora(planted):
    return {reader: imported(reader, tree) for reader, tree in planted.items()}


@pytest.fixture
def session(tmp_path):
    """Write one table of these rows, and an empty recording for each segment named."""

    def write(*rows, wavs=("Sess01_script01_User001F_001",), table="Sess01_eval.csv"):
        (tmp_path / "annotation").mkdir(exist_ok=True)
        lines = "\n".join([UPPER, LOWER, *rows])
        (tmp_path / "annotation" / table).write_text(lines, encoding="utf-8")
        for wav in wavs:
            (tmp_path / f"{wav}.wav").touch()
        return tmp_path

    return write


def row(label, name="Sess01_script01_User001F_001", number=1, rated=RATED):
    return f"{number},0.5,2.5,{name},{label},3.5,3.2,{rated}"


both = pytest.mark.parametrize("reader", ["kemdy19", "kemdy20"])


@both
def test_all_that_was_planted_is_kept_and_nothing_else(planted, corpora, reader):
    assert kept(corpora[reader]) == planted[reader].emotions


@both
def test_what_is_left_out_is_counted_by_reason_as_it_was_planted(planted, corpora, reader):
    assert left_out(corpora[reader]) == planted[reader].rejected


@both
def test_even_raters_may_be_settled_by_the_first_emotion(planted, reader):
    corpus = imported(reader, planted[reader], "--ties first")
    assert kept(corpus) == planted[reader].otherwise["--ties first"]
    assert "raters disagree" not in left_out(corpus)


def test_a_label_is_the_speakers_and_never_the_listeners(planted, corpora):
    """Both tables of a session list every segment; the listener's says something else of each."""
    names = {name for name in planted["kemdy19"].emotions if name.startswith("Sess02")}
    read_in = {name: by_id(corpora["kemdy19"])[name]["source"].split()[0] for name in names}
    assert {name: f"Session02_{name[-4]}_res.csv" for name in names} == read_in


def test_a_segment_that_only_the_listeners_table_has_is_said(tmp_path):
    (tmp_path / "Sess01_script01_M001.wav").touch()
    lines = "\n".join([UPPER, LOWER, row("happy", "Sess01_script01_M001")])
    (tmp_path / "Session01_F_res.csv").write_text(lines)
    [found] = read_2019(tmp_path)
    assert (found.id, found.reason) == ("Sess01_script01_M001", "speaker's label missing")


def test_a_tie_is_said_with_its_emotions(session):
    [found] = read_2020(session(row("neutral;happy")))
    assert found.reason == "raters disagree"
    assert "is Neutrality or Happy to equally many raters" in found.detail


@pytest.mark.parametrize(
    ("written", "emotion"),
    [("disqust", "Disgust"), ("Happy ", "Happy"), ("sad;sad", "Sad"), ("fear;", "Fear")],
)
def test_a_label_is_understood_as_it_is_written(session, written, emotion):
    [found] = read_2020(session(row(written)))
    assert found.emotion == emotion


def test_an_empty_label_is_said(session):
    [found] = read_2020(session(row("")))
    assert found.reason == "no emotion"


def test_votes_are_those_of_the_raters_alone(session):
    """Groups are named over their first column; one of the second header's words is misspelt."""
    [found] = read_2020(session(row("neutral", rated="happy,3,3,happy,4,4")))
    assert found.votes == (("Happy", 2),)
    assert found.extra == {"valence": "3.5", "arousal": "3.2"}


@both
def test_ten_raters_voted_on_every_utterance(corpora, reader):
    votes = corpora[reader].utterances["votes"].to_list()
    assert {sum(vote["count"] for vote in each) for each in votes} == {10}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_words_stand_beside_the_recording_in_either_encoding(session, encoding):
    source = session(row("sad"))
    text = source / "Sess01_script01_User001F_001.txt"
    text.write_text("눈물이 나\n", encoding=encoding)
    [found] = read_2020(source)
    assert (found.text, "transcript" in found.extra) == ("눈물이 나", False)


def test_words_in_no_known_encoding_are_said(session):
    source = session(row("sad"))
    (source / "Sess01_script01_User001F_001.txt").write_bytes(b"\xff\xff")
    assert [item.reason for item in read_2020(source)] == ["text cannot be read"]


def test_recordings_and_words_are_read_out_of_a_zip(session):
    source = session(row("sad"), wavs=())
    with ZipFile(source / "wav.zip", "w") as archive:
        archive.writestr("Session01/Sess01_script01_User001F_001.wav", b"")
        archive.writestr("Session01/Sess01_script01_User001F_001.txt", "눈물이 나".encode("cp949"))
    [found] = read_2020(source)
    assert found.audio == "wav.zip/Session01/Sess01_script01_User001F_001.wav"
    assert found.text == "눈물이 나"


def test_a_recording_without_words_stays_without_text(session):
    [found] = read_2020(session(row("sad")))
    assert (found.text, found.emotion) == (None, "Sad")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("b/ 아 (컴퓨터)/(컴퓨타) l/ 샀어 n/", "아 컴퓨터 샀어"),
        ("o/ u/", ""),
        ("KBS/MBC 봤어?", "KBS/MBC 봤어?"),
        ("9/11 그날(밤)", "9/11 그날(밤)"),
    ],
)
def test_marks_of_noise_are_no_words(written, words):
    assert spoken(written) == words


def test_words_as_they_were_written_stay_with_the_utterance(session):
    source = session(row("sad"))
    (source / "Sess01_script01_User001F_001.txt").write_text("b/ 눈물이 나", encoding="utf-8")
    [found] = read_2020(source)
    assert (found.text, found.extra["transcript"]) == ("눈물이 나", "b/ 눈물이 나")


def test_who_speaks_comes_from_the_session_or_the_number(corpora):
    speakers = {reader: set(corpus.utterances["speaker"]) for reader, corpus in corpora.items()}
    assert speakers == {
        "kemdy19": {f"Sess0{session}_{gender}" for session in (1, 2, 3) for gender in "FM"},
        "kemdy20": {f"User00{person}" for person in range(1, 7)},
    }
    genders = by_id(corpora["kemdy20"])
    assert {row["gender"] for name, row in genders.items() if "M_" in name} == {"male"}


@both
def test_a_dialogue_is_a_script_of_a_session_in_the_order_of_its_rows(corpora, reader):
    rows = [row for row in by_id(corpora[reader]).values() if row["dialogue"] == "Sess02_script01"]
    assert len(rows) == 14
    in_order = sorted(rows, key=lambda row: row["turn"])
    assert [row["gender"] for row in in_order] == ["female", "male"] * 7


def test_the_same_script_comes_back_in_every_session_and_a_note_says_so(corpora):
    corpus = corpora["kemdy19"]
    sessions = corpus.utterances.drop_nulls("text").group_by("script").n_unique()
    assert sessions["speaker"].min() >= 2
    assert "split by script" in corpus.notes[0]


def test_a_recording_that_no_table_names_and_a_copy_are_said(session):
    source = session(row("sad"), wavs=("Sess01_script01_User001F_001", "other"))
    (source / "copy").mkdir()
    (source / "copy" / "Sess01_script01_User001F_001.wav").touch()
    _, copy, other = read_2020(source)
    assert (copy.reason, other.reason) == ("recording stands twice", "label missing")


def test_a_segment_of_another_corpus_is_said(session):
    [found, _] = read_2020(session(row("sad", "Sess01_script01_F001")))
    assert found.reason == "unknown segment"


def test_blank_rows_say_nothing_and_repeated_headers_one_thing(session):
    found = list(read_2020(session(row("sad"), ",,,,,,,,,,,,", UPPER, LOWER)))
    assert [getattr(item, "reason", "kept") for item in found] == ["kept", "repeated header"]


@pytest.mark.parametrize("header", ["", "Numb,Segment ID\n", f"{UPPER}\n{UPPER}\n", f"{LOWER}\n"])
def test_a_table_without_its_two_header_rows_is_refused(tmp_path, header):
    (tmp_path / "Sess01_eval.csv").write_text(header)
    (tmp_path / "Sess01_script01_User001F_001.wav").touch()
    with pytest.raises(CorpusError, match="does not begin with two header rows"):
        list(read_2020(tmp_path))


def test_a_folder_without_tables_and_unknown_ties_are_refused(tmp_path):
    with pytest.raises(CorpusError, match="holds no annotation table as annotation/Session01_F"):
        list(read_2019(tmp_path))
    with pytest.raises(CorpusError, match="unknown ties 'mean'; --ties takes reject, first"):
        list(read_2020(tmp_path, ties="mean"))
    with pytest.raises(CorpusError, match="is no folder"):
        list(read_2020(tmp_path / "gone"))


def test_tables_without_any_recording_are_refused(session):
    with pytest.raises(CorpusError, match="no recording; point to the folder above both"):
        list(read_2020(session(row("sad"), wavs=())))


def test_the_names_of_tables_tell_the_years_apart(planted):
    old, new = planted["kemdy19"].source, planted["kemdy20"].source
    assert (recognise_2019(new), recognise_2020(old)) == (None, None)
    assert recognise_2019(old).startswith("Session01_F_res.csv has Segment ID")
    assert recognise_2020(new).startswith("Sess01_eval.csv has Segment ID")
