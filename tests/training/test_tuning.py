"""Encoders that learn with the network: every family, every way, saved, killed, gone on with."""

import pytest
import torch
from transformers import Trainer

from maeum.config import Settings
from maeum.corpus import Corpus, import_corpus
from maeum.features import Features
from maeum.inference import EmotionClassifier
from maeum.testing import (
    SPEECH_FAMILIES,
    TEXT_FAMILIES,
    make_speech_checkpoint,
    make_text_checkpoint,
)
from maeum.training.learn import Material

TUNINGS = ("frozen", "lora", "full")
CASES = [
    pytest.param(side, family, tune, id=f"{family}-{tune}")
    for side, families in (("speech", SPEECH_FAMILIES), ("text", TEXT_FAMILIES))
    for family in families
    for tune in TUNINGS
]
STEPS_AN_EPOCH, EPOCHS = 2, 5
CLIPS = 16


@pytest.fixture(scope="module")
def real_clips(real_corpora) -> Corpus:
    """Sixteen real recordings, four of each emotion."""
    corpus = import_corpus("emotiontts", real_corpora / "emotiontts")
    by_emotion = corpus.utterances.group_by("emotion", maintain_order=True)
    return corpus.with_utterances(by_emotion.head(CLIPS // 4))


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
        "encoder_lr": 1e-3,
        "lr": 5e-3,
        "cut_s": 2.0,
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


@pytest.mark.parametrize(("side", "family", "tune"), CASES)
def test_every_family_learns_in_every_way_and_answers_alike_when_read_again(
    side, family, tune, real_clips, checkpoint, tmp_path
):
    settings = settings_of(side, checkpoint(side, family), tune)
    classifier, history = learn(real_clips, settings)
    assert losses(history)[-1] < losses(history)[0]
    classifier.save_pretrained(tmp_path)
    again = EmotionClassifier.from_pretrained(tmp_path)
    torch.testing.assert_close(answers(again, real_clips), answers(classifier, real_clips))


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


@pytest.mark.parametrize(("side", "family", "tune"), CASES)
def test_a_run_cut_off_in_the_middle_of_an_epoch_ends_with_the_same_weights(
    side, family, tune, real_clips, checkpoint, tmp_path, monkeypatch
):
    settings = settings_of(side, checkpoint(side, family), tune)
    whole, _ = learn(real_clips, settings, tmp_path / "whole")
    cut = tmp_path / "cut"
    middle = STEPS_AN_EPOCH * 2 + 2
    cut_off_at(middle, monkeypatch, lambda: learn(real_clips, settings, cut))
    again, history = learn(real_clips, settings, cut)
    assert equal_weights(whole, again)
    assert losses(history)[-1] < losses(history)[0]


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
