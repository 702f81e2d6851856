import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maeum.corpus import decoding
from maeum.corpus.audio import (
    AUDIO_SUFFIXES,
    clipped_share,
    content_digest,
    ensure_audible,
    find_recordings,
    level_dbfs,
    load,
    read_header,
)
from maeum.errors import AudioError
from maeum.testing import DIRT, made_tone

SOUND = ("huge_header_wav", "flac", "streamed_flac", "ogg", "mp3")
STREAMED = ("webm_opus", "live_webm", "m4a_aac", "mp4", "aac", "phone_3gp")
CODEC_DELAY_S = 0.1

SENTENCES = {
    "empty_file": ("empty", "0 bytes", "copy"),
    "text_named_wav": ("no recording", "export"),
    "noise_named_mp3": ("no recording", "export"),
    "playlist_named_wav": ("no recording", "export"),
    "truncated_wav": ("broken", "data", "export"),
    "absurd_rate_wav": ("1 Hz", "header", "export"),
    "zero_samples_wav": ("0.00 s", "at least 0.1 s", "check"),
    "too_short_wav": ("0.01 s", "at least 0.1 s", "check"),
    "nan_wav": ("NaN", "between -1 and 1", "export"),
    "unscaled_wav": ("16,384", "full scale", "divide"),
    "long_wav": ("5 min", "30 s", "cut it", "maeum timeline"),
    "soundless_mp4": ("no sound", "give a recording"),
}


def heard_hz(wave, rate_hz):
    """Frequency of the strongest partial in the middle of a wave."""
    middle = wave[len(wave) // 4 : -len(wave) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle)), 8 * rate_hz))
    return spectrum.argmax() / 8


def wav(path, wave, rate_hz=16_000, **options):
    sf.write(path, wave, rate_hz, **options)
    return path


# --- formats


@pytest.mark.parametrize("name", [*SOUND, *STREAMED])
def test_every_format_gives_the_tone_it_holds(tmp_path, name):
    wave = load(DIRT[name](tmp_path), rate_hz=22_050)
    assert wave.dtype == np.float32
    assert wave.ndim == 1
    assert 0 <= len(wave) / 22_050 - 1 < CODEC_DELAY_S
    assert heard_hz(wave, 22_050) == pytest.approx(440, abs=0.5)
    assert level_dbfs(wave) == pytest.approx(-9, abs=0.7)


@pytest.mark.parametrize("name", [*SOUND, *STREAMED])
def test_every_header_tells_rate_channels_and_length(tmp_path, name):
    header = read_header(DIRT[name](tmp_path))
    assert header.rate_hz in (16_000, 48_000)
    assert header.channels == 1
    assert header.duration_s == pytest.approx(1, abs=CODEC_DELAY_S)


@pytest.mark.parametrize("name", ["flac", "webm_opus"])
@pytest.mark.parametrize("ending", [".wav", ".raw", ".vox", ""])
def test_the_content_decides_whatever_the_file_is_called(tmp_path, name, ending):
    renamed = DIRT[name](tmp_path).rename(tmp_path / f"소리 http:{ending}")
    assert len(load(renamed, rate_hz=16_000)) == pytest.approx(16_000, rel=0.01)


def test_a_headerless_name_does_not_turn_text_into_noise(tmp_path):
    for ending in (".raw", ".vox", ".snd"):
        renamed = DIRT["text_named_wav"](tmp_path).rename(tmp_path / f"text{ending}")
        with pytest.raises(AudioError, match="no recording"):
            load(renamed, rate_hz=16_000)


def test_a_title_in_cp949_does_not_stop_an_m4a(tmp_path):
    path = DIRT["m4a_aac"](tmp_path)
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", "마음".encode("cp949")))
    assert len(load(path, rate_hz=16_000)) >= 16_000


def test_an_mp3_without_an_index_is_measured_by_its_packets(tmp_path):
    quiet_then_loud = np.concatenate(
        [np.zeros(80_000), np.random.default_rng(0).uniform(-0.5, 0.5, 80_000)]
    ).astype(np.float32)
    indexed, bare = tmp_path / "indexed.mp3", tmp_path / "bare.mp3"
    sf.write(indexed, quiet_then_loud, 16_000, bitrate_mode="VARIABLE")
    assert b"Xing" in indexed.read_bytes()
    bare.write_bytes(indexed.read_bytes().replace(b"Xing", bytes(4)))
    for path in (indexed, bare):
        assert read_header(path).duration_s == pytest.approx(10, abs=0.2)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_both_decoders_agree_on_every_sample_format(tmp_path, subtype):
    path = wav(tmp_path / "tone.wav", made_tone(), subtype=subtype)
    with path.open("rb") as file:
        streamed = decoding._ContainerRecording(path, file, None).read(0, 16_000)[:, 0]
    np.testing.assert_allclose(streamed, load(path, rate_hz=16_000), atol=1e-6)


# --- channels, rates, stretches


def test_channels_are_chosen_or_mixed(tmp_path):
    call = DIRT["stereo_8khz_wav"](tmp_path)
    first, second, mixed = (load(call, rate_hz=8_000, channel=which) for which in (0, 1, None))
    assert heard_hz(first, 8_000) == pytest.approx(440, abs=0.5)
    assert heard_hz(second, 8_000) == pytest.approx(660, abs=0.5)
    np.testing.assert_allclose(mixed, (first + second) / 2, atol=1e-6)


@pytest.mark.parametrize("channel", [-1, 2])
def test_a_channel_that_is_not_there_is_refused_with_the_number_of_channels(tmp_path, channel):
    with pytest.raises(AudioError, match=f"no channel {channel}: it has 2"):
        load(DIRT["stereo_8khz_wav"](tmp_path), rate_hz=8_000, channel=channel)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    from_hz=st.sampled_from([8_000, 11_025, 22_050, 44_100, 48_000]),
    to_hz=st.sampled_from([8_000, 16_000, 24_000]),
    samples=st.integers(5_000, 30_000),
)
def test_resampling_keeps_duration_and_pitch(tmp_path, from_hz, to_hz, samples):
    tone = made_tone(duration_s=samples / from_hz, rate_hz=from_hz)
    wave = load(wav(tmp_path / "tone.wav", tone, from_hz), rate_hz=to_hz)
    assert len(wave) == round(samples * to_hz / from_hz)
    assert heard_hz(wave, to_hz) == pytest.approx(440, abs=2)
    assert np.abs(wave).max() <= 1


