"""The network is the four equations, and each utterance is answered by itself."""

import json

import numpy as np
import pytest
import torch
from networks import (
    FUSIONS,
    HIDDEN,
    SPEECH,
    TEXT,
    card,
    features,
    frames,
    network,
    presence,
    taken,
    turns,
)
from torch import nn

from maeum.emotions import PAPER
from maeum.encoders.pretrained.quiet import quietly
from maeum.errors import SettingsError
from maeum.model import EmotionNetwork, NetworkConfig

WEIGHTS = [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0]

each_fusion = pytest.mark.parametrize("fusion", FUSIONS)
each_network = pytest.mark.parametrize(
    "config",
    [{"fusion": fusion, "context": context} for fusion in FUSIONS for context in (0, 2)],
    ids=lambda config: f"{config['fusion']}-{config['context']}",
)


def inputs_of(config, rows=3):
    """All that such a network looks at."""
    given = features(rows)
    if config["fusion"] == "cross":
        given["frames"] = frames(rows)
    if config["context"]:
        given["context"] = turns(rows)
    return given


def by_hand(made, **given):
    """Equations (1) to (4) in numpy, from the weights; a side not given is stood in for."""
    weights = {name: value.numpy() for name, value in made.state_dict().items()}
    rows = len(next(iter(given.values())))
    halves = []
    for side in made.inputs:
        own = {part: weights[f"inputs.{side}.{part}"] for part in ("mean", "scale", "stand_in")}
        if side in given:
            halves.append(((given[side].numpy() - own["mean"]) / own["scale"]).clip(-5, 5))
        else:
            halves.append(np.tile(own["stand_in"], (rows, 1)))
    x = np.concatenate(halves, axis=1)
    h = np.maximum(0, x @ weights["fusion.hidden.weight"].T + weights["fusion.hidden.bias"])
    y = h @ weights["fusion.output.weight"].T + weights["fusion.output.bias"]
    return np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("lacking", [{}, {"text": ()}, {"speech": ()}])
def test_the_network_is_the_four_equations(lacking):
    made = network(**lacking)
    given = {side: value for side, value in features().items() if side not in lacking}
    np.testing.assert_allclose(made.probabilities(**given), by_hand(made, **given), atol=1e-6)


def test_speech_comes_before_text_in_x():
    made, given = network(), features()
    with torch.no_grad():
        made.fusion.hidden.weight[:, :SPEECH] = 0
    other_voice = {**given, "speech": given["speech"] + 1}
    other_text = {**given, "text": given["text"] + 1}
    assert torch.equal(made.probabilities(**given), made.probabilities(**other_voice))
    assert not torch.equal(made.probabilities(**given), made.probabilities(**other_text))


@each_network
def test_probabilities_sum_to_one_however_far_the_features_lie(config):
    given = inputs_of(config, 50)
    given |= {side: given[side] * 1e6 for side in ("speech", "text")}
    chances = network(**config).probabilities(**given)
    assert chances.shape == (50, len(PAPER))
    assert (chances >= 0).all()
    torch.testing.assert_close(chances.sum(dim=1), torch.ones(50))


# -- what is missing -------------------------------------------------------------------------


@pytest.mark.parametrize("alone", ["speech", "text"])
def test_one_half_alone_is_answered_with_the_stand_in_for_the_other(alone):
    made, given = network(), features()
    half = {alone: given[alone]}
    np.testing.assert_allclose(made.probabilities(**half), by_hand(made, **half), atol=1e-6)


@each_network
@pytest.mark.parametrize("side", ["speech", "text"])
def test_an_absent_half_is_the_same_whatever_stands_in_its_place(config, side):
    made, given = network(**config), inputs_of(config)
    absent = presence(**{side: [False] * 3})
    told = made.probabilities(**given, **absent)
    shifted = {**given, side: given[side] + 100}
    assert torch.equal(told, made.probabilities(**shifted, **absent))
    without = {name: value for name, value in given.items() if name != side}
    if "frames" in given:
        without["frames"] = {name: value for name, value in given["frames"].items() if name != side}
    torch.testing.assert_close(told, made.probabilities(**without), atol=1e-6, rtol=0)


