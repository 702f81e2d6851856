"""bfloat16: taken where the machine has it, said aloud, and close to float32."""

import pytest
import torch

from maeum.config import Settings
from maeum.encoders.pretrained import native
from maeum.training import precision
from maeum.training.precision import say_precision, takes_bf16


@pytest.fixture
def machine(monkeypatch):
    """A machine that has bfloat16, or does not."""
    return lambda has: monkeypatch.setattr(precision, "has_bf16", lambda: has)


@pytest.mark.parametrize(
    ("asked", "has", "taken", "said"),
    [
        (None, True, True, "tuning in bfloat16, which this machine computes in; --no-bf16"),
        (None, False, False, "tuning in float32: this machine does not"),
        (True, True, True, ""),
        (True, False, False, "bf16 was asked for and this machine does not compute in bfloat16"),
        (False, True, False, ""),
        (False, False, False, ""),
    ],
)
def test_bf16_is_taken_where_it_is_there_and_not_refused(asked, has, taken, said, machine, caplog):
    machine(has)
    settings = Settings(tune="lora", bf16=asked)
    assert takes_bf16(settings) == taken
    with caplog.at_level("INFO", logger="maeum"):
        say_precision(settings)
    assert said in caplog.text
    assert bool(caplog.text) == bool(said)


def test_heads_on_frozen_encoders_stay_in_float32(machine):
    machine(True)
    assert not takes_bf16(Settings(bf16=True))


@pytest.mark.parametrize(
    ("torch_says", "linux_says", "has"),
    [
        (set(), set(), False),
        ({"avx512_f"}, {"avx512f"}, False),
        ({"avx512_bf16"}, set(), True),
        (set(), {"avx512_bf16"}, True),
        ({"bf16"}, set(), True),
    ],
)
def test_a_processor_has_it_where_torch_or_the_system_says_so(
    torch_says, linux_says, has, monkeypatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(native, "_told_by_torch", lambda: torch_says)
    monkeypatch.setattr(native, "_told_by_linux", lambda: linux_says)
    assert precision.has_bf16() == has
