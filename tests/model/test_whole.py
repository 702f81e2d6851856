"""Towers and head together answer as one after the other, and learn together."""

import pytest
import torch
from networks import FUSIONS, card, network
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from maeum.encoders.pretrained.frames import Frames
from maeum.model import WholeNetwork

ROWS = 5
HAS = {
    "has_speech": torch.tensor([True, False, True, True, False]),
    "has_text": torch.tensor([True, True, False, True, False]),
}
DIMS = {"speech-0": 5, "text-0": 3, "text-1": 4}
LABELS = torch.arange(ROWS)


class Tower(nn.Module):
    """A linear layer over each moment, as often as it has layers."""

    def __init__(self, dim, layers=1):
        super().__init__()
        self.linear = nn.Linear(2, layers * dim)
        self.layers = layers

    def forward(self, values, keep):
        made = self.linear(values).unflatten(2, (self.layers, -1))
        return Frames(made.transpose(1, 2), keep)


def whole(fusion="concat", *, tuned=("speech-0", "text-0", "text-1"), layers=1, **config):
    """Speech with one encoder and text with two, some of which are towers."""
    head = network(
        speech=[card("s", 5, layers=layers)],
        text=[card("a", 3), card("b", 4)],
        fusion=fusion,
        **config,
    )
    towers = {key: Tower(DIMS[key], layers if key == "speech-0" else 1) for key in tuned}
    return WholeNetwork(head, towers).eval()


def sequences(rows=ROWS, seed=0):
    """(row,) of (time, 2)."""
    chance = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 9, (rows,), generator=chance)
    return [torch.randn(int(length), 2, generator=chance) for length in lengths]


def prepared(rows):
    """What `Tunable.prepare` gives."""
    values = pad_sequence(rows, batch_first=True)
    lengths = torch.tensor([len(row) for row in rows])
    return {"values": values, "keep": torch.arange(values.shape[1]) < lengths[:, None]}


def inputs(made, has=HAS):
    """Of every tower, the rows that have its side."""
    given = {}
    for place, key in enumerate(made.towers):
        present = has[f"has_{key.partition('-')[0]}"]
        rows = [row for row, there in zip(sequences(seed=place), present, strict=True) if there]
        if rows:
            given[key] = prepared(rows)
    return given


def one_after_the_other(made, has=HAS, **fixed):
    """Towers for each row by itself, then the head."""
    logits = []
    for row in range(ROWS):
        arguments, frames = {}, {}
        for side, count in {"speech": 1, "text": 2}.items():
            if not has[f"has_{side}"][row]:
                continue
            at, parts = 0, []
            for place in range(count):
                key = f"{side}-{place}"
                if key in made.towers:
                    number = list(made.towers).index(key)
                    parts.append(made.towers[key](**prepared([sequences(seed=number)[row]])))
                else:
                    vector = fixed[side][[row], at : at + DIMS[key]]
                    at += DIMS[key]
                    parts.append(Frames(vector[:, None, None], torch.tensor([[True]])))
            arguments[side] = torch.cat([part.mean() for part in parts], dim=1)
            frames[side] = [(part.values[:, 0], part.keep) for part in parts]
        if not arguments:
            arguments = {"speech": torch.zeros(1, 5), "has_speech": torch.tensor([False])}
        logits.append(made.head(**arguments, frames=frames).logits)
    return torch.cat(logits)


@pytest.mark.parametrize("fusion", FUSIONS)
@pytest.mark.parametrize(
    "tuned",
    [("speech-0", "text-0", "text-1"), ("text-1",), ("speech-0",), ("speech-0", "text-0")],
    ids="+".join,
)
def test_towers_and_head_together_answer_as_one_after_the_other(fusion, tuned):
    made, fixed = whole(fusion, tuned=tuned), {}
    if "speech-0" not in tuned:
        fixed["speech"] = torch.randn(ROWS, 5)
    if still := [key for key in ("text-0", "text-1") if key not in tuned]:
        fixed["text"] = torch.randn(ROWS, sum(DIMS[key] for key in still))
    told = made(inputs(made), **fixed, **HAS).logits
    torch.testing.assert_close(told, one_after_the_other(made, **fixed), atol=1e-6, rtol=1e-6)


def test_all_layers_of_a_tower_reach_the_head():
    made = whole(layers=3, tuned=("speech-0",))
    text = torch.randn(ROWS, 7)
    everybody = {name: torch.ones(ROWS, dtype=torch.bool) for name in HAS}
    given = inputs(made, everybody)
    vectors = made.towers["speech-0"](**given["speech-0"]).mean()
    expected = made.head(speech=vectors, text=text).logits
    torch.testing.assert_close(made(given, text=text).logits, expected)


