"""Dropout and attention of tuning on a processor do what torch's do, and chance can be repeated."""

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.nn import functional

from maeum.encoders import Reading
from maeum.encoders.pretrained.attention import PLAIN, plain_attention
from maeum.encoders.pretrained.dropout import QuickDropout, quick_dropout, take_quick_dropout
from maeum.encoders.pretrained.speech import PretrainedSpeech
from maeum.encoders.pretrained.tuning import Tuning, make_tunable
from maeum.testing import make_speech_checkpoint

DTYPES = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


@DTYPES
@pytest.mark.parametrize("p", [0.05, 0.1, 0.5, 0.9])
def test_as_many_are_left_out_as_asked_and_the_mean_stays(p, dtype):
    torch.manual_seed(0)
    made = quick_dropout(torch.ones(1000, 1001, dtype=dtype), p).float()
    assert made.shape == (1000, 1001)
    assert (made == 0).float().mean().item() == pytest.approx(p, abs=0.003)
    assert made.mean().item() == pytest.approx(1, abs=0.01)
    assert len(made.unique()) == 2


def test_neighbours_are_left_out_independently():
    torch.manual_seed(0)
    left_out = quick_dropout(torch.ones(400_000), 0.5) == 0
    for apart in (1, 2, 3, 4, 8):
        both = (left_out[apart:] & left_out[:-apart]).float().mean().item()
        assert both == pytest.approx(0.25, abs=0.005)


def test_one_seed_of_torch_leaves_out_the_same_and_another_call_others():
    x = torch.ones(10_000)
    torch.manual_seed(3)
    first, second = quick_dropout(x, 0.3), quick_dropout(x, 0.3)
    torch.manual_seed(3)
    assert torch.equal(first, quick_dropout(x, 0.3))
    assert not torch.equal(first, second)


def test_gradients_reach_what_was_kept_and_nothing_else():
    torch.manual_seed(0)
    x = torch.randn(50, 3, requires_grad=True)
    made = quick_dropout(x, 0.4)
    made.sum().backward()
    kept = made != 0
    assert x.grad[kept].unique().item() == pytest.approx(1 / 0.6, rel=1e-4)
    assert not x.grad[~kept].any()


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_nothing_and_everything_can_be_left_out(p):
    assert torch.equal(quick_dropout(torch.ones(9), p), functional.dropout(torch.ones(9), p))


def test_layers_are_replaced_at_any_depth_and_only_act_in_training():
    model = nn.Sequential(nn.Linear(4, 4), nn.Sequential(nn.Dropout(0.5)), nn.Dropout(0.2))
    take_quick_dropout(model)
    drops = [one for one in model.modules() if isinstance(one, nn.Dropout)]
    assert [(type(one), one.p) for one in drops] == [(QuickDropout, 0.5), (QuickDropout, 0.2)]
    x = torch.randn(8, 4)
    assert torch.equal(model.eval()(x), model[0](x))
    assert (model.train()(x) == 0).any()


def test_its_memory_can_be_foreseen():
    with FakeTensorMode():
        x = torch.empty(7, 5, dtype=torch.bfloat16, requires_grad=True)
        made = quick_dropout(x, 0.1)
    assert (made.shape, made.dtype, made.requires_grad) == ((7, 5), torch.bfloat16, True)


@DTYPES
@pytest.mark.parametrize("masked", [None, "bool", "added"])
def test_attention_that_leaves_out_next_to_nothing_is_torchs(dtype, masked):
    torch.manual_seed(0)
    query, key, value = (torch.randn(3, 2, 11, 8, dtype=dtype) for _ in range(3))
    keep = (torch.arange(11) < torch.tensor([11, 4, 7])[:, None])[:, None, None]
    added = torch.zeros(keep.shape, dtype=dtype).masked_fill(~keep, torch.finfo(dtype).min)
    mask = {None: None, "bool": keep.expand(3, 1, 11, 11), "added": added}[masked]
    seen, _ = plain_attention(nn.Module(), query, key, value, mask, dropout=1e-9)
    expected = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    tolerance = 1e-6 if dtype is torch.float32 else 2e-2
    torch.testing.assert_close(seen, expected.transpose(1, 2), atol=tolerance, rtol=tolerance)


def test_attention_leaves_out_scores_at_random():
    torch.manual_seed(0)
    query, key = torch.randn(2, 2, 400, 8), torch.randn(2, 2, 400, 8)
    values = torch.ones(2, 2, 400, 8)
    seen, _ = plain_attention(nn.Module(), query, key, values, None, dropout=0.5)
    assert seen.std() > 0.01
    assert seen.mean().item() == pytest.approx(1, abs=0.02)


def test_tuning_with_noise_takes_both_and_without_neither(tmp_path):
    make_speech_checkpoint(tmp_path, "wav2vec2-large-robust")
    for noise in (True, False):
        tower = PretrainedSpeech.load(str(tmp_path), Reading()).tower
        make_tunable(tower, Tuning("full", noise=noise))
        taken = [
            type(one) is QuickDropout for one in tower.modules() if isinstance(one, nn.Dropout)
        ]
        assert taken
        assert all(taken) is noise
        assert any(taken) is noise
        assert (tower.model.config._attn_implementation == PLAIN) is noise