@each_network
def test_both_halves_matter_where_both_are_there(config):
    made, given = network(**config), inputs_of(config)
    told = made.probabilities(**given)
    for side in ("speech", "text"):
        absent = made.probabilities(**given, **presence(**{side: [False] * 3}))
        assert (told - absent).abs().max() > 1e-3


@each_network
def test_an_utterance_with_neither_half_is_answered_all_the_same(config):
    neither = presence(speech=[False] * 3, text=[False] * 3)
    chances = network(**config).probabilities(**inputs_of({**config, "context": 0}), **neither)
    torch.testing.assert_close(chances[0], chances[1])
    assert chances.isfinite().all()


# -- each utterance by itself ------------------------------------------------------------------


@each_network
def test_rows_of_a_batch_may_lack_different_halves(config):
    made, given = network(**config), inputs_of(config, 4)
    has = presence(speech=[True, False, True, False], text=[True, True, False, False])
    mixed = made.probabilities(**given, **has)
    for row in range(4):
        alone = made.probabilities(**taken(given | has, [row]))
        torch.testing.assert_close(mixed[[row]], alone, atol=1e-6, rtol=0)


@each_network
@pytest.mark.parametrize("rows", [2, 7, 64, 200])
def test_a_row_alone_is_answered_as_in_any_batch(config, rows):
    made, given = network(**config), inputs_of(config, rows)
    together = made(**given).logits
    for row in range(0, rows, max(1, rows // 5)):
        alone = made(**taken(given, [row])).logits
        torch.testing.assert_close(alone, together[[row]], atol=1e-6, rtol=1e-6)


# -- training --------------------------------------------------------------------------------


@each_network
def test_modality_dropout_works_while_training_and_not_in_use(config):
    made = network(**config, modality_dropout=0.9, dropout=0.0)
    given = inputs_of(config, 40)
    assert torch.equal(made(**given).logits, made(**given).logits)
    made.train()
    assert not torch.equal(made(**given).logits, made(**given).logits)
    assert torch.equal(made.probabilities(**given), made.probabilities(**given))


def test_a_network_of_one_half_hides_nothing():
    made = network(text=(), modality_dropout=0.9, dropout=0.0).train()
    given = {"speech": features(40)["speech"]}
    assert torch.equal(made(**given).logits, made(**given).logits)


@pytest.mark.parametrize("fusion", ["concat", "gated"])
def test_modality_dropout_lets_the_stand_ins_learn(fusion):
    made, given = network(fusion=fusion, modality_dropout=0.5), features(40)
    made.train()
    made(**given, labels=torch.zeros(40, dtype=torch.int64)).loss.backward()
    assert made.side("speech").stand_in.grad.abs().sum() > 0
    assert made.side("text").stand_in.grad.abs().sum() > 0


@each_network
def test_every_weight_takes_part_in_every_step(config):
    """Else processes that train together wait for it for ever."""
    made = network(**config).train()
    labels = torch.zeros(8, dtype=torch.int64)
    made(**inputs_of(config, 8), labels=labels).loss.backward()
    idle = {name for name, weight in made.named_parameters() if weight.grad is None}
    frozen = {name for name, weight in made.named_parameters() if not weight.requires_grad}
    assert idle == frozen
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in made.parameters())


@each_fusion
def test_every_fusion_learns_from_both_halves_what_neither_tells_alone(fusion):
    torch.manual_seed(0)
    labels, given = torch.arange(60) % 3, features(60)
    given["speech"][labels == 0, 0] += 6
    given["text"][labels == 1, 0] += 6
    made = EmotionNetwork(
        NetworkConfig(
            PAPER.to_dict()[:3],
            speech=[card("s", SPEECH)],
            text=[card("t", TEXT)],
            hidden_size=16,
            dropout=0.0,
            modality_dropout=0.0,
            fusion=fusion,
        )
    )
    adam = torch.optim.Adam(made.parameters(), lr=0.01)
    for _ in range(120):
        adam.zero_grad()
        made(**given, labels=labels).loss.backward()
        adam.step()
    answers = made.probabilities(**given).argmax(dim=1)
    assert (answers == labels).float().mean() > 0.9


# -- the loss --------------------------------------------------------------------------------


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
def test_the_loss_is_torchs_cross_entropy_weighted_and_smoothed_averaged_over_rows(
    weights, smoothing
):
    made, given = network(class_weights=weights, label_smoothing=smoothing), features(20)
    labels = torch.arange(20) % len(PAPER)
    found = made(**given, labels=labels)
    loss = nn.CrossEntropyLoss(
        weight=None if weights is None else torch.tensor(weights),
        label_smoothing=smoothing,
        reduction="sum",
    )
    torch.testing.assert_close(found.loss, loss(found.logits, labels) / 20)
    assert made(**given).loss is None


@each_fusion
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_losses_of_halves_average_to_the_loss_of_the_whole(fusion, smoothing):
    made = network(fusion=fusion, class_weights=WEIGHTS, label_smoothing=smoothing)
    batch = {**features(20), "labels": (torch.arange(20) * 5 // 20) % len(PAPER)}
    halves = [made(**taken(batch, slice(start, start + 10))).loss for start in (0, 10)]
    torch.testing.assert_close(made(**batch).loss, sum(halves) / 2)
    assert not torch.isclose(*halves)


# -- shapes ----------------------------------------------------------------------------------


def test_halves_of_different_length_are_noticed_before_they_are_joined():
    given = features()
    with pytest.raises(Exception, match="batch"):
        network()(speech=given["speech"], text=given["text"][:2])


def test_speech_given_as_whole_numbers_is_noticed():
    with pytest.raises(Exception, match="speech"):
        network()(speech=torch.ones((3, SPEECH), dtype=torch.int64))


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"fusion": "gated", "text": ()}, "speech is all this network takes; leave .* at concat"),
        ({"fusion": "late", "speech": ()}, "text is all this network takes"),
        ({"fusion": "add"}, "unknown fusion 'add'; known: concat, late, gated, cross"),
        (
            {"fusion": "cross", "speech": [card("w2v", 4, layers=3)]},
            "w2v was asked for several; use layers=last",
        ),
    ],
)
def test_a_fusion_that_does_not_go_with_the_encoders_is_refused(config, words):
    cards = {"speech": [card("s", SPEECH)], "text": [card("t", TEXT)]}
    with pytest.raises(SettingsError, match=words):
        NetworkConfig(PAPER.to_dict(), **{**cards, **config})


