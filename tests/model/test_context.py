"""What was said before is looked at, and only that."""

import pytest
import torch
from networks import FUSIONS, HIDDEN, features, network, presence, taken, turns

from maeum.model.context import PreviousTurns

BACK = 3

each_fusion = pytest.mark.parametrize("fusion", FUSIONS)


def dialogue(rows=5, seed=2):
    """Utterances with up to `BACK` turns before them, of which the first row has none."""
    before = turns(rows, seed, back=BACK)
    for side in ("speech", "text"):
        before[f"has_{side}"][0] = False
        before[f"has_{side}"][1] = True
    return before


@each_fusion
def test_previous_turns_change_the_answer_where_there_are_any(fusion):
    made, given = network(fusion=fusion, context=BACK), features(5)
    alone, told = made(**given).logits, made(**given, context=dialogue()).logits
    torch.testing.assert_close(alone[0], told[0], atol=1e-6, rtol=1e-6)
    assert (alone[1] - told[1]).abs().max() > 1e-3


@each_fusion
def test_a_turn_that_is_not_there_is_not_attended_to(fusion):
    made, given, before = network(fusion=fusion, context=BACK), features(5), dialogue()
    for side in ("speech", "text"):
        before[f"has_{side}"][:, 0] = False
    told = made(**given, context=before).logits
    for side in ("speech", "text"):
        before[side] = before[side].clone()
        before[side][:, 0] = 50.0
    assert torch.equal(told, made(**given, context=before).logits)
    shorter = {name: values[:, 1:] for name, values in before.items()}
    torch.testing.assert_close(told, made(**given, context=shorter).logits)


def test_half_a_turn_is_attended_to_with_the_stand_in_for_the_other():
    made, given, before = network(context=BACK), features(5), dialogue()
    before["has_speech"][:] = False
    before["has_text"][:] = True
    told = made(**given, context=before).logits
    only_text = {name: before[name] for name in ("text", "has_text")}
    torch.testing.assert_close(told, made(**given, context=only_text).logits)
    assert not torch.allclose(told, made(**given).logits)


def test_it_matters_how_long_ago_something_was_said():
    made, given, before = network(context=BACK), features(5), dialogue()
    for side in ("speech", "text"):
        before[f"has_{side}"][:] = True
    turned = {name: values.flip(1) for name, values in before.items()}
    told = made(**given, context=before).logits
    assert not torch.allclose(told, made(**given, context=turned).logits)
    with torch.no_grad():
        made.turns.turns_ago.zero_()
    told = made(**given, context=before).logits
    torch.testing.assert_close(told, made(**given, context=turned).logits)


@each_fusion
def test_dialogues_of_a_batch_do_not_mix(fusion):
    made = network(fusion=fusion, context=BACK)
    batch = {**features(5), "context": dialogue()}
    together = made(**batch).logits
    for row in range(5):
        alone = made(**taken(batch, [row])).logits
        torch.testing.assert_close(alone, together[[row]], atol=1e-5, rtol=1e-5)


def test_a_network_without_context_does_not_look_back():
    made, given = network(), features(5)
    assert torch.equal(made(**given).logits, made(**given, context=dialogue()).logits)


@torch.no_grad()
def test_c_is_scaled_dot_product_attention_over_what_is_there():
    torch.manual_seed(0)
    attention = PreviousTurns(width=4, hidden_size=3, turns=2)
    torch.nn.init.normal_(attention.turns_ago)
    now, before = torch.randn(1, 4), torch.randn(1, 2, 4)
    found = attention(now, before, torch.tensor([[True, True]]))
    keys = attention.key(before[0]) + attention.turns_ago
    weights = torch.softmax(keys @ attention.query(now[0]) / 3**0.5, dim=0)
    torch.testing.assert_close(found[0], weights @ attention.value(before[0]))
    nearest = attention(now, before, torch.tensor([[False, True]]))
    torch.testing.assert_close(nearest[0], attention.value(before[0, 1]))
    nothing = attention(now, before, torch.tensor([[False, False]]))
    torch.testing.assert_close(nothing[0], attention.nothing)


def test_a_dialogue_without_previous_turns_leaves_gradients_finite():
    made, before = network(context=BACK).train(), dialogue()
    for side in ("speech", "text"):
        before[f"has_{side}"][:] = False
    labels = torch.zeros(5, dtype=torch.int64)
    made(**features(5), context=before, labels=labels).loss.backward()
    assert all(weight.grad.isfinite().all() for weight in made.parameters())
    assert made.turns.nothing.grad.abs().sum() > 0


def test_c_stands_behind_a_and_t_in_x():
    made = network(context=BACK)
    assert made.fusion.hidden.in_features == 5 + 4 + HIDDEN
    given = features(5)
    with torch.no_grad():
        made.fusion.hidden.weight[:, -HIDDEN:] = 0
    assert torch.equal(made(**given).logits, made(**given, context=dialogue()).logits)


def test_a_half_hidden_in_training_is_hidden_in_the_turns_before():
    made = network(context=BACK, modality_dropout=0.999, dropout=0.0).train()
    given, before = features(5), dialogue()
    torch.manual_seed(0)
    told = made(**given, context=before).logits
    torch.manual_seed(0)
    lost = made._lost({side: torch.ones(5, dtype=torch.bool) for side in ("speech", "text")})
    assert (lost["speech"] | lost["text"]).all()
    has = {f"has_{side}": ~rows for side, rows in lost.items()}
    unseen = {name: values & has[name][:, None] for name, values in before.items() if name in has}
    expected = made.eval()(**given, **has, context={**before, **unseen}).logits
    torch.testing.assert_close(told, expected)


def test_context_of_a_network_of_one_half_is_of_that_half():
    made = network(text=(), context=BACK)
    before = {name: values for name, values in dialogue().items() if "text" not in name}
    speech = features(5)["speech"]
    told = made(speech=speech, context=before).logits
    assert not torch.allclose(told, made(speech=speech).logits)
    absent = made(speech=speech, **presence(speech=[False] * 5)).logits
    assert absent.isfinite().all()
