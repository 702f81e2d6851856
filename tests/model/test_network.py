"""The network is the four equations, and each utterance is answered by itself."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from maeum.emotions import PAPER
from maeum.model import EmotionNetwork, NetworkConfig
from maeum.model.network import CLIP_AT
from maeum.model.quiet import quietly

SPEECH, TEXT, HIDDEN = 5, 4, 6


def network(seed=0, *, sides=("speech", "text"), **config):
    """A network with random weights everywhere, the stand-ins and the standardisation included."""
    cards = {"speech": {"name": "s", "version": "1", "dim": SPEECH}}
    cards["text"] = {"name": "t", "version": "1", "dim": TEXT}
    torch.manual_seed(seed)
    made = EmotionNetwork(
        NetworkConfig(
            emotions=PAPER.to_dict(),
            **{side: cards[side] for side in sides},
            hidden_size=HIDDEN,
            **config,
        )
    )
    with torch.no_grad():
        for side in sides:
            nn.init.normal_(made.side(side).stand_in)
            nn.init.normal_(made.side(side).mean)
            made.side(side).scale.copy_(torch.rand(made.side(side).dim) + 0.5)
    return made.eval()


def features(rows=3, seed=1):
    rng = np.random.default_rng(seed)
    values = {"speech": rng.normal(size=(rows, SPEECH)), "text": rng.normal(size=(rows, TEXT))}
    return {side: torch.tensor(value, dtype=torch.float32) for side, value in values.items()}


def presence(**rows):
    return {f"has_{side}": torch.tensor(present) for side, present in rows.items()}


def by_hand(made, **given):
    """Equations (1) to (4) in numpy, from the weights; a side not given is stood in for."""
    weights = {name: value.numpy() for name, value in made.state_dict().items()}
    rows = len(next(iter(given.values())))
    halves = []
    for side in made.inputs:
        own = {part: weights[f"inputs.{side}.{part}"] for part in ("mean", "scale", "stand_in")}
        if side in given:
            halves.append((given[side].numpy() - own["mean"]) / own["scale"])
        else:
            halves.append(np.tile(own["stand_in"], (rows, 1)))
    x = np.concatenate(halves, axis=1)
    h = np.maximum(0, x @ weights["hidden.weight"].T + weights["hidden.bias"])
    y = h @ weights["output.weight"].T + weights["output.bias"]
    return np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)


@pytest.mark.parametrize("sides", [("speech", "text"), ("speech",), ("text",)])
def test_the_network_is_the_four_equations(sides):
    made = network(sides=sides)
    given = {side: value for side, value in features().items() if side in sides}
    np.testing.assert_allclose(made.probabilities(**given), by_hand(made, **given), atol=1e-6)


def test_speech_comes_before_text_in_x():
    made, given = network(), features()
    with torch.no_grad():
        made.hidden.weight[:, :SPEECH] = 0
    other_voice = {**given, "speech": given["speech"] + 1}
    other_text = {**given, "text": given["text"] + 1}
    assert torch.equal(made.probabilities(**given), made.probabilities(**other_voice))
    assert not torch.equal(made.probabilities(**given), made.probabilities(**other_text))


def test_probabilities_sum_to_one_however_far_the_features_lie():
    given = {side: value * 1e6 for side, value in features(50).items()}
    chances = network().probabilities(**given)
    assert chances.shape == (50, len(PAPER))
    assert (chances >= 0).all()
    torch.testing.assert_close(chances.sum(dim=1), torch.ones(50))


@pytest.mark.parametrize("alone", ["speech", "text"])
def test_one_half_alone_is_answered_with_the_stand_in_for_the_other(alone):
    made, given = network(), features()
    half = {alone: given[alone]}
    np.testing.assert_allclose(made.probabilities(**half), by_hand(made, **half), atol=1e-6)


def test_an_absent_half_is_the_same_whatever_stands_in_its_place():
    made, given = network(), features()
    absent = presence(text=[False] * 3)
    told = made.probabilities(**given, **absent)
    given["text"] = given["text"] + 100
    assert torch.equal(told, made.probabilities(**given, **absent))
    assert torch.equal(told, made.probabilities(speech=given["speech"]))


def test_rows_of_a_batch_may_lack_different_halves():
    made, given = network(), features()
    mixed = made.probabilities(
        **given, **presence(speech=[True, False, True], text=[True, True, False])
    )
    rows = [{side: value[[row]] for side, value in given.items()} for row in range(3)]
    alone = [rows[0], {"text": rows[1]["text"]}, {"speech": rows[2]["speech"]}]
    expected = torch.cat([made.probabilities(**row) for row in alone])
    torch.testing.assert_close(mixed, expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("rows", [2, 7, 64, 200])
def test_a_row_alone_is_answered_as_in_any_batch(rows):
    made, given = network(), features(rows)
    together = made.probabilities(**given)
    for row in range(0, rows, max(1, rows // 5)):
        alone = made.probabilities(**{side: value[[row]] for side, value in given.items()})
        torch.testing.assert_close(alone, together[[row]], atol=1e-6, rtol=0)


def test_a_value_unlike_all_others_counts_no_more_than_the_limit():
    side = network().side("speech")
    far = side.mean + side.scale * torch.tensor([1.0, -1.0, 1e9, CLIP_AT + 1, -CLIP_AT - 1])
    standard = side(far[None], torch.tensor([True]))
    torch.testing.assert_close(standard[0], torch.tensor([1.0, -1, CLIP_AT, CLIP_AT, -CLIP_AT]))


def test_each_dimension_is_scaled_by_itself_or_all_together():
    values = torch.tensor(np.random.default_rng(0).normal(3, [1, 2, 5, 10, 0], (400, SPEECH)))
    values = values.float()
    each, together = network().side("speech"), network().side("speech")
    each.standardize_like(values, "each")
    together.standardize_like(values, "together")
    here = torch.ones(400, dtype=torch.bool)
    scaled = each(values, here).detach()
    np.testing.assert_allclose(scaled.mean(dim=0), np.zeros(5), atol=1e-4)
    np.testing.assert_allclose(scaled.std(dim=0, unbiased=False)[:4], np.ones(4), atol=1e-2)
    assert (scaled[:, 4] == 0).all(), "a dimension that never changes stays at zero"
    assert len(set(together.scale.tolist())) == 1
    torch.testing.assert_close(
        together(values, here).square().mean(), torch.tensor(1.0), atol=0.1, rtol=0
    )


# -- training --------------------------------------------------------------------------------


def hidden_halves(made, rows, **present):
    """(row,) which rows still have speech, and which text, after modality dropout."""
    torch.manual_seed(3)
    everything = {side: torch.ones(rows, dtype=torch.bool) for side in ("speech", "text")}
    kept = made._hide_some(everything | present)
    return kept["speech"], kept["text"]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6])
def test_modality_dropout_hides_the_stated_share_half_of_it_each(share):
    speech, text = hidden_halves(network(modality_dropout=share), 20_000)
    assert abs((~speech).float().mean() - share / 2) < 0.01
    assert abs((~text).float().mean() - share / 2) < 0.01


def test_modality_dropout_never_hides_both_halves_nor_the_only_one():
    made = network(modality_dropout=0.9)
    speech, text = hidden_halves(made, 5_000)
    assert (speech | text).all()
    some = torch.arange(5_000) % 2 == 0
    speech, text = hidden_halves(made, 5_000, text=some)
    assert speech[~some].all()
    assert (speech | text).all()


def test_modality_dropout_works_while_training_and_not_in_use():
    made, given = network(modality_dropout=0.9, dropout=0.0), features(40)
    assert torch.equal(made(**given).logits, made(**given).logits)
    made.train()
    assert not torch.equal(made(**given).logits, made(**given).logits)
    assert torch.equal(made.probabilities(**given), made.probabilities(**given))


def test_modality_dropout_lets_the_stand_ins_learn():
    made, given = network(modality_dropout=0.5), features(40)
    made.train()
    made(**given, labels=torch.zeros(40, dtype=torch.int64)).loss.backward()
    assert made.side("speech").stand_in.grad.abs().sum() > 0
    assert made.side("text").stand_in.grad.abs().sum() > 0


def test_the_mean_and_scale_are_not_learnt():
    learnt = {name.rpartition(".")[2] for name, _ in network().named_parameters()}
    assert learnt == {"stand_in", "weight", "bias"}


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0]])
def test_the_loss_is_torchs_cross_entropy_weighted_and_smoothed(weights, smoothing):
    made, given = network(class_weights=weights, label_smoothing=smoothing), features(20)
    labels = torch.arange(20) % len(PAPER)
    found = made(**given, labels=labels)
    loss = nn.CrossEntropyLoss(
        weight=None if weights is None else torch.tensor(weights), label_smoothing=smoothing
    )
    torch.testing.assert_close(found.loss, loss(found.logits, labels))
    assert made(**given).loss is None


# -- shapes ----------------------------------------------------------------------------------


def test_halves_of_different_length_are_noticed_before_they_are_joined():
    given = features()
    with pytest.raises(Exception, match="batch"):
        network()(speech=given["speech"], text=given["text"][:2])


def test_speech_given_as_whole_numbers_is_noticed():
    with pytest.raises(Exception, match="speech"):
        network()(speech=torch.ones((3, SPEECH), dtype=torch.int64))


# -- files -----------------------------------------------------------------------------------


def test_save_and_load_give_equal_probabilities_bit_for_bit(tmp_path):
    made, given = network(class_weights=[1.0] * 7, normalize="speaker"), features(30)
    with quietly():
        made.save_pretrained(tmp_path)
        back = EmotionNetwork.from_pretrained(tmp_path)
    assert torch.equal(made.probabilities(**given), back.probabilities(**given))
    assert back.config.emotions == made.config.emotions
    assert back.config.class_weights == made.config.class_weights
    assert (back.config.speech, back.config.normalize) == (made.config.speech, "speaker")
    assert all(torch.equal(made.state_dict()[n], v) for n, v in back.state_dict().items())


def test_the_weights_are_safetensors_and_the_labels_are_names(tmp_path):
    with quietly():
        network().save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    card = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert list(card["id2label"].values()) == list(PAPER.names)


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
