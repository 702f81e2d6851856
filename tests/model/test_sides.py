"""A side's encoders are made comparable, layer by layer, and tables of any size are read for it."""

import tracemalloc

import numpy as np
import pytest
import torch
from networks import card, network

from maeum.model import spread
from maeum.model.sides import CLIP_AT, CLIP_FRAMES_AT, SideInput, drawn_to_hide

ALL = slice(None)


def table(rows, *spreads, mean=3.0, seed=0):
    """Normal columns of these spreads."""
    return np.random.default_rng(seed).normal(mean, spreads, (rows, len(spreads))).astype("float32")


def standardised(values, *cards, rows=ALL, present=None):
    """The side's own view of the values it was standardised like."""
    side = SideInput(cards)
    side.standardize_like(values, present)
    there = torch.ones(len(values[rows]), dtype=torch.bool)
    return side(torch.as_tensor(values[rows]), there).detach().numpy()


# -- standardisation -------------------------------------------------------------------------


def test_each_dimension_is_scaled_by_itself_where_the_encoder_says_so():
    scaled = standardised(table(400, 1, 2, 5, 10, 0), card("a", 5))
    np.testing.assert_allclose(scaled.mean(axis=0), np.zeros(5), atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=0)[:4], np.ones(4), atol=1e-2)
    assert (scaled[:, 4] == 0).all(), "a dimension that never changes stays at zero"


def test_all_dimensions_share_a_scale_where_the_encoder_says_so():
    scaled = standardised(table(400, 1, 2, 4, 0), card("a", 4, standardize="together"))
    assert scaled.std(axis=0)[1] / scaled.std(axis=0)[0] == pytest.approx(2, rel=0.1)
    assert (scaled**2).mean() == pytest.approx(1, rel=0.05)


def test_every_encoder_is_scaled_its_own_way():
    values = table(400, 1, 3, 1, 3)
    scaled = standardised(values, card("a", 2), card("b", 2, standardize="together")).std(axis=0)
    np.testing.assert_allclose(scaled[:2], [1, 1], rtol=0.05)
    assert scaled[3] / scaled[2] == pytest.approx(3, rel=0.1)


def test_layers_scaled_together_are_so_each_for_itself():
    side = SideInput([card("a", 2, layers=2, standardize="together")])
    side.standardize_like(table(400, 1, 3, 10, 30))
    first, second = side.scale[:2], side.scale[2:]
    assert len(set(first.tolist())) == len(set(second.tolist())) == 1
    torch.testing.assert_close(second / first, torch.full((2,), 10.0), rtol=0.1, atol=0)


def test_a_value_unlike_all_others_counts_no_more_than_the_limit():
    side = network().side("speech")
    far = side.mean + side.scale * torch.tensor([1.0, -1.0, 1e9, CLIP_AT + 1, -CLIP_AT - 1])
    standard = side(far[None], torch.tensor([True]))
    torch.testing.assert_close(standard[0], torch.tensor([1.0, -1, CLIP_AT, CLIP_AT, -CLIP_AT]))


def test_what_an_encoder_that_learns_gives_keeps_a_gradient_however_far_it_moves():
    far = torch.tensor([[1.0, CLIP_AT, 10 * CLIP_AT, -1e4]])
    standard, slopes = {}, {}
    for how in ({}, {"kept": "encoders/speech-0"}):
        values = far.clone().requires_grad_()
        given = SideInput([card("s", 4, **how)])(values, torch.tensor([True]))
        given.sum().backward()
        standard[len(how)], slopes[len(how)] = given.detach()[0], values.grad[0]
    assert slopes[0].tolist() == [1, 1, 0, 0]
    assert (slopes[1] > 0).all()
    assert torch.equal(standard[1][:2], standard[0][:2])
    assert CLIP_AT < standard[1][2] < 2 * CLIP_AT
    assert -20 < standard[1][3] < -CLIP_AT


def test_frames_are_in_the_units_of_their_encoders_vectors_within_a_wider_limit():
    side = SideInput([card("a", 1), card("b", 2)])
    side.standardize_like(table(400, 1, 2, 5))
    vectors = torch.tensor([[4.0, 5.0, 8.0], [1e6, -1e6, 3.0]])
    (first, keep), (second, _) = side.standard_moments(side.as_moments(vectors))
    assert keep.all()
    assert (first.shape, second.shape) == ((2, 1, 1), (2, 1, 2))
    together = torch.cat([first, second], dim=2)[:, 0]
    expected = ((vectors - side.mean) / side.scale).clamp(-CLIP_FRAMES_AT, CLIP_FRAMES_AT)
    torch.testing.assert_close(together, expected)