# -- files -----------------------------------------------------------------------------------


@each_network
def test_save_and_load_give_equal_probabilities_bit_for_bit(config, tmp_path):
    made, given = network(**config, class_weights=[1.0] * 7), inputs_of(config, 30)
    with quietly():
        made.save_pretrained(tmp_path)
        back = EmotionNetwork.from_pretrained(tmp_path)
    assert torch.equal(made.probabilities(**given), back.probabilities(**given))
    assert all(torch.equal(made.state_dict()[n], v) for n, v in back.state_dict().items())
    for name in ("emotions", "class_weights", "speech", "text", "fusion", "context"):
        assert getattr(back.config, name) == getattr(made.config, name)


def test_several_encoders_with_weighted_layers_are_saved_and_loaded(tmp_path):
    cards = [card("a", 3, layers=4), card("b", 2, standardize="together")]
    made = network(speech=cards, normalize="speaker")
    with quietly():
        made.save_pretrained(tmp_path)
        back, found = EmotionNetwork.from_pretrained(tmp_path, output_loading_info=True)
    assert not found["missing_keys"]
    assert not found["unexpected_keys"]
    given = features(9, speech=14)
    assert torch.equal(made.probabilities(**given), back.probabilities(**given))
    assert (back.config.speech, back.config.normalize) == (cards, "speaker")


def test_the_weights_are_safetensors_and_the_labels_are_names(tmp_path):
    with quietly():
        network().save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    saved = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert list(saved["id2label"].values()) == list(PAPER.names)
    assert saved["hidden_size"] == HIDDEN


def test_quiet_ends_when_its_block_does():
    from transformers.utils import logging

    def loudness():
        return logging.get_verbosity(), logging.is_progress_bar_enabled()

    before = loudness()
    with quietly():
        assert loudness() == (logging.ERROR, False)
    assert loudness() == before
    with pytest.raises(ZeroDivisionError), quietly():
        _ = 1 / 0
    assert loudness() == before
