"""Encoders that learn with the network: every family, every way, saved, killed, gone on with."""

import json
import re
import shutil
import sys
from dataclasses import replace
from itertools import product

import pytest
import torch
from interrupted import killed_at
from transformers import Trainer

from maeum.config import Settings
from maeum.corpus import Corpus, import_corpus
from maeum.emotions import EmotionSet
from maeum.encoders import Reading, text_encoders
from maeum.encoders.pretrained.tuning import Tuning, make_tunable
from maeum.errors import EncoderError, SettingsError
from maeum.features import Features, extract
from maeum.inference import EmotionClassifier
from maeum.testing import TEXT_FAMILIES, make_speech_checkpoint, make_text_checkpoint
from maeum.training import train
from maeum.training.checkpoints import last_checkpoint
from maeum.training.encoders import Encoders
from maeum.training.learn import Material

TUNINGS = ("frozen", "lora", "full")
NAMED = (
    "wav2vec2-large-robust",
    "wav2vec2-base",
    "xls-r",
    "hubert",
    "wavlm",
    "data2vec-audio",
    "w2v-bert",
    "whisper",
    "speecht5",
)
"""Of the speech families; the others are larger ones of the same make."""

UNLIKE = {"speech": ("wav2vec2-large-robust", "w2v-bert", "whisper"), "text": ("kcelectra",)}
"""Families whose towers differ in what they keep and what they draw."""

PAPER = ("wav2vec2-large-robust", "kcelectra")


def cases(speech, text):
    """Every family in every way; `make test-slow` tries those that are not the paper's."""
    return [
        pytest.param(side, family, tune, id=f"{family}-{tune}", marks=marks)
        for side, families in (("speech", speech), ("text", text))
        for family in families
        for tune in TUNINGS
        for marks in ([] if family in PAPER and tune != "frozen" else [pytest.mark.slow],)
    ]


CLIPS, STEPS_AN_EPOCH, EPOCHS = 8, 2, 6


