import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from maeum.encoders.builtin.acoustic import STATISTICS, AcousticEncoder, describe
from maeum.encoders.builtin.contours import measure
from maeum.encoders.builtin.pitch import track_pitch
from maeum.encoders.builtin.rhythm import run_lengths_s
from maeum.encoders.builtin.spectra import BIN_HZ, RATE_HZ, mel_filters, power_spectra
from maeum.errors import AudioError

HOP = 160
ENCODER = AcousticEncoder()


def moments(seconds):
    return np.arange(round(seconds * RATE_HZ)) / RATE_HZ


def tone(hz, seconds=1.0, peak=0.5):
    return (peak * np.sin(2 * np.pi * hz * moments(seconds))).astype(np.float32)


def noise(seconds=1.0, peak=0.1, seed=0):
    return (peak * np.random.default_rng(seed).standard_normal(len(moments(seconds)))).astype(
        np.float32
    )


def silence(seconds):
    return np.zeros(round(seconds * RATE_HZ), dtype=np.float32)


def buzz(hz, fall=1.2):
    """A voice-like sound: harmonics of a pitch in Hz (one or one per sample) that fade upwards."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hz, len(moments(1.0)))) / RATE_HZ
    wave = sum(np.sin(number * phase) / number**fall for number in range(1, 12))
    return (0.2 * wave / np.abs(wave).max()).astype(np.float32)


def syllables(rate_hz, seconds=2.0):
    """A buzz that opens and closes so often a second."""
    opening = np.sin(np.pi * rate_hz * moments(seconds)) ** 2
    return (np.tile(buzz(150), round(seconds)) * opening).astype(np.float32)


def sentence(seed=0):
    """Buzzes of several pitches that swell and fade, gaps between, and a little noise over all."""
    pitches_hz = np.random.default_rng(seed).uniform(110, 280, 3)
    words = [np.hanning(RATE_HZ // 2) * buzz(hz)[: RATE_HZ // 2] for hz in pitches_hz]
    words = [np.append(word, silence(0.15)).astype(np.float32) for word in words]
    wave = np.concatenate(words)
    return wave + noise(len(wave) / RATE_HZ, 0.001, seed)


# -- pitch -----------------------------------------------------------------------------------


@pytest.mark.parametrize("hz", [70, 100, 200, 350, 580])
def test_a_tone_is_heard_at_its_pitch(hz):
    pitch = track_pitch(tone(hz), rate_hz=RATE_HZ, hop=HOP)
    np.testing.assert_allclose(pitch.hz[3:-3], hz, rtol=0.002)


def test_a_buzz_is_heard_at_its_pitch_and_not_an_octave_off():
    pitch = track_pitch(buzz(130, fall=0.2), rate_hz=RATE_HZ, hop=HOP)
    np.testing.assert_allclose(pitch.hz[3:-3], 130, rtol=0.002)


def test_a_glide_is_followed():
    glide_hz = 120 * 2 ** moments(1.0)
    pitch = track_pitch(buzz(glide_hz), rate_hz=RATE_HZ, hop=HOP)
    np.testing.assert_allclose(pitch.hz[4:96], glide_hz[::HOP][4:96], rtol=0.01)


def test_noise_has_no_pitch():
    pitch = track_pitch(noise(), rate_hz=RATE_HZ, hop=HOP)
    assert (pitch.hz > 0).mean() < 0.1


def test_a_voice_in_noise_is_still_heard():
    pitch = track_pitch(buzz(180) + noise(peak=0.02), rate_hz=RATE_HZ, hop=HOP)
    heard = pitch.hz[3:-3]
    assert np.median(np.abs(heard - 180)) < 2
    assert (heard > 0).mean() > 0.95


def test_periodicity_is_one_for_a_tone_and_low_for_noise():
    assert track_pitch(tone(200), rate_hz=RATE_HZ, hop=HOP).periodicity[5:-5].min() > 0.99
    assert track_pitch(noise(), rate_hz=RATE_HZ, hop=HOP).periodicity.mean() < 0.5


# -- contours --------------------------------------------------------------------------------


def test_each_mel_filter_rises_to_one_peak_and_falls():
    filters = mel_filters()
    peaks = filters.argmax(axis=0)
    assert (np.diff(peaks) >= 0).all()
    assert filters.min() == 0
    for band, peak in zip(filters.T, peaks, strict=True):
        assert (np.diff(band[: peak + 1]) >= 0).all()
        assert (np.diff(band[peak:]) <= 0).all()


def test_neighbouring_mel_filters_add_up_to_one():
    filters = mel_filters()
    between = (BIN_HZ > 200) & (BIN_HZ < 7000)
    np.testing.assert_allclose(filters[between].sum(axis=1), 1, atol=1e-5)


def test_spectra_of_noise_add_up_to_its_power():
    frames = np.random.default_rng(0).standard_normal((500, 400)).astype(np.float32)
    assert power_spectra(frames).sum(axis=1).mean() == pytest.approx(1, rel=0.02)


def test_the_centroid_of_a_tone_is_its_frequency():
    centroid = measure(tone(1000)).values["centroid_octaves"]
    np.testing.assert_allclose(np.median(centroid), np.log2(1000), atol=0.02)


def test_a_brighter_sound_has_a_higher_centroid_and_a_flatter_slope():
    dark, bright = describe(buzz(150, fall=2)), describe(buzz(150, fall=0.3))
    for name in ("centroid_octaves", "roll_off_85_octaves", "slope_middle_db_khz"):
        assert bright[f"{name}.voiced.mean"] > dark[f"{name}.voiced.mean"]
    for name in ("alpha_db", "h1_h2_db"):
        assert bright[f"{name}.voiced.mean"] < dark[f"{name}.voiced.mean"]


def test_every_contour_has_one_value_a_frame():
    contours = measure(sentence())
    assert {len(values) for values in contours.values.values()} == {len(contours.active)}


# -- rhythm ----------------------------------------------------------------------------------


def test_runs_are_measured_in_seconds():
    mask = np.array([1, 1, 0, 1, 0, 0, 1], dtype=bool)
    np.testing.assert_allclose(run_lengths_s(mask), [0.02, 0.01, 0.01])


@pytest.mark.parametrize("rate_hz", [3, 5])
def test_syllables_are_counted(rate_hz):
    assert describe(syllables(rate_hz))["syllable_rate_hz"] == pytest.approx(rate_hz, rel=0.2)


def test_the_modulation_is_strongest_at_the_rate_of_syllables():
    features = describe(syllables(5))
    bands = {name: value for name, value in features.items() if name.startswith("modulation")}
    assert max(bands, key=bands.__getitem__) == "modulation_4_6_hz"


def test_a_pause_is_found_with_its_length():
    features = describe(np.concatenate([buzz(150), silence(0.5), buzz(150)]))
    assert features["pause_rate_hz"] == pytest.approx(1 / 2.5, rel=0.05)
    assert features["pause_length_s"] == pytest.approx(0.5, abs=0.05)
    assert features["pause_share"] == pytest.approx(0.2, abs=0.03)


def test_a_rising_end_is_heard_as_a_rise():
    rising, falling = (describe(buzz(150 * 2 ** (turn * moments(1.0)))) for turn in (1, -1))
    assert rising["pitch_end_semitones"] > 4 > -4 > falling["pitch_end_semitones"]
    assert rising["pitch_semitones.voiced.slope_per_s"] == pytest.approx(12, rel=0.05)


# -- the vector ------------------------------------------------------------------------------


def test_every_dimension_has_a_name_of_its_own():
    assert len(set(ENCODER.feature_names)) == ENCODER.dim == ENCODER.encode([tone(200)]).shape[1]


def test_vectors_are_float32():
    assert ENCODER.encode([tone(200)]).dtype == np.float32


def test_no_clips_give_no_vectors():
    assert ENCODER.encode([]).shape == (0, ENCODER.dim)


def test_a_clip_encodes_alone_as_in_a_batch():
    clips = [sentence(0), tone(200, 0.3), sentence(1), noise(0.7)]
    together = ENCODER.encode(clips)
    alone = np.concatenate([ENCODER.encode([clip.copy()]) for clip in clips])
    np.testing.assert_array_equal(together, alone)


def test_encoding_leaves_the_wave_alone():
    wave = sentence()
    before = wave.copy()
    ENCODER.encode([wave])
    np.testing.assert_array_equal(wave, before)


@pytest.mark.parametrize("gain", [1e-3, 0.1, 2.0])
def test_only_the_level_itself_depends_on_the_level_of_the_recording(gain):
    name = ENCODER.feature_names.index("level_dbfs")
    plain, scaled = ENCODER.encode([sentence(), np.float32(gain) * sentence()])
    assert scaled[name] - plain[name] == pytest.approx(20 * np.log10(gain), abs=0.01)
    np.testing.assert_allclose(
        np.delete(scaled, name), np.delete(plain, name), rtol=1e-3, atol=1e-3
    )


def test_silence_around_the_speech_hardly_matters():
    padded = np.concatenate([silence(0.7), sentence(), silence(1.1)])
    plain, surrounded = ENCODER.encode([sentence(), padded])
    np.testing.assert_allclose(surrounded, plain, rtol=0.03, atol=0.01)


def test_a_constant_offset_does_not_matter():
    plain, shifted = ENCODER.encode([sentence(), sentence() + np.float32(0.1)])
    np.testing.assert_allclose(shifted, plain, rtol=1e-2, atol=1e-2)


def test_a_higher_voice_is_only_heard_in_pitch_by_its_octave():
    low, high = describe(buzz(110)), describe(buzz(220))
    name = "pitch_semitones.voiced.mean"
    assert high[name] - low[name] == pytest.approx(12, abs=0.05)


@pytest.mark.parametrize(
    "wave",
    [
        pytest.param(silence(1.0), id="silence"),
        pytest.param(silence(0.1), id="short silence"),
        pytest.param(np.full(16_000, 0.5, dtype=np.float32), id="constant"),
        pytest.param(tone(200, 0.1), id="shortest tone"),
        pytest.param(tone(7999), id="highest tone"),
        pytest.param(noise(0.5), id="no voice"),
        pytest.param(np.eye(1, 16_000, 8_000, dtype=np.float32)[0], id="one click"),
        pytest.param(np.eye(1, 1_600, 0, dtype=np.float32)[0], id="click at the start"),
        pytest.param(np.sign(tone(100, peak=1e30)), id="square"),
        pytest.param(tone(150, peak=3e38), id="absurdly loud"),
        pytest.param(tone(150, peak=1e-38), id="absurdly quiet"),
    ],
)
def test_odd_sounds_give_finite_vectors(wave):
    assert np.isfinite(ENCODER.encode([wave])).all()


@settings(max_examples=40, deadline=None)
@given(
    arrays(
        np.float32,
        st.integers(1_600, 4_000),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
        fill=st.sampled_from(list(map(np.float32, (0, 0.5, -1)))),
    )
)
def test_no_input_gives_nan(wave):
    assert np.isfinite(ENCODER.encode([wave])).all()


@pytest.mark.parametrize(
    ("wave", "complaint"),
    [
        (tone(200, 0.05), "at least 0.1 s"),
        (np.zeros((2, 16_000), dtype=np.float32), "one row"),
        (np.zeros(16_000, dtype=np.int16), "floating-point"),
        (np.full(16_000, np.nan, dtype=np.float32), "not finite"),
    ],
)
def test_what_cannot_be_measured_is_refused(wave, complaint):
    with pytest.raises(AudioError, match=complaint):
        ENCODER.encode([wave])


def test_statistics_of_a_ramp_are_what_they_say():
    ramp = np.linspace(0, 1, 101)[:, None]  # (frame, contour): 1 over a second
    found = {name: float(statistic(ramp)[0]) for name, statistic in STATISTICS.items()}
    assert found == pytest.approx(
        {
            "mean": 0.5,
            "std": float(ramp.std()),
            "p10": 0.1,
            "p50": 0.5,
            "p90": 0.9,
            "range": 0.8,
            "slope_per_s": 1.0,
        }
    )
