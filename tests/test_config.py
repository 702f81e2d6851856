"""Settings: what stands over what, and what is refused."""

import pytest
import yaml
from pydantic import ValidationError

from maeum.config import COUNTS_WITH, RECIPES, Settings
from maeum.errors import SettingsError


@pytest.fixture
def config(tmp_path):
    def write(text):
        path = tmp_path / "settings.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_typed_stands_over_the_file_over_the_recipe_over_the_defaults(config):
    path = config("recipe: paper\nepochs: 20\nhidden_size: 64\n")
    settings = Settings.of(path, hidden_size=32)
    assert settings.hidden_size == 32
    assert settings.epochs == 20
    assert settings.batch_size == RECIPES["paper"]["batch_size"]
    assert settings.weight_decay == Settings().weight_decay


def test_the_recipe_may_be_typed_over_a_file_and_the_file_still_stands_over_the_recipe(config):
    settings = Settings.of(config("epochs: 20\n"), recipe="paper")
    assert (settings.recipe, settings.epochs, settings.batch_size) == ("paper", 20, 32)


def test_the_paper_trains_32_at_a_time_10_times_and_never_stops_early():
    paper = Settings.of(recipe="paper")
    assert (paper.batch_size, paper.epochs_for(7_000)) == (32, 10)
    assert paper.patience_for(10_000) is None


def test_what_is_typed_as_none_is_not_typed(config):
    assert Settings.of(config("epochs: 7\n"), epochs=None).epochs == 7


def test_without_a_word_small_corpora_are_seen_often_and_large_ones_seldom():
    settings = Settings()
    assert settings.epochs_for(100) == 60
    assert settings.epochs_for(32 * 40) == 25
    assert settings.epochs_for(1_000_000) == 10
    assert Settings(epochs=3).epochs_for(100) == 3


def test_without_a_word_a_small_validation_part_does_not_stop_a_run():
    settings = Settings()
    assert settings.patience_for(99) is None
    assert settings.patience_for(100) == 15
    assert Settings(patience=2).patience_for(99) == 2
    assert Settings(patience=2).patience_for(0) is None
    assert Settings(patience=0).patience_for(1_000) is None


def test_an_unknown_setting_is_named_and_the_known_are_listed(config):
    with pytest.raises(SettingsError) as typed:
        Settings.of(epoch=3)
    with pytest.raises(SettingsError) as written:
        Settings.of(config("epoch: 3\n"))
    for error in (typed, written):
        assert "'epoch'" in str(error.value)
        assert all(name in str(error.value) for name in Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("lr", 0.0),
        ("lr", float("nan")),
        ("lr", float("inf")),
        ("dropout", 1.0),
        ("modality_dropout", -0.1),
        ("label_smoothing", 1.0),
        ("warmup", -0.1),
        ("layers", "first"),
        ("cut_s", 0.1),
        ("max_tokens", 4),
        ("tune", "half"),
        ("fusion", "early"),
        ("context", -1),
        ("encoder_lr", 0.0),
        ("accumulate", 0),
        ("lora_rank", 0),
        ("patience", -1),
        ("seed", -1),
        ("seed", 2**32),
        ("per_emotion", 0),
        ("total", 0),
        ("hidden_size", 0),
        ("modality", "smell"),
        ("normalize", "voice"),
        ("split", "speakers"),
        ("order", "longest"),
        ("class_weights", "heavy"),
        ("recipe", "papr"),
        ("epochs", "many"),
    ],
)
def test_a_value_out_of_range_is_an_error_that_names_the_setting(name, value):
    with pytest.raises(SettingsError, match=rf"setting {name} is"):
        Settings.of(**{name: value})


def test_every_seed_that_is_taken_can_be_used():
    import numpy as np
    from transformers import set_seed

    set_seed(Settings.of(seed=2**32 - 1).seed)
    assert np.random.get_state()[1][0] == 2**32 - 1


def test_per_emotion_and_total_contradict_each_other(config):
    with pytest.raises(SettingsError, match="per_emotion and total were both given"):
        Settings.of(config("per_emotion: 5\n"), total=10)


def test_numbers_as_yaml_reads_them_are_understood(config):
    assert Settings.of(config("lr: 1e-3\n")).lr == 1e-3  # YAML 1.1 takes 1e-3 for a word