@pytest.fixture(scope="module")
def real_clips(real_corpora) -> Corpus:
    """Eight real recordings, two of each emotion; every one says something else."""
    corpus = import_corpus("emotiontts", real_corpora / "emotiontts", set="emotional")
    distinct = corpus.utterances.unique("script", keep="first", maintain_order=True)
    few = distinct.group_by("emotion", maintain_order=True).head(CLIPS // 4)
    assert len(few) == CLIPS
    return corpus.with_utterances(few)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """Folder of a tiny checkpoint, made once."""
    made = {}

    def make(side, family):
        if family not in made:
            maker = {"speech": make_speech_checkpoint, "text": make_text_checkpoint}[side]
            made[family] = maker(tmp_path_factory.mktemp(family), family)
        return made[family]

    return make


def settings_of(side, folder, tune, **more):
    chosen = {
        "modality": side,
        side: str(folder),
        "tune": tune,
        "batch_size": CLIPS // STEPS_AN_EPOCH,
        "epochs": EPOCHS,
        "hidden_size": 16,
        "dropout": 0.0,
        "label_smoothing": 0.0,
        "encoder_lr": {"frozen": None, "lora": 5e-4, "full": 1e-4}[tune],
        "lr": 3e-3,
        "cut_s": 1.0,
        **more,
    }
    return Settings.of(**chosen)


def learn(corpus, settings, checkpoints=None):
    """Train on the whole corpus and answer for it."""
    material = Material.gather(corpus, settings)
    return material.learn(list(material.corpus.utterances["id"]), checkpoints=checkpoints)


def losses(history):
    return [entry["loss"] for entry in history if "loss" in entry]


def answers(classifier, corpus):
    features: Features = classifier.extract(corpus)
    return torch.from_numpy(classifier.probabilities(features))


@pytest.mark.parametrize(("side", "family", "tune"), cases(NAMED, TEXT_FAMILIES))
def test_every_family_learns_in_every_way_and_is_read_again(
    side, family, tune, real_clips, checkpoint, tmp_path
):
    classifier, history = learn(real_clips, settings_of(side, checkpoint(side, family), tune))
    assert falls(losses(history))
    classifier.save_pretrained(tmp_path / "run")
    read = EmotionClassifier.from_pretrained(tmp_path / "run")
    torch.testing.assert_close(answers(read, real_clips), answers(classifier, real_clips))


@pytest.mark.parametrize(("side", "family", "tune"), cases(**UNLIKE))
def test_cut_off_in_an_epoch_it_ends_with_the_same_weights(
    side, family, tune, real_clips, checkpoint, tmp_path, monkeypatch
):
    settings = settings_of(side, checkpoint(side, family), tune, epochs=3)
    whole, _ = learn(real_clips, settings, tmp_path / "whole")
    cut = tmp_path / "cut"
    in_the_middle_of_an_epoch = STEPS_AN_EPOCH + 2
    cut_off_at(in_the_middle_of_an_epoch, monkeypatch, lambda: learn(real_clips, settings, cut))
    again, _ = learn(real_clips, settings, cut)
    assert equal_weights(whole, again)


def falls(found):
    """Whether the losses of the last epoch, or of the last quarter, are below the first."""
    few = max(1, len(found) // 4)
    return sum(found[-few:]) < sum(found[:few])


class CutOffError(Exception):
    """Stands for a kill in the middle of an epoch."""


def cut_off_at(step, monkeypatch, work):
    """Do work until the so-many-th step of training."""
    done, step_as_it_is = 0, Trainer.training_step

    def counted(*args, **kwargs):
        nonlocal done
        done += 1
        if done == step:
            raise CutOffError
        return step_as_it_is(*args, **kwargs)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "training_step", counted)
        with pytest.raises(CutOffError):
            work()


def equal_weights(one, other):
    """Of the network and of every tower, to the bit."""
    pairs = [(one.network, other.network)]
    for side in one.network.inputs:
        pairs += zip(getattr(one, side), getattr(other, side), strict=True)
    modules = [(getattr(a, "tower", a), getattr(b, "tower", b)) for a, b in pairs]
    return all(
        torch.equal(value, b.state_dict()[name])
        for a, b in modules
        for name, value in a.state_dict().items()
    )


def test_tuned_weights_are_the_runs_own_and_frozen_ones_are_not_kept(
    real_clips, checkpoint, tmp_path
):
    folder = checkpoint("text", "kcelectra")
    for tune in TUNINGS:
        classifier, _ = learn(real_clips, settings_of("text", folder, tune, epochs=1))
        classifier.save_pretrained(tmp_path / tune)
    kept = {tune: tmp_path / tune / "encoders" / "text-0" for tune in TUNINGS}
    assert not kept["frozen"].exists()
    assert (kept["lora"] / "adapter_model.safetensors").is_file()
    assert not (kept["lora"] / "model.safetensors").exists()
    assert {"config.json", "model.safetensors", "vocab.txt"} <= names_in(kept["full"])


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def learn_on_one_thread(*given):
    """As here; on more threads sums come in another order."""
    torch.set_num_threads(1)
    learn(*given)


def test_a_run_killed_while_it_tunes_ends_with_the_same_weights(real_clips, checkpoint, tmp_path):
    settings = settings_of("speech", checkpoint("speech", "wav2vec2-base"), "lora")
    whole, _ = learn(real_clips, settings, tmp_path / "whole")
    for moment in (("torch:save", 2), ("transformers:Trainer.training_step", 7)):
        killed_at(*moment, learn_on_one_thread, real_clips, settings, tmp_path / "killed")
    again, _ = learn(real_clips, settings, tmp_path / "killed")
    assert equal_weights(whole, again)


@pytest.mark.parametrize("tune", ["lora", pytest.param("full", marks=pytest.mark.slow)])
def test_long_epochs_are_gone_on_with_from_inside(
    tune, real_clips, checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr("maeum.training.checkpoints.EVERY_S", 0.0)
    usual = {"batch_size": 1, "epochs": 2, "label_smoothing": 0.1, "dropout": 0.5}
    settings = settings_of("text", checkpoint("text", "klue-bert"), tune, **usual)
    whole, history = learn(real_clips, settings, tmp_path / "whole")
    cut = tmp_path / "cut"
    inside = CLIPS + 4
    cut_off_at(inside, monkeypatch, lambda: learn(real_clips, settings, cut))
    assert last_checkpoint(cut).state["global_step"] == inside - 1
    steps = counted_steps(monkeypatch)
    again, went_on = learn(real_clips, settings, cut)
    assert len(steps) == 2 * CLIPS - (inside - 1)
    assert losses(went_on) == losses(history)
    assert equal_weights(whole, again)


def counted_steps(monkeypatch):
    """A list that grows by one with every step of training."""
    steps, step_as_it_is = [], Trainer.training_step

    def counted(*args, **kwargs):
        steps.append(1)
        return step_as_it_is(*args, **kwargs)

    monkeypatch.setattr(Trainer, "training_step", counted)
    return steps


def test_without_a_terminal_long_tuning_says_how_far_it_is(
    real_clips, checkpoint, monkeypatch, caplog
):
    settings = settings_of("text", checkpoint("text", "klue-bert"), "lora", epochs=1)
    with caplog.at_level("INFO", logger="maeum"):
        learn(real_clips, settings)
        assert "training: step" not in caplog.text
        monkeypatch.setattr("maeum.training.bar.LINE_EVERY_S", 0.0)
        learn(real_clips, settings)
    assert re.search(r"training: step 2/2  loss \d\.\d{3}", caplog.text)


@pytest.mark.slow
def test_another_run_starts_from_a_tuned_one_also_with_other_emotions(
    real_clips, checkpoint, tmp_path
):
    tuned = {"tune": "lora", "modality": "text", "text": str(checkpoint("text", "klue-bert"))}
    quick = {"split": "none", "epochs": 1, "hidden_size": 16, "batch_size": 4}
    first = train(real_clips, tmp_path / "first", **tuned, **quick)
    second = train(real_clips, tmp_path / "second", start=str(first.folder), **quick | {"lr": 1e-9})
    assert second.settings.modality == "text"
    assert second.settings.tune == "frozen"
    assert second.settings.text == str(first.folder / "encoders" / "text-0")
    torch.testing.assert_close(
        answers(second.model, real_clips), answers(first.model, real_clips), atol=1e-4, rtol=0
    )
    fewer = real_clips.select(real_clips.utterances["emotion"].is_in(["Happy", "Sad"]))
    others = EmotionSet.of(["Happy", "Sad"])
    third = train(
        replace(fewer, emotions=others), tmp_path / "third", start=str(first.folder), **quick
    )
    assert third.model.emotions.names == ("Happy", "Sad")


def test_built_in_encoders_have_nothing_to_tune():
    with pytest.raises(SettingsError, match="built-in encoders have nothing to tune"):
        Encoders.of(Settings(tune="full"))


@pytest.mark.parametrize("modality", ["speech", "both"])
def test_one_encoder_learns_beside_others_that_do_not(modality, real_clips, checkpoint):
    speech = f"builtin:acoustic+{checkpoint('speech', 'hubert')}"
    settings = Settings.of(
        modality=modality, speech=speech, tune="full", epochs=EPOCHS, batch_size=4, cut_s=1.0
    )
    classifier, history = learn(real_clips, settings)
    assert falls(losses(history))
    assert [type(one).__name__ for one in classifier.speech] == [
        "AcousticEncoder",
        "PretrainedSpeech",
    ]


@pytest.mark.parametrize(
    ("fusion", "tune"),
    [
        pytest.param(fusion, tune, marks=[] if number == 8 else [pytest.mark.slow])
        for number, (fusion, tune) in enumerate(product(["late", "gated", "cross"], TUNINGS))
    ],
)
def test_every_fusion_goes_with_every_tuning(fusion, tune, real_clips, checkpoint, tmp_path):
    settings = Settings.of(
        speech=str(checkpoint("speech", "wav2vec2-base")),
        text=str(checkpoint("text", "koelectra")),
        fusion=fusion,
        tune=tune,
        epochs=2,
        batch_size=4,
        cut_s=1.0,
    )
    classifier, _ = learn(real_clips, settings)
    classifier.save_pretrained(tmp_path)
    read = EmotionClassifier.from_pretrained(tmp_path)
    torch.testing.assert_close(answers(read, real_clips), answers(classifier, real_clips))
    row = real_clips.utterances.row(0, named=True)
    alone = read(real_clips.audio_root / row["audio"], text=row["text"])
    chances = torch.tensor(list(alone.probabilities.values()))
    torch.testing.assert_close(chances, answers(classifier, real_clips)[0], atol=1e-5, rtol=0)
    assert read(text=row["text"]).modalities == ("text",)
    assert read(real_clips.audio_root / row["audio"]).modalities == ("speech",)


def test_all_weights_are_not_tuned_under_an_adapter(checkpoint):
    encoder, *_ = text_encoders(str(checkpoint("text", "klue-bert")))
    make_tunable(encoder.tower, Tuning("lora", rank=2))
    with pytest.raises(SettingsError, match="use tune=lora, which goes on with the adapter"):
        make_tunable(encoder.tower, Tuning("full"))


def test_features_of_the_encoders_as_they_were_are_no_hindrance(real_clips, checkpoint):
    settings = settings_of("text", checkpoint("text", "klue-bert"), "lora", epochs=1)
    frozen = extract(real_clips, text=text_encoders(settings.text))
    ids = list(real_clips.utterances["id"])
    given, _ = Material.gather(real_clips, settings, frozen).learn(ids)
    own, _ = Material.gather(real_clips, settings).learn(ids)
    assert equal_weights(given, own)
    assert not given.text[0].tower.training


def test_an_adapter_is_read_with_other_layers_and_cuts_than_it_was_learnt_with(
    real_clips, checkpoint, tmp_path
):
    folder = checkpoint("text", "klue-bert")
    classifier, _ = learn(real_clips, settings_of("text", folder, "lora", max_tokens=64))
    classifier.save_pretrained(tmp_path)
    kept = str(tmp_path / "encoders" / "text-0")
    same, *_ = text_encoders(kept, Reading(max_tokens=64))
    other, *_ = text_encoders(kept, Reading(layers="weighted", max_tokens=32))
    assert same.version != other.version
    sentence = ["오늘 정말 마음이 아프다"]
    last_layer = other.encode(sentence)[:, -other.dim :]
    torch.testing.assert_close(*map(torch.from_numpy, (same.encode(sentence), last_layer)))
    again = settings_of("text", kept, "lora", epochs=1, max_tokens=32)
    learn(real_clips, again)[0].save_pretrained(tmp_path / "again")
    text_encoders(str(tmp_path / "again" / "encoders" / "text-0"), Reading(max_tokens=32))


@pytest.mark.parametrize(
    "wrong",
    [{"target_modules": "(a+)+$"}, {"target_modules": "("}, {"r": 10**9}, {"r": 0}, {"r": "x"}],
    ids=str,
)
def test_an_adapter_that_is_no_list_of_layers_and_a_small_rank_is_refused(
    wrong, real_clips, checkpoint, tmp_path
):
    classifier, _ = learn(
        real_clips, settings_of("text", checkpoint("text", "klue-bert"), "lora", epochs=1)
    )
    classifier.save_pretrained(tmp_path)
    folder = tmp_path / "encoders" / "text-0"
    path = folder / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | wrong))
    with pytest.raises(EncoderError, match="cannot be read as a LoRA adapter"):
        text_encoders(str(folder))


