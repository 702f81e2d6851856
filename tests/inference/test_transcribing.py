"""What is said is written down as transformers would, and only where it is missing."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from maeum.errors import RunError
from maeum.features.hearing import WHOLE, Stretch
from maeum.inference import Query
from maeum.inference.transcribing import Recogniser, parted, with_words
from maeum.testing import (
    RECOGNISER_KINDS,
    SYLLABLES,
    make_audio_classifier,
    make_recogniser,
)

RATE = 16_000
NOISE = np.random.default_rng(0).uniform(-0.3, 0.3, 50 * RATE).astype(np.float32)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Kind -> folder of a tiny recogniser; nobody writes to it."""
    folder = tmp_path_factory.mktemp("recognisers")
    return {kind: make_recogniser(folder / kind, kind) for kind in RECOGNISER_KINDS}


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("said") / "call.wav"
    sf.write(path, NOISE, RATE, subtype="FLOAT")
    return path


@pytest.fixture
def copy(folders, tmp_path):
    """A Whisper to be spoilt."""
    return Path(shutil.copytree(folders["whisper"], tmp_path / "copy"))


def restated(folder, name, drop=(), **changes):
    path = folder / name
    stated = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps({key: stated[key] for key in stated.keys() - {*drop}}))


def by_pipeline(folder, wave, **more):
    from transformers import pipeline

    ask = pipeline("automatic-speech-recognition", model=str(folder), device="cpu")
    return ask(wave.copy(), **more)["text"].strip()


def part(start_s, duration_s):
    return Stretch(start_s=start_s, duration_s=duration_s)


@pytest.mark.parametrize("kind", RECOGNISER_KINDS)
@pytest.mark.parametrize("seconds", [0.3, 2.0, 7.5])
def test_what_is_written_is_what_transformers_writes(kind, seconds, folders, recording):
    wave = NOISE[RATE : RATE + round(seconds * RATE)]
    more = {"generate_kwargs": {"language": "ko"}} if kind == "whisper" else {}
    expected = by_pipeline(folders[kind], wave, **more)
    written = Recogniser.load(str(folders[kind]))((recording, part(1.0, seconds)))
    assert written == expected
    assert set(written) <= {*SYLLABLES, " "}


def test_a_long_recording_is_heard_to_its_end(folders, recording):
    recogniser = Recogniser.load(str(folders["whisper"]))
    long = recogniser((recording, WHOLE))
    pieces = [*parted(NOISE, 30 * RATE, RATE)]
    assert len(pieces) == 2
    ends = np.cumsum([0, *map(len, pieces)]) / RATE
    alone = [recogniser((recording, part(start, end - start))) for start, end in pairwise(ends)]
    assert long == " ".join(alone)


def test_a_wave_is_parted_where_it_is_quiet_and_nothing_is_lost():
    wave = NOISE.copy()
    wave[25 * RATE : 25 * RATE + 4000] = 0
    pieces = [*parted(wave, 30 * RATE, RATE)]
    np.testing.assert_array_equal(np.concatenate(pieces), wave)
    assert 25 * RATE < len(pieces[0]) < 25 * RATE + 4000
    assert all(len(piece) <= 30 * RATE for piece in pieces)


@pytest.mark.parametrize("length", [1, 29, 30, 31, 61, 200])
def test_parts_are_never_longer_than_the_model_hears(length):
    pieces = [*parted(np.ones(length, np.float32), longest=30, rate_hz=2)]
    assert sum(map(len, pieces)) == length
    assert all(0 < len(piece) <= 30 for piece in pieces)


# -- queries -----------------------------------------------------------------------------------


def test_only_what_is_missing_is_written_down(folders, recording, tmp_path):
    recogniser = Recogniser.load(str(folders["wav2vec2"]))
    (tmp_path / "broken.wav").write_bytes(b"no sound")
    given = [
        Query(str(recording), stretch=part(0.0, 2.0)),
        Query(str(recording), "정말 기뻐", part(0.0, 2.0)),
        Query(None, "정말 슬퍼"),
        Query(str(tmp_path / "broken.wav")),
        Query(str(recording), stretch=part(3.0, 2.0)),
    ]
    first, *as_they_were, last = with_words(given, recogniser)
    assert as_they_were == given[1:4]
    assert first.text == recogniser(given[0].clip)
    assert (last.audio, last.stretch) == (given[4].audio, given[4].stretch)
    assert first.text != last.text


