"""What a network learns from: which utterances, how weighted, how standardised."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from maeum.config import Settings
from maeum.corpus.manifest import Utterance
from maeum.emotions import EmotionSet
from maeum.encoders import width
from maeum.errors import CorpusError, SamplingError, SettingsError
from maeum.training.batches import FeatureDataset, as_it_is
from maeum.training.encoders import Encoders
from maeum.training.learn import Material, class_weights, training_rows

THREE = EmotionSet.of(["Happy", "Angry", "Sad"])


def settings(**given):
    return Settings.of(epochs=2, batch_size=8, hidden_size=8, **given)


@pytest.fixture
def material(made_corpus, made_features):
    def gather(**given):
        return Material.gather(made_corpus, settings(**given), made_features)

    return gather


def weights(material, ids, **kwargs):
    classifier, _ = material.learn(ids, **kwargs)
    return classifier.network.state_dict()


def equal(some, others):
    return all(torch.equal(some[name], others[name]) for name in some)


# -- chance ----------------------------------------------------------------------------------


def test_the_same_seed_gives_equal_weights_and_another_does_not(material, made_corpus):
    ids = list(made_corpus.utterances["id"])
    first = weights(material(seed=1), ids)
    torch.rand(7)  # whatever chance did before
    assert equal(first, weights(material(seed=1), ids))
    assert not equal(first, weights(material(seed=2), ids))


def test_the_seed_decides_the_order_of_the_batches(material, made_corpus, monkeypatch):
    asked, get = [], FeatureDataset.__getitems__

    def noted(self, indices):
        asked.append(tuple(indices))
        return get(self, indices)

    monkeypatch.setattr(FeatureDataset, "__getitems__", noted)
    orders = []
    for seed in (1, 1, 2):
        asked.clear()
        material(seed=seed).learn(list(made_corpus.utterances["id"]))
        orders.append(tuple(asked))
    assert orders[0] == orders[1] != orders[2]
    for epoch in (orders[0][:5], orders[0][5:]):
        assert sorted(row for batch in epoch for row in batch) == list(range(36))


def test_keeping_checkpoints_does_not_change_the_weights(material, made_corpus, tmp_path):
    ids = list(made_corpus.utterances["id"])
    parts = {"ids": ids[:24], "validation": ids[24:]}
    kept = weights(material(), **parts, checkpoints=tmp_path)
    assert equal(kept, weights(material(), **parts))


def test_a_run_stops_early_where_the_validation_loss_no_longer_falls(material, tmp_path):
    learner = material(patience=2, lr=0.03, label_smoothing=0.0)
    learner = replace(learner, settings=learner.settings.model_copy(update={"epochs": 30}))
    ids = list(learner.corpus.utterances["id"])
    classifier, history = learner.learn(ids[:24], ids[24:], checkpoints=tmp_path)
    losses = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    assert len(losses) == losses.index(min(losses)) + 1 + 2
    features, labels = learner.features.take(ids[24:]), learner.corpus.labels[24:]
    chances = classifier.probabilities(features)[np.arange(12), labels]
    assert -np.log(chances).mean() == pytest.approx(min(losses), abs=1e-4), "the best is kept"


def test_threads_are_as_many_after_training_as_before(material, made_corpus):
    material().learn(list(made_corpus.utterances["id"]))
    assert torch.get_num_threads() == 1


# -- standardisation -------------------------------------------------------------------------


def test_the_network_is_standardised_like_the_training_part_alone(material, made_corpus):
    learner = material()
    ids = list(made_corpus.utterances["id"])[:20]
    network = learner.learn(ids)[0].network
    own = learner.features.take(ids)
    speech, text = network.side("speech"), network.side("text")
    heard = own.vectors("speech").mean(axis=0)
    np.testing.assert_allclose(speech.mean, heard, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(text.mean, own.vectors("text").mean(axis=0), atol=1e-6)
    assert text.scale.unique().numel() == 1, "counts are scaled together"
    assert speech.scale.unique().numel() > 1


def test_recordings_that_could_not_be_heard_do_not_move_the_mean(made_corpus, made_features):
    deaf = made_features.has["speech"].copy()
    deaf[:10] = False
    speech = made_features.tables["speech"].copy()
    speech[:10] = 0
    partly = replace(
        made_features,
        tables=made_features.tables | {"speech": speech},
        has=made_features.has | {"speech": deaf},
    )
    learner = Material.gather(made_corpus, settings(), partly)
    side = learner.learn(list(made_corpus.utterances["id"]))[0].network.side("speech")
    np.testing.assert_allclose(side.mean, speech[10:].mean(axis=0), rtol=1e-4, atol=1e-4)


# -- voices ----------------------------------------------------------------------------------


def test_a_speaker_heard_in_one_emotion_is_refused_where_voices_are_normalised(corpus_of):
    flat = corpus_of(
        *(Utterance(f"a{n}", e, text="네", audio=f"{n}.wav", speaker="a") for n, e in VARIED),
        Utterance("b1", "Happy", text="네", audio="b.wav", speaker="b"),
        Utterance("b2", "Sad", text="아니요", speaker="b"),
    )
    heard = flat.utterances["audio"].is_not_null().to_numpy()
    with pytest.raises(SettingsError, match=r"1 have one, b among them"):
        Material.gather(flat, settings(normalize="speaker"), features_of(flat, heard))


def test_a_speaker_never_heard_needs_no_second_emotion(corpus_of):
    silent = corpus_of(
        *(Utterance(f"a{n}", e, text="네", audio=f"{n}.wav", speaker="a") for n, e in VARIED),
        Utterance("b1", "Happy", text="네", speaker="b"),
    )
    heard = silent.utterances["audio"].is_not_null().to_numpy()
    material = Material.gather(silent, settings(normalize="speaker"), features_of(silent, heard))
    assert "b1" in material.features.ids


def test_a_recording_without_a_speaker_is_refused_where_voices_are_normalised(corpus_of):
    nameless = corpus_of(
        *(Utterance(f"a{n}", e, text="네", audio=f"{n}.wav", speaker="a") for n, e in VARIED),
        Utterance("b1", "Happy", text="네", audio="b.wav"),
    )
    heard = np.ones(len(nameless), dtype=bool)
    learner = Material.gather(nameless, settings(normalize="speaker"), features_of(nameless, heard))
    with pytest.raises(CorpusError, match="names no speaker"):
        learner.learn(list(nameless.utterances["id"]))


VARIED = ((1, "Happy"), (2, "Sad"), (3, "Angry"))


def features_of(corpus, heard):
    """Speech drawn by chance and no text, as if the built-in encoders had made them."""
    from maeum.features import Features

    encoders = Encoders.of(settings())
    rng = np.random.default_rng(0)
    speech = rng.normal(size=(len(corpus), width(encoders.speech))).astype(np.float32)
    return Features(
        ids=tuple(corpus.utterances["id"]),
        tables={
            "speech": speech,
            "text": np.zeros((len(corpus), width(encoders.text)), dtype=np.float32),
        },
        has={"speech": heard, "text": np.ones(len(corpus), dtype=bool)},
        rows=np.arange(len(corpus)),
        context=np.zeros((len(corpus), 0), dtype=np.int64),
        made_by=encoders.recipe,
    )


def test_a_run_that_reads_alone_has_no_voices_to_normalise(material, made_corpus):
    ids = list(made_corpus.utterances["id"])
    read = material(modality="text", normalize="speaker")
    assert equal(weights(read, ids), weights(material(modality="text"), ids))


# -- what is given and what is taken -----------------------------------------------------------


def test_features_made_otherwise_are_refused(made_corpus, made_features):
    with pytest.raises(SettingsError, match="features given were made by"):
        Material.gather(made_corpus, settings(normalize="recording"), made_features)


def test_a_corpus_of_which_nothing_can_be_used_says_why(corpus_of):
    broken = corpus_of(
        Utterance("a", "Happy", audio="none.wav"), Utterance("b", "Sad", audio="none.wav")
    )
    with pytest.raises(
        CorpusError, match=r"no utterance has a usable recording or text.*none\.wav"
    ):
        Material.gather(broken, settings())
    with pytest.raises(CorpusError, match="no utterance has usable text"):
        Material.gather(broken, settings(modality="text"))


def test_a_training_part_of_one_emotion_is_refused(made_corpus):
    happy = made_corpus.utterances.filter(pl.col("emotion") == "Happy")
    with pytest.raises(CorpusError, match="fewer than two emotions"):
        training_rows(happy, settings())


def test_more_than_there_is_is_refused_unless_fewer_will_do(made_corpus):
    rows = made_corpus.utterances
    with pytest.raises(SamplingError, match=r"asked for 13 .*12 of Angry"):
        training_rows(rows, settings(per_emotion=13))
    assert len(training_rows(rows, settings(per_emotion=13, allow_fewer=True))) == 36


def test_the_seed_of_the_run_decides_a_random_sample(made_corpus):
    rows = made_corpus.utterances
    taken = [set(training_rows(rows, settings(total=12, seed=seed))["id"]) for seed in (0, 0, 1)]
    assert taken[0] == taken[1] != taken[2]


# -- weights of the loss -----------------------------------------------------------------------


def test_balanced_weights_are_scikit_learns():
    labels = [0] * 8 + [1] * 3 + [2]
    found = class_weights(labels, THREE, settings(class_weights="balanced"))
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    np.testing.assert_allclose(found, expected)
    assert np.mean([found[label] for label in labels]) == pytest.approx(1)


def test_an_emotion_that_never_occurs_weighs_nothing():
    assert class_weights([0, 0, 1], THREE, settings(class_weights="balanced"))[2] == 0


def test_equal_weights_are_none():
    assert class_weights([0, 0, 1], THREE, settings()) is None


def test_weights_reach_the_loss_of_the_network(material, made_corpus):
    ids = list(made_corpus.utterances["id"])[:20]
    learnt = material(class_weights="balanced").learn(ids)[0].network.config.class_weights
    assert learnt is not None
    assert len(learnt) == 3


# -- batches -----------------------------------------------------------------------------------


def test_a_batch_is_its_rows(made_features, made_run):
    data = FeatureDataset(made_features, range(36), made_run.model.network)
    batch = as_it_is(data.__getitems__([3, 1]))
    assert len(data) == 36
    for place, row in enumerate((3, 1)):
        alone = data.__getitems__([row])
        assert all(torch.equal(batch[name][place], value[0]) for name, value in alone.items())
    assert batch["labels"].tolist() == [3, 1]
    assert set(batch) == {"speech", "has_speech", "text", "has_text", "labels"}


def test_garbage_is_collected_as_before_once_a_network_has_learnt():
    import gc

    from maeum.training.fit import heap_left_alone

    with heap_left_alone():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0
