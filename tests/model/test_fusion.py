"""Each fusion is the formula it states."""

import pytest
import torch
from networks import FUSIONS, TEXT, card, features, frames, network, presence, taken
from torch.nn import functional

from maeum.model.fusion import Look


def sides_of(made, given):
    """A and T as the fusion sees them."""
    there = torch.ones(len(given["speech"]), dtype=torch.bool)
    return [made.side(side)(given[side], there) for side in ("speech", "text")]


# -- late ------------------------------------------------------------------------------------


def answer_of(made, side, vector):
    """Equations (2) to (4) with a side's own weights."""
    h = torch.relu(made.fusion.hidden[side](vector))
    return torch.softmax(made.fusion.output[side](h), dim=1)


@torch.no_grad()
def test_late_fusion_averages_what_the_sides_answer():
    made, given = network(fusion="late"), features(9)
    heard, read = sides_of(made, given)
    mean = (answer_of(made, "speech", heard) + answer_of(made, "text", read)) / 2
    torch.testing.assert_close(made.probabilities(**given), mean)
    torch.testing.assert_close(made(**given).logits.exp(), mean)


@torch.no_grad()
def test_late_fusion_lets_a_side_alone_answer_alone():
    made, given = network(fusion="late"), features(2)
    heard, read = sides_of(made, given)
    told = made.probabilities(**given, **presence(speech=[True, False], text=[False, True]))
    torch.testing.assert_close(told[0], answer_of(made, "speech", heard)[0])
    torch.testing.assert_close(told[1], answer_of(made, "text", read)[1])


def test_the_loss_of_late_fusion_is_that_of_the_average():
    made, given = network(fusion="late"), features(20)
    labels = torch.arange(20) % 7
    chances = made.probabilities(**given)
    expected = functional.nll_loss(chances.log(), labels)
    torch.testing.assert_close(made(**given, labels=labels).loss, expected)


def test_late_fusion_stays_finite_where_both_sides_are_certain_of_different_things():
    made, given = network(fusion="late"), features(4)
    with torch.no_grad():
        for layer in made.fusion.output.values():
            layer.weight *= 1e4
    loss = made(**given, labels=torch.tensor([0, 1, 2, 3])).loss
    loss.backward()
    assert loss.isfinite()
    assert all(w.grad.isfinite().all() for w in made.parameters() if w.grad is not None)


# -- gated -----------------------------------------------------------------------------------


@torch.no_grad()
def test_gated_fusion_is_the_gated_multimodal_unit():
    made, given = network(fusion="gated"), features(9)
    heard, read = sides_of(made, given)
    weights = {name: layer.weight for name, layer in made.fusion.hidden.items()}
    z = torch.sigmoid(torch.cat([heard, read], dim=1) @ weights["gate"].T)
    h = z * torch.tanh(heard @ weights["speech"].T) + (1 - z) * torch.tanh(read @ weights["text"].T)
    torch.testing.assert_close(made(**given).logits, made.fusion.output(h))


def test_an_open_gate_hears_and_a_closed_one_reads():
    made, given = network(fusion="gated"), features(9)
    other = {**given, "text": given["text"].flip(0)}
    with torch.no_grad():
        for gate, alike in ((1e4, True), (-1e4, False)):
            made.fusion.hidden["gate"].weight.zero_()
            made.fusion.hidden["gate"].weight[:, 0] = gate
            made.side("speech").mean[0] = -10  # the first value of A is above zero everywhere
            same = torch.allclose(made.probabilities(**given), made.probabilities(**other))
            assert same == alike


# -- cross -----------------------------------------------------------------------------------


@torch.no_grad()
def test_a_look_is_the_mean_of_what_is_said_and_of_what_was_found_for_it():
    torch.manual_seed(0)
    look = Look(size=4)
    own, other = torch.randn(1, 3, 4), torch.randn(1, 1, 4)
    keep = torch.tensor([[True, True, False]])
    value = other[0] @ look.attention.in_proj_weight[8:].T  # the only one there is to find
    found = look.attention.out_proj(value)
    expected = look.norm(own[0, :2] + found).mean(dim=0)
    torch.testing.assert_close(look(own, keep, other, torch.tensor([[True]]))[0], expected)