def test_queries_are_written_down_as_they_are_asked_for(folders, recording):
    def endless():
        while True:
            yield Query(str(recording), stretch=part(0.0, 1.0))

    found = with_words(endless(), Recogniser.load(str(folders["wav2vec2"])))
    assert next(found).text


def test_what_is_no_speech_to_the_model_stays_without_text(folders, recording, monkeypatch):
    from maeum.inference import transcribing

    query = Query(str(recording), stretch=part(0.0, 2.0))
    recogniser = Recogniser.load(str(folders["whisper"]))
    assert next(with_words([query], recogniser)).text
    certain = {**transcribing.NO_SPEECH, "no_speech_threshold": 0.0, "logprob_threshold": 0.0}
    monkeypatch.setattr(transcribing, "NO_SPEECH", certain)
    assert next(with_words([query], recogniser)) == query


def test_answers_rest_on_both_and_tell_what_was_written(folders, made_run, recording):
    recogniser = Recogniser.load(str(folders["whisper"]))
    query = Query(str(recording), stretch=part(0.0, 2.0))
    (answer,) = made_run.model.predict(with_words([query], recogniser))
    assert answer.modalities == ("speech", "text")
    assert answer.to_dict()["text"] == recogniser(query.clip)


# -- languages ---------------------------------------------------------------------------------


def test_korean_is_expected_unless_another_language_is_named(folders):
    assert Recogniser.load(str(folders["whisper"])).language == "ko"
    assert Recogniser.load(str(folders["whisper"]), language="en").language == "en"
    assert Recogniser.load(str(folders["wav2vec2"])).language is None


def test_a_language_that_a_model_does_not_know_is_refused(folders):
    with pytest.raises(RunError, match="does not know the language 'fr'; it knows en, ko"):
        Recogniser.load(str(folders["whisper"]), language="fr")
    with pytest.raises(RunError, match="cannot be told a language"):
        Recogniser.load(str(folders["wav2vec2"]), language="fr")


def test_a_whisper_of_english_alone_is_told_nothing(copy, recording):
    restated(copy, "generation_config.json", is_multilingual=False)
    recogniser = Recogniser.load(str(copy))
    assert recogniser.language is None
    assert recogniser((recording, part(0.0, 1.0)))


def test_an_old_whisper_that_does_not_list_its_languages_is_told_all_the_same(
    copy, folders, recording
):
    restated(copy, "generation_config.json", drop=("lang_to_id", "task_to_id"))
    recogniser = Recogniser.load(str(copy))
    assert recogniser.language == "ko"
    clip = (recording, part(0.0, 2.0))
    assert recogniser(clip) == Recogniser.load(str(folders["whisper"]))(clip)


# -- what is refused ---------------------------------------------------------------------------


def refused(name):
    with pytest.raises(RunError) as error:
        Recogniser.load(str(name))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_what_is_no_recogniser_is_refused(tmp_path, copy):
    folder = make_audio_classifier(tmp_path / "felt", "hubert")
    assert "(HubertForSequenceClassification) is no speech recogniser" in refused(folder)
    assert "does not exist; expected the folder with a speech recogniser's" in refused("./none")
    assert refused("someone/asr").startswith(
        "speech recogniser 'someone/asr' is not on this machine, and HF_HUB_OFFLINE is set"
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("model.safetensors", "holds no speech recogniser, it lacks weights"),
        ("vocab.json", "has no vocabulary that can be read"),
        ("preprocessor_config.json", "does not say how recordings are prepared"),
    ],
)
def test_a_folder_that_lacks_something_is_refused(copy, name, sentence):
    (copy / name).unlink()
    assert sentence in refused(copy)
