import itertools

import numpy as np
import polars as pl
import pytest
import soundfile as sf

from maeum.corpus.audio import clipped_share, level_dbfs, load, read_header
from maeum.emotions import known_emotion
from maeum.errors import SettingsError, TextError
from maeum.files import read_text
from maeum.testing import (
    DIRT,
    MANNERS,
    made_scripts,
    made_speakers,
    made_tone,
    made_voice,
    make_corpus,
)
from maeum.testing.corpora import MOST_SCRIPTS, STORIES, SUBJECTS, TIMES


def edit_distance(left, right):
    row = range(len(right) + 1)
    for place, letter in enumerate(left, 1):
        above, row = row, [place]
        for column, other in enumerate(right, 1):
            swap = above[column - 1] + (letter != other)
            row.append(min(swap, above[column] + 1, row[-1] + 1))
    return row[-1]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return make_corpus(tmp_path_factory.mktemp("corpus"), speakers=6, scripts_per_emotion=4)


def test_every_speaker_says_every_sentence_once(corpus):
    table = pl.read_csv(corpus)
    assert table.columns == ["audio", "text", "emotion", "speaker", "gender"]
    assert len(table) == 6 * 4 * 4
    assert table.select(pl.struct("speaker", "text").n_unique()).item() == len(table)
    assert set(table["gender"]) == {"여", "남"}


def test_every_recording_is_short_clean_16_khz_speechlike_sound(corpus):
    for name in pl.read_csv(corpus)["audio"]:
        header = read_header(corpus.parent / name)
        assert (header.rate_hz, header.channels) == (16_000, 1)
        assert 0.8 <= header.duration_s <= 1.5
    wave = load(corpus.parent / name, rate_hz=16_000)
    assert -45 < level_dbfs(wave) < -10
    assert clipped_share(wave) < 0.01


def test_a_sentence_has_one_emotion(corpus):
    emotions = pl.read_csv(corpus).group_by("text").agg(pl.col("emotion").n_unique())
    assert emotions["emotion"].to_list() == [1] * 16


def test_the_emotion_can_be_told_from_the_voice_but_not_always(corpus):
    table = pl.read_csv(corpus)
    waves = [load(corpus.parent / name, rate_hz=16_000) for name in table["audio"]]
    heard = np.array([(level_dbfs(wave), len(wave) / 16_000) for wave in waves])
    heard = (heard - heard.mean(axis=0)) / heard.std(axis=0)
    emotions, centre_of = table["emotion"].to_numpy(), table["speaker"].to_numpy() < "s04"
    names = sorted(set(emotions))
    centres = np.array([heard[centre_of & (emotions == name)].mean(axis=0) for name in names])
    distance = np.linalg.norm(heard[~centre_of, None] - centres, axis=2)
    right = np.array(names)[distance.argmin(axis=1)] == emotions[~centre_of]
    assert 0.5 < right.mean() < 1


def test_two_sentences_of_one_emotion_differ_by_more_than_a_syllable():
    slots = (TIMES, SUBJECTS, *((story.events) for story in STORIES.values()))
    slots += tuple(story.feelings for story in STORIES.values())
    for slot in slots:
        for left, right in itertools.combinations(slot, 2):
            assert edit_distance(left, right) > 1
    for left, right in itertools.combinations(made_scripts("Happy", 30), 2):
        assert edit_distance(left.replace(" ", ""), right.replace(" ", "")) > 1


@pytest.mark.parametrize("emotion", MANNERS)
def test_every_emotion_is_one_of_the_catalogue_with_enough_long_sentences(emotion):
    assert known_emotion(emotion).name == emotion
    scripts = made_scripts(emotion, MOST_SCRIPTS)
    assert len(set(scripts)) == MOST_SCRIPTS
    assert min(len(script.replace(" ", "")) for script in scripts) >= 8


def test_no_sentence_is_shared_between_emotions():
    every = [script for name in MANNERS for script in made_scripts(name, MOST_SCRIPTS)]
    assert len(set(every)) == len(every)


def test_equal_seeds_give_equal_files_and_takes_differ(tmp_path):
    def made(name, seed):
        table = make_corpus(
            tmp_path / name, speakers=1, scripts_per_emotion=1, emotions=["Sad"], takes=2, seed=seed
        )
        return [path.read_bytes() for path in sorted(table.parent.rglob("*.*"))]

    first, again, other = made("a", 0), made("b", 0), made("c", 1)
    assert first == again
    assert first != other
    assert first[0] != first[1]


def test_without_audio_the_table_stands_alone(tmp_path):
    table = make_corpus(tmp_path, speakers=2, scripts_per_emotion=2, audio=False)
    assert pl.read_csv(table)["audio"].null_count() == 16
    assert not list(tmp_path.rglob("*.wav"))


def test_what_cannot_be_made_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"no manner of 'Bored'.*Happy"):
        make_corpus(tmp_path, emotions=["Bored", "Happy"])
    with pytest.raises(SettingsError, match=f"1000 sentences of Sad.*{MOST_SCRIPTS}"):
        make_corpus(tmp_path, emotions=["Sad"], scripts_per_emotion=1000)


def test_women_speak_higher_than_men():
    women, men = (made_speakers(8, seed=3)[start::2] for start in (0, 1))
    assert min(one.base_hz for one in women) > max(one.base_hz for one in men)


def test_a_voice_can_say_anything():
    speaker = made_speakers(1)[0]
    for text in ("아", "hello", "ㅋㅋㅋ", "정말? 정말!"):
        wave = made_voice("Happy", text, speaker, rng=np.random.default_rng(0))
        assert np.isfinite(wave).all()
        assert len(wave) >= 0.8 * 16_000


@pytest.mark.parametrize("name", DIRT)
def test_every_dirt_is_written_below_the_folder_and_explains_itself(tmp_path, name):
    path = DIRT[name](tmp_path)
    assert path.parent == tmp_path
    assert path.is_file()
    assert DIRT[name].__doc__.count("\n") == 0


def test_the_tables_are_what_their_names_say(tmp_path):
    texts = {name: read_text(DIRT[name](tmp_path)) for name in ("cp949_csv", "utf8_bom_csv")}
    assert texts["cp949_csv"] == texts["utf8_bom_csv"]
    assert read_text(DIRT["repeated_header_csv"](tmp_path)).count("audio,text,emotion") == 2
    with pytest.raises(TextError):
        read_text(DIRT["undecodable_csv"](tmp_path))


def test_a_made_tone_is_a_sine_at_half_of_full_scale(tmp_path):
    tone = made_tone(100, duration_s=0.5, rate_hz=8_000)
    assert len(tone) == 4_000
    assert level_dbfs(tone) == pytest.approx(-9.03, abs=0.01)
    assert sf.info(DIRT["clipped_wav"](tmp_path)).frames == 16_000
