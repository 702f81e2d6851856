"""A network starts from another one with all that means the same in both."""

import pytest
import torch
from networks import card, features, network, turns

from maeum.emotions import PAPER

OTHER_EMOTIONS = PAPER.to_dict()[:4]


def same(one, other, *parts):
    """Whether all weights below some names are equal."""
    mine, theirs = one.state_dict(), other.state_dict()
    names = [name for name in mine if name.startswith(parts)]
    assert names
    return all(torch.equal(mine[name], theirs[name]) for name in names)


@pytest.mark.parametrize("fusion", ["concat", "late", "gated", "cross"])
def test_from_a_network_made_alike_everything_is_taken(fusion):
    old = network(1, fusion=fusion, context=2)
    new = network(2, fusion=fusion, context=2, dropout=0.1, class_weights=[2.0] * 7)
    assert new.start_from(old) == ["speech", "text", "context", "hidden", "output"]
    given = {**features(), "context": turns()}
    assert torch.equal(new.probabilities(**given), old.probabilities(**given))


def test_other_emotions_get_a_new_output_layer():
    old, new = network(1), network(2, emotions=OTHER_EMOTIONS)
    before = new.fusion.output.weight.clone()
    assert new.start_from(old) == ["speech", "text", "hidden"]
    assert same(new, old, "inputs", "fusion.hidden")
    assert torch.equal(new.fusion.output.weight, before)


def test_the_same_emotions_in_another_order_are_others():
    old, new = network(1), network(2, emotions=PAPER.to_dict()[::-1])
    assert "output" not in new.start_from(old)


@pytest.mark.parametrize(
    "speech",
    [card("s", 5, version="2"), card("s", 6), card("s", 5, layers=2)],
    ids=["version", "dim", "layers"],
)
def test_a_side_of_another_encoder_starts_anew_and_with_it_what_joins_the_sides(speech):
    old, new = network(1), network(2, speech=[speech])
    fresh = network(2, speech=[speech])
    assert new.start_from(old) == ["text"]
    assert same(new, old, "inputs.text")
    assert same(new, fresh, "inputs.speech", "fusion")


def test_where_an_encoder_lies_and_what_else_is_noted_of_it_do_not_matter():
    noted = [card("elsewhere", 5) | {"kept": "encoders/speech-0", "standardize": "together"}]
    assert "speech" in network(2, speech=noted).start_from(network(1))


def test_layer_weights_and_the_spread_of_voices_are_taken_too():
    cards = {"speech": [card("s", 3, layers=4)], "normalize": "speaker"}
    old, new = network(1, **cards), network(2, **cards)
    old.side("speech").usual_spread.fill_(2.0)
    new.start_from(old)
    assert same(new, old, "inputs.speech.mixes", "inputs.speech.usual_spread")


def test_speech_normalised_otherwise_is_other_speech():
    assert network(2, normalize="speaker").start_from(network(1)) == ["text"]


def test_half_of_a_pair_can_be_taken_and_a_pair_made_of_a_half():
    pair, half = network(1), network(2, text=())
    assert half.start_from(pair) == ["speech"]
    assert network(3).start_from(half) == ["speech"]


@pytest.mark.parametrize(
    ("config", "taken"),
    [
        ({"fusion": "gated"}, ["speech", "text"]),
        ({"hidden_size": 8}, ["speech", "text"]),
        ({"context": 2}, ["speech", "text"]),
        ({"fusion": "cross"}, ["speech", "text"]),
    ],
)
def test_another_way_of_joining_starts_anew(config, taken):
    assert network(2, **config).start_from(network(1)) == taken


def test_the_same_context_is_taken_by_another_fusion():
    old, new = network(1, context=2), network(2, context=2, fusion="late")
    assert new.start_from(old) == ["speech", "text", "context"]
    assert same(new, old, "turns")


def test_the_other_network_stays_as_it_is():
    old, new = network(1), network(2)
    new.start_from(old)
    with torch.no_grad():
        new.fusion.hidden.weight.zero_()
    assert same(old, network(1), "fusion", "inputs")