def test_a_run_cannot_lead_what_is_written_out_of_its_folder(real_clips, checkpoint, tmp_path):
    classifier, _ = learn(
        real_clips, settings_of("text", checkpoint("text", "klue-bert"), "lora", epochs=1)
    )
    classifier.network.config.text[0]["kept"] = "../elsewhere"
    classifier.save_pretrained(tmp_path / "run")
    assert names_in(tmp_path) == {"run"}


def test_a_run_is_not_replaced_by_one_that_starts_from_it(real_clips, checkpoint, tmp_path):
    tuned = {"tune": "lora", "modality": "text", "text": str(checkpoint("text", "klue-bert"))}
    quick = {"split": "none", "epochs": 1, "hidden_size": 16, "batch_size": 4}
    run = train(real_clips, tmp_path / "run", **tuned, **quick)
    with pytest.raises(SettingsError, match="the run to start from and as the folder to write"):
        train(real_clips, run.folder, start=str(run.folder), overwrite=True, **quick)
    assert run.finished


def test_an_adapter_of_other_weights_is_refused(real_clips, checkpoint, tmp_path):
    folder = tmp_path / "encoder"
    shutil.copytree(checkpoint("text", "klue-bert"), folder)
    classifier, _ = learn(real_clips, settings_of("text", folder, "lora", epochs=1))
    classifier.save_pretrained(tmp_path / "run")
    make_text_checkpoint(folder, "klue-bert", seed=1)
    with pytest.raises(EncoderError, match=r"holds an adapter of .* as it was when it was learnt"):
        _ = EmotionClassifier.from_pretrained(tmp_path / "run").text


def test_without_peft_lora_says_what_to_install(checkpoint, monkeypatch):
    encoder, *_ = text_encoders(str(checkpoint("text", "kcelectra")))
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(SettingsError, match=r"pip install 'maeum\[lora\]'"):
        make_tunable(encoder.tower, Tuning("lora"))