@pytest.mark.parametrize("text", ["[1, 2", "- epochs\n", "just words", "1: 2\n"])
def test_a_file_that_holds_no_settings_is_refused(config, text):
    with pytest.raises(SettingsError):
        Settings.of(config(text))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(SettingsError, match=r"none\.yaml"):
        Settings.of(tmp_path / "none.yaml")


def test_an_empty_file_changes_nothing(config):
    assert Settings.of(config("# nothing yet\n")) == Settings()


def test_saved_settings_read_back_equal(tmp_path):
    settings = Settings.of(recipe="paper", lr=1e-5, patience=3, per_emotion=5, modality="text")
    settings.save(tmp_path / "kept.yaml")
    assert Settings.of(tmp_path / "kept.yaml") == settings
    assert list(yaml.safe_load(settings.to_yaml())) == list(Settings.model_fields)


def test_settings_do_not_change():
    with pytest.raises(ValidationError):
        Settings().seed = 1


def test_a_modality_says_what_is_used():
    used = {
        name: (Settings(modality=name).hears_speech, Settings(modality=name).reads_text)
        for name in ("both", "speech", "text")
    }
    assert used == {"both": (True, True), "speech": (True, False), "text": (False, True)}


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


def test_the_card_of_a_run_is_a_file_of_settings(config):
    path = config("kind: run\nsettings:\n  epochs: 7\ncorpus: {}\n")
    assert Settings.of(path).epochs == 7


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"fusion": "late", "modality": "speech"}, "fusion joins speech and text"),
        ({"fusion": "cross", "layers": "weighted"}, "frames, which are of one layer"),
        ({"normalize": "speaker", "tune": "full"}, "use it with tune=frozen"),
        ({"context": 2, "tune": "lora"}, "use it with tune=frozen"),
        ({"gradient_checkpointing": True, "encoder_noise": False}, "leave encoder_noise on"),
    ],
)
def test_what_contradicts_itself_is_refused(given, sentence):
    with pytest.raises(SettingsError, match=sentence):
        Settings.of(**given)


def test_the_papers_encoders_go_by_their_names():
    paper = Settings.of(recipe="paper")
    assert paper.speech == "facebook/wav2vec2-large-robust"
    assert paper.text == "beomi/KcELECTRA-base-v2022"


def test_the_published_benchmark_tunes_as_it_says():
    benchmark = Settings.of(recipe="benchmark")
    assert (benchmark.tune, benchmark.bf16, benchmark.batch_size) == ("full", True, 32)
    assert (benchmark.head_lr, benchmark.tuned_lr) == (5e-5, 5e-6)
    assert benchmark.warmup_steps(100_000) == 500
    assert (benchmark.label_smoothing, benchmark.class_weights) == (0.05, "balanced")
    assert (benchmark.cut_s, benchmark.patience_for(40_000)) == (10.0, 5)


def test_rates_depend_on_what_learns():
    assert Settings().head_lr > Settings(tune="full").head_lr > Settings(tune="full").tuned_lr
    assert Settings(tune="lora").tuned_lr > Settings(tune="full").tuned_lr
    assert Settings().tuned_lr == 0
    assert Settings(lr=0.5).head_lr == 0.5
    assert Settings(encoder_lr=0.25, tune="full").tuned_lr == 0.25


def test_warm_up_is_a_share_of_the_steps_or_a_number_of_them():
    assert Settings(warmup=0.1).warmup_steps(50) == 5
    assert Settings(warmup=20).warmup_steps(50) == 20


def test_what_is_inherited_stands_below_all_that_is_said(config):
    below = {"hidden_size": 7, "epochs": 3, "cut_s": 5.0}
    settings = Settings.of(config("epochs: 20\n"), below=below, cut_s=6.0)
    assert (settings.hidden_size, settings.epochs, settings.cut_s) == (7, 20, 6.0)


@pytest.mark.parametrize("name", COUNTS_WITH)
def test_a_setting_that_counts_for_nothing_is_a_setting_and_is_said(name):
    assert name in Settings.model_fields
    alone = Settings(modality="text" if name in ("speech", "modality_dropout") else "speech")
    (sentence,) = alone.ignored([name, "seed"])
    assert sentence.startswith(f"{name}=")
    assert COUNTS_WITH[name][0] in sentence


def test_the_order_counts_where_sentences_are_taken_once():
    assert Settings(distinct_text=True).ignored(["order"]) == []