@pytest.mark.parametrize("name", ["huge_header_wav", "flac", "ogg", "mp3", "live_webm", "m4a_aac"])
@pytest.mark.parametrize(("start_s", "duration_s"), [(0.0, 0.25), (0.3333, 0.5), (0.77, None)])
def test_a_stretch_is_the_slice_of_the_whole(tmp_path, name, start_s, duration_s):
    path = DIRT[name](tmp_path)
    rate_hz = read_header(path).rate_hz
    whole = load(path, rate_hz=rate_hz)
    first = round(start_s * rate_hz)
    last = None if duration_s is None else first + round(duration_s * rate_hz)
    stretch = load(path, rate_hz=rate_hz, start_s=start_s, duration_s=duration_s)
    np.testing.assert_allclose(stretch, whole[first:last], atol=1e-4)


def test_a_stretch_of_a_long_recording_is_no_long_utterance(tmp_path):
    path = DIRT["long_wav"](tmp_path)
    wave = load(path, rate_hz=8_000, start_s=200, duration_s=2, max_duration_s=30)
    assert len(wave) == 16_000


def test_a_stretch_beyond_the_end_says_where_it_began(tmp_path):
    for name in ("flac", "m4a_aac"):
        with pytest.raises(AudioError, match=r"0\.00 s of sound from 9 s on"):
            load(DIRT[name](tmp_path), rate_hz=16_000, start_s=9)


@pytest.mark.parametrize("stretch", [(-1, None), (0, 0), (0, -2), (float("nan"), None)])
def test_an_impossible_stretch_is_refused(tmp_path, stretch):
    start_s, duration_s = stretch
    with pytest.raises(AudioError, match="no stretch"):
        load(DIRT["flac"](tmp_path), rate_hz=16_000, start_s=start_s, duration_s=duration_s)


# --- what is wrong


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", SENTENCES)
def test_what_is_wrong_is_said_in_one_sentence_that_names_the_file(tmp_path, name):
    path = DIRT[name](tmp_path)
    with pytest.raises(AudioError) as caught:
        load(path, rate_hz=16_000, max_duration_s=30)
    message = str(caught.value)
    assert str(path) in message
    assert "\n" not in message
    for words in SENTENCES[name]:
        assert words in message