def test_padding_of_frames_never_changes_an_answer():
    made, given = network(fusion="cross"), features(6)
    told = made(**given, frames=frames(6)).logits
    padded = made(**given, frames=frames(6, padding=40)).logits
    torch.testing.assert_close(told, padded, atol=1e-6, rtol=1e-6)


def test_the_order_of_rows_with_frames_does_not_matter():
    made, batch = network(fusion="cross"), {**features(6), "frames": frames(6)}
    turned = [5, 0, 3, 1, 4, 2]
    torch.testing.assert_close(
        made(**batch).logits[turned], made(**taken(batch, turned)).logits, atol=1e-6, rtol=1e-6
    )


def test_every_frame_matters_to_both_sides():
    made, given = network(fusion="cross"), frames(6)
    told = made(frames=given).logits
    for side in given:
        values, keep = given[side][0]
        first = torch.zeros_like(values)
        first[:, 0] = 3.0
        other = made(frames={**given, side: [(values + first, keep)]}).logits
        assert ((told - other).abs().amax(dim=1) > 1e-4).all()


def test_a_vector_without_frames_is_a_sequence_of_length_1():
    made, given = network(fusion="cross"), features(4)
    there = torch.ones(4, 1, dtype=torch.bool)
    single = {side: [(vectors[:, None], there)] for side, vectors in given.items()}
    torch.testing.assert_close(made(**given).logits, made(frames=single).logits)
    one_side = {"speech": single["speech"]}
    torch.testing.assert_close(made(**given).logits, made(**given, frames=one_side).logits)


def test_an_utterance_of_no_frames_is_like_one_without_the_side():
    made, given = network(fusion="cross"), frames(3)
    values, keep = given["speech"][0]
    silent = {**given, "speech": [(values, keep & False)]}
    empty = {**given, "speech": [(values[:, :0], keep[:, :0])]}
    absent = made(frames=given, **presence(speech=[False] * 3)).logits
    for frames_without in (silent, empty, {"text": given["text"]}):
        torch.testing.assert_close(made(frames=frames_without).logits, absent)


def test_encoders_of_a_side_follow_each_other_over_time():
    made = network(fusion="cross", text=[card("a", TEXT), card("b", 2)])
    first, (speech,) = frames(3)["text"][0], frames(3)["speech"]
    second = (
        torch.randn(3, 4, 2),
        torch.tensor([[True] * 4, [True] * 2 + [False] * 2, [True] * 4]),
    )
    told = made(frames={"speech": [speech], "text": [first, second]}).logits
    assert told.isfinite().all()
    for place in range(2):
        shifted = [
            (values + (at == place), keep) for at, (values, keep) in enumerate([first, second])
        ]
        other = made(frames={"speech": [speech], "text": shifted}).logits
        assert not torch.allclose(told, other)


def test_frames_of_too_few_encoders_are_noticed():
    made = network(fusion="cross", text=[card("a", TEXT), card("b", 2)])
    with pytest.raises(ValueError, match="zip"):
        made(**features(3, text=TEXT + 2), frames=frames(3))


def test_other_fusions_do_not_look_at_frames():
    made, given = network(fusion="gated"), features(3)
    assert torch.equal(made(**given).logits, made(**given, frames=frames(3)).logits)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 128])
def test_any_hidden_size_can_look_across(size):
    made = network(fusion="cross", hidden_size=size)
    assert size % made.fusion.looks["speech"].attention.num_heads == 0
    assert made.probabilities(frames=frames(2)).shape == (2, 7)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_bfloat16_changes_little(fusion):
    made = network(fusion=fusion, hidden_size=16)
    given = {**features(8), "frames": frames(8), "labels": torch.arange(8) % 7}
    exact = made(**given).loss
    with torch.autocast("cpu", torch.bfloat16):
        rough = made(**given).loss
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0)