# -- large tables ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.asarray, torch.as_tensor])
@pytest.mark.parametrize("at_once", [1, 10, 64, 10_000])
def test_mean_and_scale_are_the_same_however_the_table_is_cut(kind, at_once, monkeypatch):
    monkeypatch.setattr(spread, "AT_ONCE", at_once)
    values = table(53, 1, 2, 5)
    present = np.arange(53) % 3 > 0
    side = SideInput([card("a", 3)])
    side.standardize_like(kind(values), kind(present))
    chosen = values[present].astype(np.float64)
    np.testing.assert_allclose(side.mean, chosen.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(side.scale, chosen.std(axis=0), rtol=1e-6)


def test_a_small_spread_far_from_zero_is_found(monkeypatch):
    monkeypatch.setattr(spread, "AT_ONCE", 16)
    values = np.random.default_rng(0).normal(1e6, 1e-2, (5_000, 2))
    found = spread.spread_of(values)
    np.testing.assert_allclose(np.sqrt(found.variance), values.std(axis=0), rtol=1e-5)


def test_a_table_on_disk_is_never_in_memory_as_a_whole(tmp_path):
    rows, width = 40_000, 256  # 41 MB
    values = np.lib.format.open_memmap(
        tmp_path / "table.npy", mode="w+", dtype=np.float32, shape=(rows, width)
    )
    values[::2] = 1
    values.flush()
    side = SideInput([card("a", width)])
    tracemalloc.start()
    side.standardize_like(np.load(tmp_path / "table.npy", mmap_mode="r"), np.ones(rows, dtype=bool))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < values.nbytes / 2
    torch.testing.assert_close(side.mean, torch.full((width,), 0.5))
    torch.testing.assert_close(side.scale, torch.full((width,), 0.5))


def test_a_side_nobody_has_keeps_its_mean_and_scale():
    side = SideInput([card("a", 2)])
    side.standardize_like(table(9, 1, 2), np.zeros(9, dtype=bool))
    assert side.mean.tolist() == [0, 0]
    assert side.scale.tolist() == [1, 1]


# -- encoders and layers -----------------------------------------------------------------------


def test_layers_weigh_the_same_at_first_and_are_summed_with_what_is_learnt():
    side = SideInput([card("a", 2, layers=3), card("b", 1)])
    vectors, there = torch.randn(4, 7), torch.ones(4, dtype=torch.bool)
    layers = vectors[:, :6].reshape(4, 3, 2)
    mixed = side(vectors, there)
    torch.testing.assert_close(mixed, torch.cat([layers.mean(dim=1), vectors[:, 6:]], dim=1))
    with torch.no_grad():
        side.mixes[0].weights.copy_(torch.tensor([0.0, 30.0, 0.0]))
    torch.testing.assert_close(side(vectors, there)[:, :2], layers[:, 1])


def test_the_weights_of_layers_are_learnt_and_mean_and_scale_are_not():
    made = network(speech=[card("a", 2, layers=3)])
    learnt = {name for name, _ in made.inputs.named_parameters()}
    assert learnt == {"speech.stand_in", "speech.mixes.0.weights", "text.stand_in"}
    given = {"speech": torch.randn(8, 6), "text": torch.randn(8, 4)}
    made(**given, labels=torch.zeros(8, dtype=torch.int64)).loss.backward()
    assert made.side("speech").mixes[0].weights.grad.abs().sum() > 0


def test_the_stand_in_is_as_long_as_what_comes_out():
    side = SideInput([card("a", 2, layers=3), card("b", 1)])
    assert (side.width, side.dim, len(side.stand_in)) == (7, 3, 3)
    absent = side(torch.randn(2, 7), torch.tensor([True, False]))
    torch.testing.assert_close(absent[1], side.stand_in)


# -- modality dropout --------------------------------------------------------------------------


def kept(rows, share, **present):
    """(row,) which rows still have speech, and which text."""
    torch.manual_seed(3)
    had = {side: torch.ones(rows, dtype=torch.bool) for side in ("speech", "text")} | present
    lost = drawn_to_hide(had, share)
    return had["speech"] & ~lost["speech"], had["text"] & ~lost["text"]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.6])
def test_modality_dropout_hides_the_stated_share_half_of_it_each(share):
    speech, text = kept(20_000, share)
    assert abs((~speech).float().mean() - share / 2) < 0.01
    assert abs((~text).float().mean() - share / 2) < 0.01


def test_modality_dropout_never_hides_both_halves_nor_the_only_one():
    speech, text = kept(5_000, 0.9)
    assert (speech | text).all()
    some = torch.arange(5_000) % 2 == 0
    speech, text = kept(5_000, 0.9, text=some)
    assert speech[~some].all()
    assert (speech | text).all()