def test_the_mean_over_frames_in_bfloat16_is_more_exact_than_they_are():
    class Rough(Tower):
        def forward(self, values, keep):
            return Frames(values.bfloat16(), keep)

    made = whole(tuned=())
    made.towers["speech-0"] = Rough(5)
    values = (torch.randn(2, 1, 200, 5) + 3).bfloat16()
    exact = values.double().mean(dim=2)[:, 0].float()
    told = made({"speech-0": {"values": values, "keep": torch.ones(2, 200, dtype=torch.bool)}})
    torch.testing.assert_close(told.logits, made.head(speech=exact).logits, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_batch_may_lack_a_side_or_both(fusion):
    made = whole(fusion)
    nobody = torch.zeros(ROWS, dtype=torch.bool)
    only_text = {**HAS, "has_speech": nobody}
    told = made(inputs(made, only_text), **only_text, labels=LABELS)
    expected = one_after_the_other(made, only_text)
    torch.testing.assert_close(told.logits, expected, atol=1e-6, rtol=1e-6)
    assert told.loss.isfinite()
    neither = made({}, has_speech=nobody, has_text=nobody, labels=LABELS)
    assert neither.loss.isfinite()
    assert torch.equal(made({}, labels=LABELS).logits, neither.logits)


def test_what_is_not_stated_is_there_in_all_rows_or_in_none():
    made = whole()
    rows = sequences()
    told = made({"speech-0": prepared(rows)}).logits
    has = {"has_speech": torch.tensor([True] * ROWS), "has_text": torch.tensor([False] * ROWS)}
    assert torch.equal(told, made({"speech-0": prepared(rows)}, **has).logits)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_gradients_reach_every_tower(fusion):
    made = whole(fusion)
    made(inputs(made), **HAS, labels=LABELS).loss.backward()
    for tower in made.towers.values():
        assert tower.linear.weight.grad.abs().sum() > 0
        assert tower.linear.weight.grad.isfinite().all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_towers_in_bfloat16_answer_about_the_same_and_learn(fusion):
    made = whole(fusion)
    exact = made(inputs(made), **HAS, labels=LABELS).loss
    with torch.autocast("cpu", torch.bfloat16):
        rough = made(inputs(made), **HAS, labels=LABELS).loss
        nobody = {name: torch.zeros_like(rows) for name, rows in HAS.items()}
        assert made({}, **nobody, labels=LABELS).loss.isfinite()
    torch.testing.assert_close(rough, exact, atol=0.05, rtol=0)
    rough.backward()
    for tower in made.towers.values():
        assert tower.linear.weight.grad.abs().sum() > 0
        assert tower.linear.weight.grad.isfinite().all()


@pytest.mark.parametrize("fusion", FUSIONS)
def test_a_side_hidden_in_training_teaches_its_tower_nothing(fusion):
    made = whole(fusion, modality_dropout=0.8, dropout=0.0).train()
    everybody = {name: torch.ones(ROWS, dtype=torch.bool) for name in HAS}
    given = inputs(made, everybody)
    heard = given["speech-0"]["values"].requires_grad_()
    torch.manual_seed(0)
    made(given, **everybody, labels=LABELS).loss.backward()
    torch.manual_seed(0)
    both = {side: everybody[f"has_{side}"] for side in ("speech", "text")}
    lost = made.head._lost(both)["speech"]
    assert lost.any()
    assert torch.equal(heard.grad.abs().sum(dim=(1, 2)) == 0, lost)


def test_vectors_of_the_wrong_width_are_noticed():
    made = whole(tuned=("text-0",))
    with pytest.raises(RuntimeError, match="split"):
        made({}, text=torch.randn(ROWS, 7), speech=torch.randn(ROWS, 5))


@pytest.mark.parametrize("rows", [1, 2, ROWS])
def test_more_or_fewer_inputs_than_rows_have_the_side_are_noticed(rows):
    made = whole(tuned=("speech-0",))
    has = torch.tensor([True] * 3 + [False] * (ROWS - 3))
    given = {"speech-0": prepared(sequences(rows))}
    with pytest.raises(ValueError, match=rf"{rows} input\(s\) came for 3 row\(s\)"):
        made(given, has_speech=has, text=torch.randn(ROWS, 7))


def test_the_losses_of_halves_average_to_the_loss_of_the_whole():
    weights = [1.0, 2.0, 0.5, 0.0, 1.0, 3.0, 1.0]
    made = whole(tuned=("speech-0",), class_weights=weights)
    text, rows = torch.randn(4, 7), sequences(4)
    labels = torch.tensor([1, 1, 5, 2])
    losses = [
        made({"speech-0": prepared(rows[part])}, text=text[part], labels=labels[part]).loss
        for part in (slice(0, 4), slice(0, 2), slice(2, 4))
    ]
    torch.testing.assert_close(losses[0], (losses[1] + losses[2]) / 2)


def test_trainer_is_told_that_the_loss_is_already_a_mean():
    assert WholeNetwork.accepts_loss_kwargs is False
    assert type(whole().head).accepts_loss_kwargs is False