def test_a_missing_file_and_a_folder_are_told_apart(tmp_path):
    for path, words in (
        (tmp_path / "nowhere.wav", "does not exist"),
        (Path("a\0b.wav"), "does not exist"),
        (tmp_path, "is a folder"),
    ):
        with pytest.raises(AudioError, match=words):
            read_header(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    with pytest.raises(AudioError, match="no plain file"):
        read_header(tmp_path / "pipe.wav")


def test_a_playlist_opens_no_other_file(tmp_path):
    playlist = DIRT["playlist_named_wav"](tmp_path)
    assert (tmp_path / playlist.read_text().splitlines()[-1]).exists()
    with pytest.raises(AudioError):
        load(playlist, rate_hz=16_000)


def test_too_long_by_its_header_is_refused_before_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr(sf.SoundFile, "read", lambda *_, **__: pytest.fail("decoded"))
    with pytest.raises(AudioError, match="5 min"):
        load(DIRT["long_wav"](tmp_path), rate_hz=16_000, max_duration_s=30)


def test_too_long_against_its_header_is_refused_while_decoding(tmp_path, monkeypatch):
    path = DIRT["live_webm"](tmp_path)
    monkeypatch.setattr(decoding, "_counted_duration_s", lambda _: 0.1)
    with pytest.raises(AudioError, match=r"too long.* 0\.5 s"):
        load(path, rate_hz=16_000, max_duration_s=0.5)


def test_exactly_the_stated_length_is_not_too_long(tmp_path):
    assert len(load(DIRT["flac"](tmp_path), rate_hz=8_000, max_duration_s=1.0)) == 8_000


def test_a_flac_that_claims_days_is_read_to_its_true_end(tmp_path):
    path = DIRT["flac"](tmp_path)
    data = bytearray(path.read_bytes())
    data[21:26] = bytes([data[21] | 0x0F]) + b"\xff" * 4
    path.write_bytes(data)
    assert read_header(path).duration_s == pytest.approx(1)
    assert len(load(path, rate_hz=16_000, max_duration_s=30)) == 16_000


def test_a_wav_cut_within_its_samples_gives_what_is_there(tmp_path):
    path = wav(tmp_path / "cut.wav", made_tone())
    path.write_bytes(path.read_bytes()[:20_000])
    assert 9_900 < len(load(path, rate_hz=16_000)) < 10_000


@settings(max_examples=60, deadline=None)
@given(place=st.floats(0, 1), junk=st.binary(min_size=1, max_size=40), cut=st.floats(0.1, 1))
@pytest.mark.parametrize("name", ["huge_header_wav", "flac", "ogg", "m4a_aac", "live_webm"])
def test_damage_gives_sound_or_one_audio_error(tmp_path_factory, name, place, junk, cut):
    folder = tmp_path_factory.getbasetemp()
    data = pristine(name, folder)
    where = int(place * len(data))
    damaged = folder / "damaged.bin"
    damaged.write_bytes((data[:where] + junk + data[where + len(junk) :])[: int(cut * len(data))])
    wave, said = loaded(damaged)
    assert str(damaged) in said if said else np.abs(wave).max() <= 1


@cache
def pristine(name, folder):
    return DIRT[name](folder).read_bytes()


def loaded(path):
    """The wave and no sentence, or no wave and the sentence."""
    try:
        return load(path, rate_hz=16_000, max_duration_s=30), ""
    except AudioError as error:
        return None, str(error)


# --- levels, identity, finding


def test_only_silence_is_inaudible(tmp_path):
    silent = load(DIRT["silent_wav"](tmp_path), rate_hz=16_000)
    with pytest.raises(AudioError, match="take3 is silent: its level is -inf dBFS"):
        ensure_audible(silent, "take3")
    with pytest.raises(AudioError, match="-89 dBFS"):
        ensure_audible(made_tone() * 1e-4, "faint")
    with pytest.raises(AudioError, match="silent"):
        ensure_audible(np.full(1_000, 0.3, np.float32), "a constant")
    ensure_audible(made_tone() * 1e-2, "quiet")


def test_clipping_is_measured(tmp_path):
    assert clipped_share(load(DIRT["clipped_wav"](tmp_path), rate_hz=16_000)) > 0.9
    assert clipped_share(made_tone()) == 0
    assert clipped_share(np.zeros(0, np.float32)) == 0


def test_equal_sound_has_an_equal_digest_in_wav_and_flac(tmp_path):
    recorded = wav(tmp_path / "a.wav", made_tone() * 2.1)
    copied = wav(tmp_path / "b.flac", sf.read(recorded, dtype="int16")[0])
    other = wav(tmp_path / "c.wav", made_tone(441) * 2.1)
    paths = (recorded, copied, other)
    first, second, third = (content_digest(load(path, rate_hz=16_000)) for path in paths)
    assert first == second != third
    assert len(first) == 32


def test_folders_give_their_recordings_sorted_and_files_stay_as_given(tmp_path):
    for name in ("b/2.WAV", "b/1.flac", "a.mp3", "notes.txt", "b/._1.flac"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    missing, notes = tmp_path / "missing.wav", tmp_path / "notes.txt"
    found = find_recordings([missing, tmp_path, notes])
    below = [path.relative_to(tmp_path).as_posix() for path in found[1:-1]]
    assert (found[0], found[-1]) == (missing, notes)
    assert below == ["a.mp3", "b/1.flac", "b/2.WAV"]


def test_a_folder_without_recordings_is_refused_with_what_was_looked_for(tmp_path):
    with pytest.raises(AudioError, match="holds no recording") as caught:
        find_recordings([tmp_path])
    assert all(suffix in str(caught.value) for suffix in AUDIO_SUFFIXES)
